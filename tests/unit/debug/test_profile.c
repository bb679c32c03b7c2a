// SPDX-License-Identifier: Apache-2.0
// The profiler: samples by function and caller on all CPUs, guests, limits, and that nothing stays behind.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arch/system.h>
#include <hv/clock.h>
#include <hv/cpu.h>
#include <hv/hrtimer.h>
#include <hv/profile.h>
#include <hv/symbol.h>
#include <lib/errno.h>
#include <port/host.h>
#include <port/machine.h>

#define CPUS 2

const struct symtab_marker symtab_markers[] = {{0x100, 0}};
const uint32_t symtab_count = 3;
const uint32_t symtab_group = 4;
const uint8_t symtab_pairs[][2] = {{0, 0}};
const uint8_t symtab_stream[] = "\0first\0\x80\1second\0\x80\2third";

static uintptr_t base;
static struct profile_row rows[8];
static struct profile_totals totals;

static int start(void **state)
{
    (void)state;
    machine_start(CPUS);
    base = arch_system_image_base();
    return 0;
}

static void run_ms(unsigned ms)
{
    for (unsigned i = 0; i < ms; i++)
        host_clock_advance_ns(NS_PER_MS);
}

static unsigned timers(void)
{
    return hrtimer_count(0) + hrtimer_count(1);
}

static void test_functions_and_callers(void **state)
{
    /* In second, called at the very end of first, twice over; then third. */
    const uintptr_t stack[] = {base + 0x184, base + 0x180, base + 0x180, base + 0x280};
    unsigned armed = timers();

    (void)state;
    host_set_interrupted(stack, 4);
    assert_int_equal(profile_start(1000), 0);
    assert_int_equal(profile_start(1000), -EBUSY);
    assert_int_equal(timers(), armed + CPUS);
    run_ms(10);
    assert_int_equal(profile_stop(), 0);
    assert_int_equal(profile_stop(), -EALREADY);
    assert_int_equal(timers(), armed);
    run_ms(10);
    assert_int_equal(profile_report(rows, 8, &totals), 2);
    assert_int_equal(totals.samples, 10 * CPUS);
    assert_int_equal(totals.hypervisor, 10 * CPUS);
    assert_in_range(totals.duration_ns, 10 * NS_PER_MS, 10 * NS_PER_MS + NS_PER_US);
    assert_false(totals.running);
    assert_string_equal(rows[0].name, "second");
    assert_int_equal(rows[0].self, 10 * CPUS);
    assert_int_equal(rows[0].total, 10 * CPUS);
    assert_string_equal(rows[1].name, "first");
    assert_int_equal(rows[1].self, 0);
    assert_int_equal(rows[1].total, 10 * CPUS);
}

static void test_guests_and_unknown_code(void **state)
{
    const uintptr_t nowhere[] = {base + 0x7000000};

    (void)state;
    host_set_interrupted(NULL, 0);
    assert_int_equal(profile_start(500), 0);
    run_ms(10);
    host_set_interrupted(nowhere, 1);
    run_ms(4);
    assert_int_equal(profile_report(rows, 8, &totals), CPUS);
    assert_true(totals.running);
    assert_int_equal(totals.guests, 5 * CPUS);
    assert_int_equal(totals.unknown, 2 * CPUS);
    /* Without a guest in the way, a sample "of a guest" is of whoever is current. */
    assert_true(rows[0].is_guest);
    assert_int_equal(rows[0].self, 5);
    assert_int_equal(profile_report(rows, 1, &totals), 1);
    assert_int_equal(profile_stop(), 0);
}

static void test_limits(void **state)
{
    struct machine_census before;

    (void)state;
    assert_int_equal(profile_start(0), -EINVAL);
    assert_int_equal(profile_start(PROFILE_HZ_MAX + 1), -EINVAL);
    before = machine_census();
    assert_int_equal(profile_start(PROFILE_HZ_MAX), 0);
    assert_int_equal(profile_stop(), 0);
    /* The run before is forgotten, so that there is never more than one. */
    assert_int_equal(machine_census().heap_objects, before.heap_objects);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_functions_and_callers),
        cmocka_unit_test(test_guests_and_unknown_code),
        cmocka_unit_test(test_limits),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}
