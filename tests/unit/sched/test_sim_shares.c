// SPDX-License-Identifier: Apache-2.0
// Simulations of prr, rr and partition: shares of equals, storms of wakes, mixed priorities.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <hv/clock.h>

#include "sim.h"

static struct sim sim;

static void busy(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        sim_add(&sim, SIM_FOREVER, 0, 0);
}

static void assert_equal_shares(unsigned count, uint64_t whole)
{
    for (unsigned i = 0; i < count; i++)
        assert_in_range(sim.tasks[i].used, whole / count * 99 / 100, whole / count * 101 / 100);
}

static void test_equal_shares(void **state)
{
    static const char *const policies[] = {"prr", "rr", "partition", "edf", "rm"};

    (void)state;
    for (unsigned p = 0; p < ARRAY_SIZE(policies); p++) {
        for (unsigned count = 2; count <= 16; count++) {
            sim_init(&sim, policies[p]);
            busy(count);
            sim_run(&sim, 20 * NS_PER_SEC);
            assert_equal_shares(count, 20 * NS_PER_SEC);
            assert_int_equal(sim.idle, 0);
        }
    }
}

/* Wakers of all speeds beside busy ones get no more than those, and no less if they want it. */
static void test_wake_storm(void **state)
{
    static const uint64_t every_us[] = {50, 100, 333, 1000, 7000, 25000};

    (void)state;
    for (unsigned e = 0; e < ARRAY_SIZE(every_us); e++) {
        for (unsigned percent = 20; percent <= 100; percent += 40) {
            uint64_t every = every_us[e] * NS_PER_US;
            uint64_t whole = 20 * NS_PER_SEC;
            struct sim_task *waker;

            sim_init(&sim, "prr");
            busy(4);
            waker = sim_add(&sim, every * percent / 100, every, 0);
            sim_run(&sim, whole);
            assert_true(waker->used <= whole / 5 * 1001 / 1000);
            if (percent > 20)
                assert_true(waker->used >= whole / 5 * 97 / 100);
            assert_equal_shares(4, whole - waker->used);
        }
    }
}

/* A waker that asks for little gets it at once, until its slice of the round is used. */
static void test_waker_goes_first(void **state)
{
    struct sim_task *waker;

    (void)state;
    sim_init(&sim, "prr");
    busy(8);
    waker = sim_add(&sim, 50 * NS_PER_US, 5 * NS_PER_MS, 0);
    /* It starts behind all others. */
    sim_run(&sim, NS_PER_SEC);
    waker->latency = 0;
    sim_run(&sim, 9 * NS_PER_SEC);
    assert_int_equal(waker->latency, 0);
    assert_in_range(waker->used, 95 * NS_PER_MS, 105 * NS_PER_MS);
    assert_equal_shares(8, 10 * NS_PER_SEC - waker->used);
}

static void test_mixed_priorities(void **state)
{
    (void)state;
    sim_init(&sim, "prr");
    busy(3);
    sim.tasks[0].se.priority = 1;
    for (unsigned i = 0; i < 2; i++)
        sim_add(&sim, 2 * NS_PER_MS, 10 * NS_PER_MS, 0)->se.priority = 5;
    sim_run(&sim, 10 * NS_PER_SEC);
    assert_int_equal(sim.tasks[0].used, 0);
    assert_in_range(sim.tasks[1].used, 2970 * NS_PER_MS, 3030 * NS_PER_MS);
    assert_in_range(sim.tasks[2].used, 2970 * NS_PER_MS, 3030 * NS_PER_MS);
    for (unsigned i = 3; i < 5; i++) {
        assert_int_equal(sim.tasks[i].used, 2 * NS_PER_SEC);
        assert_true(sim.tasks[i].latency <= 2 * NS_PER_MS);
    }
}

/* Alone on its CPU a VCPU is never interrupted, not even by a slice. */
static void test_partition_alone(void **state)
{
    (void)state;
    sim_init(&sim, "partition");
    busy(1);
    sim.tasks[0].se.normal = true;
    assert_int_equal(sim.policy->admit(sim.queue, &sim.tasks[0].se), 1);
    sim_run(&sim, NS_PER_SEC);
    assert_true(sim.until == SCHED_NEVER);
    assert_int_equal(sim.tasks[0].used, NS_PER_SEC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_shares),     cmocka_unit_test(test_wake_storm),
        cmocka_unit_test(test_waker_goes_first), cmocka_unit_test(test_mixed_priorities),
        cmocka_unit_test(test_partition_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
