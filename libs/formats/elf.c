// SPDX-License-Identifier: Apache-2.0
// Validation and iteration of ELF64 programs (System V ABI, chapters "ELF header" and "Program
// header"), read field by field from memory of any alignment.
#include <stdbool.h>

#include <lib/elf.h>
#include <lib/endian.h>
#include <lib/errno.h>
#include <lib/string.h>

// ELF header
#define EH_SIZE 64
#define EH_CLASS 4
#define EH_DATA 5
#define EH_VERSION 6
#define EH_TYPE 16
#define EH_MACHINE 18
#define EH_ENTRY 24
#define EH_PHOFF 32
#define EH_PHENTSIZE 54
#define EH_PHNUM 56

#define CLASS_64 2
#define DATA_LITTLE 1
#define VERSION_CURRENT 1
#define TYPE_EXEC 2
#define TYPE_DYN 3 // a position-independent program that relocates itself
#define MACHINE_AARCH64 183

// Program header
#define PH_SIZE 56
#define PH_TYPE 0
#define PH_FLAGS 4
#define PH_OFFSET 8
#define PH_VADDR 16
#define PH_PADDR 24
#define PH_FILESZ 32
#define PH_MEMSZ 40

#define PT_LOAD 1

static bool is_program(const uint8_t *header)
{
    uint16_t type = le16_load(header + EH_TYPE);

    return memcmp(header, "\177ELF", 4) == 0 && header[EH_CLASS] == CLASS_64 &&
           header[EH_DATA] == DATA_LITTLE && header[EH_VERSION] == VERSION_CURRENT &&
           (type == TYPE_EXEC || type == TYPE_DYN) &&
           le16_load(header + EH_MACHINE) == MACHINE_AARCH64;
}

// 1: *segment is to be loaded; 0: the entry needs no loading; negative: damaged.
static int read_segment(const uint8_t *blob, size_t size, const uint8_t *entry,
                        struct elf_segment *segment)
{
    uint64_t offset = le64_load(entry + PH_OFFSET);
    uint64_t end;

    segment->flags = le32_load(entry + PH_FLAGS);
    segment->virtual = le64_load(entry + PH_VADDR);
    segment->physical = le64_load(entry + PH_PADDR);
    segment->file_size = le64_load(entry + PH_FILESZ);
    segment->mem_size = le64_load(entry + PH_MEMSZ);
    if (le32_load(entry + PH_TYPE) != PT_LOAD) {
        return 0;
    }
    if (offset > size || segment->file_size > size - offset ||
        segment->file_size > segment->mem_size ||
        __builtin_add_overflow(segment->virtual, segment->mem_size, &end) ||
        __builtin_add_overflow(segment->physical, segment->mem_size, &end)) {
        return -EBADMSG;
    }
    segment->data = blob + offset;
    return segment->mem_size > 0;
}

// Checks all that precedes the segments and finds the program headers.
static int find_program_headers(const uint8_t *blob, size_t size, const uint8_t **table,
                                unsigned *count)
{
    uint64_t offset;

    if (size < EH_SIZE || !is_program(blob)) {
        return -ENOEXEC;
    }
    offset = le64_load(blob + EH_PHOFF);
    *count = le16_load(blob + EH_PHNUM);
    if (le16_load(blob + EH_PHENTSIZE) != PH_SIZE || *count == 0 || offset > size ||
        (size - offset) / PH_SIZE < *count) {
        return -EBADMSG;
    }
    *table = blob + offset;
    return 0;
}

static void add_segment(struct elf_info *info, const struct elf_segment *segment, bool *has_entry)
{
    info->low = MIN(info->low, segment->physical);
    info->high = MAX(info->high, segment->physical + segment->mem_size);
    info->segments++;
    if (info->entry - segment->virtual < segment->mem_size) {
        info->entry_physical = info->entry - segment->virtual + segment->physical;
        *has_entry = true;
    }
}

int elf_check(const void *blob, size_t size, struct elf_info *info)
{
    const uint8_t *table;
    bool has_entry = false;
    unsigned count;
    int err = find_program_headers(blob, size, &table, &count);

    if (err != 0) {
        return err;
    }
    *info = (struct elf_info){
        .entry = le64_load((const uint8_t *)blob + EH_ENTRY),
        .low = UINT64_MAX,
    };
    for (unsigned i = 0; i < count; i++) {
        struct elf_segment segment;
        int load = read_segment(blob, size, table + i * PH_SIZE, &segment);

        if (load < 0) {
            return load;
        }
        if (load > 0) {
            add_segment(info, &segment, &has_entry);
        }
    }
    return has_entry ? 0 : -EBADMSG;
}

int elf_segment(const void *blob, size_t size, unsigned index, struct elf_segment *segment)
{
    const uint8_t *table;
    unsigned count;
    int err = find_program_headers(blob, size, &table, &count);

    if (err != 0) {
        return err;
    }
    for (unsigned i = 0; i < count; i++) {
        int load = read_segment(blob, size, table + i * PH_SIZE, segment);

        if (load < 0) {
            return load;
        }
        if (load > 0 && index-- == 0) {
            return 0;
        }
    }
    return -ENOENT;
}
