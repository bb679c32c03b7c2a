// SPDX-License-Identifier: Apache-2.0
// Simulations of edf and rm: who is admitted meets every deadline, nobody gets more than its budget,
// and what remains is for the others.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <hv/clock.h>
#include <lib/errno.h>

#include "sim.h"

#define SETS 300

static struct sim sim;
static uint64_t seed = 3;

static unsigned pick(unsigned n)
{
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (unsigned)(seed >> 33) % n;
}

/* A task that needs all of its budget in each period, if the policy takes it. */
static int reserve(uint64_t budget, uint64_t period, uint64_t deadline)
{
    struct sim_task *task = sim_add(&sim, budget, period, deadline);
    int result;

    task->se.budget = budget;
    task->se.period = period;
    task->se.deadline = deadline;
    result = sim.policy->admit(sim.queue, &task->se);
    if (result < 0)
        sim.count--;
    return result;
}

/* Tasks until one is refused. */
static void fill(bool constrained)
{
    int result = 1;

    while (result > 0 && sim.count < SIM_TASKS_MAX - 1) {
        uint64_t period = (1 + pick(100)) * 500 * NS_PER_US;
        uint64_t deadline = constrained ? period / 2 + pick(500) * (period / 1000) : period;
        uint64_t budget = deadline / 1000 * (10 + pick(400));

        result = reserve(budget, period, deadline);
        if (result > 0)
            sim.tasks[sim.count - 1].next = pick(20) * NS_PER_MS;
    }
    assert_true(sim.count == SIM_TASKS_MAX - 1 || result == -ENOSPC);
}

static void test_deadlines_are_met(void **state)
{
    static const char *const policies[] = {"edf", "rm"};

    (void)state;
    for (unsigned set = 0; set < SETS; set++) {
        struct sim_task *background;

        sim_init(&sim, policies[set % 2]);
        fill(set % 4 >= 2);
        background = sim_add(&sim, SIM_FOREVER, 0, 0);
        sim_run(&sim, 2 * NS_PER_SEC);
        for (unsigned i = 0; i + 1 < sim.count; i++) {
            if (sim.tasks[i].missed != 0)
                fail_msg("%s, set %u, task %u: %u of %u deadlines missed", sim.policy->name, set, i,
                         sim.tasks[i].missed, sim.tasks[i].jobs);
        }
        assert_true(background->used > 0);
        assert_int_equal(sim.idle, 0);
    }
}

static void test_edf_promises_all_of_it(void **state)
{
    (void)state;
    sim_init(&sim, "edf");
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(reserve(NS_PER_MS, 4 * NS_PER_MS, 4 * NS_PER_MS), 1);
    assert_int_equal(reserve(10 * NS_PER_US, 4 * NS_PER_SEC, 4 * NS_PER_SEC), -ENOSPC);
    sim_run(&sim, NS_PER_SEC);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(sim.tasks[i].missed, 0);
    /* Who leaves makes room for just as much. */
    sim.policy->withdraw(sim.queue, &sim.tasks[2].se);
    sim.count = 4;
    assert_int_equal(reserve(2 * NS_PER_MS, 4 * NS_PER_MS, 4 * NS_PER_MS), -ENOSPC);
    assert_int_equal(reserve(NS_PER_MS, 4 * NS_PER_MS, 4 * NS_PER_MS), 1);
}

/* Three halves are too much; so are shares beyond the bound of fixed priorities. */
static void test_infeasible_is_refused(void **state)
{
    (void)state;
    sim_init(&sim, "edf");
    assert_int_equal(reserve(5 * NS_PER_MS, 10 * NS_PER_MS, 10 * NS_PER_MS), 1);
    assert_int_equal(reserve(5 * NS_PER_MS, 20 * NS_PER_MS, 9 * NS_PER_MS), -ENOSPC);
    sim_init(&sim, "rm");
    assert_int_equal(reserve(10 * NS_PER_MS, 10 * NS_PER_MS, 10 * NS_PER_MS), 1);
    sim_init(&sim, "rm");
    assert_int_equal(reserve(5 * NS_PER_MS, 10 * NS_PER_MS, 10 * NS_PER_MS), 1);
    /* 1.5 * 1.34 > 2 >= 1.5 * 1.33 */
    assert_int_equal(reserve(34 * NS_PER_MS, 100 * NS_PER_MS, 100 * NS_PER_MS), -ENOSPC);
    assert_int_equal(reserve(33 * NS_PER_MS, 100 * NS_PER_MS, 100 * NS_PER_MS), 1);
}

/* Constant bandwidth: who computes without end gets its budget in each period and no more. */
static void test_budget_is_the_limit(void **state)
{
    static const char *const policies[] = {"edf", "rm"};

    (void)state;
    for (unsigned p = 0; p < 2; p++) {
        struct sim_task *background;

        sim_init(&sim, policies[p]);
        assert_int_equal(reserve(2 * NS_PER_MS, 10 * NS_PER_MS, 10 * NS_PER_MS), 1);
        assert_int_equal(reserve(9 * NS_PER_MS, 30 * NS_PER_MS, 30 * NS_PER_MS), 1);
        sim.tasks[0].work = SIM_FOREVER;
        sim.tasks[0].every = 0;
        sim_run(&sim, 3 * NS_PER_SEC);
        assert_int_equal(sim.tasks[0].used, 600 * NS_PER_MS);
        assert_int_equal(sim.tasks[1].missed, 0);
        /* An idle CPU does not lengthen a budget. */
        assert_int_equal(sim.idle, 1500 * NS_PER_MS);
        background = sim_add(&sim, SIM_FOREVER, 0, 0);
        sim_run(&sim, 3 * NS_PER_SEC);
        assert_int_equal(sim.tasks[0].used, 1200 * NS_PER_MS);
        assert_int_equal(background->used, 1500 * NS_PER_MS);
    }
}

/* Late bursts within a period take no more than the share that was promised. */
static void test_bursts_hurt_nobody(void **state)
{
    (void)state;
    for (unsigned set = 0; set < 100; set++) {
        sim_init(&sim, set % 2 ? "edf" : "rm");
        assert_int_equal(reserve(3 * NS_PER_MS, 10 * NS_PER_MS, 10 * NS_PER_MS), 1);
        assert_int_equal(
            reserve(4 * NS_PER_MS, 10 * NS_PER_MS + pick(9000) * NS_PER_US, 10 * NS_PER_MS), 1);
        /* Wakes at odd times, wants more than it has. */
        sim.tasks[0].work = (100 + pick(4000)) * NS_PER_US;
        sim.tasks[0].every = (300 + pick(5000)) * NS_PER_US;
        sim.tasks[0].limit = 0;
        sim_run(&sim, NS_PER_SEC);
        assert_int_equal(sim.tasks[1].missed, 0);
        assert_true(sim.tasks[0].used <= 303 * NS_PER_MS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_deadlines_are_met),     cmocka_unit_test(test_edf_promises_all_of_it),
        cmocka_unit_test(test_infeasible_is_refused), cmocka_unit_test(test_budget_is_the_limit),
        cmocka_unit_test(test_bursts_hurt_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
