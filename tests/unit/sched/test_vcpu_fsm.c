// SPDX-License-Identifier: Apache-2.0
// The state machine against the table in docs/vcpu-states.md: every state, reason set, event and
// reason.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <hv/vcpu.h>
#include <lib/errno.h>
#include <lib/macros.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_MAX 100
#define CELLS 7
#define CELL_SIZE 96
#define REASONS 6
#define REASON_SETS 64
#define WAIT_REASONS (VCPU_REASON_WFI | VCPU_REASON_SLEEP)

enum cell { STATE, SET, EVENT, REASON, RESULT, NEXT, NEXT_SET };

static char rows[ROWS_MAX][CELLS][CELL_SIZE];
static unsigned row_count;
static bool row_used[ROWS_MAX];

static const char *const event_names[VCPU_EVENTS] = {
    [VCPU_EVENT_CREATE] = "create",   [VCPU_EVENT_KICK] = "kick",
    [VCPU_EVENT_RESET] = "reset",     [VCPU_EVENT_HALT] = "halt",
    [VCPU_EVENT_PAUSE] = "pause",     [VCPU_EVENT_RESUME] = "resume",
    [VCPU_EVENT_RUN] = "run",         [VCPU_EVENT_PREEMPT] = "preempt",
    [VCPU_EVENT_DESTROY] = "destroy",
};

static void copy_cell(char *to, const char *from, size_t size)
{
    while (size > 0 && *from == ' ') {
        from++;
        size--;
    }
    while (size > 0 && from[size - 1] == ' ')
        size--;
    assert_true(size < CELL_SIZE);
    memcpy(to, from, size);
    to[size] = '\0';
}

static void parse_row(const char *line)
{
    assert_true(row_count < ROWS_MAX);
    for (unsigned i = 0; i < CELLS; i++) {
        const char *end = strchr(line + 1, '|');

        assert_non_null(end);
        copy_cell(rows[row_count][i], line + 1, (size_t)(end - line - 1));
        line = end;
    }
    assert_string_equal(line, "|\n");
    row_count++;
}

static int read_table(void **state)
{
    FILE *file = fopen("docs/vcpu-states.md", "r");
    bool inside = false;
    char line[512];

    (void)state;
    assert_non_null(file);
    while (fgets(line, sizeof(line), file) != NULL) {
        if (strstr(line, "table: begin"))
            inside = true;
        else if (strstr(line, "table: end"))
            inside = false;
        else if (inside && line[0] == '|' && strncmp(line, "| State", 7) != 0 && line[1] != '-')
            parse_row(line);
    }
    fclose(file);
    return 0;
}

/* Is name one of "a, b, c"? */
static bool lists(const char *text, const char *name)
{
    size_t length = strlen(name);

    for (const char *at = text; (at = strstr(at, name)) != NULL; at += length)
        if ((at == text || at[-1] == ' ') && (at[length] == '\0' || at[length] == ','))
            return true;
    return false;
}

static bool set_matches(const char *cell, uint32_t set, uint32_t reason)
{
    if (!strcmp(cell, "none"))
        return set == 0;
    if (!strcmp(cell, "some"))
        return set != 0;
    if (!strcmp(cell, "with r"))
        return set & reason;
    if (!strcmp(cell, "without r"))
        return set != 0 && !(set & reason);
    if (!strcmp(cell, "only r"))
        return set == reason;
    if (!strcmp(cell, "r and more"))
        return (set & reason) && set != reason;
    fail_msg("reasons \"%s\"", cell);
    return false;
}

static bool reason_matches(const char *cell, uint32_t reason)
{
    if (!strcmp(cell, "-"))
        return reason == 0;
    if (!strcmp(cell, "any"))
        return reason != 0;
    if (!strcmp(cell, "wait"))
        return reason & WAIT_REASONS;
    if (!strcmp(cell, "other"))
        return reason != 0 && !(reason & WAIT_REASONS);
    fail_msg("r \"%s\"", cell);
    return false;
}

static int result_of(const char *cell)
{
    static const struct {
        const char *name;
        int value;
    } results[] = {{"0", 0}, {"-EINVAL", -EINVAL}, {"-EALREADY", -EALREADY}, {"-EBUSY", -EBUSY}};

    for (unsigned i = 0; i < ARRAY_SIZE(results); i++)
        if (!strcmp(cell, results[i].name))
            return results[i].value;
    fail_msg("result \"%s\"", cell);
    return 0;
}

static enum vcpu_state next_of(const char *cell, enum vcpu_state state)
{
    if (!strcmp(cell, "same"))
        return state;
    for (unsigned i = 0; i < VCPU_STATES; i++)
        if (!strcmp(cell, vcpu_state_name((enum vcpu_state)i)))
            return (enum vcpu_state)i;
    fail_msg("next state \"%s\"", cell);
    return VCPU_STATES;
}

static uint32_t next_set_of(const char *cell, uint32_t set, uint32_t reason)
{
    if (!strcmp(cell, "same"))
        return set;
    if (!strcmp(cell, "none"))
        return 0;
    if (!strcmp(cell, "only r"))
        return reason;
    if (!strcmp(cell, "plus r"))
        return set | reason;
    if (!strcmp(cell, "minus r"))
        return set & ~reason;
    fail_msg("next reasons \"%s\"", cell);
    return 0;
}

static unsigned row_of(enum vcpu_state state, uint32_t set, enum vcpu_event event, uint32_t reason)
{
    unsigned found = ROWS_MAX;

    for (unsigned i = 0; i < row_count; i++) {
        if (!lists(rows[i][STATE], vcpu_state_name(state)) ||
            !lists(rows[i][EVENT], event_names[event]) ||
            !reason_matches(rows[i][REASON], reason) || !set_matches(rows[i][SET], set, reason))
            continue;
        if (found != ROWS_MAX)
            fail_msg("%s {%x} %s %x is in two rows", vcpu_state_name(state), set,
                     event_names[event], reason);
        found = i;
    }
    if (found == ROWS_MAX)
        fail_msg("%s {%x} %s %x is in no row", vcpu_state_name(state), set, event_names[event],
                 reason);
    return found;
}

static void check_one(enum vcpu_state state, uint32_t set, enum vcpu_event event, uint32_t reason)
{
    unsigned row = row_of(state, set, event, reason);
    enum vcpu_state next = VCPU_STATES;
    uint32_t next_set = ~0U;
    int result = vcpu_fsm(state, set, event, reason, &next, &next_set);

    row_used[row] = true;
    if (result != result_of(rows[row][RESULT]) || next != next_of(rows[row][NEXT], state) ||
        next_set != next_set_of(rows[row][NEXT_SET], set, reason))
        fail_msg("%s {%x} %s %x: got %d %s {%x}, which is not row %u", vcpu_state_name(state), set,
                 event_names[event], reason, result, vcpu_state_name(next), next_set, row + 1);
}

static void check_event(enum vcpu_state state, uint32_t set, enum vcpu_event event)
{
    if (event != VCPU_EVENT_PAUSE && event != VCPU_EVENT_RESUME) {
        check_one(state, set, event, 0);
        return;
    }
    for (unsigned i = 0; i < REASONS; i++)
        check_one(state, set, event, 1U << i);
}

static void test_every_combination(void **state)
{
    (void)state;
    for (unsigned s = 0; s < VCPU_STATES; s++)
        for (uint32_t set = 0; set < REASON_SETS; set++)
            for (unsigned event = 0; event < VCPU_EVENTS; event++)
                check_event((enum vcpu_state)s, set, (enum vcpu_event)event);
    for (unsigned i = 0; i < row_count; i++)
        assert_true(row_used[i]);
}

static void test_nonsense_is_refused(void **state)
{
    enum vcpu_state next;
    uint32_t set;

    (void)state;
    assert_int_equal(vcpu_fsm(VCPU_STATES, 0, VCPU_EVENT_KICK, 0, &next, &set), -EINVAL);
    assert_int_equal(vcpu_fsm(VCPU_RESET, 0, VCPU_EVENTS, 0, &next, &set), -EINVAL);
    assert_int_equal(vcpu_fsm(VCPU_READY, 0, VCPU_EVENT_PAUSE, 0, &next, &set), -EINVAL);
    assert_int_equal(vcpu_fsm(VCPU_READY, 0, VCPU_EVENT_PAUSE, 12, &next, &set), -EINVAL);
    assert_int_equal(vcpu_fsm(VCPU_READY, 0, VCPU_EVENT_PAUSE, 64, &next, &set), -EINVAL);
    assert_int_equal(vcpu_fsm(VCPU_PAUSED, 65, VCPU_EVENT_RESUME, 1, &next, &set), -EINVAL);
}

static void test_texts(void **state)
{
    char buf[64];

    (void)state;
    vcpu_reasons_text(0, buf, sizeof(buf));
    assert_string_equal(buf, "");
    vcpu_reasons_text(VCPU_REASON_WFI | VCPU_REASON_OPERATOR, buf, sizeof(buf));
    assert_string_equal(buf, "wfi,operator");
    vcpu_reasons_text(63, buf, sizeof(buf));
    assert_string_equal(buf, "wfi,sleep,operator,guest,debug,fault");
    vcpu_reasons_text(63, buf, 8);
    assert_string_equal(buf, "wfi,sle");
    assert_string_equal(vcpu_state_name(VCPU_PAUSED), "paused");
    assert_string_equal(vcpu_state_name(VCPU_STATES), "invalid");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_combination),
        cmocka_unit_test(test_nonsense_is_refused),
        cmocka_unit_test(test_texts),
    };

    return cmocka_run_group_tests(tests, read_table, NULL);
}
