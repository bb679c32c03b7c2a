// SPDX-License-Identifier: Apache-2.0
// Clock conversions against exact 128-bit arithmetic, over counter frequencies of real machines and
// awkward ones.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <hv/clock.h>
#include <lib/errno.h>
#include <lib/macros.h>
#include <port/host.h>
#include <port/machine.h>

typedef unsigned __int128 u128;

static const uint64_t frequencies[] = {1,         32768,     1000000,    19200000,   24000000,
                                       33333333,  50000000,  54000000,   62500000,   100000000,
                                       999999937, 999999999, 1000000000, 1000000001, UINT32_MAX};

static uint64_t seed = 1;

static uint64_t random64(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed >> (seed % 64);
}

static void with_frequency(uint64_t hz)
{
    machine_start(1);
    host_clock_set_frequency(hz);
    assert_int_equal(clock_init(), 0);
}

static void check_ticks(uint64_t ticks, uint64_t hz)
{
    u128 exact = (u128)ticks * NS_PER_SEC / hz;
    uint64_t ns = clock_ticks_to_ns(ticks);

    if (exact > UINT64_MAX) {
        assert_int_equal(ns, UINT64_MAX);
        return;
    }
    assert_int_equal(ns, (uint64_t)exact);
}

static void check_ns(uint64_t ns, uint64_t hz)
{
    u128 exact = ((u128)ns * hz + NS_PER_SEC - 1) / NS_PER_SEC;

    assert_int_equal(clock_ns_to_ticks(ns), exact > UINT64_MAX ? UINT64_MAX : (uint64_t)exact);
}

/* Where one more or less changes the result: whole seconds and whole ticks. */
static void check_edges(uint64_t hz)
{
    for (unsigned n = 0; n < 2000; n++) {
        uint64_t seconds = random64() % (UINT64_MAX / NS_PER_SEC);
        u128 ticks = (u128)seconds * hz;
        uint64_t ns = seconds * NS_PER_SEC;

        check_ns(ns - 1, hz);
        check_ns(ns, hz);
        check_ns(ns + 1, hz);
        if (ticks > UINT64_MAX)
            continue;
        check_ticks((uint64_t)ticks - 1, hz);
        check_ticks((uint64_t)ticks, hz);
        assert_int_equal(clock_ticks_to_ns((uint64_t)ticks), ns);
        assert_int_equal(clock_ns_to_ticks(ns), (uint64_t)ticks);
    }
}

static void test_conversions(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(frequencies); i++) {
        with_frequency(frequencies[i]);
        for (unsigned n = 0; n < 20000; n++) {
            check_ticks(random64(), frequencies[i]);
            check_ns(random64(), frequencies[i]);
        }
        check_ticks(0, frequencies[i]);
        check_ticks(UINT64_MAX, frequencies[i]);
        check_ns(0, frequencies[i]);
        check_ns(UINT64_MAX, frequencies[i]);
        check_edges(frequencies[i]);
    }
}

/* After a hundred years and five hundred, with a frequency that divides nothing evenly. */
static void test_centuries(void **state)
{
    const uint64_t year = 31556952 * NS_PER_SEC;

    (void)state;
    with_frequency(54000000);
    for (uint64_t years = 100; years <= 500; years += 400) {
        uint64_t ns = years * year;

        host_clock_set(clock_ns_to_counter(ns));
        assert_in_range(clock_now(), ns, ns + 18);
        host_clock_advance(54);
        assert_in_range(clock_now(), ns + NS_PER_US, ns + NS_PER_US + 18);
    }
}

static void test_impossible_frequency(void **state)
{
    (void)state;
    machine_start(1);
    host_clock_set_frequency(0);
    assert_int_equal(clock_init(), -ERANGE);
    host_clock_set_frequency(1ULL << 32);
    assert_int_equal(clock_init(), -ERANGE);
}

static void test_uptime(void **state)
{
    (void)state;
    machine_start(1);
    host_clock_set(123456789);
    assert_int_equal(clock_init(), 0);
    assert_int_equal(clock_now(), 0);
    host_clock_advance(625);
    assert_int_equal(clock_now(), 10000);
    assert_int_equal(clock_ns_to_counter(10000), 123456789 + 625);
    assert_int_equal(clock_ns_to_counter(10001), 123456789 + 626);
    assert_int_equal(clock_counter_to_ns(123456789 + 625), 10000);
    assert_int_equal(clock_counter_to_ns(123456788), 0);
    assert_int_equal(clock_ns_to_counter(UINT64_MAX), clock_ns_to_counter(UINT64_MAX - 1));
}

static void test_delay(void **state)
{
    (void)state;
    machine_start(1);
    clock_delay_us(100);
    assert_in_range(clock_now(), 100 * NS_PER_US, 101 * NS_PER_US);
    clock_delay_us(UINT32_MAX);
    assert_in_range(clock_now(), 10100 * NS_PER_US, 10102 * NS_PER_US);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conversions),
        cmocka_unit_test(test_centuries),
        cmocka_unit_test(test_impossible_frequency),
        cmocka_unit_test(test_uptime),
        cmocka_unit_test(test_delay),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
