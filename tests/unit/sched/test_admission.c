// SPDX-License-Identifier: Apache-2.0
// Policies by the device tree on simulated CPUs: who is admitted, what it gets, what it may not.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <hv/clock.h>
#include <hv/dt.h>
#include <hv/guest.h>
#include <hv/sched.h>
#include <hv/thread.h>
#include <hv/upcall.h>
#include <lib/errno.h>
#include <port/host.h>
#include <port/machine.h>

#define ROUND_NS (10 * NS_PER_US)

static struct guest guest;
static struct dt_node *vmm;
static uint64_t used[4];
static uint64_t end;

static void busy(struct vcpu *vcpu)
{
    if (clock_now() >= end) {
        hv_vcpu_wait(vcpu);
        return;
    }
    used[vcpu->subid] += ROUND_NS;
    host_clock_advance_ns(ROUND_NS);
}

static void restart(const char *policy)
{
    machine_start(2);
    if (vmm == NULL)
        assert_int_equal(dt_add_node(dt_root(), "vmm", &vmm), 0);
    assert_int_equal(dt_set_string(vmm, "bulkhead,scheduler", policy), 0);
    assert_int_equal(sched_init(), 0);
    assert_string_equal(sched_policy()->name, policy);
    machine_start(2);
    host_guest_code = busy;
    end = 0;
    for (unsigned i = 0; i < ARRAY_SIZE(used); i++)
        used[i] = 0;
}

static int make(unsigned subid, uint64_t budget, uint64_t period, cpumask_t cpus, struct vcpu **out)
{
    struct vcpu_config config = {
        .name = "guest/0",
        .guest = &guest,
        .subid = subid,
        .priority = SCHED_PRIORITY_DEFAULT,
        .period = period,
        .budget = budget,
        .affinity = cpus,
    };

    return vcpu_create(&config, out);
}

static void test_bounds_of_reservations(void **state)
{
    struct machine_census before;
    struct vcpu *vcpu;

    (void)state;
    restart("edf");
    before = machine_census();
    assert_int_equal(make(0, NS_PER_MS, 0, 0, &vcpu), -ERANGE);
    assert_int_equal(make(0, 0, NS_PER_MS, 0, &vcpu), -ERANGE);
    assert_int_equal(make(0, 2 * NS_PER_MS, NS_PER_MS, 0, &vcpu), -ERANGE);
    assert_int_equal(make(0, SCHED_BUDGET_MIN - 1, NS_PER_SEC, 0, &vcpu), -ERANGE);
    assert_int_equal(make(0, SCHED_BUDGET_MIN, SCHED_PERIOD_MIN - 1, 0, &vcpu), -ERANGE);
    assert_int_equal(make(0, SCHED_BUDGET_MIN, SCHED_PERIOD_MAX + 1, 0, &vcpu), -ERANGE);
    assert_int_equal(make(0, SCHED_BUDGET_MIN, SCHED_PERIOD_MAX, 0, &vcpu), 0);
    assert_int_equal(vcpu_destroy(vcpu), 0);
    assert_int_equal(make(0, SCHED_PERIOD_MIN, SCHED_PERIOD_MIN, 0, &vcpu), 0);
    assert_int_equal(vcpu_destroy(vcpu), 0);
    assert_int_equal(machine_census().heap_objects, before.heap_objects);
}

/* Each CPU is promised once; who is refused leaves nothing, who goes makes room. */
static void test_admission_by_cpu(void **state)
{
    static const char *const policies[] = {"edf", "rm", "partition"};

    (void)state;
    for (unsigned p = 0; p < ARRAY_SIZE(policies); p++) {
        struct vcpu *vcpus[3];

        restart(policies[p]);
        assert_int_equal(make(0, 6 * NS_PER_MS, 10 * NS_PER_MS, 0, &vcpus[0]), 0);
        assert_int_equal(make(1, 6 * NS_PER_MS, 10 * NS_PER_MS, 0, &vcpus[1]), 0);
        assert_int_equal(vcpus[0]->se.cpu + vcpus[1]->se.cpu, 1);
        assert_int_equal(make(2, 6 * NS_PER_MS, 10 * NS_PER_MS, 0, &vcpus[2]), -ENOSPC);
        assert_non_null(sched_policy()->refusal);
        assert_int_equal(vcpu_kick(vcpus[0]), 0);
        assert_int_equal(vcpu_move(vcpus[0], 1 - vcpus[0]->se.cpu), -EBUSY);
        vcpu_reset(vcpus[0]);
        machine_run();
        assert_int_equal(vcpu_destroy(vcpus[0]), 0);
        assert_int_equal(make(2, 6 * NS_PER_MS, 10 * NS_PER_MS, 0, &vcpus[2]), 0);
        assert_int_equal(vcpu_destroy(vcpus[1]), 0);
        assert_int_equal(vcpu_destroy(vcpus[2]), 0);
    }
}

static int sleep_often(void *arg)
{
    uint64_t *latest = arg;

    while (clock_now() < end) {
        uint64_t due = clock_now() + NS_PER_MS;

        thread_sleep(NS_PER_MS);
        if (clock_now() - due > *latest)
            *latest = clock_now() - due;
    }
    return 0;
}

/* Busy VCPUs keep to their budgets; a thread still gets its turn; a spent VCPU obeys at once. */
static void test_budgets_and_background(void **state)
{
    static const char *const policies[] = {"edf", "rm"};

    (void)state;
    for (unsigned p = 0; p < ARRAY_SIZE(policies); p++) {
        struct thread_config config = {.name = "often", .fn = sleep_often, .affinity = CPU_MASK(0)};
        struct vcpu *vcpus[3];
        struct thread *thread;
        uint64_t latest = 0;

        restart(policies[p]);
        end = 2 * NS_PER_SEC;
        config.arg = &latest;
        config.priority = SCHED_PRIORITY_SHELL;
        assert_int_equal(make(0, 2 * NS_PER_MS, 10 * NS_PER_MS, CPU_MASK(0), &vcpus[0]), 0);
        assert_int_equal(make(1, 10 * NS_PER_MS, 40 * NS_PER_MS, CPU_MASK(0), &vcpus[1]), 0);
        assert_int_equal(make(2, 0, 0, CPU_MASK(0), &vcpus[2]), 0);
        assert_int_equal(thread_create_with(&config, &thread), 0);
        assert_int_equal(thread_start(thread), 0);
        arch_irq_disable();
        for (unsigned i = 0; i < 3; i++)
            assert_int_equal(vcpu_kick(vcpus[i]), 0);
        arch_irq_enable();
        machine_run_for(2 * NS_PER_SEC);
        assert_in_range(used[0], 398 * NS_PER_MS, 402 * NS_PER_MS);
        assert_in_range(used[1], 495 * NS_PER_MS, 505 * NS_PER_MS);
        assert_in_range(used[2], 1080 * NS_PER_MS, 1110 * NS_PER_MS);
        assert_true(latest <= 15 * NS_PER_MS);
        assert_int_equal(thread_join(thread, NULL), 0);
        for (unsigned i = 0; i < 3; i++)
            vcpu_halt(vcpus[i]);
        machine_run();
        for (unsigned i = 0; i < 3; i++)
            assert_int_equal(vcpu_destroy(vcpus[i]), 0);
    }
}

static void test_spent_vcpu_obeys_at_once(void **state)
{
    struct vcpu *vcpu;

    (void)state;
    restart("edf");
    end = NS_PER_MS;
    assert_int_equal(make(0, NS_PER_MS, NS_PER_SEC, CPU_MASK(0), &vcpu), 0);
    assert_int_equal(vcpu_kick(vcpu), 0);
    end = NS_PER_SEC;
    machine_run_for(5 * NS_PER_MS);
    assert_int_equal(vcpu->state, VCPU_READY);
    assert_int_equal(vcpu->se.slice_left, 0);
    assert_int_equal(vcpu_pause(vcpu, VCPU_REASON_OPERATOR), -EINPROGRESS);
    machine_run();
    assert_int_equal(vcpu->state, VCPU_PAUSED);
    vcpu_reset(vcpu);
    machine_run();
    assert_int_equal(vcpu_destroy(vcpu), 0);
}

/* Nothing to do, nothing armed: idle CPUs are left asleep. */
static void test_idle_cpus_have_no_timer(void **state)
{
    static const char *const policies[] = {"prr", "rr", "edf", "rm", "partition"};

    (void)state;
    for (unsigned p = 0; p < ARRAY_SIZE(policies); p++) {
        struct sched_cpu_stats stats;
        struct vcpu *vcpus[2];
        uint64_t deadline;

        restart(policies[p]);
        end = 100 * NS_PER_MS;
        for (unsigned i = 0; i < 2; i++) {
            assert_int_equal(make(i, NS_PER_MS, 10 * NS_PER_MS, CPU_MASK(i), &vcpus[i]), 0);
            assert_int_equal(vcpu_kick(vcpus[i]), 0);
        }
        machine_run_for(200 * NS_PER_MS);
        for (unsigned cpu = 0; cpu < 2; cpu++) {
            uint64_t sets = host_clock_event_sets(cpu);

            sched_get_cpu_stats(cpu, &stats);
            assert_int_equal(stats.running, 0);
            assert_true(stats.event_ns == SCHED_NEVER);
            assert_false(host_clock_deadline(cpu, &deadline));
            machine_run_for(NS_PER_SEC);
            assert_int_equal(host_clock_event_sets(cpu), sets);
        }
        for (unsigned i = 0; i < 2; i++)
            vcpu_reset(vcpus[i]);
        machine_run();
        for (unsigned i = 0; i < 2; i++)
            assert_int_equal(vcpu_destroy(vcpus[i]), 0);
    }
}

static void test_time_slice_by_device_tree(void **state)
{
    (void)state;
    restart("prr");
    assert_int_equal(sched_default_slice(), CONFIG_TIME_SLICE_US * NS_PER_US);
    assert_int_equal(dt_set_u32(vmm, "bulkhead,time-slice-us", 2500), 0);
    assert_int_equal(sched_init(), 0);
    assert_int_equal(sched_default_slice(), 2500 * NS_PER_US);
    assert_int_equal(dt_set_u32(vmm, "bulkhead,time-slice-us", 99), 0);
    assert_int_equal(sched_init(), -ERANGE);
    assert_int_equal(sched_default_slice(), CONFIG_TIME_SLICE_US * NS_PER_US);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bounds_of_reservations),
        cmocka_unit_test(test_admission_by_cpu),
        cmocka_unit_test(test_budgets_and_background),
        cmocka_unit_test(test_spent_vcpu_obeys_at_once),
        cmocka_unit_test(test_idle_cpus_have_no_timer),
        cmocka_unit_test(test_time_slice_by_device_tree),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
