// SPDX-License-Identifier: Apache-2.0
// Reader of cpio "newc" archives: a 110-byte header of hex digits, the name, the data, each padded
// to a multiple of 4 bytes from the archive's start.
#include <stdbool.h>

#include <lib/cpio.h>
#include <lib/errno.h>
#include <lib/string.h>

#define HEADER_SIZE 110
#define MAGIC "070701"
#define MAGIC_SIZE 6
#define FIELD_SIZE 8
#define TRAILER "TRAILER!!!"
#define NAME_SIZE_MAX 4096

enum field { FIELD_MODE = 1, FIELD_FILE_SIZE = 6, FIELD_NAME_SIZE = 11 };

static int read_field(const char *header, enum field field, uint32_t *value)
{
    const char *digits = header + MAGIC_SIZE + (size_t)field * FIELD_SIZE;

    *value = 0;
    for (size_t i = 0; i < FIELD_SIZE; i++) {
        char c = digits[i];
        uint32_t digit;

        if (c >= '0' && c <= '9') {
            digit = (uint32_t)(c - '0');
        } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
            digit = (uint32_t)((c | 0x20) - 'a') + 10;
        } else {
            return -EBADMSG;
        }
        *value = *value << 4 | digit;
    }
    return 0;
}

static const char *strip_root(const char *name)
{
    for (;;) {
        if (name[0] == '/') {
            name++;
        } else if (name[0] == '.' && name[1] == '/') {
            name += 2;
        } else {
            return name;
        }
    }
}

static bool has_dot_dot(const char *name)
{
    while (name != NULL) {
        if (name[0] == '.' && name[1] == '.' && (name[2] == '/' || name[2] == '\0')) {
            return true;
        }
        name = strchr(name, '/');
        name = name == NULL ? NULL : name + 1;
    }
    return false;
}

// Advances *offset over `bytes` and the padding after them; the padding may be cut off at the end.
static int skip(size_t size, size_t *offset, uint32_t bytes)
{
    if (bytes > size - *offset) {
        return -EBADMSG;
    }
    *offset = MIN(size, ALIGN_UP(*offset + bytes, 4));
    return 0;
}

// The name with its NUL as the last of its bytes, or NULL.
static const char *check_name(const char *name, uint32_t name_size)
{
    if (strnlen(name, name_size) != name_size - 1 || name_size == 1 || has_dot_dot(name)) {
        return NULL;
    }
    return strip_root(name);
}

int cpio_next(const void *blob, size_t size, struct cpio_iter *iter, struct cpio_entry *entry)
{
    size_t offset = iter->offset;
    const char *header = (const char *)blob + offset;
    uint32_t name_size;
    uint32_t file_size;

    if (offset > size || size - offset < HEADER_SIZE || memcmp(header, MAGIC, MAGIC_SIZE) != 0) {
        return -EBADMSG;
    }
    if (read_field(header, FIELD_MODE, &entry->mode) != 0 ||
        read_field(header, FIELD_FILE_SIZE, &file_size) != 0 ||
        read_field(header, FIELD_NAME_SIZE, &name_size) != 0) {
        return -EBADMSG;
    }
    if (name_size == 0 || name_size > NAME_SIZE_MAX || name_size > size - offset - HEADER_SIZE) {
        return -EBADMSG;
    }
    entry->name = check_name(header + HEADER_SIZE, name_size);
    if (entry->name == NULL || skip(size, &offset, HEADER_SIZE + name_size) != 0) {
        return -EBADMSG;
    }
    if (str_equal(entry->name, TRAILER)) {
        return 0;
    }
    entry->data = (const char *)blob + offset;
    entry->size = file_size;
    if (skip(size, &offset, file_size) != 0) {
        return -EBADMSG;
    }
    iter->offset = offset;
    return 1;
}

int cpio_find(const void *blob, size_t size, const char *name, struct cpio_entry *entry)
{
    struct cpio_iter iter = {0};
    struct cpio_entry next;
    int found;

    name = strip_root(name);
    while ((found = cpio_next(blob, size, &iter, &next)) > 0) {
        if ((next.mode & CPIO_MODE_TYPE) == CPIO_MODE_FILE && str_equal(next.name, name)) {
            *entry = next;
            return 0;
        }
    }
    return found == 0 ? -ENOENT : found;
}
