// SPDX-License-Identifier: Apache-2.0
// The scheduler on simulated CPUs: fairness, priorities, preemption, slices, kicks, placement,
// idle.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <hv/clock.h>
#include <hv/ctx.h>
#include <hv/dt.h>
#include <hv/guest.h>
#include <hv/panic.h>
#include <hv/sched.h>
#include <hv/smp.h>
#include <hv/thread.h>
#include <hv/upcall.h>
#include <lib/errno.h>
#include <port/host.h>
#include <port/machine.h>
#include <string.h>

#define VCPUS 8
#define ROUND_NS (100 * NS_PER_US)

static struct guest guest;
static struct vcpu *vcpus[VCPUS];
static uint64_t used[VCPUS];
static uint64_t end;
static unsigned vcpu_total;

static int start(void **state)
{
    (void)state;
    machine_start(2);
    memset(used, 0, sizeof(used));
    vcpu_total = 0;
    end = UINT64_MAX;
    return 0;
}

/*
 * A guest that computes: each exit comes after a round of work. It waits for an interrupt when the
 * test is over.
 */
static void busy(struct vcpu *vcpu)
{
    if (clock_now() >= end) {
        hv_vcpu_wait(vcpu);
        return;
    }
    used[vcpu->subid] += ROUND_NS;
    host_clock_advance_ns(ROUND_NS);
}

static struct vcpu *make(uint8_t priority, cpumask_t affinity, uint64_t slice)
{
    struct vcpu_config config = {
        .name = "guest/0",
        .guest = &guest,
        .subid = vcpu_total,
        .priority = priority,
        .affinity = affinity,
        .time_slice = slice,
    };

    assert_int_equal(vcpu_create(&config, &vcpus[vcpu_total]), 0);
    return vcpus[vcpu_total++];
}

static void kick_all(void)
{
    arch_irq_disable();
    for (unsigned i = 0; i < vcpu_total; i++)
        assert_int_equal(vcpu_kick(vcpus[i]), 0);
    arch_irq_enable();
}

static void destroy_all(void)
{
    for (unsigned i = 0; i < vcpu_total; i++)
        vcpu_reset(vcpus[i]);
    machine_run();
    for (unsigned i = 0; i < vcpu_total; i++)
        assert_int_equal(vcpu_destroy(vcpus[i]), 0);
}

static void test_equal_shares(void **state)
{
    (void)state;
    host_guest_code = busy;
    for (unsigned i = 0; i < VCPUS; i++)
        make(3, CPU_MASK(0), 0);
    end = 8 * NS_PER_SEC;
    kick_all();
    machine_run();
    for (unsigned i = 0; i < VCPUS; i++)
        assert_in_range(used[i], NS_PER_SEC * 95 / 100, NS_PER_SEC * 105 / 100);
    destroy_all();
}

static void test_shares_follow_slices(void **state)
{
    (void)state;
    host_guest_code = busy;
    make(3, CPU_MASK(0), 10 * NS_PER_MS);
    make(3, CPU_MASK(0), 30 * NS_PER_MS);
    end = 4 * NS_PER_SEC;
    kick_all();
    machine_run();
    assert_in_range(used[0], NS_PER_SEC * 95 / 100, NS_PER_SEC * 105 / 100);
    assert_in_range(used[1], NS_PER_SEC * 295 / 100, NS_PER_SEC * 305 / 100);
    destroy_all();
}

static void test_priority_rules(void **state)
{
    (void)state;
    host_guest_code = busy;
    make(2, CPU_MASK(0), 0);
    make(4, CPU_MASK(0), 0);
    make(4, CPU_MASK(0), 0);
    end = NS_PER_SEC;
    kick_all();
    machine_run();
    assert_in_range(used[0], 0, NS_PER_MS);
    assert_in_range(used[1], NS_PER_SEC * 49 / 100, NS_PER_SEC * 51 / 100);
    assert_in_range(used[2], NS_PER_SEC * 49 / 100, NS_PER_SEC * 51 / 100);
    destroy_all();
}

/* One alone costs no timer and no switch. */
static void test_alone_means_no_slice(void **state)
{
    struct sched_cpu_stats before;
    struct sched_cpu_stats after;
    uint64_t sets = host_clock_event_sets(0);

    (void)state;
    host_guest_code = busy;
    make(3, CPU_MASK(0), 0);
    end = NS_PER_SEC;
    sched_get_cpu_stats(0, &before);
    kick_all();
    machine_run();
    sched_get_cpu_stats(0, &after);
    assert_int_equal(after.switches - before.switches, 2);
    assert_int_equal(after.preemptions, before.preemptions);
    assert_int_equal(host_clock_event_sets(0), sets);
    destroy_all();
}

static uint64_t woken_at;

static int sleeper(void *arg)
{
    thread_sleep(*(uint64_t *)arg);
    woken_at = clock_now();
    return 0;
}

/* A thread of higher priority takes the CPU from a guest when its time has come. */
static void test_wake_preempts(void **state)
{
    uint64_t delay = 33 * NS_PER_MS;
    struct thread *thread;

    (void)state;
    host_guest_code = busy;
    make(3, CPU_MASK(0), 0);
    end = NS_PER_SEC;
    assert_int_equal(thread_create("shell", sleeper, &delay, SCHED_PRIORITY_SHELL, 0, &thread), 0);
    thread_vcpu(thread)->se.affinity = CPU_MASK(0);
    assert_int_equal(thread_start(thread), 0);
    kick_all();
    machine_run();
    assert_in_range(woken_at, delay, delay + ROUND_NS);
    assert_in_range(used[0], NS_PER_SEC - ROUND_NS, NS_PER_SEC);
    assert_int_equal(thread_join(thread, NULL), 0);
    destroy_all();
}

static void test_slice_of_a_preempted_goes_on(void **state)
{
    uint64_t delay = 5 * NS_PER_MS;
    struct thread *thread;

    (void)state;
    host_guest_code = busy;
    make(3, CPU_MASK(0), 10 * NS_PER_MS);
    make(3, CPU_MASK(0), 10 * NS_PER_MS);
    end = 12 * NS_PER_MS;
    assert_int_equal(thread_create("shell", sleeper, &delay, SCHED_PRIORITY_SHELL, 0, &thread), 0);
    thread_vcpu(thread)->se.affinity = CPU_MASK(0);
    assert_int_equal(thread_start(thread), 0);
    kick_all();
    machine_run();
    /* Interrupted after 5 ms, the first one still gets its 10 ms before the second. */
    assert_in_range(used[0], 10 * NS_PER_MS - ROUND_NS, 10 * NS_PER_MS + ROUND_NS);
    assert_int_equal(thread_join(thread, NULL), 0);
    destroy_all();
}

static void test_placement_balances(void **state)
{
    (void)state;
    host_guest_code = busy;
    end = 0;
    for (unsigned i = 0; i < 6; i++)
        make(3, 0, 0);
    kick_all();
    assert_int_equal(vcpus[0]->se.cpu + vcpus[1]->se.cpu, 1);
    assert_int_equal(vcpus[2]->se.cpu + vcpus[3]->se.cpu, 1);
    assert_int_equal(vcpus[4]->se.cpu + vcpus[5]->se.cpu, 1);
    machine_run();
    destroy_all();
}

static void test_affinity(void **state)
{
    struct vcpu_config config = {.name = "x", .guest = &guest, .affinity = CPU_MASK(5)};
    struct vcpu *vcpu;

    (void)state;
    assert_int_equal(vcpu_create(&config, &vcpu), -EINVAL);
    host_guest_code = busy;
    end = 0;
    for (unsigned i = 0; i < 3; i++)
        make(3, CPU_MASK(1) | CPU_MASK(6), 0);
    kick_all();
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(vcpus[i]->se.cpu, 1);
    machine_run();
    destroy_all();
}

/* A CPU that computes learns at once of what another CPU wants of it. */
static void test_kicks_across_cpus(void **state)
{
    (void)state;
    host_guest_code = busy;
    make(3, CPU_MASK(1), 0);
    end = 0;
    kick_all();
    assert_true(host_irq_is_pending(1, SMP_SGI_KICK));
    machine_run();
    assert_int_equal(vcpus[0]->state, VCPU_PAUSED);
    assert_int_equal(vcpus[0]->reasons, VCPU_REASON_WFI);
    assert_ptr_equal(host_world_owner(1), vcpus[0]);
    assert_false(host_irq_is_pending(1, SMP_SGI_KICK));
    vcpu_interrupt(vcpus[0]);
    assert_int_equal(vcpus[0]->state, VCPU_READY);
    assert_true(host_irq_is_pending(1, SMP_SGI_KICK));
    machine_run();
    destroy_all();
}

static unsigned flushes;

static void flush(struct vcpu *vcpu, uint32_t work)
{
    (void)work;
    assert_ptr_equal(host_world_owner(host_cpu()), vcpu);
    flushes++;
}

static bool deliverable;

static bool is_deliverable(struct vcpu *vcpu)
{
    assert_int_equal(vcpu->state, VCPU_PAUSED);
    return deliverable;
}

static unsigned waits, stays;

static void wait_once(struct vcpu *vcpu)
{
    int result = hv_vcpu_wait(vcpu);

    waits += result == 0;
    deliverable = false;
}

/* The CPU idles in the VCPU that waits; the first time a call takes its world, the second time another VCPU is kicked. */
static void idle_in_place(void)
{
    struct sched_cpu_stats stats;

    assert_int_equal(vcpus[0]->state, VCPU_PAUSED);
    assert_int_equal(vcpus[0]->reasons, VCPU_REASON_WFI);
    sched_get_cpu_stats(0, &stats);
    assert_int_not_equal(stats.running, vcpus[0]->id);
    stays++;
    host_clock_advance_ns(NS_PER_MS);
    if (stays == 1) {
        arch_vcpu_world_unload(vcpus[0]);
        vcpu_interrupt(vcpus[0]);
        assert_int_equal(vcpus[0]->state, VCPU_RUNNING);
    } else {
        host_idles_anywhere = false;
        (void)vcpu_kick(vcpus[1]);
    }
}

static void count_wait(struct vcpu *vcpu)
{
    if (vcpu == vcpus[0])
        wait_once(vcpu);
    else
        hv_vcpu_wait(vcpu);
}

static void test_wait_in_place(void **state)
{
    struct sched_cpu_stats before, after;

    (void)state;
    host_guest_code = count_wait;
    host_idle_hook = idle_in_place;
    host_idles_anywhere = true;
    stays = waits = 0;
    make(3, CPU_MASK(0), 0);
    make(3, CPU_MASK(0), 0);
    sched_get_cpu_stats(0, &before);
    assert_int_equal(vcpu_kick(vcpus[0]), 0);
    machine_run();
    /* It woke without a switch, its world was loaded again, and the other one took the CPU from it. */
    assert_int_equal(stays, 2);
    assert_int_equal(waits, 1);
    assert_int_equal(vcpus[0]->se.switches, 1);
    assert_int_equal(vcpus[1]->se.switches, 1);
    assert_int_equal(vcpus[0]->state, VCPU_PAUSED);
    sched_get_cpu_stats(0, &after);
    assert_int_equal(after.idle_ns - before.idle_ns, 2 * NS_PER_MS);
    assert_int_equal(vcpus[0]->se.time_in[VCPU_RUNNING], 0);
    host_idle_hook = NULL;
    vcpu_interrupt(vcpus[0]);
    assert_int_equal(waits, 2);
    destroy_all();
}

static void test_wait_and_interrupt(void **state)
{
    (void)state;
    host_guest_code = wait_once;
    vcpu_irq_flush_hook = flush;
    vcpu_irq_deliverable_hook = is_deliverable;
    flushes = 0;
    waits = 0;
    make(3, CPU_MASK(0), 0);
    deliverable = true;
    kick_all();
    machine_run();
    /* What is deliverable already ends the first wait before it begins. */
    assert_int_equal(waits, 1);
    assert_int_equal(vcpus[0]->state, VCPU_PAUSED);
    deliverable = true;
    vcpu_interrupt(vcpus[0]);
    assert_int_equal(waits, 2);
    assert_int_equal(flushes, 1);
    assert_int_equal(vcpu_pause(vcpus[0], VCPU_REASON_OPERATOR), 0);
    vcpu_interrupt(vcpus[0]);
    assert_int_equal(vcpus[0]->state, VCPU_PAUSED);
    assert_int_equal(vcpus[0]->reasons, VCPU_REASON_OPERATOR);
    assert_int_equal(vcpu_resume(vcpus[0], VCPU_REASON_OPERATOR), 0);
    assert_int_equal(waits, 3);
    assert_int_equal(flushes, 2);
    destroy_all();
    vcpu_irq_flush_hook = NULL;
    vcpu_irq_deliverable_hook = NULL;
}

/* The VCPU has never run, and would not for as long as the other one computes. */
static int pause_the_starved(void *arg)
{
    struct vcpu *vcpu = arg;

    thread_sleep(NS_PER_MS);
    if (vcpu->state != VCPU_READY || vcpu_pause(vcpu, VCPU_REASON_OPERATOR) != -EINPROGRESS)
        return -EIO;
    if (vcpu_wait_settled(vcpu, NS_PER_MS) != 0)
        return -EBUSY;
    if (vcpu->state != VCPU_PAUSED || vcpu->reasons != VCPU_REASON_OPERATOR || vcpu->se.on_cpu)
        return -EINVAL;
    if (vcpu_resume(vcpu, VCPU_REASON_OPERATOR) != 0 || vcpu->state != VCPU_READY ||
        vcpu->se.priority != 0)
        return -EAGAIN;
    /* A pause that is taken back at once was never there. */
    if (vcpu_pause(vcpu, VCPU_REASON_OPERATOR) != -EINPROGRESS ||
        vcpu_resume(vcpu, VCPU_REASON_OPERATOR) != 0)
        return -EALREADY;
    thread_sleep(NS_PER_MS);
    if (vcpu_halt(vcpu) != -EINPROGRESS || vcpu_wait_settled(vcpu, NS_PER_MS) != 0 ||
        vcpu->state != VCPU_HALTED)
        return -ENOEXEC;
    return 0;
}

static void test_starved_vcpu_obeys(void **state)
{
    struct thread *thread;
    int code;

    (void)state;
    host_guest_code = busy;
    make(0, CPU_MASK(0), 0);
    make(4, CPU_MASK(0), 0);
    end = 100 * NS_PER_MS;
    assert_int_equal(
        thread_create("boss", pause_the_starved, vcpus[0], SCHED_PRIORITY_SHELL, 0, &thread), 0);
    thread_vcpu(thread)->se.affinity = CPU_MASK(0);
    assert_int_equal(thread_start(thread), 0);
    kick_all();
    machine_run();
    assert_int_equal(thread_join(thread, &code), 0);
    assert_int_equal(code, 0);
    assert_int_equal(used[0], 0);
    destroy_all();
}

static void test_idle_time(void **state)
{
    struct sched_cpu_stats before;
    struct sched_cpu_stats after;

    (void)state;
    host_guest_code = busy;
    make(3, CPU_MASK(0), 0);
    sched_get_cpu_stats(0, &before);
    host_clock_advance_ns(NS_PER_SEC);
    end = clock_now() + NS_PER_SEC;
    kick_all();
    machine_run();
    host_clock_advance_ns(NS_PER_SEC);
    sched_get_cpu_stats(0, &after);
    assert_in_range(after.idle_ns - before.idle_ns, 2 * NS_PER_SEC, 2 * NS_PER_SEC + NS_PER_MS);
    assert_in_range(vcpus[0]->se.time_in[VCPU_RUNNING], NS_PER_SEC - NS_PER_MS,
                    NS_PER_SEC + NS_PER_MS);
    destroy_all();
}

static unsigned idles;

static void idle_twice(void)
{
    assert_true(arch_irq_is_disabled());
    assert_true(sched_current()->is_idle);
    host_idle_hook = ++idles == 2 ? NULL : idle_twice;
    host_clock_advance_to_event();
}

static void enter_idle(void *arg)
{
    (void)arg;
    sched_idle();
}

/* The idle loop sleeps only when nothing is ready, and runs what an interrupt made ready. */
static void test_idle_loop(void **state)
{
    uint64_t delay = 10 * NS_PER_MS;
    struct thread *thread;

    (void)state;
    assert_int_equal(thread_create("sleeper", sleeper, &delay, 3, 0, &thread), 0);
    assert_int_equal(thread_start(thread), 0);
    idles = 0;
    host_idle_hook = idle_twice;
    assert_int_equal(host_run(enter_idle, NULL), HOST_STOP_HALT);
    assert_int_equal(idles, 2);
    assert_int_equal(thread_state(thread), THREAD_STOPPED);
    assert_int_equal(thread_join(thread, NULL), 0);
}

static void test_policy_by_device_tree(void **state)
{
    struct dt_node *vmm;

    (void)state;
    assert_string_equal(sched_policy()->name, CONFIG_SCHED_DEFAULT);
    assert_int_equal(dt_add_node(dt_root(), "vmm", &vmm), 0);
    assert_int_equal(dt_set_string(vmm, "bulkhead,scheduler", "rr"), 0);
    assert_int_equal(sched_init(), 0);
    assert_string_equal(sched_policy()->name, "rr");
    assert_int_equal(dt_set_string(vmm, "bulkhead,scheduler", "fifo"), 0);
    assert_int_equal(sched_init(), -ENOENT);
    assert_string_equal(sched_policy()->name, CONFIG_SCHED_DEFAULT);
    assert_int_equal(dt_delete_node(vmm), 0);
}

static void panic_now(void *arg)
{
    (void)arg;
    panic("test");
}

static void test_panic_names_the_vcpu(void **state)
{
    (void)state;
    assert_int_equal(host_run(panic_now, NULL), HOST_STOP_HALT);
    assert_non_null(strstr(host_console_text(), "VCPU idle/0 (id 0, running)"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_equal_shares, start),
        cmocka_unit_test_setup(test_shares_follow_slices, start),
        cmocka_unit_test_setup(test_priority_rules, start),
        cmocka_unit_test_setup(test_alone_means_no_slice, start),
        cmocka_unit_test_setup(test_wake_preempts, start),
        cmocka_unit_test_setup(test_slice_of_a_preempted_goes_on, start),
        cmocka_unit_test_setup(test_placement_balances, start),
        cmocka_unit_test_setup(test_affinity, start),
        cmocka_unit_test_setup(test_kicks_across_cpus, start),
        cmocka_unit_test_setup(test_wait_and_interrupt, start),
        cmocka_unit_test_setup(test_wait_in_place, start),
        cmocka_unit_test_setup(test_starved_vcpu_obeys, start),
        cmocka_unit_test_setup(test_idle_time, start),
        cmocka_unit_test_setup(test_idle_loop, start),
        cmocka_unit_test_setup(test_policy_by_device_tree, start),
        cmocka_unit_test_setup(test_panic_names_the_vcpu, start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
