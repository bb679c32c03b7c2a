// SPDX-License-Identifier: Apache-2.0
// The calendar against the C library's, and its text forms.
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <time.h>

#include <lib/calendar.h>
#include <lib/errno.h>

static void check(uint64_t seconds)
{
    time_t time = (time_t)seconds;
    struct calendar ours;
    uint64_t back;
    struct tm theirs;

    assert_non_null(gmtime_r(&time, &theirs));
    calendar_from_unix(seconds, &ours);
    assert_int_equal(ours.year, theirs.tm_year + 1900);
    assert_int_equal(ours.month, theirs.tm_mon + 1);
    assert_int_equal(ours.day, theirs.tm_mday);
    assert_int_equal(ours.hour, theirs.tm_hour);
    assert_int_equal(ours.minute, theirs.tm_min);
    assert_int_equal(ours.second, theirs.tm_sec);
    assert_int_equal(ours.weekday, theirs.tm_wday);
    assert_int_equal(calendar_to_unix(&ours, &back), 0);
    assert_int_equal(back, seconds);
}

static void test_every_day(void **state)
{
    (void)state;
    /* First and last second of each day until 2200. */
    for (uint64_t day = 0; day < 84000; day++) {
        check(day * 86400);
        check(day * 86400 + 86399);
    }
}

static void test_random_times(void **state)
{
    uint64_t seed = 7;

    (void)state;
    for (unsigned i = 0; i < 200000; i++) {
        seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
        check((seed >> 16) % (CALENDAR_UNIX_MAX + 1));
    }
    check(0);
    check(UINT32_MAX);
    check(CALENDAR_UNIX_MAX);
}

static void test_beyond(void **state)
{
    struct calendar time;

    (void)state;
    calendar_from_unix(UINT64_MAX, &time);
    assert_int_equal(time.year, 9999);
    assert_int_equal(time.month, 12);
    assert_int_equal(time.day, 31);
    assert_int_equal(time.second, 59);
}

static void test_parse(void **state)
{
    struct calendar time;
    uint64_t seconds;
    bool utc;

    (void)state;
    assert_int_equal(calendar_parse("2024-02-29T23:59:58", &time, &utc), 0);
    assert_false(utc);
    assert_int_equal(calendar_to_unix(&time, &seconds), 0);
    assert_int_equal(seconds, 1709251198);
    assert_int_equal(time.weekday, 4);
    assert_string_equal(calendar_weekday_name(time.weekday), "Thu");
    assert_int_equal(calendar_parse("1970-01-01 00:00:00Z", &time, &utc), 0);
    assert_true(utc);
    assert_int_equal(calendar_to_unix(&time, &seconds), 0);
    assert_int_equal(seconds, 0);
}

static void test_parse_refuses(void **state)
{
    static const char *const bad[] = {"",
                                      "2024",
                                      "2024-01-01",
                                      "2024-01-01T",
                                      "2024-01-01T00:00",
                                      "2024-01-01T00:00:0",
                                      "2024-01-01T00:00:000",
                                      "2024-1-1T00:00:00",
                                      "2024-01-01t00:00:00",
                                      "2024-01-01T00:00:00z",
                                      "2024-01-01T00:00:00ZZ",
                                      "2024-01-01T00:00:00 ",
                                      " 2024-01-01T00:00:00",
                                      "+024-01-01T00:00:00",
                                      "2024-00-01T00:00:00",
                                      "2024-13-01T00:00:00",
                                      "2024-01-00T00:00:00",
                                      "2024-01-32T00:00:00",
                                      "2024-04-31T00:00:00",
                                      "2023-02-29T00:00:00",
                                      "2100-02-29T00:00:00",
                                      "2024-02-30T00:00:00",
                                      "1969-12-31T23:59:59",
                                      "2024-01-01T24:00:00",
                                      "2024-01-01T00:60:00",
                                      "2024-01-01T00:00:60",
                                      "0000-01-01T00:00:00"};
    struct calendar time;
    bool utc;

    (void)state;
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(calendar_parse(bad[i], &time, &utc), -EINVAL);
}

static void test_zone(void **state)
{
    static const char *const bad[] = {"",       "+",      "01:00",  "+1:00",   "+01",
                                      "+01:0",  "+01:60", "+0100",  "+01:00 ", "+01:000",
                                      " +1:00", "UTC",    "--1:00", "+-1:00"};
    int minutes;

    (void)state;
    assert_int_equal(calendar_parse_zone("+00:00", &minutes), 0);
    assert_int_equal(minutes, 0);
    assert_int_equal(calendar_parse_zone("-00:30", &minutes), 0);
    assert_int_equal(minutes, -30);
    assert_int_equal(calendar_parse_zone("+14:00", &minutes), 0);
    assert_int_equal(minutes, 840);
    assert_int_equal(calendar_parse_zone("-12:00", &minutes), 0);
    assert_int_equal(minutes, -720);
    assert_int_equal(calendar_parse_zone("+14:01", &minutes), -ERANGE);
    assert_int_equal(calendar_parse_zone("-12:01", &minutes), -ERANGE);
    assert_int_equal(calendar_parse_zone("+99:59", &minutes), -ERANGE);
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(calendar_parse_zone(bad[i], &minutes), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_day),     cmocka_unit_test(test_random_times),
        cmocka_unit_test(test_beyond),        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_parse_refuses), cmocka_unit_test(test_zone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
