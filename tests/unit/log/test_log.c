// SPDX-License-Identifier: Apache-2.0
// Log: levels and echo, escaping, cutting, the ring when it is full, the rate limiter.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <hv/ctx.h>
#include <hv/log.h>
#include <hv/report.h>
#include <lib/errno.h>
#include <port/host.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char sunk[16384];
static size_t sunk_size;
static uint64_t now;

static uint64_t fake_clock(void)
{
    return now;
}

static void sink(const char *text, size_t size)
{
    assert_int_equal(this_cpu(ctx_state).preempt_count, 0);
    assert_true(sunk_size + size < sizeof(sunk));
    memcpy(sunk + sunk_size, text, size);
    sunk_size += size;
    sunk[sunk_size] = '\0';
}

static int set_up(void **state)
{
    (void)state;
    now = 0;
    sunk_size = 0;
    sunk[0] = '\0';
    log_set_level(LOG_INFO);
    log_set_clock(fake_clock);
    log_set_sink(sink);
    return 0;
}

struct collected {
    unsigned count;
    enum log_level level;
    uint64_t ns;
    char first[300], last[300];
};

static void collect(void *arg, enum log_level level, uint64_t ns, const char *text)
{
    struct collected *c = arg;

    if (c->count++ == 0)
        strcpy(c->first, text);
    strcpy(c->last, text);
    c->level = level;
    c->ns = ns;
}

static void test_early_lines_go_to_the_console(void **state)
{
    (void)state;
    log_set_sink(NULL);
    log_set_clock(NULL);
    host_console_clear();
    log_info("hello %d", 5);
    assert_string_equal(host_console_text(), "[    0.000000] hello 5\r\n");
}

static void test_levels(void **state)
{
    struct collected c = {0};

    (void)state;
    now = 12003004005ULL;
    log_error("bad");
    log_warn("odd\n");
    log_info("note");
    log_debug("detail");
    assert_string_equal(
        sunk, "[   12.003004] ERROR: bad\r\n[   12.003004] warning: odd\r\n[   12.003004] note\r\n");
    log_for_each(collect, &c);
    assert_string_equal(c.last, "detail");
    assert_int_equal(c.level, LOG_DEBUG);
    assert_int_equal(c.ns, now);
    log_set_level(LOG_ERROR);
    assert_int_equal(log_get_level(), LOG_ERROR);
    sunk_size = 0;
    log_warn("quiet");
    assert_int_equal(sunk_size, 0);
}

static void test_control_bytes_are_escaped(void **state)
{
    (void)state;
    log_info("%s|", "a\x1b[2J\r\nb\x9b\x7f\t");
    assert_string_equal(sunk, "[    0.000000] a\\x1b[2J\\x0d\\x0ab\\x9b\\x7f\\x09|\r\n");
    sunk_size = 0;
    log_info("%c%s", 0, "\n");
    assert_string_equal(sunk, "[    0.000000] \\x00\\x0a\r\n");
}

static void test_long_lines_are_cut(void **state)
{
    char text[1000];
    struct collected c = {0};

    (void)state;
    memset(text, 'x', sizeof(text));
    text[999] = '\0';
    log_error("%s", text);
    log_for_each(collect, &c);
    assert_int_equal(strlen(c.last), 240);
    assert_int_equal(sunk[sunk_size - 1], '\n');
    memset(text, 27, 999);
    log_error("%s", text);
    log_for_each(collect, &c);
    assert_int_equal(strlen(c.last), 240);
    assert_string_equal(c.last + 236, "\\x1b");
}

static void test_ring_keeps_the_newest(void **state)
{
    struct collected c = {0};
    char text[300];

    (void)state;
    log_set_sink(NULL);
    for (unsigned i = 0; i < 100000; i++)
        log_debug("%0*u", 1 + (int)(i % 240), i);
    log_for_each(collect, &c);
    assert_true(c.count > CONFIG_LOG_SIZE / 300 && c.count < CONFIG_LOG_SIZE / 16);
    snprintf(text, sizeof(text), "%0*u", 1 + 99999 % 240, 99999);
    assert_string_equal(c.last, text);
    snprintf(text, sizeof(text), "%0*u", 1 + (int)((100000 - c.count) % 240), 100000 - c.count);
    assert_string_equal(c.first, text);
}

static void log_more(void *arg, enum log_level level, uint64_t ns, const char *text)
{
    (void)level;
    (void)ns;
    (void)text;
    ++*(unsigned *)arg;
    for (unsigned i = 0; i < 100; i++)
        log_debug("%0200u", i);
}

static void test_writing_while_reading(void **state)
{
    unsigned lines = 0;

    (void)state;
    /* Each line read overwrites a hundred: ends all the same, at what was the end when it began. */
    log_for_each(log_more, &lines);
    assert_in_range(lines, 1, 3);
}

static void test_names(void **state)
{
    enum log_level level = LOG_LEVELS;

    (void)state;
    for (unsigned i = 0; i < LOG_LEVELS; i++) {
        assert_int_equal(log_level_find(log_level_name((enum log_level)i), &level), 0);
        assert_int_equal(level, i);
    }
    assert_int_equal(log_level_find("loud", &level), -ENOENT);
    assert_int_equal(log_level_find("", &level), -ENOENT);
}

static void test_following(void **state)
{
    struct log_cursor cursor;
    struct log_entry entry;

    (void)state;
    log_set_sink(NULL);
    for (unsigned i = 0; i < 5; i++)
        log_debug("old %u", i);
    log_cursor_set(&cursor, 2);
    assert_true(log_next(&cursor, &entry));
    assert_string_equal(entry.text, "old 3");
    assert_int_equal(entry.level, LOG_DEBUG);
    assert_int_equal(entry.lost, 0);
    assert_true(log_next(&cursor, &entry));
    assert_string_equal(entry.text, "old 4");
    assert_false(log_next(&cursor, &entry));
    now = 77;
    log_warn("new");
    assert_true(log_next(&cursor, &entry));
    assert_string_equal(entry.text, "new");
    assert_int_equal(entry.ns, 77);
    assert_false(log_next(&cursor, &entry));
    log_cursor_set(&cursor, 0);
    assert_false(log_next(&cursor, &entry));
    log_cursor_set(&cursor, UINT64_MAX);
    assert_true(log_next(&cursor, &entry));
    assert_int_equal(entry.lost, 0);
}

/* Each line written is either read or counted as lost. */
static void test_following_too_slowly(void **state)
{
    struct log_cursor cursor;
    struct log_entry entry;
    unsigned next = 0;

    (void)state;
    log_set_sink(NULL);
    log_cursor_set(&cursor, 0);
    for (unsigned written = 0; written < 200000;) {
        unsigned burst = 1 + written % 3001;

        for (unsigned i = 0; i < burst; i++)
            log_debug("%u", written++);
        while (log_next(&cursor, &entry)) {
            next += (unsigned)entry.lost;
            assert_int_equal(strtoul(entry.text, NULL, 10), next);
            next++;
        }
        assert_int_equal(next, written);
    }
}

static unsigned count_lines(const char *part)
{
    unsigned count = 0;

    for (const char *at = sunk; (at = strstr(at, part)) != NULL; at++)
        count++;
    return count;
}

static void test_rate_limit(void **state)
{
    struct log_limit limit = {0};
    char expected[40];

    (void)state;
    for (unsigned i = 0; i < 1000; i++)
        log_limited(&limit, LOG_WARN, "flood");
    assert_int_equal(count_lines("flood"), CONFIG_LOG_GUEST_RATE);
    assert_int_equal(count_lines("suppressed"), 0);
    now += 999999999;
    log_limited(&limit, LOG_WARN, "flood");
    assert_int_equal(count_lines("flood"), CONFIG_LOG_GUEST_RATE);
    now += 1;
    sunk_size = 0;
    for (unsigned i = 0; i < 1000; i++)
        log_limited(&limit, LOG_WARN, "flood");
    snprintf(expected, sizeof(expected), "suppressed %u lines", 1001 - CONFIG_LOG_GUEST_RATE);
    assert_int_equal(count_lines(expected), 1);
    assert_int_equal(count_lines("\n"), CONFIG_LOG_GUEST_RATE);
    now += 5000000000ULL;
    sunk_size = 0;
    log_limited(&limit, LOG_WARN, "flood");
    log_limited(&limit, LOG_WARN, "flood");
    assert_int_equal(count_lines("suppressed"), 1);
    assert_int_equal(count_lines("flood"), 2);
}

static void test_report_to_log(void **state)
{
    struct report report;

    (void)state;
    report_to_log(&report);
    report_error(&report, "/guests/a: %s", "no vcpus");
    assert_int_equal(report.errors, 1);
    assert_string_equal(sunk, "[    0.000000] ERROR: /guests/a: no vcpus\r\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_early_lines_go_to_the_console, set_up),
        cmocka_unit_test_setup(test_levels, set_up),
        cmocka_unit_test_setup(test_control_bytes_are_escaped, set_up),
        cmocka_unit_test_setup(test_long_lines_are_cut, set_up),
        cmocka_unit_test_setup(test_ring_keeps_the_newest, set_up),
        cmocka_unit_test_setup(test_writing_while_reading, set_up),
        cmocka_unit_test_setup(test_names, set_up),
        cmocka_unit_test_setup(test_following, set_up),
        cmocka_unit_test_setup(test_following_too_slowly, set_up),
        cmocka_unit_test_setup(test_rate_limit, set_up),
        cmocka_unit_test_setup(test_report_to_log, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
