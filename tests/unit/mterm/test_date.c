// SPDX-License-Identifier: Apache-2.0
// Command date: local time and UTC, setting either, zones, what is refused.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <hv/command.h>
#include <hv/wallclock.h>
#include <lib/errno.h>
#include <port/machine.h>
#include <string.h>

static char output[4096];

static void collect(struct terminal *term, const char *text, size_t size)
{
    size_t used = strlen(output);

    (void)term;
    assert_true(used + size < sizeof(output));
    memcpy(output + used, text, size);
    output[used + size] = '\0';
}

static struct terminal term = {.write = collect, .columns = 80, .rows = 24};

static int run(const char *line)
{
    char copy[128];

    strcpy(copy, line);
    output[0] = '\0';
    return command_run(&term, copy);
}

static int boot(void **state)
{
    (void)state;
    machine_start(1);
    return 0;
}

static void shows(void **state)
{
    (void)state;
    assert_int_equal(run("date"), 0);
    assert_non_null(strstr(output, "source: none"));
    assert_int_equal(run("date set 2024-02-29T23:30:00Z"), 0);
    assert_string_equal(output, "");
    assert_int_equal(run("date zone +01:30"), 0);
    assert_int_equal(run("date"), 0);
    assert_string_equal(output, "local:  Fri 2024-03-01 01:00:00 +01:30\n"
                                "UTC:    Thu 2024-02-29 23:30:00\n"
                                "Unix:   1709249400\n"
                                "source: operator\n");
    assert_int_equal(run("date zone -00:30"), 0);
    assert_int_equal(run("date zone"), 0);
    assert_string_equal(output, "-00:30\n");
    assert_int_equal(run("date"), 0);
    assert_non_null(strstr(output, "Thu 2024-02-29 23:00:00 -00:30"));
}

static void sets_local_time(void **state)
{
    (void)state;
    assert_int_equal(run("date zone +02:00"), 0);
    assert_int_equal(run("date set 2030-06-01T12:00:00"), 0);
    assert_int_equal(wallclock_seconds(), 1906538400);
    assert_int_equal(run("date zone -05:30"), 0);
    assert_int_equal(run("date set 2030-06-01T04:30:00"), 0);
    assert_int_equal(wallclock_seconds(), 1906538400);
}

static void keeps_its_range(void **state)
{
    (void)state;
    assert_int_equal(run("date zone +02:00"), 0);
    assert_int_equal(run("date set 1970-01-01T02:00:00"), 0);
    assert_int_equal(wallclock_seconds(), 0);
    assert_int_equal(run("date set 1970-01-01T01:59:59"), -ERANGE);
    assert_non_null(strstr(output, "1970-01-01T00:00:00Z to 2106-02-07T06:28:15Z"));
    assert_int_equal(run("date set 2106-02-07T08:28:16"), -ERANGE);
    assert_int_equal(run("date set 9999-12-31T23:59:59"), -ERANGE);
    assert_int_equal(wallclock_seconds(), 0);
    assert_int_equal(run("date set 2106-02-07T08:28:15"), 0);
    assert_int_equal(wallclock_seconds(), UINT32_MAX);
    assert_int_equal(run("date zone -12:00"), 0);
    assert_int_equal(run("date set 1970-01-01T00:00:00"), 0);
    assert_int_equal(wallclock_seconds(), 12 * 3600);
    assert_int_equal(run("date set 2106-02-07T06:28:15"), -ERANGE);
    assert_int_equal(wallclock_seconds(), 12 * 3600);
    /* Local time before 1970 does not exist for the calendar: its first second instead. */
    assert_int_equal(run("date set 1970-01-01T00:00:00Z"), 0);
    assert_int_equal(run("date"), 0);
    assert_non_null(strstr(output, "local:  Thu 1970-01-01 00:00:00 -12:00"));
}

static void refuses(void **state)
{
    static const char *const bad[] = {"date set",
                                      "date set tomorrow",
                                      "date set 2024-02-30T00:00:00",
                                      "date set 2024-01-01 00:00:00",
                                      "date set 2024-01-01T00:00:00+01:00",
                                      "date zone UTC",
                                      "date zone +15:00",
                                      "date zone +01:00 +02:00",
                                      "date 2024-01-01T00:00:00"};

    (void)state;
    assert_int_equal(run("date zone +03:00"), 0);
    assert_int_equal(run("date set 2020-01-01T00:00:00Z"), 0);
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_not_equal(run(bad[i]), 0);
        assert_true(strlen(output) > 10);
    }
    assert_int_equal(wallclock_seconds(), 1577836800);
    assert_int_equal(wallclock_zone(), 180);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows),
        cmocka_unit_test(sets_local_time),
        cmocka_unit_test(keeps_its_range),
        cmocka_unit_test(refuses),
    };

    return cmocka_run_group_tests(tests, boot, NULL);
}
