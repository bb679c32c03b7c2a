// SPDX-License-Identifier: Apache-2.0
// docs/mterm.md is what the command table makes it; the table itself is well formed.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "tests/unit/mterm/reference.h"
#include <hv/mterm.h>
#include <stdlib.h>
#include <string.h>

static char text[1 << 18];

static int read_docs(void **state)
{
    FILE *file = fopen("docs/mterm.md", "r");
    size_t size;

    (void)state;
    if (file == NULL)
        return -1;
    size = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    text[size] = '\0';
    return 0;
}

/* Where the two differ: the line of the first. */
static void first_difference(const char *a, const char *b, char *line, size_t size)
{
    size_t at = 0;

    while (a[at] != '\0' && a[at] == b[at])
        at++;
    while (at > 0 && a[at - 1] != '\n')
        at--;
    snprintf(line, size, "\"%.*s\"", (int)strcspn(a + at, "\n"), a + at);
}

static void test_page_is_up_to_date(void **state)
{
    char line[512] = "";
    char *page;
    size_t size;
    FILE *out = open_memstream(&page, &size);

    (void)state;
    assert_int_equal(reference_write(text, out), 0);
    fclose(out);
    if (strcmp(page, text) != 0)
        first_difference(page, text, line, sizeof(line));
    free(page);
    if (line[0] != '\0')
        fail_msg("docs/mterm.md lags behind the commands (make docs brings it up to date): %s",
                 line);
}

static void test_marks_are_needed(void **state)
{
    char *page;
    size_t size;
    FILE *out = open_memstream(&page, &size);

    (void)state;
    assert_int_equal(reference_write("a page\n", out), -1);
    assert_int_equal(reference_write("a\n" REFERENCE_BEGIN "b\n", out), -1);
    assert_int_equal(reference_write("a\n" REFERENCE_BEGIN "b\n" REFERENCE_END "c\n", out), 0);
    fclose(out);
    assert_ptr_equal(strstr(page, "a\n" REFERENCE_BEGIN "\n### "), page);
    assert_non_null(strstr(page, "| `log level [error\\|warn\\|info\\|debug]` | "));
    assert_null(strstr(page, "b\n" REFERENCE_END));
    assert_string_equal(page + size - strlen(REFERENCE_END) - 2, REFERENCE_END "c\n");
    free(page);
}

/* Lines of a screen, each ended. */
static void check_details(const struct command *cmd)
{
    const char *at = cmd->details;

    while (at != NULL && *at != '\0') {
        size_t length = strcspn(at, "\n");

        if (length > 80 || at[length] != '\n')
            fail_msg("%s: a line of .details is longer than 80 bytes or not ended: %.80s",
                     cmd->name, at);
        at += length + 1;
    }
}

static void check_verb(const struct command *cmd, const struct command_verb *verb)
{
    assert_non_null(verb->run);
    assert_true(verb->min_args >= 0 && verb->min_args <= verb->max_args);
    assert_true(verb->max_args <= COMMAND_ARGS_MAX);
    assert_true((verb->max_args > 0) == (verb->usage[0] != '\0'));
    if (strlen(verb->help) == 0 || strlen(verb->help) > 160)
        fail_msg("%s %s: .help is empty or longer than 160 bytes", cmd->name, verb->name);
}

static void test_table_is_well_formed(void **state)
{
    const struct command *cmd, *previous = NULL;

    (void)state;
    for (unsigned i = 0; (cmd = mterm_command_at(i)) != NULL; previous = cmd, i++) {
        assert_true(cmd->verb_count > 0);
        assert_ptr_equal(command_find(cmd->name), cmd);
        assert_true(strlen(cmd->help) > 0 && strlen(cmd->group) > 0);
        if (previous != NULL && strcmp(previous->group, cmd->group) == 0)
            assert_true(strcmp(previous->name, cmd->name) < 0);
        check_details(cmd);
        for (unsigned v = 0; v < cmd->verb_count; v++)
            check_verb(cmd, &cmd->verbs[v]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_page_is_up_to_date, read_docs),
        cmocka_unit_test(test_marks_are_needed),
        cmocka_unit_test(test_table_is_well_formed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
