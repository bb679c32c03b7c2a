// SPDX-License-Identifier: Apache-2.0
// Workqueues: order, delays, cancelling and flushing in every state, items that queue or free
// themselves, no memory.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <hv/clock.h>
#include <hv/heap.h>
#include <hv/page.h>
#include <hv/sched.h>
#include <hv/thread.h>
#include <hv/workqueue.h>
#include <lib/errno.h>
#include <port/host.h>
#include <port/machine.h>
#include <string.h>

#define ITEMS 6

static struct workqueue *queue;
static struct delayed_work item[ITEMS];
static char trace[64];
static uint64_t run_time;
static unsigned again;

static void run(struct work *work)
{
    trace[strlen(trace)] = (char)('0' + (container_of(work, struct delayed_work, work) - item));
    if (run_time != 0)
        thread_sleep(run_time);
    if (again != 0) {
        again--;
        assert_true(work_queue(work));
        assert_false(work_queue(work));
    }
}

static int start(void **state)
{
    (void)state;
    machine_start(1);
    memset(trace, 0, sizeof(trace));
    run_time = 0;
    again = 0;
    assert_int_equal(workqueue_create("test", 4, &queue), 0);
    for (unsigned i = 0; i < ITEMS; i++)
        work_init_delayed(&item[i], run, queue);
    machine_run();
    return 0;
}

static int destroy(void *arg)
{
    workqueue_destroy(arg);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    return machine_call(destroy, queue);
}

static void queue_masked(unsigned from, unsigned to)
{
    arch_irq_disable();
    for (unsigned i = from; i < to; i++)
        assert_true(work_queue(&item[i].work));
    arch_irq_enable();
}

static void test_in_order(void **state)
{
    (void)state;
    queue_masked(0, 4);
    machine_run();
    assert_string_equal(trace, "0123");
    arch_irq_disable();
    assert_true(work_queue(&item[0].work));
    assert_int_equal(work_state(&item[0].work), WORK_QUEUED);
    assert_false(work_queue(&item[0].work));
    assert_false(work_queue_after(&item[0], 0));
    arch_irq_enable();
    machine_run();
    assert_string_equal(trace, "01230");
}

static void test_delays(void **state)
{
    (void)state;
    assert_true(work_queue_after(&item[0], 3 * NS_PER_MS));
    assert_true(work_queue_after(&item[1], NS_PER_MS));
    assert_true(work_queue_after(&item[2], 2 * NS_PER_MS));
    assert_int_equal(work_state(&item[2].work), WORK_DELAYED);
    /* Another time, and at once. */
    assert_true(work_queue_after(&item[1], 5 * NS_PER_MS));
    assert_true(work_queue(&item[0].work));
    machine_run();
    assert_string_equal(trace, "0");
    machine_run_for(2 * NS_PER_MS);
    assert_string_equal(trace, "02");
    machine_run_for(2 * NS_PER_MS);
    assert_string_equal(trace, "02");
    machine_run_for(NS_PER_MS);
    assert_string_equal(trace, "021");
    assert_int_equal(hrtimer_count(0), 0);
}

static void test_cancel(void **state)
{
    (void)state;
    assert_false(work_cancel(&item[0].work));
    work_queue_after(&item[0], NS_PER_MS);
    assert_true(work_cancel(&item[0].work));
    assert_int_equal(hrtimer_count(0), 0);
    arch_irq_disable();
    work_queue(&item[1].work);
    assert_true(work_cancel(&item[1].work));
    arch_irq_enable();
    machine_run_for(2 * NS_PER_MS);
    assert_string_equal(trace, "");
    run_time = NS_PER_MS;
    work_queue(&item[2].work);
    machine_run();
    assert_int_equal(work_state(&item[2].work), WORK_IDLE);
    assert_false(work_cancel(&item[2].work));
    machine_run_for(2 * NS_PER_MS);
    assert_string_equal(trace, "2");
}

static int cancel_and_look(void *arg)
{
    struct delayed_work *work = arg;
    bool pending = work_cancel_wait(&work->work);

    return pending ? (int)clock_now() : -(int)clock_now();
}

static void test_cancel_waits(void **state)
{
    (void)state;
    run_time = 2 * NS_PER_MS;
    again = 10;
    work_queue(&item[0].work);
    machine_run_for(NS_PER_MS);
    /* It runs until 2 ms, and its wish to run again is refused. */
    again = 0;
    assert_int_equal(machine_call(cancel_and_look, &item[0]), -2 * (int)NS_PER_MS);
    assert_string_equal(trace, "0");
    work_queue(&item[0].work);
    machine_run_for(NS_PER_MS);
    work_queue(&item[0].work);
    assert_int_equal(machine_call(cancel_and_look, &item[0]), 4 * (int)NS_PER_MS);
    machine_run_for(10 * NS_PER_MS);
    assert_string_equal(trace, "00");
    assert_true(work_queue(&item[0].work));
}

static bool refused;

static void run_unwelcome(struct work *work)
{
    thread_sleep(NS_PER_MS);
    refused = !work_queue(work);
}

static void test_no_requeue_while_cancelled(void **state)
{
    struct delayed_work work;

    (void)state;
    refused = false;
    work_init_delayed(&work, run_unwelcome, queue);
    work_queue(&work.work);
    machine_call(cancel_and_look, &work);
    assert_true(refused);
    assert_int_equal(work_state(&work.work), WORK_IDLE);
}

static int flush_and_look(void *arg)
{
    struct delayed_work *work = arg;

    if (work_flush(&work->work) != 0)
        return -EIO;
    return (int)(clock_now() / NS_PER_MS);
}

static void test_flush(void **state)
{
    (void)state;
    assert_int_equal(machine_call(flush_and_look, &item[0]), 0);
    run_time = NS_PER_MS;
    queue_masked(0, 4);
    machine_run();
    /* Not what comes after it. */
    assert_int_equal(machine_call(flush_and_look, &item[1]), 2);
    assert_int_equal(machine_call(flush_and_look, &item[2]), 3);
    machine_run_for(NS_PER_MS);
    assert_string_equal(trace, "0123");
    /* A delayed one comes at once; one that queues itself for ever does not hold the flush. */
    again = 5;
    work_queue_after(&item[4], NS_PER_SEC);
    assert_int_equal(machine_call(flush_and_look, &item[4]), 5);
    assert_string_equal(trace, "012344");
    machine_run_for(10 * NS_PER_MS);
    assert_string_equal(trace, "0123444444");
}

static int flush_result;

static void flush_from_inside(struct work *work)
{
    flush_result = work_flush(work);
    if (flush_result == -EDEADLK)
        flush_result = workqueue_flush(queue);
    work_cancel_wait(work);
}

static int flush_queue(void *arg)
{
    workqueue_flush(arg);
    return (int)(clock_now() / NS_PER_MS);
}

static void test_flush_queue(void **state)
{
    struct delayed_work work;

    (void)state;
    run_time = NS_PER_MS;
    queue_masked(0, 4);
    assert_int_equal(machine_call(flush_queue, queue), 4);
    assert_string_equal(trace, "0123");
    work_init_delayed(&work, flush_from_inside, queue);
    work_queue(&work.work);
    machine_run();
    assert_int_equal(flush_result, -EDEADLK);
}

static void run_and_free(struct work *work)
{
    heap_free(work);
}

static void test_item_frees_itself(void **state)
{
    struct machine_census before = machine_census();

    (void)state;
    for (unsigned i = 0; i < 10; i++) {
        struct work *work = heap_zalloc(sizeof(*work));

        work_init_on(work, run_and_free, queue);
        work_queue(work);
    }
    machine_run();
    assert_int_equal(machine_census().heap_objects, before.heap_objects);
}

static void find_queue(const struct workqueue_stats *stats, void *arg)
{
    if (strcmp(stats->name, "test") == 0)
        *(struct workqueue_stats *)arg = *stats;
}

static void test_figures(void **state)
{
    struct workqueue_stats stats = {0};

    (void)state;
    run_time = NS_PER_MS;
    queue_masked(0, 3);
    machine_run_for(NS_PER_MS + NS_PER_MS / 2);
    workqueue_for_each(find_queue, &stats);
    assert_int_equal(stats.priority, 4);
    assert_int_equal(stats.queued, 1);
    assert_int_equal(stats.done, 1);
    assert_ptr_equal(stats.running, run);
    machine_run_for(3 * NS_PER_MS);
}

static void test_destroy_runs_what_is_queued(void **state)
{
    struct workqueue *other;

    (void)state;
    assert_int_equal(workqueue_create("other", 1, &other), 0);
    machine_run();
    run_time = NS_PER_MS;
    for (unsigned i = 0; i < 2; i++) {
        work_init_delayed(&item[i], run, other);
        work_queue(&item[i].work);
    }
    assert_int_equal(machine_call(destroy, other), 0);
    assert_string_equal(trace, "01");
}

static void test_no_memory(void **state)
{
    struct machine_census before = machine_census();
    unsigned failures = 0;

    (void)state;
    for (unsigned n = 1;; n++) {
        struct workqueue *other;
        int error;

        page_fail_after(n);
        error = workqueue_create("other", 1, &other);
        page_fail_after(0);
        if (error == 0) {
            machine_run();
            machine_call(destroy, other);
            break;
        }
        assert_int_equal(error, -ENOMEM);
        failures++;
    }
    assert_true(failures >= 1);
    assert_int_equal(machine_census().heap_objects, before.heap_objects);
    assert_int_equal(machine_census().vcpus, before.vcpus);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_in_order, start, stop),
        cmocka_unit_test_setup_teardown(test_delays, start, stop),
        cmocka_unit_test_setup_teardown(test_cancel, start, stop),
        cmocka_unit_test_setup_teardown(test_cancel_waits, start, stop),
        cmocka_unit_test_setup_teardown(test_no_requeue_while_cancelled, start, stop),
        cmocka_unit_test_setup_teardown(test_flush, start, stop),
        cmocka_unit_test_setup_teardown(test_flush_queue, start, stop),
        cmocka_unit_test_setup_teardown(test_item_frees_itself, start, stop),
        cmocka_unit_test_setup_teardown(test_figures, start, stop),
        cmocka_unit_test_setup_teardown(test_destroy_runs_what_is_queued, start, stop),
        cmocka_unit_test_setup_teardown(test_no_memory, start, stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
