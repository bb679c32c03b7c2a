// SPDX-License-Identifier: Apache-2.0
// cpio reader: a good archive, one cut at every byte, hostile headers, random damage.
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lib/cpio.h>
#include <lib/errno.h>
#include <lib/macros.h>

#define OFFSET_MODE 14
#define OFFSET_FILE_SIZE 54
#define OFFSET_NAME_SIZE 94
#define OFFSET_NAME 110

static char archive[4096];
static size_t archive_size;

static void pad(void)
{
    while (archive_size % 4 != 0) {
        archive[archive_size++] = '\0';
    }
}

// Appends an entry; returns where it starts.
static size_t add(const char *name, unsigned mode, const char *data)
{
    size_t start = archive_size;

    archive_size += (size_t)sprintf(
        archive + archive_size, "070701%08X%08x%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", 1,
        mode, 0, 0, 1, 0, (unsigned)strlen(data), 0, 0, 0, 0, (unsigned)strlen(name) + 1, 0);
    archive_size += (size_t)sprintf(archive + archive_size, "%s", name) + 1;
    pad();
    archive_size += (size_t)sprintf(archive + archive_size, "%s", data);
    pad();
    return start;
}

static void build(void)
{
    memset(archive, 0xee, sizeof(archive));
    archive_size = 0;
    add(".", CPIO_MODE_DIR | 0755, "");
    add("./one", CPIO_MODE_FILE | 0644, "hello");
    add("dir", CPIO_MODE_DIR | 0755, "");
    add("dir/two", CPIO_MODE_FILE | 0600, "12345678");
    add("link", 0120777, "one");
    add("one", CPIO_MODE_FILE | 0644, "second of that name");
    add("/etc/empty", CPIO_MODE_FILE | 0644, "");
    add("TRAILER!!!", 0, "");
}

static int find(const char *name, struct cpio_entry *entry)
{
    return cpio_find(archive, archive_size, name, entry);
}

static void test_good(void **state UNUSED)
{
    static const char *const names[] = {".", "one", "dir", "dir/two", "link", "one", "etc/empty"};
    struct cpio_iter iter = {0};
    struct cpio_entry entry;

    build();
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        assert_int_equal(cpio_next(archive, archive_size, &iter, &entry), 1);
        assert_string_equal(entry.name, names[i]);
    }
    assert_int_equal(cpio_next(archive, archive_size, &iter, &entry), 0);
    assert_int_equal(cpio_next(archive, archive_size, &iter, &entry), 0);
}

static void test_find(void **state UNUSED)
{
    struct cpio_entry entry;

    build();
    assert_int_equal(find("/one", &entry), 0);
    assert_int_equal(entry.size, 5);
    assert_memory_equal(entry.data, "hello", 5);
    assert_int_equal(entry.mode, 0100644);
    assert_int_equal(find("./dir/two", &entry), 0);
    assert_int_equal(entry.size, 8);
    assert_int_equal(find("etc/empty", &entry), 0);
    assert_int_equal(entry.size, 0);
    assert_int_equal(find("dir", &entry), -ENOENT);
    assert_int_equal(find("link", &entry), -ENOENT);
    assert_int_equal(find("three", &entry), -ENOENT);
    assert_int_equal(find("on", &entry), -ENOENT);
    assert_int_equal(find("", &entry), -ENOENT);
    assert_int_equal(find("TRAILER!!!", &entry), -ENOENT);
}

// The blob lies at the end of its own allocation, so that the sanitizer sees any read beyond it.
static void test_truncated(void **state UNUSED)
{
    size_t trailer;

    build();
    trailer = archive_size - 124;
    for (size_t size = 0; size < archive_size; size++) {
        char *blob = malloc(size);
        struct cpio_iter iter = {0};
        struct cpio_entry entry;
        size_t end = 0;
        int found;

        memcpy(blob, archive, size);
        while ((found = cpio_next(blob, size, &iter, &entry)) > 0) {
            end = (size_t)((const char *)entry.data - blob) + entry.size;
            assert_true(end <= size);
        }
        assert_int_equal(found, size >= trailer + OFFSET_NAME + 11 ? 0 : -EBADMSG);
        if (size >= 300) {
            assert_int_equal(cpio_find(blob, size, "one", &entry), 0);
        }
        free(blob);
    }
}

static void test_hostile_headers(void **state UNUSED)
{
    static const struct {
        size_t offset;
        const char *bytes;
    } damages[] = {
        {0, "070702"},
        {0, "\307\161"},
        {OFFSET_MODE, "0000 1a4"},
        {OFFSET_FILE_SIZE, "0000000g"},
        {OFFSET_FILE_SIZE, "FFFFFFFF"},
        {OFFSET_FILE_SIZE, "00000400"},
        {OFFSET_NAME_SIZE, "00000000"},
        {OFFSET_NAME_SIZE, "00000001"},
        {OFFSET_NAME_SIZE, "00000003"},
        {OFFSET_NAME_SIZE, "00000006"},
        {OFFSET_NAME_SIZE, "FFFFFFFF"},
        {OFFSET_NAME_SIZE, "FFFFFF92"},
        {OFFSET_NAME_SIZE, "-0000004"},
        {OFFSET_NAME, "../x"},
        {OFFSET_NAME, "a/.."},
        {OFFSET_NAME, "./.."},
        {OFFSET_NAME, "a\0bc"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
        struct cpio_iter iter = {0};
        struct cpio_entry entry;
        size_t start;

        archive_size = 0;
        add("one", CPIO_MODE_FILE, "first");
        start = add("abcd", CPIO_MODE_FILE, "damaged");
        add("two", CPIO_MODE_FILE, "unreachable");
        add("TRAILER!!!", 0, "");
        memcpy(archive + start + damages[i].offset, damages[i].bytes,
               damages[i].offset == OFFSET_NAME ? 4 : strlen(damages[i].bytes));
        assert_int_equal(cpio_next(archive, archive_size, &iter, &entry), 1);
        assert_int_equal(cpio_next(archive, archive_size, &iter, &entry), -EBADMSG);
        assert_int_equal(cpio_next(archive, archive_size, &iter, &entry), -EBADMSG);
        assert_int_equal(find("one", &entry), 0);
        assert_int_equal(find("two", &entry), -EBADMSG);
    }
}

static void test_harmless_dots(void **state UNUSED)
{
    struct cpio_entry entry;

    archive_size = 0;
    add("a..b/...", CPIO_MODE_FILE, "x");
    add("..c", CPIO_MODE_FILE, "y");
    add("TRAILER!!!", 0, "");
    assert_int_equal(find("a..b/...", &entry), 0);
    assert_int_equal(find("..c", &entry), 0);
}

static void test_random_damage(void **state UNUSED)
{
    srand(12);
    for (int step = 0; step < 20000; step++) {
        struct cpio_iter iter = {0};
        struct cpio_entry entry;
        char *blob;
        int found;
        int entries = 0;

        build();
        for (int n = 1 + rand() % 3; n > 0; n--) {
            archive[(size_t)rand() % archive_size] = "0F7/.\0\xff"
                                                     "1"[rand() % 8];
        }
        blob = malloc(archive_size);
        memcpy(blob, archive, archive_size);
        while ((found = cpio_next(blob, archive_size, &iter, &entry)) > 0) {
            const char *data = entry.data;

            assert_true(data >= blob && entry.size <= (size_t)(blob + archive_size - data));
            assert_true(strlen(entry.name) < archive_size);
            entries++;
        }
        assert_true(found == 0 || found == -EBADMSG);
        assert_true(entries <= 8);
        free(blob);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),          cmocka_unit_test(test_find),
        cmocka_unit_test(test_truncated),     cmocka_unit_test(test_hostile_headers),
        cmocka_unit_test(test_harmless_dots), cmocka_unit_test(test_random_damage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
