// SPDX-License-Identifier: Apache-2.0
// Readers-writer lock: who gets in beside whom, no starved writer, counts and masks, contention.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <hv/ctx.h>
#include <hv/rwlock.h>
#include <port/host.h>
#include <pthread.h>

static struct rwlock lock;

static int start(void **state)
{
    (void)state;
    host_reset();
    rw_init(&lock);
    ctx_preempt_hook = NULL;
    this_cpu(ctx_state) = (struct ctx_state){0};
    return 0;
}

static void test_readers_share(void **state)
{
    (void)state;
    assert_true(rw_try_read(&lock));
    assert_true(rw_try_read(&lock));
    assert_false(rw_try_write(&lock));
    rw_drop_read(&lock);
    assert_false(rw_try_write(&lock));
    rw_drop_read(&lock);
    assert_true(rw_try_write(&lock));
    assert_false(rw_try_read(&lock));
    assert_false(rw_try_write(&lock));
    rw_drop_write(&lock);
    assert_true(rw_try_read(&lock));
    rw_drop_read(&lock);
}

static void test_contexts(void **state)
{
    static struct rwlock other = RWLOCK_INIT;
    irqflags_t flags, inner;

    (void)state;
    rw_read_lock(&lock);
    assert_int_equal(this_cpu(ctx_state).preempt_count, 1);
    assert_false(arch_irq_is_disabled());
    rw_read_unlock(&lock);
    rw_write_lock(&lock);
    assert_int_equal(this_cpu(ctx_state).preempt_count, 1);
    rw_write_unlock(&lock);
    flags = rw_write_lock_irqsave(&lock);
    assert_true(arch_irq_is_disabled());
    inner = rw_read_lock_irqsave(&other);
    assert_int_equal(this_cpu(ctx_state).preempt_count, 2);
    rw_read_unlock_irqrestore(&other, inner);
    assert_true(arch_irq_is_disabled());
    rw_write_unlock_irqrestore(&lock, flags);
    assert_false(arch_irq_is_disabled());
    assert_int_equal(this_cpu(ctx_state).preempt_count, 0);
}

/* A writer that waits shuts the gate: it gets in although readers never pause. */

static bool writer_was_in;
static bool readers_end;

static void *read_without_pause(void *arg)
{
    bool inside[2] = {false, false};

    /* One of the two read locks is held at any time. */
    for (unsigned i = 0; !__atomic_load_n(&readers_end, __ATOMIC_ACQUIRE); i ^= 1) {
        inside[i] = rw_try_read(&lock);
        if (inside[i ^ 1])
            rw_drop_read(&lock);
        inside[i ^ 1] = false;
        sched_yield();
    }
    if (inside[0] || inside[1])
        rw_drop_read(&lock);
    return arg;
}

static void *write_once(void *arg)
{
    /* As rw_take_write(), which would move the simulated clock from a second thread. */
    while (!spin_try(&lock.gate))
        sched_yield();
    while (__atomic_load_n(&lock.readers, __ATOMIC_ACQUIRE) != 0)
        sched_yield();
    __atomic_store_n(&writer_was_in, true, __ATOMIC_RELEASE);
    rw_drop_write(&lock);
    __atomic_store_n(&readers_end, true, __ATOMIC_RELEASE);
    return arg;
}

static void test_writer_is_not_starved(void **state)
{
    pthread_t readers[2], writer;

    (void)state;
    writer_was_in = readers_end = false;
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, read_without_pause, NULL), 0);
    assert_int_equal(pthread_create(&writer, NULL, write_once, NULL), 0);
    pthread_join(writer, NULL);
    for (unsigned i = 0; i < 2; i++)
        pthread_join(readers[i], NULL);
    assert_true(writer_was_in);
    assert_int_equal(lock.readers, 0);
}

static uint64_t halves[2];
static unsigned torn;

static void *contend(void *arg)
{
    uintptr_t number = (uintptr_t)arg;

    for (unsigned i = 0; i < 20000; i++) {
        if ((i + number) % 4 == 0) {
            while (!rw_try_write(&lock))
                sched_yield();
            halves[0]++;
            halves[1]++;
            rw_drop_write(&lock);
        } else {
            while (!rw_try_read(&lock))
                sched_yield();
            if (halves[0] != halves[1])
                __atomic_fetch_add(&torn, 1, __ATOMIC_RELAXED);
            rw_drop_read(&lock);
        }
    }
    return arg;
}

static void test_contention(void **state)
{
    pthread_t threads[4];

    (void)state;
    for (uintptr_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, contend, (void *)i), 0);
    for (unsigned i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(torn, 0);
    assert_int_equal(halves[0], 20000);
    assert_int_equal(halves[1], 20000);
    assert_true(rw_try_write(&lock));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_readers_share, start),
        cmocka_unit_test_setup(test_contexts, start),
        cmocka_unit_test_setup(test_writer_is_not_starved, start),
        cmocka_unit_test_setup(test_contention, start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
