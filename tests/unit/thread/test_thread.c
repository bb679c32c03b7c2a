// SPDX-License-Identifier: Apache-2.0
// Threads: life, stop, join, sleep, and that nothing is left behind.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <hv/clock.h>
#include <hv/ctx.h>
#include <hv/heap.h>
#include <hv/page.h>
#include <hv/sched.h>
#include <hv/thread.h>
#include <hv/workqueue.h>
#include <lib/errno.h>
#include <port/host.h>
#include <port/machine.h>
#include <string.h>

static int start(void **state)
{
    (void)state;
    machine_start(1);
    return 0;
}

static int answer(void *arg)
{
    *(struct thread **)arg = thread_current();
    return 42;
}

static void test_life(void **state)
{
    struct machine_census before = machine_census();
    struct thread *thread;
    struct thread *self = NULL;
    int code = 0;

    (void)state;
    assert_int_equal(thread_create("answer", answer, &self, 2, 0, &thread), 0);
    assert_int_equal(thread_state(thread), THREAD_CREATED);
    assert_string_equal(thread_name(thread), "answer");
    assert_ptr_equal(thread_vcpu(thread)->thread, thread);
    assert_int_equal(thread_vcpu(thread)->se.priority, 2);
    /* The idle VCPU, which is what a test is, is preempted at once. */
    assert_int_equal(thread_start(thread), 0);
    assert_int_equal(thread_state(thread), THREAD_STOPPED);
    assert_int_equal(thread_start(thread), -EINVAL);
    assert_int_equal(thread_join(thread, &code), 0);
    assert_int_equal(code, 42);
    assert_ptr_equal(self, thread);
    assert_null(thread_current());
    assert_int_equal(machine_census().heap_objects, before.heap_objects);
    assert_int_equal(machine_census().vcpus, before.vcpus);
}

static void test_bad_arguments(void **state)
{
    struct thread *thread;

    (void)state;
    assert_int_equal(thread_create(NULL, answer, NULL, 0, 0, &thread), -EINVAL);
    assert_int_equal(thread_create("x", NULL, NULL, 0, 0, &thread), -EINVAL);
    assert_int_equal(thread_create("x", answer, NULL, SCHED_PRIORITY_MAX + 1, 0, &thread), -EINVAL);
}

static void test_no_memory(void **state)
{
    struct machine_census before = machine_census();
    unsigned failures = 0;

    (void)state;
    for (unsigned n = 1;; n++) {
        struct thread *thread;
        int error;

        page_fail_after(n);
        error = thread_create("x", answer, NULL, 0, 0, &thread);
        page_fail_after(0);
        if (error == 0) {
            assert_int_equal(thread_join(thread, NULL), 0);
            break;
        }
        assert_int_equal(error, -ENOMEM);
        failures++;
    }
    assert_true(failures >= 2);
    assert_int_equal(machine_census().heap_objects, before.heap_objects);
    assert_int_equal(machine_census().vcpus, before.vcpus);
}

static void test_join_of_never_started(void **state)
{
    struct thread *thread;
    int code = 0;

    (void)state;
    assert_int_equal(thread_create("x", answer, NULL, 0, 0, &thread), 0);
    assert_int_equal(thread_join(thread, &code), 0);
    assert_int_equal(code, -ECANCELED);
}

static int sleep_until_stopped(void *arg)
{
    unsigned *rounds = arg;

    while (!thread_should_stop()) {
        int result = thread_sleep(10 * NS_PER_MS);

        if (result != 0)
            return result;
        ++*rounds;
    }
    return 0;
}

static void test_stop_ends_sleep(void **state)
{
    struct thread *thread;
    unsigned rounds = 0;
    int code = 0;

    (void)state;
    assert_int_equal(thread_create("sleeper", sleep_until_stopped, &rounds, 3, 0, &thread), 0);
    assert_int_equal(thread_start(thread), 0);
    machine_run_for(105 * NS_PER_MS);
    assert_int_equal(rounds, 10);
    assert_int_equal(thread_state(thread), THREAD_SLEEPING);
    thread_request_stop(thread);
    machine_run();
    assert_int_equal(thread_state(thread), THREAD_STOPPED);
    assert_int_equal(thread_join(thread, &code), 0);
    assert_int_equal(code, -EINTR);
    assert_int_equal(clock_now(), 105 * NS_PER_MS);
}

static int sleep_exactly(void *arg)
{
    uint64_t start_ns = clock_now();

    (void)arg;
    for (unsigned i = 1; i <= 100; i++) {
        uint64_t before = clock_now();

        if (thread_sleep(i * 12345) != 0 || clock_now() < before + i * 12345 ||
            clock_now() > before + i * 12345 + 100)
            return -EIO;
    }
    return clock_now() - start_ns > 100 * 12345 ? 0 : -EIO;
}

static void test_sleep_is_exact(void **state)
{
    (void)state;
    assert_int_equal(machine_call(sleep_exactly, NULL), 0);
}

/* A piece of work takes half of what a thread may have at once. */
static int work_in_pieces(void *arg)
{
    uint64_t since = clock_now();

    thread_start(arg);
    for (unsigned i = 0; i < 10; i++) {
        host_clock_advance_ns(THREAD_PIECE_NS / 2);
        thread_give_way(&since);
    }
    return 0;
}

static uint64_t other_ran_ns;

static int look_on(void *arg)
{
    (void)arg;
    other_ran_ns = clock_now();
    return 0;
}

static bool is_over(void *thread)
{
    return thread_state(thread) == THREAD_STOPPED;
}

static void test_long_work_lets_others_in(void **state)
{
    struct thread *worker, *other;
    uint64_t start_ns = clock_now();

    (void)state;
    assert_int_equal(thread_create("other", look_on, NULL, 3, 0, &other), 0);
    assert_int_equal(thread_create("worker", work_in_pieces, other, 5, 0, &worker), 0);
    assert_int_equal(thread_start(worker), 0);
    assert_true(machine_run_until(is_over, worker));
    /* It came after the first two pieces; nobody waited for a CPU then, and the rest was done at once. */
    assert_in_range(other_ran_ns - start_ns, THREAD_PIECE_NS, THREAD_PIECE_NS + 1000);
    assert_in_range(clock_now() - start_ns, 6 * THREAD_PIECE_NS, 6 * THREAD_PIECE_NS + 1000);
    assert_int_equal(thread_join(other, NULL), 0);
    assert_int_equal(thread_join(worker, NULL), 0);
}

static int join_child(void *arg)
{
    struct thread *child = arg;
    int code = 0;

    if (thread_join(thread_current(), NULL) != -EDEADLK)
        return -EIO;
    return thread_join(child, &code) != 0 ? -EIO : code;
}

static int end_later(void *arg)
{
    (void)arg;
    thread_sleep(NS_PER_SEC);
    return 7;
}

static void test_join_sleeps(void **state)
{
    struct thread *child;

    (void)state;
    assert_int_equal(thread_create("child", end_later, NULL, 3, 0, &child), 0);
    assert_int_equal(thread_start(child), 0);
    assert_int_equal(machine_call(join_child, child), 7);
    assert_int_equal(clock_now(), NS_PER_SEC);
}

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

static void test_detached_threads_vanish(void **state)
{
    struct machine_census before;

    (void)state;
    assert_int_equal(workqueue_start(), 0);
    machine_run();
    before = machine_census();
    for (unsigned i = 0; i < 100; i++) {
        struct thread *thread;

        assert_int_equal(thread_create("gone", nothing, NULL, (uint8_t)(i % 8), 0, &thread), 0);
        if (i % 2 == 0)
            thread_detach(thread);
        assert_int_equal(thread_start(thread), 0);
        machine_run();
        if (i % 2 != 0)
            thread_detach(thread);
        machine_run();
    }
    assert_int_equal(machine_census().heap_objects, before.heap_objects);
    assert_int_equal(machine_census().pages_free, before.pages_free);
    assert_int_equal(machine_census().vcpus, before.vcpus);
}

static const struct thread_info *find_info(const struct thread_info *rows, unsigned count,
                                           const char *name)
{
    for (unsigned i = 0; i < count; i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    return NULL;
}

static void test_list(void **state)
{
    const struct thread_config config = {.name = "listed",
                                         .fn = sleep_until_stopped,
                                         .priority = 2,
                                         .time_slice = 12345,
                                         .affinity = CPU_MASK(0),
                                         .uses_fp = true};
    struct thread *thread, *created;
    struct thread_info *rows;
    const struct thread_info *info;
    unsigned count;

    (void)state;
    assert_int_equal(thread_create_with(&config, &thread), 0);
    assert_int_equal(thread_create("created", answer, NULL, 1, 0, &created), 0);
    assert_int_equal(thread_set_priority(thread, 4), 0);
    assert_int_equal(thread_get_all(&rows, &count), 0);
    info = find_info(rows, count, "listed");
    assert_non_null(info);
    assert_int_equal(info->state, THREAD_CREATED);
    assert_int_equal(info->priority, 4);
    assert_int_equal(info->base_priority, 4);
    assert_int_equal(info->time_slice, 12345);
    assert_true(info->uses_fp);
    assert_int_equal(info->fn, (uintptr_t)sleep_until_stopped);
    info = find_info(rows, count, "created");
    assert_false(info->uses_fp);
    assert_string_equal(thread_state_name(info->state), "created");
    assert_null(find_info(rows, count, "idle/0"));
    heap_free(rows);
    thread_join(thread, NULL);
    thread_join(created, NULL);
}

static unsigned work_runs;
static struct work first_work;

static void slow_work(struct work *work)
{
    assert_ptr_equal(work, &first_work);
    thread_sleep(NS_PER_MS);
    work_runs++;
}

static int queue_and_flush(void *arg)
{
    bool first, second;

    (void)arg;
    work_init(&first_work, slow_work);
    /* The worker would take it at once. */
    preempt_disable();
    first = work_queue(&first_work);
    second = work_queue(&first_work);
    preempt_enable();
    if (!first || second)
        return -EIO;
    work_flush(&first_work);
    if (work_runs != 1)
        return -EIO;
    work_queue(&first_work);
    thread_sleep(NS_PER_MS / 2);
    /* It runs, so that it can be queued once more. */
    if (!work_queue(&first_work))
        return -EIO;
    work_flush(&first_work);
    work_flush(&first_work);
    return work_runs == 3 ? 0 : -EIO;
}

static void test_worker(void **state)
{
    (void)state;
    assert_int_equal(machine_call(queue_and_flush, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_life, start),
        cmocka_unit_test_setup(test_bad_arguments, start),
        cmocka_unit_test_setup(test_no_memory, start),
        cmocka_unit_test_setup(test_join_of_never_started, start),
        cmocka_unit_test_setup(test_stop_ends_sleep, start),
        cmocka_unit_test_setup(test_sleep_is_exact, start),
        cmocka_unit_test_setup(test_join_sleeps, start),
        cmocka_unit_test_setup(test_long_work_lets_others_in, start),
        cmocka_unit_test_setup(test_list, start),
        cmocka_unit_test_setup(test_detached_threads_vanish, start),
        cmocka_unit_test(test_worker),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
