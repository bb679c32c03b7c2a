// SPDX-License-Identifier: Apache-2.0
// Macros, error names, endian access, CRC and string helpers.
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <lib/crc32.h>
#include <lib/endian.h>
#include <lib/errno.h>
#include <lib/macros.h>
#include <lib/string.h>

#include <errno.h>

static_assert(BITS(63, 0) == UINT64_MAX && BITS(7, 4) == 0xf0 && BITS(63, 63) == BIT(63), "");
static_assert(FIELD_PREP(BITS(11, 8), 0x25) == 0x500, "");
static_assert(ALIGN_UP(0x100000001, 0x1000) == 0x100001000, "");

static void test_macros(void **state UNUSED)
{
    struct {
        char first;
        int second;
    } pair, *found = container_of(&pair.second, __typeof__(pair), second);

    assert_ptr_equal(found, &pair);
    assert_true(ALIGN_DOWN(0x1fff, 0x1000) == 0x1000 && IS_ALIGNED(0x2000, 0x1000));
    assert_true(IS_POWER_OF_2(64) && !IS_POWER_OF_2(0) && !IS_POWER_OF_2(65));
    assert_int_equal(field_get(BITS(15, 8), 0x1234), 0x12);
    assert_int_equal(field_prep(BITS(15, 8), 0x12), 0x1200);
    assert_int_equal(field_set(BITS(15, 8), 0xabcdef, 0x12), 0xab12ef);
}

static void test_error_names(void **state UNUSED)
{
    assert_string_equal(error_name(-ENOENT), "ENOENT (no such entry)");
    assert_string_equal(error_name(ENOENT), "ENOENT (no such entry)");
    assert_string_equal(error_name(-ENOTSUP), "EOPNOTSUPP (not supported)");
    assert_string_equal(error_name(0), "no error");
    assert_string_equal(error_name(99999), "unknown error");
    assert_string_equal(error_name(-2147483647 - 1), "unknown error");
}

static void test_endian(void **state UNUSED)
{
    uint8_t bytes[9] = {0, 1, 2, 3, 4, 5, 6, 7, 8};

    assert_int_equal(be16_load(bytes + 1), 0x0102);
    assert_int_equal(be32_load(bytes + 1), 0x01020304);
    assert_true(be64_load(bytes + 1) == 0x0102030405060708);
    assert_int_equal(le16_load(bytes + 1), 0x0201);
    assert_int_equal(le32_load(bytes + 1), 0x04030201);
    assert_true(le64_load(bytes + 1) == 0x0807060504030201);
    be64_store(bytes + 1, 0x8090a0b0c0d0e0f0);
    assert_true(le64_load(bytes + 1) == 0xf0e0d0c0b0a09080);
    le64_store(bytes + 1, 0x8090a0b0c0d0e0f0);
    assert_true(be64_load(bytes + 1) == 0xf0e0d0c0b0a09080);
    be32_store(bytes + 1, 0x01020304);
    le32_store(bytes + 5, 0x01020304);
    assert_true(be64_load(bytes + 1) == 0x0102030404030201);
    be16_store(bytes + 1, 0xfffe);
    le16_store(bytes + 3, 0xfffe);
    assert_int_equal(be32_load(bytes + 1), 0xfffefeff);
}

static void test_crc32(void **state UNUSED)
{
    const char check[] = "123456789";

    assert_int_equal(crc32_update(0, check, 9), 0xcbf43926);
    assert_int_equal(crc32_update(crc32_update(0, check, 4), check + 4, 5), 0xcbf43926);
    assert_int_equal(crc32_update(0, NULL, 0), 0);
}

static void test_strings(void **state UNUSED)
{
    char to[4] = "xxx";

    assert_int_equal(str_copy(to, "abc", sizeof(to)), 0);
    assert_string_equal(to, "abc");
    assert_int_equal(str_copy(to, "abcd", sizeof(to)), -ENAMETOOLONG);
    assert_string_equal(to, "abc");
    assert_int_equal(str_copy(to, "", 1), 0);
    assert_int_equal(str_copy(to, "a", 1), -ENAMETOOLONG);
    assert_string_equal(to, "");
    assert_true(str_equal("a", "a") && !str_equal("a", "ab"));
    assert_true(str_starts_with("guest", "gu") && str_starts_with("x", ""));
    assert_false(str_starts_with("g", "gu"));
    assert_true(str_is_printable(" ~") && str_is_printable(""));
    assert_false(str_is_printable("a\n") || str_is_printable("\x7f") || str_is_printable("\x80"));
}

static void test_mem_is_zero(void **state UNUSED)
{
    uint8_t data[40] = {0};

    for (size_t start = 0; start < 10; start++) {
        for (size_t size = 0; start + size <= sizeof(data); size++) {
            assert_true(mem_is_zero(data + start, size));
            for (size_t bad = 0; bad < size; bad++) {
                data[start + bad] = 1;
                assert_false(mem_is_zero(data + start, size));
                data[start + bad] = 0;
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_macros),  cmocka_unit_test(test_error_names),
        cmocka_unit_test(test_endian),  cmocka_unit_test(test_crc32),
        cmocka_unit_test(test_strings), cmocka_unit_test(test_mem_is_zero),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
