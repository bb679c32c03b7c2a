// SPDX-License-Identifier: Apache-2.0
// Line editor on a model of an 80x24 terminal: what the operator sees, and how little is sent.
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lib/errno.h>
#include <lib/lineedit.h>

#define ROWS 24
#define COLUMNS 80
#define HISTORY 4
#define PROMPT "mterm> "
#define PROMPT_WIDTH 7

#define UP "\x1b[A"
#define DOWN "\x1b[B"
#define RIGHT "\x1b[C"
#define LEFT "\x1b[D"

static struct {
    char cell[ROWS][COLUMNS + 1];
    size_t row;
    size_t column;
    unsigned bells;
    char escape[16];
    size_t escape_length;
    char sent[8192]; // since sent_length was last set to 0
    size_t sent_length;
} term;

static struct lineedit edit;
static char history[HISTORY][LINEEDIT_SIZE];

static void clear_cells(char *from, size_t n)
{
    memset(from, ' ', n);
}

static void term_reset(void)
{
    memset(&term, 0, sizeof(term));
    for (size_t row = 0; row < ROWS; row++) {
        clear_cells(term.cell[row], COLUMNS);
    }
}

static void term_escape(char byte)
{
    term.escape[term.escape_length++] = byte;
    if (strcmp(term.escape, "[K") == 0) {
        clear_cells(&term.cell[term.row][term.column], COLUMNS - term.column);
    } else if (strcmp(term.escape, "[H") == 0) {
        term.row = 0;
        term.column = 0;
    } else if (strcmp(term.escape, "[2J") == 0) {
        for (size_t row = 0; row < ROWS; row++) {
            clear_cells(term.cell[row], COLUMNS);
        }
    } else {
        assert_true(term.escape_length < 3);
        return;
    }
    memset(term.escape, 0, sizeof(term.escape));
    term.escape_length = 0;
}

static void term_line_feed(void)
{
    if (term.row + 1 < ROWS) {
        term.row++;
        return;
    }
    memmove(term.cell[0], term.cell[1], sizeof(term.cell) - sizeof(term.cell[0]));
    clear_cells(term.cell[ROWS - 1], COLUMNS);
}

static void term_byte(char byte)
{
    if (term.escape_length > 0) {
        if (term.escape[0] == '\x1b') {
            term.escape_length = 0;
        }
        term_escape(byte);
    } else if (byte == '\x1b') {
        term.escape[term.escape_length++] = byte;
    } else if (byte == '\r') {
        term.column = 0;
    } else if (byte == '\n') {
        term_line_feed();
    } else if (byte == '\b') {
        assert_true(term.column > 0);
        term.column--;
    } else if (byte == '\a') {
        term.bells++;
    } else {
        assert_true(byte >= 0x20 && byte < 0x7f);
        assert_true(term.column < COLUMNS - 1); // the last column would arm the automatic wrap
        term.cell[term.row][term.column++] = byte;
    }
}

static void term_put(void *ctx, const char *s, size_t n)
{
    assert_ptr_equal(ctx, &term);
    for (size_t i = 0; i < n; i++) {
        term_byte(s[i]);
        if (term.sent_length < sizeof(term.sent) - 1) {
            term.sent[term.sent_length++] = s[i];
        }
    }
}

static enum lineedit_event type_bytes(const char *keys, size_t n)
{
    enum lineedit_event event = LINEEDIT_NONE;

    term.sent_length = 0;
    for (size_t i = 0; i < n; i++) {
        event = lineedit_feed(&edit, (uint8_t)keys[i]);
    }
    term.sent[term.sent_length] = '\0';
    return event;
}

static enum lineedit_event type(const char *keys)
{
    return type_bytes(keys, strlen(keys));
}

// The row of the cursor shows exactly `text` and the cursor is at `column`.
static void assert_row(const char *text, size_t column)
{
    char expected[COLUMNS + 1];

    snprintf(expected, sizeof(expected), "%-*s", COLUMNS, text);
    assert_string_equal(term.cell[term.row], expected);
    assert_int_equal(term.column, column);
}

// The row is what the editor's own state says, whatever was sent to get there.
static void assert_consistent(void)
{
    char expected[COLUMNS + 1];
    size_t width = COLUMNS - 1 - PROMPT_WIDTH;

    assert_int_equal(strlen(edit.line), edit.length);
    assert_in_range(edit.cursor, edit.window, edit.window + width);
    assert_true(edit.cursor <= edit.length && edit.length <= LINEEDIT_MAX);
    snprintf(expected, sizeof(expected), PROMPT "%.*s", (int)width, edit.line + edit.window);
    assert_row(expected, PROMPT_WIDTH + edit.cursor - edit.window);
}

static int setup(void **state)
{
    (void)state;
    term_reset();
    lineedit_init(&edit, term_put, &term);
    lineedit_set_history(&edit, history, HISTORY);
    lineedit_set_prompt(&edit, PROMPT);
    lineedit_begin(&edit);
    return 0;
}

static void enter(const char *line)
{
    assert_int_equal(type(line), LINEEDIT_NONE);
    assert_int_equal(type("\r"), LINEEDIT_LINE);
    assert_string_equal(lineedit_line(&edit), line);
    lineedit_begin(&edit);
}

static void test_typing_echoes_only_the_key(void **state UNUSED)
{
    assert_row(PROMPT, 7);
    for (const char *key = "guest list"; *key != '\0'; key++) {
        char text[2] = {*key, '\0'};

        type(text);
        assert_string_equal(term.sent, text);
    }
    assert_row(PROMPT "guest list", 17);
    assert_int_equal(type("\r"), LINEEDIT_LINE);
    assert_string_equal(term.sent, "\r\n");
    assert_string_equal(lineedit_line(&edit), "guest list");
    term.sent_length = 0;
    lineedit_begin(&edit);
    assert_int_equal(term.sent_length, PROMPT_WIDTH);
    assert_row(PROMPT, 7);
    assert_int_equal(term.row, 1);
}

static void test_middle_edit_redraws_only_the_tail(void **state UNUSED)
{
    type("helo world"
         "\x01" RIGHT RIGHT RIGHT);
    type("l");
    assert_string_equal(term.sent, "lo world\b\b\b\b\b\b\b");
    assert_row(PROMPT "hello world", 11);
    type(LEFT);
    assert_string_equal(term.sent, "\b");
    type(RIGHT);
    assert_string_equal(term.sent, "l");
    type("\x7f");
    assert_row(PROMPT "helo world", 10);
    assert_null(strstr(term.sent, PROMPT));
    type("\x05");
    type("\x08");
    assert_string_equal(term.sent, "\b\x1b[K");
    assert_row(PROMPT "helo worl", 16);
}

static void test_keys(void **state UNUSED)
{
    type("abc def  ghi");
    type("\x17");
    assert_row(PROMPT "abc def  ", 16);
    type("\x17");
    assert_row(PROMPT "abc ", 11);
    type("xyz\x02\x02\x0b");
    assert_row(PROMPT "abc x", 12);
    type("\x02\x02\x15");
    assert_row(PROMPT " x", 7);
    type("\x06\x04");
    assert_row(PROMPT " ", 8);
    type("ab\x14");
    assert_row(PROMPT " ba", 10);
    type("\x02\x02\x14");
    assert_row(PROMPT "b a", 9);
    assert_int_equal(type("\t"), LINEEDIT_COMPLETE);
    assert_string_equal(term.sent, "");
    assert_int_equal(lineedit_cursor(&edit), 2);
}

static void test_home_end_delete_sequences(void **state UNUSED)
{
    static const char *const homes[] = {"\x1b[H", "\x1bOH", "\x1b[1~", "\x1b[7~", "\x01"};
    static const char *const ends[] = {"\x1b[F", "\x1bOF", "\x1b[4~", "\x1b[8~", "\x05"};

    type("0123456789");
    for (size_t i = 0; i < ARRAY_SIZE(homes); i++) {
        type(homes[i]);
        assert_int_equal(term.column, 7);
        type(ends[i]);
        assert_int_equal(term.column, 17 - i);
        type("\x1b[D\x1bOD\x1b[1;5C\x1b[3~");
        assert_int_equal(edit.length, 9 - i);
        assert_int_equal(edit.cursor, 9 - i);
        assert_consistent();
    }
    assert_row(PROMPT "01234", 12);
}

static void test_unknown_sequences_print_nothing(void **state UNUSED)
{
    static const char *const sequences[] = {
        "\x1b[5~",    "\x1b[6~",   "\x1b[2~",         "\x1b[15~",  "\x1b[200~",
        "\x1bOP",     "\x1b[Z",    "\x1b[?25h",       "\x1b[1;2P", "\x1bx",
        "\x1b\x1b[A", "\x1b[257~", "\x1b[999999999~", "\x1b[ q",   "\x1b[;3~",
    };

    type("abc\x02");
    for (size_t i = 0; i < ARRAY_SIZE(sequences); i++) {
        type(sequences[i]);
        assert_int_equal(term.sent_length, 0);
        assert_row(PROMPT "abc", 9);
    }
}

static void test_unterminated_sequences_end(void **state UNUSED)
{
    type("\x1b[");
    for (int i = 0; i < 16; i++) {
        type("1");
    }
    type("ok");
    assert_row(PROMPT "ok", 9);
    type("\x1b[12");
    assert_int_equal(type("\r"), LINEEDIT_LINE);
    assert_string_equal(lineedit_line(&edit), "ok");
    lineedit_begin(&edit);
    type("\x1b");
    assert_int_equal(type("\x03"), LINEEDIT_INTERRUPT);
}

static void test_bytes_without_meaning(void **state UNUSED)
{
    type("a\xc3\xa4\x9b\xff"
         "b");
    for (char byte = 0; byte < 0x20; byte++) {
        if (strchr("\x01\x02\x03\x04\x05\x06\x08\t\n\x0b\x0c\r\x0e\x10\x14\x15\x17\x1b", byte) ==
            NULL) {
            type_bytes(&byte, 1);
        }
    }
    type_bytes("\0", 1);
    assert_row(PROMPT "ab", 9);
}

static void test_line_ends(void **state UNUSED)
{
    assert_int_equal(type("a\r"), LINEEDIT_LINE);
    lineedit_begin(&edit);
    assert_int_equal(type("\n"), LINEEDIT_NONE);
    assert_int_equal(term.sent_length, 0);
    assert_int_equal(type("\n"), LINEEDIT_LINE);
    assert_string_equal(lineedit_line(&edit), "");
    lineedit_begin(&edit);
    assert_int_equal(type("b\n"), LINEEDIT_LINE);
    lineedit_begin(&edit);
    assert_int_equal(type("\r"), LINEEDIT_LINE);
    assert_int_equal(type("\n"), LINEEDIT_NONE);
    lineedit_begin(&edit);
    assert_int_equal(type("c\r"), LINEEDIT_LINE);
    assert_string_equal(lineedit_line(&edit), "c");
}

static void test_interrupt_and_eof(void **state UNUSED)
{
    assert_int_equal(type("abc\x03"), LINEEDIT_INTERRUPT);
    assert_string_equal(lineedit_line(&edit), "");
    assert_memory_equal(term.cell[0], PROMPT "abc^C ", 13);
    lineedit_begin(&edit);
    assert_row(PROMPT, 7);
    assert_int_equal(type("x\x01\x04"), LINEEDIT_NONE);
    assert_row(PROMPT, 7);
    assert_int_equal(type("\x04"), LINEEDIT_EOF);
    type(UP);
    assert_row(PROMPT, 7);
}

static void test_clear(void **state UNUSED)
{
    enter("one");
    assert_int_equal(type("two\x02\x0c"), LINEEDIT_CLEAR);
    assert_int_equal(term.row, 0);
    assert_row(PROMPT "two", 9);
    assert_int_equal(term.cell[1][0], ' ');
}

static void test_history(void **state UNUSED)
{
    enter("one");
    enter("two");
    enter("two");
    enter("");
    type("draft" UP);
    assert_row(PROMPT "two", 10);
    type(UP);
    assert_row(PROMPT "one", 10);
    type("\x10");
    assert_row(PROMPT "one", 10);
    type(DOWN "\x0e");
    assert_row(PROMPT "draft", 12);
    type(DOWN);
    assert_row(PROMPT "draft", 12);
    type(UP UP "!\r");
    assert_string_equal(lineedit_line(&edit), "one!");
    lineedit_begin(&edit);
    enter("three");
    enter("four");
    type(UP UP UP UP UP UP);
    assert_row(PROMPT "two", 10);
    type("\x03");
    lineedit_begin(&edit);
    type(UP);
    assert_row(PROMPT "four", 11);
}

static void test_without_history(void **state UNUSED)
{
    lineedit_set_history(&edit, NULL, 0);
    enter("one");
    type(UP DOWN UP);
    assert_row(PROMPT, 7);
}

static void test_long_line_scrolls(void **state UNUSED)
{
    char line[LINEEDIT_SIZE] = "";

    for (size_t i = 0; i < LINEEDIT_MAX; i++) {
        char key[2] = {(char)('a' + i % 26), '\0'};

        line[i] = key[0];
        type(key);
        assert_consistent();
        assert_true(term.sent_length == 1 || i >= 72);
    }
    assert_string_equal(edit.line, line);
    assert_int_equal(term.bells, 0);
    type("x");
    assert_int_equal(term.bells, 1);
    assert_string_equal(edit.line, line);
    for (size_t i = 0; i < LINEEDIT_MAX; i++) {
        type(LEFT);
        assert_consistent();
    }
    assert_int_equal(edit.window, 0);
    type("\x05");
    assert_consistent();
    type("\x01\x04z");
    assert_consistent();
    assert_int_equal(type("\r"), LINEEDIT_LINE);
    assert_int_equal(lineedit_line(&edit)[0], 'z');
    lineedit_begin(&edit);
    type(UP);
    assert_consistent();
    type("\x15");
    assert_row(PROMPT, 7);
}

static void test_completion(void **state UNUSED)
{
    type("gu list\x01" RIGHT RIGHT);
    assert_int_equal(lineedit_insert(&edit, "est\x1b\n\xff"), 0);
    assert_row(PROMPT "guest list", 12);
    assert_int_equal(lineedit_insert(&edit, ""), 0);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(lineedit_insert(&edit, "0123456789"), 0);
        assert_consistent();
    }
    assert_int_equal(lineedit_insert(&edit, "abc"), -ENOSPC);
    assert_int_equal(term.bells, 1);
    assert_int_equal(edit.length, 510);
    assert_int_equal(lineedit_insert(&edit, "ab"), 0);
    assert_consistent();
}

static void test_other_output_in_between(void **state UNUSED)
{
    type("abc\x02");
    lineedit_hide(&edit);
    assert_row("", 0);
    term_put(&term, "a log line\r\n", 12);
    lineedit_redraw(&edit);
    assert_row(PROMPT "abc", 9);
    assert_memory_equal(term.cell[0], "a log line   ", 13);
    type("X");
    assert_row(PROMPT "abXc", 10);
}

static void test_narrow_terminal_stays_in_bounds(void **state UNUSED)
{
    for (size_t width = 0; width < 12; width++) {
        setup(NULL);
        lineedit_set_width(&edit, width);
        type("abcdefghijklmnopqrstuvwxyz\x01\x05" LEFT LEFT "\x0b");
        assert_string_equal(edit.line, "abcdefghijklmnopqrstuvwx");
    }
}

// A second, trivially right editor takes the same keys; line, cursor and screen must agree.
static char model[LINEEDIT_SIZE];
static size_t model_cursor;

static void model_remove(size_t from, size_t to)
{
    memmove(model + from, model + to, strlen(model) - to + 1);
    model_cursor = from;
}

static void model_key(char key)
{
    size_t length = strlen(model);

    if (key == '\x01') {
        model_cursor = 0;
    } else if (key == '\x05') {
        model_cursor = length;
    } else if (key == '\x02') {
        model_cursor -= model_cursor > 0;
    } else if (key == '\x06') {
        model_cursor += model_cursor < length;
    } else if (key == '\x0b') {
        model_remove(model_cursor, length);
    } else if (key == '\x15') {
        model_remove(0, model_cursor);
    } else if (key == '\x7f' && model_cursor > 0) {
        model_remove(model_cursor - 1, model_cursor);
    } else if (key == '\x04' && model_cursor < length) {
        model_remove(model_cursor, model_cursor + 1);
    } else if (key >= 0x20 && key < 0x7f && length < LINEEDIT_MAX) {
        memmove(model + model_cursor + 1, model + model_cursor, length - model_cursor + 1);
        model[model_cursor++] = key;
    }
}

static void test_random_editing(void **state UNUSED)
{
    srand(20);
    model[0] = '\0';
    model_cursor = 0;
    for (int step = 0; step < 60000; step++) {
        char key = (char)('a' + rand() % 26);

        if (rand() % 2) {
            key = "\x01\x05\x02\x02\x06\x06\x7f\x04"[rand() % 8];
        } else if (rand() % 400 == 0) {
            key = "\x0b\x15"[rand() % 2];
        }
        if (key == '\x04' && edit.length == 0) {
            continue;
        }
        type_bytes(&key, 1);
        model_key(key);
        assert_string_equal(edit.line, model);
        assert_int_equal(edit.cursor, model_cursor);
        assert_consistent();
    }
}

static void test_random_bytes(void **state UNUSED)
{
    srand(21);
    for (int step = 0; step < 200000; step++) {
        char byte = (char)(rand() % 4 ? "\x1b[O~;A19D\x14\x17\x10"[rand() % 12] : rand());
        enum lineedit_event event = type_bytes(&byte, 1);

        if (event == LINEEDIT_LINE || event == LINEEDIT_INTERRUPT || event == LINEEDIT_EOF) {
            term_put(&term, "\r", 1);
            lineedit_hide(&edit);
            lineedit_begin(&edit);
        }
        assert_consistent();
    }
}

static void test_paste(void **state UNUSED)
{
    size_t lines = 0;

    for (size_t i = 0; i < 10240; i++) {
        uint8_t key = i % 40 == 39 ? '\r' : (uint8_t)('a' + i % 26);
        enum lineedit_event event = lineedit_feed(&edit, key);

        if (event == LINEEDIT_LINE) {
            assert_int_equal(strlen(lineedit_line(&edit)), 39);
            lineedit_begin(&edit);
            lines++;
        }
    }
    assert_int_equal(lines, 256);
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_typing_echoes_only_the_key),
        TEST(test_middle_edit_redraws_only_the_tail),
        TEST(test_keys),
        TEST(test_home_end_delete_sequences),
        TEST(test_unknown_sequences_print_nothing),
        TEST(test_unterminated_sequences_end),
        TEST(test_bytes_without_meaning),
        TEST(test_line_ends),
        TEST(test_interrupt_and_eof),
        TEST(test_clear),
        TEST(test_history),
        TEST(test_without_history),
        TEST(test_long_line_scrolls),
        TEST(test_completion),
        TEST(test_other_output_in_between),
        TEST(test_narrow_terminal_stays_in_bounds),
        TEST(test_random_editing),
        TEST(test_random_bytes),
        TEST(test_paste),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
