// SPDX-License-Identifier: Apache-2.0
// Number parsing, command line splitting and escaping.
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <lib/args.h>
#include <lib/errno.h>
#include <lib/escape.h>
#include <lib/macros.h>
#include <lib/parse.h>

static void assert_u64(const char *s, int expected_err, uint64_t expected)
{
    uint64_t value = 77;

    assert_int_equal(parse_u64(s, &value), expected_err);
    assert_true(value == (expected_err == 0 ? expected : 77));
}

static void assert_size(const char *s, int expected_err, uint64_t expected)
{
    uint64_t value = 77;

    assert_int_equal(parse_size(s, &value), expected_err);
    assert_true(value == (expected_err == 0 ? expected : 77));
}

static void test_numbers(void **state UNUSED)
{
    uint32_t value;

    assert_u64("0", 0, 0);
    assert_u64("010", 0, 10);
    assert_u64("18446744073709551615", 0, UINT64_MAX);
    assert_u64("18446744073709551616", -ERANGE, 0);
    assert_u64("0xFfFfFfFfFfFfFfFf", 0, UINT64_MAX);
    assert_u64("0x10000000000000000", -ERANGE, 0);
    assert_u64("99999999999999999999999999999999x", -EINVAL, 0);
    assert_u64("", -EINVAL, 0);
    assert_u64("0x", -EINVAL, 0);
    assert_u64("0xg", -EINVAL, 0);
    assert_u64(" 1", -EINVAL, 0);
    assert_u64("1 ", -EINVAL, 0);
    assert_u64("-1", -EINVAL, 0);
    assert_u64("+1", -EINVAL, 0);
    assert_u64("12a", -EINVAL, 0);
    assert_u64("1K", -EINVAL, 0);
    assert_int_equal(parse_u32("4294967295", &value), 0);
    assert_true(value == UINT32_MAX);
    assert_int_equal(parse_u32("4294967296", &value), -ERANGE);
    assert_int_equal(parse_u32("x", &value), -EINVAL);
}

static void test_sizes(void **state UNUSED)
{
    assert_size("512", 0, 512);
    assert_size("4k", 0, 4096);
    assert_size("0x10M", 0, 0x1000000);
    assert_size("2G", 0, 0x80000000);
    assert_size("17179869183G", 0, 17179869183ull << 30);
    assert_size("17179869184G", -ERANGE, 0);
    assert_size("99999999999999999999K", -ERANGE, 0);
    assert_size("K", -EINVAL, 0);
    assert_size("", -EINVAL, 0);
    assert_size("1KB", -EINVAL, 0);
    assert_size("1T", -EINVAL, 0);
    assert_size("1 K", -EINVAL, 0);
}

// `expected` joins the words, each followed by '|'.
static void assert_words(const char *text, const char *expected)
{
    char line[64];
    char joined[64] = "";
    char *argv[8];
    int argc;

    strcpy(line, text);
    argc = args_split(line, argv, 8);
    assert_true(argc >= 0);
    for (int i = 0; i < argc; i++) {
        strcat(joined, argv[i]);
        strcat(joined, "|");
    }
    assert_string_equal(joined, expected);
}

static void assert_split_error(const char *text, int max, int expected)
{
    char line[64];
    char *argv[8];

    strcpy(line, text);
    assert_int_equal(args_split(line, argv, max), expected);
}

static void test_args(void **state UNUSED)
{
    assert_words("", "");
    assert_words(" \t ", "");
    assert_words("help", "help|");
    assert_words("  guest \t create  a ", "guest|create|a|");
    assert_words("a \"b  c\" 'd \\ \"e'", "a|b  c|d \\ \"e|");
    assert_words("x\"y z\"'w'v", "xy zwv|");
    assert_words("\"\" ''", "||");
    assert_words("a\\ b \\\" \"\\\"\\\\'\"", "a b|\"|\"\\'|");
    assert_split_error("a 'b", 8, -EINVAL);
    assert_split_error("a \"b\\\"", 8, -EINVAL);
    assert_split_error("a\\", 8, -EINVAL);
    assert_split_error("\"\\", 8, -EINVAL);
    assert_split_error("a b c", 2, -E2BIG);
    assert_split_error("a b c", 3, 3);
    assert_split_error("a", 0, -E2BIG);
    assert_split_error("  ", 0, 0);
}

// Whatever the bytes, the words stay inside the line.
static void test_args_random(void **state UNUSED)
{
    srand(11);
    for (int step = 0; step < 50000; step++) {
        size_t length = (size_t)rand() % 20;
        char *line = malloc(length + 1);
        char *argv[4];
        int argc;

        for (size_t i = 0; i < length; i++) {
            line[i] = "ab \t\"'\\"[rand() % 7];
        }
        line[length] = '\0';
        argc = args_split(line, argv, 4);
        for (int i = 0; i < argc; i++) {
            assert_true(argv[i] >= line && argv[i] + strlen(argv[i]) <= line + length);
        }
        free(line);
    }
}

static void test_escape(void **state UNUSED)
{
    char to[64];

    for (unsigned byte = 0; byte < 256; byte++) {
        bool unsafe = byte < 0x20 || (byte >= 0x7f && byte < 0xa0);
        uint8_t from = (uint8_t)byte;

        assert_int_equal(escape_is_safe(from, NULL), !unsafe);
        assert_int_equal(escape_bytes(to, sizeof(to), &from, 1, NULL), 1);
        assert_int_equal(strlen(to), unsafe ? 4 : 1);
    }
    assert_int_equal(escape_bytes(to, sizeof(to), "a\n\x1b[1m\x9b\0z", 9, "\n"), 9);
    assert_string_equal(to, "a\n\\x1b[1m\\x9b\\x00z");
    assert_false(escape_is_safe(0, "\n"));
}

static void test_escape_bounded(void **state UNUSED)
{
    for (size_t size = 1; size < 12; size++) {
        char *to = malloc(size);
        size_t taken = escape_bytes(to, size,
                                    "ab\x01"
                                    "c",
                                    4, NULL);

        assert_int_equal(taken, size >= 8 ? 4 : size == 7 ? 3 : MIN(size - 1, (size_t)2));
        assert_true(strlen(to) < size);
        free(to);
    }
}

static void assert_cut(const char *line, char mark, const char *before, const char *behind)
{
    char copy[64];
    const char *rest;

    strcpy(copy, line);
    rest = args_cut(copy, mark);
    assert_string_equal(copy, before);
    if (behind == NULL)
        assert_null(rest);
    else
        assert_string_equal(rest, behind);
}

static void test_cut(void **state UNUSED)
{
    assert_cut("a | b | c", '|', "a ", " b | c");
    assert_cut("a", '|', "a", NULL);
    assert_cut("", '|', "", NULL);
    assert_cut("|", '|', "", "");
    assert_cut("'a|b' \"c|d\" e\\|f|g", '|', "'a|b' \"c|d\" e\\|f", "g");
    assert_cut("\"a\\\"|\" | b", '|', "\"a\\\"|\" ", " b");
    assert_cut("'a\\' | b", '|', "'a\\' ", " b");
    assert_cut("'a | b", '|', "'a | b", NULL);
    assert_cut("a\\", '|', "a\\", NULL);
}

static void test_join_bounded(void **state UNUSED)
{
    char *words[] = {(char *)"ab", (char *)"c d"};
    char line[16];

    for (size_t size = 0; size < sizeof("ab \"c d\""); size++) {
        memset(line, 'x', sizeof(line));
        assert_int_equal(args_join(line, size, 2, words), -ENOSPC);
        assert_int_equal(line[size], 'x');
    }
    assert_int_equal(args_join(line, sizeof("ab \"c d\""), 2, words), 0);
    assert_string_equal(line, "ab \"c d\"");
}

/* Whatever the words are, the joined line splits into the same, and holds no mark outside quotes. */
static void test_join_random(void **state UNUSED)
{
    static const char alphabet[] = "ab \t\"'\\|&#-\x1b";
    uint32_t seed = 5;

    for (int round = 0; round < 20000; round++) {
        char words[4][8], line[96], *given[4], *found[5];
        int count = 1 + (int)(seed >> 30);

        for (int i = 0; i < count; i++) {
            size_t size = (seed >> 20) % 7;

            for (size_t at = 0; at < size; at++) {
                seed = seed * 1664525 + 1013904223;
                words[i][at] = alphabet[(seed >> 16) % (sizeof(alphabet) - 1)];
            }
            words[i][size] = '\0';
            given[i] = words[i];
            seed = seed * 1664525 + 1013904223;
        }
        assert_int_equal(args_join(line, sizeof(line), count, given), 0);
        assert_null(args_cut(line, '|'));
        assert_null(args_cut(line, '&'));
        assert_int_equal(args_split(line, found, 5), count);
        for (int i = 0; i < count; i++)
            assert_string_equal(found[i], words[i]);
    }
}

static void assert_seconds(const char *s, int expected_err, uint64_t expected)
{
    uint64_t value = 77;

    assert_int_equal(parse_seconds(s, &value), expected_err);
    assert_true(value == (expected_err == 0 ? expected : 77));
}

static void test_seconds(void **state UNUSED)
{
    assert_seconds("0", 0, 0);
    assert_seconds("2", 0, 2000000000);
    assert_seconds("0.5", 0, 500000000);
    assert_seconds("1.25", 0, 1250000000);
    assert_seconds("0.000000001", 0, 1);
    assert_seconds("18446744073.709551615", 0, UINT64_MAX);
    assert_seconds("18446744073.709551616", -ERANGE, 0);
    assert_seconds("99999999999999999999", -ERANGE, 0);
    assert_seconds("0.0000000001", -EINVAL, 0);
    assert_seconds("", -EINVAL, 0);
    assert_seconds(".5", -EINVAL, 0);
    assert_seconds("1.", -EINVAL, 0);
    assert_seconds("-1", -EINVAL, 0);
    assert_seconds("1s", -EINVAL, 0);
    assert_seconds("1.5.5", -EINVAL, 0);
    assert_seconds(" 1", -EINVAL, 0);
}

/* C1 controls as UTF-8, and an overlong ESC: a terminal in either mode sees no control. */
static void test_encoded_controls(void **state UNUSED)
{
    char safe[64];

    assert_int_equal(escape_bytes(safe, sizeof(safe),
                                  "\xc2\x9b"
                                  "2J\xc0\x9b[c\xe2\x80\xae",
                                  11, NULL),
                     11);
    assert_string_equal(safe, "\xc2\\x9b2J\xc0\\x9b[c\xe2\\x80\xae");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_args),
        cmocka_unit_test(test_args_random),
        cmocka_unit_test(test_escape),
        cmocka_unit_test(test_escape_bounded),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_join_random),
        cmocka_unit_test(test_join_bounded),
        cmocka_unit_test(test_seconds),
        cmocka_unit_test(test_encoded_controls),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
