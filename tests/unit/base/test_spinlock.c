// SPDX-License-Identifier: Apache-2.0
// Spinlock: states, whose turn it is, preempt count, interrupt mask, and when the scheduler is called.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <hv/ctx.h>
#include <hv/spinlock.h>
#include <port/host.h>
#include <pthread.h>

static struct spinlock lock;
static unsigned preempted;

static void preempt_hook(void)
{
    assert_int_equal(this_cpu(ctx_state).preempt_count, 0);
    assert_false(arch_irq_is_disabled());
    preempted++;
    this_cpu(ctx_state).resched = false;
}

static int set_up(void **state)
{
    (void)state;
    host_reset();
    spin_init(&lock);
    ctx_preempt_hook = preempt_hook;
    preempted = 0;
    this_cpu(ctx_state) = (struct ctx_state){0};
    return 0;
}

static void test_lock_and_unlock(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        assert_false(spin_is_locked(&lock));
        spin_lock(&lock);
        assert_true(spin_is_locked(&lock));
        assert_int_equal(this_cpu(ctx_state).preempt_count, 1);
        assert_false(spin_trylock(&lock));
        assert_int_equal(this_cpu(ctx_state).preempt_count, 1);
        spin_unlock(&lock);
        assert_true(spin_trylock(&lock));
        spin_unlock(&lock);
    }
    assert_int_equal(this_cpu(ctx_state).preempt_count, 0);
    assert_false(arch_irq_is_disabled());
}

static void test_irqsave_nests(void **state)
{
    struct spinlock inner = SPINLOCK_INIT;
    irqflags_t flags, inner_flags;

    (void)state;
    flags = spin_lock_irqsave(&lock);
    assert_true(arch_irq_is_disabled());
    inner_flags = spin_lock_irqsave(&inner);
    assert_int_equal(this_cpu(ctx_state).preempt_count, 2);
    spin_unlock_irqrestore(&inner, inner_flags);
    assert_true(arch_irq_is_disabled());
    spin_unlock_irqrestore(&lock, flags);
    assert_false(arch_irq_is_disabled());
    assert_int_equal(this_cpu(ctx_state).preempt_count, 0);
}

static void test_due_reschedule_waits_for_the_last_lock(void **state)
{
    struct spinlock inner = SPINLOCK_INIT;

    (void)state;
    spin_lock(&lock);
    spin_lock(&inner);
    this_cpu(ctx_state).resched = true;
    spin_unlock(&inner);
    assert_int_equal(preempted, 0);
    spin_unlock(&lock);
    assert_int_equal(preempted, 1);
    spin_lock(&lock);
    spin_unlock(&lock);
    assert_int_equal(preempted, 1);
}

static void test_no_reschedule_with_interrupts_masked(void **state)
{
    irqflags_t outer = arch_irq_save();
    irqflags_t flags;

    (void)state;
    this_cpu(ctx_state).resched = true;
    spin_lock(&lock);
    spin_unlock(&lock);
    flags = spin_lock_irqsave(&lock);
    spin_unlock_irqrestore(&lock, flags);
    assert_int_equal(preempted, 0);
    arch_irq_restore(outer);
    flags = spin_lock_irqsave(&lock);
    spin_unlock_irqrestore(&lock, flags);
    assert_int_equal(preempted, 1);
}

static void test_preempt_enable(void **state)
{
    (void)state;
    preempt_disable();
    preempt_disable();
    this_cpu(ctx_state).resched = true;
    preempt_enable();
    assert_int_equal(preempted, 0);
    preempt_enable();
    assert_int_equal(preempted, 1);
    ctx_preempt_hook = NULL;
    this_cpu(ctx_state).resched = true;
    preempt_disable();
    preempt_enable();
}

/* The bare lock between real threads: preemption counts are not theirs to touch. */
static uint64_t shared_count;

static void *contend(void *arg)
{
    for (unsigned i = 0; i < 20000; i++) {
        while (!spin_try(&lock))
            sched_yield();
        shared_count++;
        spin_drop(&lock);
    }
    return arg;
}

static void test_threads_exclude_each_other(void **state)
{
    pthread_t threads[3];

    (void)state;
    shared_count = 0;
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, contend, NULL), 0);
    for (unsigned i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(shared_count, 60000);
    assert_false(spin_is_locked(&lock));
}

static unsigned turns, first_turn, second_turn;

static void *wait_for_turn(void *arg)
{
    unsigned *turn = arg;

    spin_take(&lock);
    *turn = ++turns;
    spin_drop(&lock);
    return NULL;
}

static void start_and_see_ticket(pthread_t *thread, unsigned *turn, unsigned owed)
{
    assert_int_equal(pthread_create(thread, NULL, wait_for_turn, turn), 0);
    while (__atomic_load_n(&lock.owed, __ATOMIC_ACQUIRE) != owed)
        sched_yield();
}

/* In order of tickets, also where their numbers wrap; nobody who comes then is before them. */
static void test_who_waits_long_is_owed_the_lock(void **state)
{
    pthread_t first, second;

    (void)state;
    lock.next = lock.served = UINT8_MAX;
    turns = 0;
    spin_take(&lock);
    start_and_see_ticket(&first, &first_turn, 1);
    start_and_see_ticket(&second, &second_turn, 2);
    assert_false(spin_try(&lock));
    spin_drop(&lock);
    pthread_join(first, NULL);
    pthread_join(second, NULL);
    assert_int_equal(first_turn, 1);
    assert_int_equal(second_turn, 2);
    assert_int_equal(lock.owed, 0);
    assert_int_equal(lock.served, 1);
    assert_true(spin_try(&lock));
    spin_drop(&lock);
}

/* Somebody has a ticket, and does not run. */
static void test_a_turn_that_is_not_taken_is_lost(void **state)
{
    (void)state;
    lock.next = 1;
    lock.owed = 1;
    assert_false(spin_try(&lock));
    spin_take(&lock);
    assert_int_equal(lock.owed, 1);
    assert_int_equal(lock.served, 0);
    spin_drop(&lock);
    assert_false(spin_is_locked(&lock));
}

static void *take_often(void *arg)
{
    for (unsigned i = 0; i < 20000; i++) {
        spin_take(&lock);
        shared_count++;
        spin_drop(&lock);
    }
    return arg;
}

static void test_waiting_threads_exclude_each_other(void **state)
{
    pthread_t threads[4];

    (void)state;
    shared_count = 0;
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_often, NULL), 0);
    for (unsigned i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(shared_count, 80000);
    assert_int_equal(lock.state, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_lock_and_unlock, set_up),
        cmocka_unit_test_setup(test_irqsave_nests, set_up),
        cmocka_unit_test_setup(test_due_reschedule_waits_for_the_last_lock, set_up),
        cmocka_unit_test_setup(test_no_reschedule_with_interrupts_masked, set_up),
        cmocka_unit_test_setup(test_preempt_enable, set_up),
        cmocka_unit_test_setup(test_threads_exclude_each_other, set_up),
        cmocka_unit_test_setup(test_who_waits_long_is_owed_the_lock, set_up),
        cmocka_unit_test_setup(test_a_turn_that_is_not_taken_is_lost, set_up),
        cmocka_unit_test_setup(test_waiting_threads_exclude_each_other, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
