// SPDX-License-Identifier: Apache-2.0
// Terminal helpers: line ends, long texts, escaping.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <hv/terminal.h>
#include <string.h>

static char output[4096];
static size_t output_size;

static void fake_write(struct terminal *term, const char *text, size_t size)
{
    (void)term;
    assert_true(size > 0 && output_size + size < sizeof(output));
    memcpy(output + output_size, text, size);
    output_size += size;
    output[output_size] = '\0';
}

static struct terminal term = {.write = fake_write};

static int reset(void **state)
{
    (void)state;
    output_size = 0;
    output[0] = '\0';
    term.crlf = false;
    term.interrupted = NULL;
    return 0;
}

static void test_line_ends(void **state)
{
    (void)state;
    term_printf(&term, "a%d\nb\n", 1);
    assert_string_equal(output, "a1\nb\n");
    reset(NULL);
    term.crlf = true;
    term_printf(&term, "a\n");
    term_write(&term, "\n\n", 2);
    assert_string_equal(output, "a\r\n\r\n\r\n");
}

static void test_long_text_arrives_whole(void **state)
{
    char text[1001];

    (void)state;
    for (size_t i = 0; i < sizeof(text) - 1; i++)
        text[i] = i % 7 == 6 ? '\n' : (char)('a' + i % 26);
    text[sizeof(text) - 1] = '\0';
    term_printf(&term, "%s", text);
    assert_string_equal(output, text);
    reset(NULL);
    term.crlf = true;
    term_write(&term, text, strlen(text));
    assert_int_equal(output_size, 1000 + 1000 / 7);
}

static void test_nothing_is_not_written(void **state)
{
    (void)state;
    term_write(&term, "", 0);
    term_printf(&term, "%s", "");
    term_puts_escaped(&term, "", 0);
    assert_int_equal(output_size, 0);
}

static void test_escaping(void **state)
{
    char all[256];

    (void)state;
    for (int i = 0; i < 256; i++)
        all[i] = (char)i;
    term_puts_escaped(&term, all, sizeof(all));
    for (size_t i = 0; i < output_size; i++) {
        uint8_t c = (uint8_t)output[i];

        assert_true(c >= 0x20 && c != 0x7f && (c < 0x80 || c > 0x9f));
    }
    assert_non_null(strstr(output, "\\x1b"));
    reset(NULL);
    term_puts_escaped_text(&term, "a\tb\r\n\x1b[2J", 9);
    assert_string_equal(output, "a\tb\r\n\\x1b[2J");
}

static void test_cells(void **state)
{
    (void)state;
    term_puts_cell(&term, "ab", 4);
    term_puts_cell(&term, "abcdef", 4);
    term_puts_cell(&term, "\x01", 6);
    term_puts_cell(&term, "", 1);
    assert_string_equal(output, "ab  abcdef\\x01   ");
}

static bool yes(struct terminal *t)
{
    (void)t;
    return true;
}

static void test_interruption(void **state)
{
    (void)state;
    assert_false(term_interrupted(&term));
    term.interrupted = yes;
    assert_true(term_interrupted(&term));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_line_ends, reset),
        cmocka_unit_test_setup(test_long_text_arrives_whole, reset),
        cmocka_unit_test_setup(test_nothing_is_not_written, reset),
        cmocka_unit_test_setup(test_escaping, reset),
        cmocka_unit_test_setup(test_cells, reset),
        cmocka_unit_test_setup(test_interruption, reset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
