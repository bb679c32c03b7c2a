// SPDX-License-Identifier: Apache-2.0
// Migration on simulated CPUs: from each state, with its world, its interrupts and its timers.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arch/guest_irq.h>
#include <hv/clock.h>
#include <hv/guest.h>
#include <hv/hrtimer.h>
#include <hv/sched.h>
#include <hv/thread.h>
#include <hv/upcall.h>
#include <hv/waitqueue.h>
#include <lib/errno.h>
#include <lib/macros.h>
#include <port/host.h>
#include <port/machine.h>
#include <string.h>

#define CPUS 3
#define VCPUS 6

static struct guest guest;
static struct vcpu *vcpu;
static unsigned moves;
static unsigned last_move;

static void told(struct notifier *self, unsigned event, void *data)
{
    (void)self;
    assert_null(data);
    assert_true(arch_irq_is_disabled());
    moves++;
    last_move = event;
}

static int start_machine(void **state)
{
    static struct notifier listener = {.notify = told};

    (void)state;
    machine_start(CPUS);
    notifier_add(&vcpu_move_chain, &listener);
    return 0;
}

static struct vcpu *make(unsigned subid, cpumask_t affinity)
{
    struct vcpu_config config = {
        .name = "guest/0", .guest = &guest, .subid = subid, .priority = 3, .affinity = affinity};
    struct vcpu *made;

    assert_int_equal(vcpu_create(&config, &made), 0);
    return made;
}

static void unmake(struct vcpu *which)
{
    vcpu_reset(which);
    machine_run();
    assert_int_equal(vcpu_destroy(which), 0);
}

static int start(void **state)
{
    (void)state;
    vcpu = make(0, CPU_MASK(0));
    moves = 0;
    last_move = SMP_CPUS_MAX;
    return 0;
}

static int finish(void **state)
{
    (void)state;
    unmake(vcpu);
    for (unsigned cpu = 0; cpu < CPUS; cpu++)
        assert_int_equal(hrtimer_count(cpu), 0);
    return 0;
}

/* Where the guest code of each VCPU ran last, and how often. */
static unsigned ran_on[VCPUS];
static unsigned rounds[VCPUS];

static void note(struct vcpu *which)
{
    ran_on[which->subid] = host_cpu();
    rounds[which->subid]++;
}

static void waits(struct vcpu *which)
{
    note(which);
    hv_vcpu_wait(which);
}

static void allow_all(struct vcpu *which)
{
    which->se.affinity = CPU_MASK_ALL;
}

static uint32_t load_sum(void)
{
    uint32_t sum = 0;

    for (unsigned cpu = 0; cpu < CPUS; cpu++) {
        struct sched_cpu_stats stats;

        sched_get_cpu_stats(cpu, &stats);
        sum += stats.load;
    }
    return sum;
}

static void test_refusals(void **state)
{
    (void)state;
    host_guest_code = waits;
    assert_int_equal(vcpu_move(vcpu, 0), -EINVAL);
    assert_int_equal(vcpu_move(vcpu, CPUS), -ENODEV);
    assert_int_equal(vcpu_move(vcpu, 1000), -ENODEV);
    assert_int_equal(vcpu_set_affinity(vcpu, 0), -EINVAL);
    assert_int_equal(vcpu_set_affinity(vcpu, CPU_MASK(CPUS)), -EINVAL);
    assert_int_equal(vcpu->se.affinity, CPU_MASK(0));
    assert_int_equal(vcpu_kick(vcpu), 0);
    machine_run();
    assert_int_equal(vcpu_move(vcpu, 1), -EACCES);
    assert_int_equal(vcpu_move(vcpu, 0), 0);
    assert_int_equal(moves, 0);
}

/* Nobody has its world: who asks does it. */
static void test_queued(void **state)
{
    (void)state;
    host_guest_code = waits;
    allow_all(vcpu);
    arch_irq_disable();
    assert_int_equal(vcpu_kick(vcpu), 0);
    assert_int_equal(vcpu->state, VCPU_READY);
    assert_int_equal(vcpu_move(vcpu, 2), 0);
    assert_int_equal(vcpu->se.cpu, 2);
    assert_int_equal(moves, 1);
    assert_int_equal(last_move, 2);
    arch_irq_enable();
    machine_run();
    assert_int_equal(ran_on[0], 2);
    assert_ptr_equal(host_world_owner(2), vcpu);
    assert_null(host_world_owner(0));
}

/* It waits for an interrupt, its world still loaded where it ran: that CPU saves it first. */
static void test_waiting_with_loaded_world(void **state)
{
    (void)state;
    host_guest_code = waits;
    assert_int_equal(vcpu_kick(vcpu), 0);
    machine_run();
    assert_ptr_equal(host_world_owner(0), vcpu);
    allow_all(vcpu);
    host_cpu_switch(2);
    assert_int_equal(vcpu_move(vcpu, 1), -EINPROGRESS);
    assert_true(vcpu_is_moving(vcpu));
    assert_int_equal(vcpu->se.cpu, 0);
    assert_ptr_equal(host_world_owner(0), vcpu);
    /* Asked for another one meanwhile: that holds. */
    assert_int_equal(vcpu_move(vcpu, 2), -EINPROGRESS);
    machine_run();
    assert_false(vcpu_is_moving(vcpu));
    assert_int_equal(vcpu->se.cpu, 2);
    assert_null(host_world_owner(0));
    assert_int_equal(vcpu->state, VCPU_PAUSED);
    assert_int_equal(moves, 1);
    rounds[0] = 0;
    vcpu_interrupt(vcpu);
    machine_run();
    assert_int_equal(rounds[0], 1);
    assert_int_equal(ran_on[0], 2);
}

/* Woken while it is about to leave: it wakes where it goes. */
static void test_woken_on_its_way(void **state)
{
    (void)state;
    host_guest_code = waits;
    assert_int_equal(vcpu_kick(vcpu), 0);
    machine_run();
    allow_all(vcpu);
    host_cpu_switch(2);
    assert_int_equal(vcpu_move(vcpu, 1), -EINPROGRESS);
    vcpu_interrupt(vcpu);
    assert_int_equal(vcpu->state, VCPU_READY);
    assert_int_equal(vcpu->se.cpu, 0);
    rounds[0] = 0;
    machine_run();
    assert_int_equal(rounds[0], 1);
    assert_int_equal(ran_on[0], 1);
    assert_int_equal(vcpu->se.cpu, 1);
}

static unsigned goal;

/* A handler that asks for its own VCPU to be moved: it goes on until its way out. */
static void moves_itself(struct vcpu *which)
{
    note(which);
    if (goal != host_cpu()) {
        assert_int_equal(vcpu_move(which, goal), -EINPROGRESS);
        assert_int_equal(which->se.cpu, host_cpu());
        return;
    }
    hv_vcpu_wait(which);
}

static void test_running(void **state)
{
    (void)state;
    host_guest_code = moves_itself;
    allow_all(vcpu);
    assert_int_equal(vcpu_kick(vcpu), 0);
    for (goal = 0; goal < 2 * CPUS; goal++) {
        unsigned wanted = goal;

        goal %= CPUS;
        vcpu_interrupt(vcpu);
        machine_run();
        assert_int_equal(vcpu->se.cpu, goal);
        assert_int_equal(ran_on[0], goal);
        assert_ptr_equal(host_world_owner(goal), vcpu);
        goal = wanted;
    }
}

static unsigned lr_rounds;

/* Pending and active interrupts are part of the world. */
static void fills_list_registers(struct vcpu *which)
{
    struct guest_irq_lr lr;

    note(which);
    if (lr_rounds++ == 0) {
        arch_guest_irq_lr_write(
            1, &(struct guest_irq_lr){.virq = 27, .pirq = 27, .hw = true, .active = true});
        arch_guest_irq_lr_write(2, &(struct guest_irq_lr){.virq = 40, .priority = 8});
        assert_int_equal(vcpu_move(which, 2), -EINPROGRESS);
        return;
    }
    arch_guest_irq_lr_read(1, &lr);
    assert_true(lr.hw && lr.active && lr.virq == 27);
    arch_guest_irq_lr_read(2, &lr);
    assert_int_equal(lr.virq, 40);
    arch_guest_irq_lr_clear(1);
    arch_guest_irq_lr_clear(2);
    hv_vcpu_wait(which);
}

static void test_list_registers(void **state)
{
    (void)state;
    host_guest_code = fills_list_registers;
    lr_rounds = 0;
    allow_all(vcpu);
    assert_int_equal(vcpu_kick(vcpu), 0);
    machine_run();
    assert_int_equal(lr_rounds, 2);
    assert_int_equal(ran_on[0], 2);
}

static uint64_t slept_until;

static void sleeps(struct vcpu *which)
{
    note(which);
    if (slept_until == 0) {
        assert_int_equal(thread_sleep(10 * NS_PER_MS), 0);
        /* On its own stack, on another CPU. */
        slept_until = clock_now();
        note(which);
    }
    hv_vcpu_wait(which);
}

/* Asleep in a handler: it wakes on the other CPU, when it was to, and its timer is there. */
static void test_asleep_in_handler(void **state)
{
    uint64_t before;

    (void)state;
    host_guest_code = sleeps;
    slept_until = 0;
    assert_int_equal(vcpu_kick(vcpu), 0);
    before = clock_now();
    machine_run();
    assert_int_equal(vcpu->reasons, VCPU_REASON_SLEEP);
    assert_int_equal(hrtimer_count(0), 1);
    assert_int_equal(vcpu_set_affinity(vcpu, CPU_MASK(1)), -EINPROGRESS);
    machine_run();
    assert_int_equal(vcpu->se.cpu, 1);
    assert_int_equal(hrtimer_count(0), 0);
    assert_int_equal(hrtimer_count(1), 1);
    machine_run_for(20 * NS_PER_MS);
    assert_int_equal(slept_until - before, 10 * NS_PER_MS);
    assert_int_equal(ran_on[0], 1);
}

/* What an operator has paused stays so; what is halted is reset where it is. */
static void test_paused_and_halted(void **state)
{
    (void)state;
    host_guest_code = waits;
    assert_int_equal(vcpu_kick(vcpu), 0);
    machine_run();
    assert_int_equal(vcpu_pause(vcpu, VCPU_REASON_OPERATOR), 0);
    assert_int_equal(vcpu_set_affinity(vcpu, CPU_MASK(2)), -EINPROGRESS);
    machine_run();
    assert_int_equal(vcpu->state, VCPU_PAUSED);
    assert_int_equal(vcpu->reasons, VCPU_REASON_WFI | VCPU_REASON_OPERATOR);
    rounds[0] = 0;
    vcpu_interrupt(vcpu);
    machine_run();
    assert_int_equal(rounds[0], 0);
    assert_int_equal(vcpu_resume(vcpu, VCPU_REASON_OPERATOR), 0);
    machine_run();
    assert_int_equal(ran_on[0], 2);
    vcpu_halt(vcpu);
    machine_run();
    assert_int_equal(vcpu->state, VCPU_HALTED);
    assert_int_equal(load_sum(), 0);
    assert_int_equal(vcpu_set_affinity(vcpu, CPU_MASK(1)), -EINPROGRESS);
    machine_run();
    assert_int_equal(vcpu->se.cpu, 1);
    assert_int_equal(load_sum(), 0);
    vcpu_reset(vcpu);
    machine_run();
    assert_int_equal(vcpu->state, VCPU_RESET);
    assert_null(host_world_owner(2));
    /* In RESET the affinity counts at the kick. */
    assert_int_equal(vcpu_set_affinity(vcpu, CPU_MASK(0)), 0);
    assert_int_equal(vcpu_kick(vcpu), 0);
    machine_run();
    assert_int_equal(ran_on[0], 0);
    assert_int_not_equal(load_sum(), 0);
}

/* A request meets one that is on its way. */
static void test_requests_on_the_way(void **state)
{
    (void)state;
    host_guest_code = waits;
    assert_int_equal(vcpu_kick(vcpu), 0);
    machine_run();
    host_cpu_switch(2);
    assert_int_equal(vcpu_set_affinity(vcpu, CPU_MASK(1)), -EINPROGRESS);
    assert_int_equal(vcpu_reset(vcpu), -EINPROGRESS);
    machine_run();
    assert_int_equal(vcpu->state, VCPU_RESET);
    assert_int_equal(vcpu_kick(vcpu), 0);
    machine_run();
    assert_int_equal(ran_on[0], 1);
    /* And is destroyed with its move still due: nothing refers to it any more. */
    vcpu_halt(vcpu);
    machine_run();
    host_cpu_switch(2);
    assert_int_equal(vcpu_set_affinity(vcpu, CPU_MASK(2)), -EINPROGRESS);
    moves = 0;
    assert_int_equal(vcpu_destroy(vcpu), 0);
    host_cpu_switch(0);
    machine_run();
    assert_int_equal(moves, 0);
    vcpu = make(0, 0);
}

static int stays(void *arg)
{
    unsigned *cpus = arg;

    cpus[0] = host_cpu();
    thread_sleep(NS_PER_MS);
    cpus[1] = host_cpu();
    thread_sleep(NS_PER_MS);
    cpus[2] = host_cpu();
    return 0;
}

/* A thread has no world: nobody has to be asked. */
static void test_thread(void **state)
{
    unsigned cpus[3] = {CPUS, CPUS, CPUS};
    struct thread_config config = {
        .name = "t", .fn = stays, .arg = cpus, .priority = 3, .affinity = CPU_MASK(0)};
    struct thread *thread;

    (void)state;
    assert_int_equal(thread_create_with(&config, &thread), 0);
    assert_int_equal(thread_start(thread), 0);
    assert_int_equal(vcpu_set_affinity(thread_vcpu(thread), CPU_MASK(2)), 0);
    assert_int_equal(hrtimer_count(2), 1);
    machine_run_for(3 * NS_PER_MS / 2);
    assert_int_equal(vcpu_set_affinity(thread_vcpu(thread), CPU_MASK(1)), 0);
    machine_run_for(NS_PER_MS);
    assert_int_equal(thread_join(thread, NULL), 0);
    assert_int_equal(cpus[0], 0);
    assert_int_equal(cpus[1], 2);
    assert_int_equal(cpus[2], 1);
}

static void computes(struct vcpu *which)
{
    note(which);
    if (rounds[0] <= 10)
        host_clock_advance_ns(NS_PER_MS);
    else
        hv_vcpu_wait(which);
}

static int sleeps_once(void *arg)
{
    thread_sleep(5 * NS_PER_MS);
    *(unsigned *)arg = host_cpu();
    return 0;
}

/* Woken where it would have to wait, with another CPU idle: it runs there. */
static void test_wakes_on_an_idle_cpu(void **state)
{
    unsigned cpu = CPUS;
    struct thread_config config = {
        .name = "t", .fn = sleeps_once, .arg = &cpu, .priority = 2, .affinity = CPU_MASK(0)};
    struct thread *thread;

    (void)state;
    host_guest_code = computes;
    rounds[0] = 0;
    assert_int_equal(thread_create_with(&config, &thread), 0);
    assert_int_equal(thread_start(thread), 0);
    thread_vcpu(thread)->se.affinity = CPU_MASK(0) | CPU_MASK(2);
    assert_int_equal(vcpu_kick(vcpu), 0);
    machine_run();
    assert_int_equal(rounds[0], 11);
    assert_int_equal(cpu, 2);
    assert_int_equal(ran_on[0], 0);
    assert_int_equal(thread_join(thread, NULL), 0);
}

static uint64_t seed;

static unsigned pick(unsigned n)
{
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (unsigned)(seed >> 33) % n;
}

static void wanders(struct vcpu *which)
{
    note(which);
    switch (pick(6)) {
    case 0:
        vcpu_move(which, pick(CPUS));
        break;
    case 1:
        thread_sleep(pick(2000) * NS_PER_US);
        break;
    case 2:
        sched_yield_cpu();
        break;
    case 3:
        host_clock_advance_ns(pick(20) * NS_PER_MS);
        break;
    default:
        hv_vcpu_wait(which);
        break;
    }
}

static void disturb(struct vcpu *which)
{
    switch (pick(12)) {
    case 0:
        vcpu_kick(which);
        break;
    case 1:
        vcpu_pause(which, VCPU_REASON_OPERATOR);
        break;
    case 2:
    case 3:
        vcpu_resume(which, VCPU_REASON_OPERATOR);
        break;
    case 4:
        if (pick(4) == 0)
            vcpu_halt(which);
        break;
    case 5:
        if (pick(4) == 0)
            vcpu_reset(which);
        break;
    case 6:
        vcpu_set_affinity(which, pick(8));
        break;
    case 7:
    case 8:
        vcpu_move(which, pick(CPUS + 1));
        break;
    default:
        vcpu_interrupt(which);
        break;
    }
}

/* At rest each is where it may be, no CPU has the world of one that is elsewhere, and no load is lost. */
static void check_at_rest(struct vcpu **all)
{
    uint32_t load = 0;

    for (unsigned i = 0; i < VCPUS; i++) {
        assert_false(vcpu_is_moving(all[i]));
        assert_int_equal(all[i]->requests, 0);
        assert_true((all[i]->state == VCPU_PAUSED) == (all[i]->reasons != 0));
        load += all[i]->se.load;
        if (all[i]->state != VCPU_RESET)
            assert_true(all[i]->se.affinity & CPU_MASK(all[i]->se.cpu));
        for (unsigned cpu = 0; cpu < CPUS; cpu++)
            if (host_world_owner(cpu) == all[i])
                assert_int_equal(cpu, all[i]->se.cpu);
    }
    assert_int_equal(load_sum(), load);
}

static void test_walk(void **state)
{
    struct vcpu *all[VCPUS];

    (void)state;
    host_guest_code = wanders;
    seed = 20261121;
    memset(rounds, 0, sizeof(rounds));
    for (unsigned i = 0; i < VCPUS; i++)
        all[i] = make(i, 0);
    for (unsigned step = 0; step < 60000; step++) {
        disturb(all[pick(VCPUS)]);
        if (pick(8) == 0)
            host_cpu_switch(pick(CPUS));
        if (pick(16) == 0) {
            host_cpu_switch(0);
            machine_run_for(pick(3000) * NS_PER_US);
            check_at_rest(all);
        }
    }
    host_cpu_switch(0);
    assert_true(moves > 2000 && rounds[0] > 1000 && rounds[VCPUS - 1] > 1000);
    for (unsigned i = 0; i < VCPUS; i++)
        unmake(all[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_refusals, start, finish),
        cmocka_unit_test_setup_teardown(test_queued, start, finish),
        cmocka_unit_test_setup_teardown(test_waiting_with_loaded_world, start, finish),
        cmocka_unit_test_setup_teardown(test_woken_on_its_way, start, finish),
        cmocka_unit_test_setup_teardown(test_running, start, finish),
        cmocka_unit_test_setup_teardown(test_list_registers, start, finish),
        cmocka_unit_test_setup_teardown(test_asleep_in_handler, start, finish),
        cmocka_unit_test_setup_teardown(test_paused_and_halted, start, finish),
        cmocka_unit_test_setup_teardown(test_requests_on_the_way, start, finish),
        cmocka_unit_test_setup_teardown(test_thread, start, finish),
        cmocka_unit_test_setup_teardown(test_wakes_on_an_idle_cpu, start, finish),
        cmocka_unit_test_setup_teardown(test_walk, start, finish),
    };

    return cmocka_run_group_tests(tests, start_machine, NULL);
}
