// SPDX-License-Identifier: Apache-2.0
// ELF loader: a good program, every field damaged, truncation, random damage.
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <lib/elf.h>
#include <lib/endian.h>
#include <lib/errno.h>
#include <lib/macros.h>

#define PHDR(n) (64 + (n)*56)
#define BLOB_SIZE 0x300

static uint8_t blob[BLOB_SIZE];

static void put_segment(unsigned n, uint32_t type, uint64_t address, uint64_t file, uint64_t mem)
{
    uint8_t *entry = blob + PHDR(n);

    le32_store(entry, type);
    le32_store(entry + 4, ELF_SEGMENT_READ | ELF_SEGMENT_EXEC);
    le64_store(entry + 8, 0x200);
    le64_store(entry + 16, address + 0xffff000000000000);
    le64_store(entry + 24, address);
    le64_store(entry + 32, file);
    le64_store(entry + 40, mem);
    le64_store(entry + 48, 0x1000);
}

static void build(void)
{
    memset(blob, 0, sizeof(blob));
    memcpy(blob, "\177ELF\2\1\1", 7);
    le16_store(blob + 16, 2);
    le16_store(blob + 18, 183);
    le32_store(blob + 20, 1);
    le64_store(blob + 24, 0xffff000040080010);
    le64_store(blob + 32, 64);
    le16_store(blob + 54, 56);
    le16_store(blob + 56, 4);
    put_segment(0, 1, 0x40080000, 0x100, 0x100);
    put_segment(1, 4, 0xffffffffffffffff, UINT64_MAX, 1);
    put_segment(2, 1, 0x40070000, 0, 0x2000);
    put_segment(3, 1, 0x50000000, 0, 0);
}

static int check(void)
{
    struct elf_info info;

    return elf_check(blob, sizeof(blob), &info);
}

static void test_good(void **state UNUSED)
{
    struct elf_info info;
    struct elf_segment segment;

    build();
    assert_int_equal(elf_check(blob, sizeof(blob), &info), 0);
    assert_int_equal(info.segments, 2);
    assert_true(info.entry == 0xffff000040080010 && info.entry_physical == 0x40080010);
    assert_true(info.low == 0x40070000 && info.high == 0x40080100);
    assert_int_equal(elf_segment(blob, sizeof(blob), 0, &segment), 0);
    assert_ptr_equal(segment.data, blob + 0x200);
    assert_true(segment.file_size == 0x100 && segment.mem_size == 0x100);
    assert_true(segment.physical == 0x40080000 && segment.virtual == 0xffff000040080000);
    assert_int_equal(segment.flags, ELF_SEGMENT_READ | ELF_SEGMENT_EXEC);
    assert_int_equal(elf_segment(blob, sizeof(blob), 1, &segment), 0);
    assert_true(segment.physical == 0x40070000 && segment.mem_size == 0x2000);
    assert_int_equal(elf_segment(blob, sizeof(blob), 2, &segment), -ENOENT);
    assert_int_equal(elf_segment(blob, sizeof(blob), 1000, &segment), -ENOENT);
}

static void test_not_for_us(void **state UNUSED)
{
    static const struct {
        size_t offset;
        uint8_t value;
    } changes[] = {{0, 'E'}, {3, 0}, {4, 1}, {5, 2}, {6, 0}, {16, 1}, {16, 4}, {18, 62}, {19, 1}};
    struct elf_segment segment;

    for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
        build();
        blob[changes[i].offset] = changes[i].value;
        assert_int_equal(check(), -ENOEXEC);
        assert_int_equal(elf_segment(blob, sizeof(blob), 0, &segment), -ENOEXEC);
    }
}

static void test_damaged(void **state UNUSED)
{
    static const struct {
        size_t offset;
        uint64_t value;
    } changes[] = {
        {24, 0},                            // entry outside
        {24, 0xffff000040080100},           // entry right behind a segment
        {32, BLOB_SIZE - 55},               // table cut off
        {32, UINT64_MAX},                   // table at the end of everything
        {32, UINT64_MAX - 4 * 56 + 1},      // table's end wraps
        {PHDR(0) + 8, BLOB_SIZE - 0xff},    // one byte too many
        {PHDR(0) + 8, UINT64_MAX},          //
        {PHDR(0) + 8, UINT64_MAX - 0xff},   // offset + size wraps
        {PHDR(0) + 32, 0x101},              // file larger than memory
        {PHDR(0) + 32, UINT64_MAX},         //
        {PHDR(0) + 40, 0xff},               // memory smaller than file
        {PHDR(0) + 40, UINT64_MAX},         // addresses wrap
        {PHDR(0) + 16, UINT64_MAX - 0xfe},  // virtual wraps
        {PHDR(0) + 24, UINT64_MAX - 0xfe},  // physical wraps
        {PHDR(2) + 24, 0xffffffffffffe001}, // wraps in a later segment
    };

    for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
        build();
        le64_store(blob + changes[i].offset, changes[i].value);
        assert_int_equal(check(), -EBADMSG);
    }
    for (unsigned value = 0; value < 0x10000; value++) {
        build();
        le16_store(blob + 54, (uint16_t)value);
        assert_int_equal(check(), value == 56 ? 0 : -EBADMSG);
        build();
        le16_store(blob + 56, (uint16_t)value);
        assert_int_equal(check(), value > 0 && value <= (BLOB_SIZE - 64) / 56 ? 0 : -EBADMSG);
    }
}

static void test_no_segments(void **state UNUSED)
{
    build();
    le32_store(blob + PHDR(0), 0);
    le32_store(blob + PHDR(2), 0);
    assert_int_equal(check(), -EBADMSG);
}

static void test_truncated(void **state UNUSED)
{
    build();
    for (size_t size = 0; size < BLOB_SIZE; size++) {
        uint8_t *part = malloc(size);
        struct elf_info info;

        memcpy(part, blob, size);
        assert_int_equal(elf_check(part, size, &info), size < 64      ? -ENOEXEC
                                                       : size < 0x300 ? -EBADMSG
                                                                      : 0);
        free(part);
    }
}

static void test_random_damage(void **state UNUSED)
{
    srand(13);
    for (int step = 0; step < 50000; step++) {
        struct elf_info info;

        build();
        for (int n = 1 + rand() % 4; n > 0; n--) {
            blob[20 + rand() % (PHDR(4) - 20)] = (uint8_t)(rand() % 3 ? rand() : 0xff);
        }
        if (elf_check(blob, sizeof(blob), &info) != 0) {
            continue;
        }
        for (unsigned i = 0; i < info.segments; i++) {
            struct elf_segment segment;
            const uint8_t *data;

            assert_int_equal(elf_segment(blob, sizeof(blob), i, &segment), 0);
            data = segment.data;
            assert_true(data >= blob && data <= blob + sizeof(blob));
            assert_true(segment.file_size <= (size_t)(blob + sizeof(blob) - data));
            assert_true(segment.physical >= info.low);
            assert_true(segment.mem_size <= info.high - segment.physical);
        }
    }
}

// Symbols: section headers, symbols and their names behind the segments of build().

#define SYM_TABLE 0x300
#define SYM_COUNT 8
#define SYM_NAMES (SYM_TABLE + SYM_COUNT * 24)
#define SYM_NAMES_SIZE 64
#define SECTIONS (SYM_NAMES + SYM_NAMES_SIZE)
#define SYM_BLOB_SIZE (SECTIONS + 3 * 64)
#define VIRTUAL 0xffff000040080000

static uint8_t symbolic[SYM_BLOB_SIZE];
static unsigned symbol_count;
static uint32_t name_end;

static void put_symbol(const char *name, uint8_t info, uint16_t section, uint64_t value,
                       uint64_t bytes)
{
    uint8_t *entry = symbolic + SYM_TABLE + 24 * symbol_count++;

    le32_store(entry, name_end);
    entry[4] = info;
    le16_store(entry + 6, section);
    le64_store(entry + 8, value);
    le64_store(entry + 16, bytes);
    memcpy(symbolic + SYM_NAMES + name_end, name, strlen(name) + 1);
    name_end += (uint32_t)strlen(name) + 1;
}

static void put_section(unsigned n, uint32_t type, uint64_t offset, uint64_t bytes, uint64_t entry)
{
    uint8_t *section = symbolic + SECTIONS + n * 64;

    le32_store(section + 4, type);
    le64_store(section + 24, offset);
    le64_store(section + 32, bytes);
    le32_store(section + 40, 2);
    le64_store(section + 56, entry);
}

static void build_symbols(void)
{
    build();
    memset(symbolic, 0, sizeof(symbolic));
    memcpy(symbolic, blob, sizeof(blob));
    le64_store(symbolic + 40, SECTIONS);
    le16_store(symbolic + 58, 64);
    le16_store(symbolic + 60, 3);
    symbol_count = 0;
    name_end = 1;
    put_symbol("", 0, 0, 0, 0);
    put_symbol("far", 2, 1, VIRTUAL + 0x80, 0x10);
    put_symbol("label", 0, 1, VIRTUAL + 0x20, 0);
    put_symbol("$x", 0, 1, VIRTUAL + 0x28, 0);
    put_symbol("start", 0x12, 1, VIRTUAL, 0x20);
    put_symbol("file.c", 4, 0xfff1, VIRTUAL + 0x24, 0);
    put_symbol("extern", 2, 0, VIRTUAL + 0x22, 0);
    put_symbol("below", 2, 1, VIRTUAL - 0x100, 0);
    put_section(1, 2, SYM_TABLE, SYM_COUNT * 24, 24);
    put_section(2, 3, SYM_NAMES, SYM_NAMES_SIZE, 0);
}

static void assert_symbol(uint64_t address, const char *name, uint64_t offset)
{
    struct elf_symbol symbol;
    int err = elf_symbol(symbolic, sizeof(symbolic), address, &symbol);

    if (name == NULL) {
        assert_int_equal(err, -ENOENT);
        return;
    }
    assert_int_equal(err, 0);
    assert_int_equal(symbol.length, strlen(name));
    assert_memory_equal(symbol.name, name, strlen(name));
    assert_true(symbol.offset == offset);
}

static void test_symbols(void **state UNUSED)
{
    build_symbols();
    assert_symbol(VIRTUAL, "start", 0);
    assert_symbol(VIRTUAL + 0x1c, "start", 0x1c);
    assert_symbol(VIRTUAL + 0x20, "label", 0);
    assert_symbol(VIRTUAL + 0x7c, "label", 0x5c);
    assert_symbol(VIRTUAL + 0x8c, "far", 0xc);
    assert_symbol(VIRTUAL + 0x90, "label", 0x70);
    assert_symbol(VIRTUAL + 0x100, NULL, 0);
    assert_symbol(VIRTUAL - 4, NULL, 0);
    assert_symbol(0x40080000, NULL, 0);
    assert_symbol(0, NULL, 0);
    assert_symbol(UINT64_MAX, NULL, 0);
}

static void test_symbols_damaged(void **state UNUSED)
{
    static const struct {
        size_t offset;
        uint64_t value;
    } changes[] = {
        {40, 0},                               // no sections
        {40, SYM_BLOB_SIZE - 3 * 64 + 1},      // cut off
        {40, UINT64_MAX},                      //
        {40, UINT64_MAX - 3 * 64 + 1},         // wraps
        {SECTIONS + 64 + 24, SYM_BLOB_SIZE},   // symbols outside
        {SECTIONS + 64 + 24, UINT64_MAX},      //
        {SECTIONS + 64 + 32, UINT64_MAX},      //
        {SECTIONS + 64 + 32, 23},              // less than one
        {SECTIONS + 64 + 40, 3},               // no such section of names
        {SECTIONS + 64 + 40, UINT32_MAX},      //
        {SECTIONS + 64 + 40, 1},               // not names
        {SECTIONS + 64 + 56, 0},               // size of a symbol
        {SECTIONS + 128 + 24, UINT64_MAX - 7}, // names outside
        {SECTIONS + 128 + 32, SYM_BLOB_SIZE},  //
        {SECTIONS + 128 + 32, 0},              // no names
    };

    for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
        build_symbols();
        le64_store(symbolic + changes[i].offset, changes[i].value);
        assert_symbol(VIRTUAL, NULL, 0);
    }
    build_symbols();
    le32_store(symbolic + SYM_TABLE + 4 * 24, SYM_NAMES_SIZE);
    assert_symbol(VIRTUAL, NULL, 0);
    build_symbols(); // a name without an end
    le32_store(symbolic + SYM_TABLE + 4 * 24, SYM_NAMES_SIZE - 1);
    symbolic[SECTIONS - 1] = 'x';
    assert_symbol(VIRTUAL, NULL, 0);
}

static void test_symbols_truncated(void **state UNUSED)
{
    build_symbols();
    for (size_t size = 0; size < SYM_BLOB_SIZE; size++) {
        uint8_t *part = malloc(size);
        struct elf_symbol symbol;

        memcpy(part, symbolic, size);
        assert_int_equal(elf_symbol(part, size, VIRTUAL, &symbol), size < 64      ? -ENOEXEC
                                                                   : size < 0x300 ? -EBADMSG
                                                                                  : -ENOENT);
        free(part);
    }
}

static void test_symbols_random(void **state UNUSED)
{
    srand(17);
    for (int step = 0; step < 50000; step++) {
        struct elf_symbol symbol;
        uint8_t *copy = malloc(SYM_BLOB_SIZE);

        build_symbols();
        for (int n = 1 + rand() % 4; n > 0; n--) {
            symbolic[rand() % 2 ? 40 + rand() % 24 : 0x300 + rand() % (SYM_BLOB_SIZE - 0x300)] =
                (uint8_t)(rand() % 3 ? rand() : 0xff);
        }
        memcpy(copy, symbolic, SYM_BLOB_SIZE);
        if (elf_symbol(copy, SYM_BLOB_SIZE, VIRTUAL + rand() % 0x100, &symbol) == 0) {
            const uint8_t *name = (const uint8_t *)symbol.name;

            assert_true(name >= copy && symbol.length > 0);
            assert_true(symbol.length < (size_t)(copy + SYM_BLOB_SIZE - name));
            assert_true(symbol.offset < 0x100);
        }
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_not_for_us),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_no_segments),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_random_damage),
        cmocka_unit_test(test_symbols),
        cmocka_unit_test(test_symbols_damaged),
        cmocka_unit_test(test_symbols_truncated),
        cmocka_unit_test(test_symbols_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
