// SPDX-License-Identifier: Apache-2.0
// Mutexes: inheritance of priority along chains, how it is undone, deadlocks, giving up.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <hv/clock.h>
#include <hv/lockdep.h>
#include <hv/mutex.h>
#include <hv/sched.h>
#include <hv/thread.h>
#include <hv/waitqueue.h>
#include <lib/errno.h>
#include <port/host.h>
#include <port/machine.h>
#include <stdio.h>
#include <string.h>

#define LINKS 24

/* Each has a class of its own in each test, so that they can be taken in any order. */
static struct mutex m[LINKS];
static char sites[16][LINKS][12];
static unsigned test;
static struct thread *threads[LINKS];
static int codes[LINKS];
static unsigned findings;

static void count_finding(const struct lockdep_report *report)
{
    (void)report;
    findings++;
}

static int start(void **state)
{
    (void)state;
    machine_start(1);
    lockdep_report_hook = count_finding;
    findings = 0;
    test++;
    for (unsigned i = 0; i < LINKS; i++) {
        snprintf(sites[test][i], sizeof(sites[test][i]), "test%u.m%u", test, i);
        mutex_init_at(&m[i], sites[test][i]);
        threads[i] = NULL;
    }
    return 0;
}

static void spawn(unsigned i, int (*fn)(void *arg), uint8_t priority)
{
    char name[8];

    snprintf(name, sizeof(name), "t%u", i);
    assert_int_equal(thread_create(name, fn, (void *)(uintptr_t)i, priority, 0, &threads[i]), 0);
    assert_int_equal(thread_start(threads[i]), 0);
}

static void join(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(thread_state(threads[i]), THREAD_STOPPED);
        assert_int_equal(thread_join(threads[i], &codes[i]), 0);
    }
}

static uint8_t priority_of(unsigned i)
{
    return thread_vcpu(threads[i])->se.priority;
}

/* A low one holds, a middle one computes, a high one waits: the middle one must not come between. */

static char trace[16];

static void note(char c)
{
    size_t length = strlen(trace);

    trace[length] = c;
    trace[length + 1] = '\0';
}

static void compute(uint64_t ns)
{
    uint64_t end = clock_now() + ns;

    while (clock_now() < end) {
        host_clock_advance_ns(10000);
        sched_yield_cpu();
    }
}

static int low(void *arg)
{
    (void)arg;
    mutex_lock(&m[0]);
    thread_sleep(NS_PER_MS);
    compute(NS_PER_MS);
    note('l');
    mutex_unlock(&m[0]);
    note('L');
    return 0;
}

static int middle(void *arg)
{
    (void)arg;
    thread_sleep(NS_PER_MS / 2);
    compute(20 * NS_PER_MS);
    note('m');
    return 0;
}

static int high(void *arg)
{
    (void)arg;
    thread_sleep(NS_PER_MS / 4);
    mutex_lock(&m[0]);
    note('h');
    mutex_unlock(&m[0]);
    return 0;
}

static void test_priority_inversion(void **state)
{
    (void)state;
    trace[0] = '\0';
    spawn(0, low, 1);
    spawn(1, middle, 3);
    spawn(2, high, 5);
    machine_run_for(100 * NS_PER_MS);
    join(3);
    assert_string_equal(trace, "lhmL");
}

/* Thread i holds m[i] and waits for m[i - 1]. */
static int chain_link(void *arg)
{
    uintptr_t i = (uintptr_t)arg;

    mutex_lock(&m[i]);
    if (i == 0) {
        thread_sleep(10 * NS_PER_MS);
    } else {
        mutex_lock(&m[i - 1]);
        mutex_unlock(&m[i - 1]);
    }
    mutex_unlock(&m[i]);
    return 0;
}

static void test_chain(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 5; i++)
        spawn(i, chain_link, (uint8_t)(i + 1));
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(priority_of(i), 5);
    assert_ptr_equal(mutex_owner(&m[0]), thread_vcpu(threads[0]));
    /* Configured priorities change under it. */
    assert_int_equal(thread_set_priority(threads[4], 7), 0);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(priority_of(i), 7);
    thread_set_priority(threads[4], 2);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(priority_of(i), i < 4 ? 4 : 2);
    assert_int_equal(thread_set_priority(threads[4], SCHED_PRIORITY_MAX + 1), -EINVAL);
    machine_run_for(20 * NS_PER_MS);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(thread_vcpu(threads[i])->inherited, 0);
    join(5);
    for (unsigned i = 0; i < 5; i++)
        assert_null(mutex_owner(&m[i]));
}

static void test_chain_is_bounded(void **state)
{
    (void)state;
    for (unsigned i = 0; i < LINKS; i++)
        spawn(i, chain_link, i == LINKS - 1 ? 5 : 1);
    assert_int_equal(priority_of(LINKS - 2), 5);
    assert_int_equal(priority_of(LINKS - 16), 5);
    assert_int_equal(priority_of(0), 1);
    machine_run_for(20 * NS_PER_MS);
    join(LINKS);
}

/* Several mutexes, several waiters: what is inherited is that of the best who is left. */

static int hold_two(void *arg)
{
    (void)arg;
    mutex_lock(&m[0]);
    mutex_lock(&m[1]);
    thread_sleep(NS_PER_MS);
    mutex_unlock(&m[1]);
    thread_sleep(NS_PER_MS);
    mutex_unlock(&m[0]);
    thread_sleep(NS_PER_MS);
    return 0;
}

static int take_by_number(void *arg)
{
    struct mutex *one = &m[(uintptr_t)arg & 1];

    mutex_lock(one);
    mutex_unlock(one);
    return 0;
}

static void test_falls_back_step_by_step(void **state)
{
    (void)state;
    spawn(0, hold_two, 1);
    spawn(2, take_by_number, 3);
    spawn(3, take_by_number, 5);
    spawn(4, take_by_number, 2);
    threads[1] = threads[4];
    assert_int_equal(priority_of(0), 5);
    machine_run_for(NS_PER_MS + NS_PER_MS / 2);
    assert_int_equal(priority_of(0), 3);
    machine_run_for(NS_PER_MS);
    assert_int_equal(priority_of(0), 1);
    machine_run_for(2 * NS_PER_MS);
    join(4);
}

static int give_up(void *arg)
{
    (void)arg;
    return mutex_lock_timeout(&m[0], NS_PER_MS / 2);
}

static void test_giving_up_undoes_it(void **state)
{
    (void)state;
    spawn(0, hold_two, 1);
    spawn(1, give_up, 4);
    spawn(2, give_up, 6);
    assert_int_equal(priority_of(0), 6);
    thread_request_stop(threads[2]);
    machine_run();
    assert_int_equal(priority_of(0), 4);
    machine_run_for(NS_PER_MS * 3 / 4);
    assert_int_equal(priority_of(0), 1);
    assert_true(list_is_empty(&m[0].waiters));
    assert_true(list_is_empty(&thread_vcpu(threads[0])->held_mutexes));
    machine_run_for(10 * NS_PER_MS);
    join(3);
    assert_int_equal(codes[1], -ETIMEDOUT);
    assert_int_equal(codes[2], -EINTR);
    assert_int_equal(findings, 0);
}

static char order[8];

static int take_in_order(void *arg)
{
    mutex_lock(&m[0]);
    order[strlen(order)] = (char)('0' + (uintptr_t)arg);
    mutex_unlock(&m[0]);
    return 0;
}

static void test_best_waiter_first(void **state)
{
    static const uint8_t priorities[] = {1, 2, 5, 2, 5, 3};

    (void)state;
    memset(order, 0, sizeof(order));
    spawn(0, hold_two, priorities[0]);
    for (unsigned i = 1; i < 6; i++)
        spawn(i, take_in_order, priorities[i]);
    machine_run_for(10 * NS_PER_MS);
    join(6);
    assert_string_equal(order, "24513");
}

/* Deadlocks */

static int lock_twice_politely(void *arg)
{
    int result;

    (void)arg;
    mutex_lock(&m[0]);
    result = mutex_lock_timeout(&m[0], NS_PER_SEC);
    mutex_unlock(&m[0]);
    return result;
}

static void test_locked_twice(void **state)
{
    (void)state;
    assert_int_equal(machine_call(lock_twice_politely, NULL), -EDEADLK);
    assert_true(list_is_empty(&m[0].held_link));
    assert_int_equal(m[0].owner, 0);
}

/* 0 takes m0, m1; 1 takes m1, m0. */
static int cross(void *arg)
{
    uintptr_t i = (uintptr_t)arg;
    int result;

    mutex_lock(&m[i]);
    thread_sleep(NS_PER_MS);
    result = mutex_lock_timeout(&m[i ^ 1], NS_PER_SEC);
    if (result == 0)
        mutex_unlock(&m[i ^ 1]);
    mutex_unlock(&m[i]);
    return result;
}

static void test_crosswise(void **state)
{
    (void)state;
    spawn(0, cross, 3);
    spawn(1, cross, 3);
    machine_run_for(10 * NS_PER_MS);
    join(2);
    assert_int_equal(codes[0], 0);
    assert_int_equal(codes[1], -EDEADLK);
    assert_int_equal(findings, 0);
}

static int cross_for_ever(void *arg)
{
    uintptr_t i = (uintptr_t)arg;

    mutex_lock(&m[i]);
    thread_sleep(NS_PER_MS);
    mutex_lock(&m[i ^ 1]);
    return 0;
}

static void run_crosswise(void *arg)
{
    (void)arg;
    spawn(0, cross_for_ever, 3);
    spawn(1, cross_for_ever, 3);
    machine_run_for(10 * NS_PER_MS);
}

static void test_deadlock_is_found(void **state)
{
    (void)state;
    assert_int_equal(host_run(run_crosswise, NULL), HOST_STOP_HALT);
    assert_non_null(strstr(host_console_text(), "deadlock: t1 waits"));
    /* The checker had seen it coming. */
    assert_int_equal(findings, 1);
}

static int end_with_mutex(void *arg)
{
    (void)arg;
    mutex_lock(&m[0]);
    return 0;
}

static void run_end_with_mutex(void *arg)
{
    (void)arg;
    spawn(0, end_with_mutex, 3);
    machine_run();
}

static void test_end_with_mutex_is_found(void **state)
{
    (void)state;
    assert_int_equal(host_run(run_end_with_mutex, NULL), HOST_STOP_HALT);
}

/* Random walk: any thread does anything; priorities and inheritance are right at every step. */

#define WALKERS 12
#define WALK_MUTEXES 5
#define WALK_STEPS 4000

static uint64_t random_state;

static unsigned draw(unsigned below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (unsigned)(random_state % below);
}

static unsigned inside[WALK_MUTEXES];
static uint64_t total;

static int walk(void *arg)
{
    unsigned steps = WALK_STEPS / WALKERS;

    (void)arg;
    while (steps-- != 0) {
        unsigned from = draw(WALK_MUTEXES), i, held;

        for (i = from; i < WALK_MUTEXES && draw(3) != 0; i++) {
            int result = mutex_lock_timeout(&m[i], draw(300000));

            if (result != 0)
                break;
            if (inside[i]++ != 0)
                return -EIO;
            thread_sleep(draw(50000));
        }
        for (held = i; held > from; held--) {
            inside[held - 1]--;
            mutex_unlock(&m[held - 1]);
            total++;
        }
        thread_set_priority(thread_current(), (uint8_t)draw(6));
        thread_sleep(draw(100000));
    }
    return 0;
}

static void check_walker(struct vcpu *vcpu)
{
    uint8_t best = 0;

    LIST_FOR_EACH(mutex, &vcpu->held_mutexes, struct mutex, held_link) {
        assert_ptr_equal(mutex_owner(mutex), vcpu);
        assert_false(list_is_empty(&mutex->waiters));
        for (unsigned i = 0; i < WALKERS; i++) {
            struct vcpu *other = thread_vcpu(threads[i]);

            /* First member of what it waits with is its link in the mutex' list. */
            if (other->mutex_wait == NULL)
                continue;
            for (struct list *at = mutex->waiters.next; at != &mutex->waiters; at = at->next)
                if ((void *)at == other->mutex_wait && sched_priority(other) > best)
                    best = sched_priority(other);
        }
    }
    assert_int_equal(vcpu->inherited, best);
    if (vcpu->se.on_queue || vcpu->state == VCPU_RUNNING)
        assert_int_equal(vcpu->se.priority, sched_priority(vcpu));
}

static void test_random_walk(void **state)
{
    bool stopped = false;

    (void)state;
    random_state = 42;
    for (unsigned i = 0; i < WALKERS; i++)
        spawn(i, walk, (uint8_t)draw(6));
    while (!stopped) {
        machine_run_for(20000);
        stopped = true;
        for (unsigned i = 0; i < WALKERS; i++) {
            check_walker(thread_vcpu(threads[i]));
            stopped &= thread_state(threads[i]) == THREAD_STOPPED;
        }
    }
    join(WALKERS);
    for (unsigned i = 0; i < WALKERS; i++)
        assert_int_equal(codes[i], 0);
    assert_true(total > WALK_STEPS / 2);
    assert_int_equal(findings, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_priority_inversion, start),
        cmocka_unit_test_setup(test_random_walk, start),
        cmocka_unit_test_setup(test_falls_back_step_by_step, start),
        cmocka_unit_test_setup(test_giving_up_undoes_it, start),
        cmocka_unit_test_setup(test_best_waiter_first, start),
        cmocka_unit_test_setup(test_chain, start),
        cmocka_unit_test_setup(test_chain_is_bounded, start),
        cmocka_unit_test_setup(test_crosswise, start),
        cmocka_unit_test_setup(test_locked_twice, start),
        cmocka_unit_test_setup(test_deadlock_is_found, start),
        cmocka_unit_test_setup(test_end_with_mutex_is_found, start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
