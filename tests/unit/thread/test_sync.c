// SPDX-License-Identifier: Apache-2.0
// Waitqueue, completion, semaphore, mutex: order, timeouts, interruption, no lost wake-ups.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <hv/clock.h>
#include <hv/completion.h>
#include <hv/mutex.h>
#include <hv/sched.h>
#include <hv/semaphore.h>
#include <hv/thread.h>
#include <hv/waitqueue.h>
#include <lib/errno.h>
#include <port/host.h>
#include <port/machine.h>
#include <string.h>

#define THREADS 8

static struct thread *threads[THREADS];
static int codes[THREADS];
static char trace[64];
static unsigned trace_length;

static struct waitqueue wq;
static unsigned flag;
static struct completion completion;
static struct semaphore semaphore;
static struct mutex mutex;

static int start(void **state)
{
    (void)state;
    machine_start(1);
    trace_length = 0;
    memset(trace, 0, sizeof(trace));
    flag = 0;
    waitqueue_init(&wq);
    completion_init(&completion);
    mutex_init(&mutex);
    return 0;
}

static void note(char c)
{
    trace[trace_length++] = c;
}

static char self(void)
{
    return thread_name(thread_current())[0];
}

static void spawn(unsigned i, int (*fn)(void *arg), void *arg, uint8_t priority)
{
    char name[2] = {(char)('a' + i), 0};

    assert_int_equal(thread_create(name, fn, arg, priority, 0, &threads[i]), 0);
    assert_int_equal(thread_start(threads[i]), 0);
}

static void join(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(thread_state(threads[i]), THREAD_STOPPED);
        assert_int_equal(thread_join(threads[i], &codes[i]), 0);
    }
}

static bool flag_set(void *arg)
{
    (void)arg;
    return flag != 0;
}

static bool take_flag(void *arg)
{
    (void)arg;
    if (flag == 0)
        return false;
    flag--;
    return true;
}

static int wait_for_flag(void *arg)
{
    int result = waitqueue_wait(&wq, arg != NULL ? take_flag : flag_set, NULL, WAIT_FOREVER);

    note(self());
    return result;
}

static void test_wake_order(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++)
        spawn(i, wait_for_flag, &wq, 3);
    waitqueue_wake_all(&wq);
    assert_string_equal(trace, "");
    for (unsigned i = 0; i < 4; i++) {
        flag = 1;
        waitqueue_wake_one(&wq);
        machine_run();
        assert_int_equal(trace_length, i + 1);
    }
    assert_string_equal(trace, "abcd");
    join(4);
}

static void test_wake_all_by_priority(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++)
        spawn(i, wait_for_flag, NULL, (uint8_t)(i + 1));
    flag = 1;
    arch_irq_disable();
    waitqueue_wake_all(&wq);
    arch_irq_enable();
    machine_run();
    assert_string_equal(trace, "dcba");
    join(4);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(codes[i], 0);
}

static int wait_with_timeout(void *arg)
{
    bool uninterruptible = arg != NULL;
    uint64_t before = clock_now();
    int result = uninterruptible
                     ? waitqueue_wait_uninterruptible(&wq, flag_set, NULL, 5 * NS_PER_MS)
                     : waitqueue_wait(&wq, flag_set, NULL, 5 * NS_PER_MS);

    if (result == -ETIMEDOUT && clock_now() - before < 5 * NS_PER_MS)
        return -EIO;
    return result;
}

static void test_timeout(void **state)
{
    (void)state;
    assert_int_equal(machine_call(wait_with_timeout, NULL), -ETIMEDOUT);
    assert_int_equal(machine_call(wait_with_timeout, &wq), -ETIMEDOUT);
    assert_int_equal(clock_now(), 10 * NS_PER_MS);
    assert_int_equal(hrtimer_count(0), 0);
    flag = 1;
    assert_int_equal(machine_call(wait_with_timeout, NULL), 0);
    flag = 0;
    spawn(0, wait_with_timeout, NULL, 3);
    machine_run_for(NS_PER_MS);
    flag = 1;
    waitqueue_wake_all(&wq);
    machine_run();
    join(1);
    assert_int_equal(codes[0], 0);
    assert_int_equal(hrtimer_count(0), 0);
}

static void test_interruption(void **state)
{
    (void)state;
    spawn(0, wait_with_timeout, NULL, 3);
    spawn(1, wait_with_timeout, &wq, 3);
    thread_request_stop(threads[0]);
    thread_request_stop(threads[1]);
    machine_run();
    assert_int_equal(thread_state(threads[0]), THREAD_STOPPED);
    assert_int_equal(thread_state(threads[1]), THREAD_SLEEPING);
    machine_run_for(6 * NS_PER_MS);
    join(2);
    assert_int_equal(codes[0], -EINTR);
    assert_int_equal(codes[1], -ETIMEDOUT);
}

static int wait_when_asked_to_stop(void *arg)
{
    int result;

    (void)arg;
    thread_request_stop(thread_current());
    result = waitqueue_wait(&wq, flag_set, NULL, WAIT_FOREVER);
    if (result != -EINTR)
        return -EIO;
    flag = 1;
    /* What has happened counts more than the request. */
    return waitqueue_wait(&wq, flag_set, NULL, WAIT_FOREVER);
}

static void test_stop_before_wait(void **state)
{
    (void)state;
    assert_int_equal(machine_call(wait_when_asked_to_stop, NULL), 0);
}

static int complete_wait(void *arg)
{
    int result = completion_wait(&completion, *(uint64_t *)arg);

    note(self());
    return result;
}

static void test_completion(void **state)
{
    uint64_t forever = WAIT_FOREVER;
    uint64_t moment = NS_PER_MS;

    (void)state;
    completion_signal(&completion);
    completion_signal(&completion);
    assert_int_equal(machine_call(complete_wait, &moment), 0);
    assert_int_equal(machine_call(complete_wait, &moment), 0);
    assert_int_equal(machine_call(complete_wait, &moment), -ETIMEDOUT);
    trace_length = 0;
    for (unsigned i = 0; i < 3; i++)
        spawn(i, complete_wait, &forever, 3);
    completion_signal(&completion);
    machine_run();
    assert_int_equal(trace_length, 1);
    completion_signal_all(&completion);
    machine_run();
    join(3);
    assert_int_equal(machine_call(complete_wait, &moment), 0);
    assert_int_equal(machine_call(complete_wait, &moment), 0);
}

static int down(void *arg)
{
    int result = semaphore_down(&semaphore, *(uint64_t *)arg);

    note(self());
    return result;
}

static void test_semaphore(void **state)
{
    uint64_t forever = WAIT_FOREVER;
    uint64_t moment = NS_PER_MS;

    (void)state;
    semaphore_init(&semaphore, 2, 3);
    assert_true(semaphore_try_down(&semaphore));
    assert_int_equal(machine_call(down, &moment), 0);
    assert_false(semaphore_try_down(&semaphore));
    assert_int_equal(machine_call(down, &moment), -ETIMEDOUT);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(semaphore_up(&semaphore), 0);
    assert_int_equal(semaphore_up(&semaphore), -EOVERFLOW);
    for (unsigned i = 0; i < 3; i++)
        assert_true(semaphore_try_down(&semaphore));
    trace_length = 0;
    memset(trace, 0, sizeof(trace));
    for (unsigned i = 0; i < 3; i++)
        spawn(i, down, &forever, 3);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(semaphore_up(&semaphore), 0);
    machine_run();
    assert_string_equal(trace, "abc");
    join(3);
    assert_int_equal(semaphore.count, 0);
}

static unsigned inside;
static unsigned shared;

/* Sleeps and yields while it holds the mutex. */
static int use_mutex(void *arg)
{
    unsigned rounds = 50;

    (void)arg;
    while (rounds-- != 0) {
        unsigned seen;

        mutex_lock(&mutex);
        if (++inside != 1)
            return -EIO;
        seen = shared;
        if (rounds % 3 == 0)
            thread_sleep(NS_PER_US * (rounds + 1));
        else
            sched_yield_cpu();
        shared = seen + 1;
        inside--;
        mutex_unlock(&mutex);
    }
    return 0;
}

static void test_mutex_excludes(void **state)
{
    (void)state;
    shared = 0;
    for (unsigned i = 0; i < THREADS; i++)
        spawn(i, use_mutex, NULL, (uint8_t)(i % 4));
    machine_run_for(NS_PER_SEC);
    join(THREADS);
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(codes[i], 0);
    assert_int_equal(shared, THREADS * 50);
    assert_null(mutex_owner(&mutex));
}

static int hold_mutex(void *arg)
{
    (void)arg;
    mutex_lock(&mutex);
    note(self());
    thread_sleep(NS_PER_MS);
    mutex_unlock(&mutex);
    return 0;
}

static void test_mutex_is_fair(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 5; i++)
        spawn(i, hold_mutex, NULL, 3);
    assert_false(mutex_trylock(&mutex));
    machine_run_for(NS_PER_SEC);
    join(5);
    assert_string_equal(trace, "abcde");
    assert_true(mutex_trylock(&mutex));
    mutex_unlock(&mutex);
}

static void unlock_foreign(void *arg)
{
    (void)arg;
    mutex_unlock(&mutex);
}

static void lock_twice(void *arg)
{
    (void)arg;
    mutex_lock(&mutex);
    mutex_lock(&mutex);
}

static enum lockdep_kind found;

static void note_finding(const struct lockdep_report *report)
{
    found = report->kind;
}

static void test_misuse_is_found(void **state)
{
    void (*hook)(const struct lockdep_report *report) = lockdep_report_hook;

    (void)state;
    assert_int_equal(host_run(unlock_foreign, NULL), HOST_STOP_HALT);
    assert_non_null(strstr(host_console_text(), "mutex_owner(m) == self"));
    mutex_init(&mutex);
    lockdep_report_hook = note_finding;
    assert_int_equal(host_run(lock_twice, NULL), HOST_STOP_HALT);
    lockdep_report_hook = hook;
    assert_int_equal(found, LOCKDEP_RECURSION);
    assert_non_null(strstr(host_console_text(), "deadlock"));
}

static void sleep_with_lock(void *arg)
{
    struct spinlock lock = SPINLOCK_INIT;

    (void)arg;
    spin_lock(&lock);
    thread_sleep(1);
}

static void test_sleep_with_lock_is_found(void **state)
{
    (void)state;
    assert_int_equal(host_run(sleep_with_lock, NULL), HOST_STOP_HALT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_wake_order, start),
        cmocka_unit_test_setup(test_wake_all_by_priority, start),
        cmocka_unit_test_setup(test_timeout, start),
        cmocka_unit_test_setup(test_interruption, start),
        cmocka_unit_test_setup(test_stop_before_wait, start),
        cmocka_unit_test_setup(test_completion, start),
        cmocka_unit_test_setup(test_semaphore, start),
        cmocka_unit_test_setup(test_mutex_excludes, start),
        cmocka_unit_test_setup(test_mutex_is_fair, start),
        cmocka_unit_test_setup(test_misuse_is_found, start),
        cmocka_unit_test_setup(test_sleep_with_lock_is_found, start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
