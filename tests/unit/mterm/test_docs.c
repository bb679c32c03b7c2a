// SPDX-License-Identifier: Apache-2.0
// docs/mterm.md and the command table say the same.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <hv/mterm.h>
#include <stdio.h>
#include <string.h>

static char text[65536];

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

/* "|" has to be escaped inside a table. */
static void row_of(const struct command *cmd, const struct command_verb *verb, char *row,
                   size_t size)
{
    char usage[128];
    size_t n = 0;

    for (const char *c = verb->usage; *c != '\0'; c++) {
        if (*c == '|')
            usage[n++] = '\\';
        usage[n++] = *c;
    }
    usage[n] = '\0';
    snprintf(row, size, "| `%s%s%s%s%s` | ", cmd->name, verb->name[0] ? " " : "", verb->name,
             usage[0] ? " " : "", usage);
}

static void test_every_command_has_its_row(void **state)
{
    const struct command *cmd;
    char row[256];

    (void)state;
    for (unsigned i = 0; (cmd = mterm_command_at(i)) != NULL; i++) {
        for (unsigned v = 0; v < cmd->verb_count; v++) {
            row_of(cmd, &cmd->verbs[v], row, sizeof(row));
            if (strstr(text, row) == NULL)
                fail_msg("docs/mterm.md lacks the row %s", row);
        }
    }
}

static void test_every_row_has_its_command(void **state)
{
    unsigned rows = 0, verbs = 0;
    const struct command *cmd;

    (void)state;
    for (const char *at = text; (at = strstr(at, "\n| `")) != NULL; at++)
        rows++;
    for (unsigned i = 0; (cmd = mterm_command_at(i)) != NULL; i++)
        verbs += cmd->verb_count;
    assert_int_equal(rows, verbs);
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
        for (unsigned v = 0; v < cmd->verb_count; v++) {
            const struct command_verb *verb = &cmd->verbs[v];

            assert_non_null(verb->run);
            assert_true(verb->min_args >= 0 && verb->min_args <= verb->max_args);
            assert_true(verb->max_args <= COMMAND_ARGS_MAX);
            assert_true((verb->max_args > 0) == (verb->usage[0] != '\0'));
            /* A line of "help" fits 80 columns. */
            assert_true(strlen(verb->help) <= 80 - 2 - 36 - 1);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_every_command_has_its_row, read_docs),
        cmocka_unit_test_setup(test_every_row_has_its_command, read_docs),
        cmocka_unit_test(test_table_is_well_formed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
