// SPDX-License-Identifier: Apache-2.0
// Time of day: without and with an RTC, setting it, its range, the zone, who is told.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <hv/clock.h>
#include <hv/wallclock.h>
#include <lib/errno.h>
#include <lib/macros.h>
#include <port/host.h>
#include <port/machine.h>

static uint64_t hardware = 1000000000;
static int hardware_error;
static unsigned told;
static struct wallclock_step last_step;

static int rtc_get(const struct rtc *rtc, uint64_t *seconds)
{
    (void)rtc;
    *seconds = hardware;
    return hardware_error;
}

static int rtc_set(const struct rtc *rtc, uint64_t seconds)
{
    (void)rtc;
    if (hardware_error == 0)
        hardware = seconds;
    return hardware_error;
}

static const struct rtc rtc = {.name = "rtc@1", .get = rtc_get, .set = rtc_set};

static void clock_set(struct notifier *self, unsigned event, void *data)
{
    (void)self;
    (void)event;
    told++;
    last_step = *(const struct wallclock_step *)data;
}

static struct notifier watcher = {.notify = clock_set};

/* One after the other: the RTC is registered once in the life of the hypervisor. */
static void test_without_rtc(void **state)
{
    struct wallclock_time time;

    (void)state;
    machine_start(1);
    notifier_add(&wallclock_chain, &watcher);
    assert_int_equal(wallclock_seconds(), CONFIG_WALLCLOCK_EPOCH);
    assert_null(wallclock_source());
    host_clock_advance_ns(NS_PER_SEC + 16);
    wallclock_get(&time);
    assert_int_equal(time.seconds, CONFIG_WALLCLOCK_EPOCH + 1ULL);
    assert_int_equal(time.ns, 16);
    assert_int_equal(wallclock_set(500), 0);
    assert_int_equal(wallclock_seconds(), 500);
    assert_string_equal(wallclock_source(), "operator");
    assert_int_equal(told, 1);
    assert_int_equal(last_step.before, (CONFIG_WALLCLOCK_EPOCH + 1ULL) * NS_PER_SEC + 16);
    assert_int_equal(last_step.after, 500 * NS_PER_SEC);
}

static void test_register(void **state)
{
    (void)state;
    hardware_error = -EIO;
    assert_int_equal(wallclock_register_rtc(&rtc), -EIO);
    hardware_error = 0;
    hardware = WALLCLOCK_MAX + 1ULL;
    assert_int_equal(wallclock_register_rtc(&rtc), -ERANGE);
    assert_int_equal(wallclock_seconds(), 500);
    hardware = 1000000000;
    assert_int_equal(wallclock_register_rtc(&rtc), 0);
    assert_int_equal(wallclock_seconds(), 1000000000);
    assert_string_equal(wallclock_source(), "rtc@1");
    assert_int_equal(told, 2);
    assert_int_equal(wallclock_register_rtc(&rtc), -EBUSY);
}

static void test_set(void **state)
{
    uint64_t uptime = clock_now();

    (void)state;
    assert_int_equal(wallclock_set(2000000000), 0);
    assert_int_equal(hardware, 2000000000);
    assert_int_equal(wallclock_set(WALLCLOCK_MAX + 1ULL), -ERANGE);
    assert_int_equal(wallclock_set(UINT64_MAX), -ERANGE);
    assert_int_equal(hardware, 2000000000);
    assert_int_equal(wallclock_seconds(), 2000000000);
    assert_int_equal(wallclock_set(WALLCLOCK_MAX), 0);
    assert_int_equal(wallclock_seconds(), WALLCLOCK_MAX);
    host_clock_advance_ns(10 * NS_PER_SEC);
    assert_int_equal(wallclock_seconds(), WALLCLOCK_MAX + 10ULL);
    /* Before boot: still exact. */
    assert_int_equal(wallclock_set(0), 0);
    assert_int_equal(wallclock_seconds(), 0);
    host_clock_advance_ns(NS_PER_SEC);
    assert_int_equal(wallclock_seconds(), 1);
    /* An RTC that fails: the clock is set nevertheless. */
    hardware_error = -EIO;
    assert_int_equal(wallclock_set(700), -EIO);
    hardware_error = 0;
    assert_int_equal(wallclock_seconds(), 700);
    assert_int_equal(hardware, 0);
    assert_int_equal(clock_now(), uptime + 11 * NS_PER_SEC);
}

static void test_to_uptime(void **state)
{
    (void)state;
    assert_int_equal(wallclock_set(5000), 0);
    assert_int_equal(wallclock_to_uptime(5000), clock_now());
    assert_int_equal(wallclock_to_uptime(5010), clock_now() + 10 * NS_PER_SEC);
    assert_int_equal(wallclock_to_uptime(4999), clock_now() - NS_PER_SEC);
    assert_int_equal(wallclock_to_uptime(0), 0);
    assert_int_equal(wallclock_to_uptime(UINT64_MAX), UINT64_MAX);
    assert_int_equal(wallclock_to_uptime(UINT64_MAX / NS_PER_SEC),
                     clock_now() + (UINT64_MAX / NS_PER_SEC - 5000) * NS_PER_SEC);
}

static void test_zone(void **state)
{
    (void)state;
    assert_int_equal(wallclock_zone(), 0);
    assert_int_equal(wallclock_set_zone(840), 0);
    assert_int_equal(wallclock_set_zone(841), -ERANGE);
    assert_int_equal(wallclock_zone(), 840);
    assert_int_equal(wallclock_set_zone(-720), 0);
    assert_int_equal(wallclock_set_zone(-721), -ERANGE);
    assert_int_equal(wallclock_zone(), -720);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_rtc), cmocka_unit_test(test_register),
        cmocka_unit_test(test_set),         cmocka_unit_test(test_to_uptime),
        cmocka_unit_test(test_zone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
