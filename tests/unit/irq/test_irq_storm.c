// SPDX-License-Identifier: Apache-2.0
// Interrupt storms: found by their rate, off for a while, on again by a one-shot timer, and who is
// left alone. Threaded handlers: off until the thread has run.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <hv/clock.h>
#include <hv/ctx.h>
#include <hv/hrtimer.h>
#include <hv/initcall.h>
#include <hv/irq.h>
#include <hv/irq_thread.h>
#include <hv/log.h>
#include <hv/thread.h>
#include <lib/errno.h>
#include <port/host.h>
#include <port/machine.h>
#include <string.h>

#define IRQ 40
#define WINDOW 4096

TABLE_DECLARE(initcalls, struct initcall);

static unsigned handled, warnings;
static enum irq_result answer;

static enum irq_result handler(uint32_t irq, void *arg)
{
    (void)irq;
    (void)arg;
    handled++;
    return answer;
}

static void count_warning(const char *text, size_t size)
{
    (void)size;
    warnings += strstr(text, "a second: off") != NULL;
}

static int boot(void **state)
{
    (void)state;
    machine_start(1);
    TABLE_FOREACH(initcalls, struct initcall, call) {
        if (strcmp((*call)->name, "irq_thread_init") == 0)
            (*call)->fn();
    }
    log_set_sink(count_warning);
    return irq_request(IRQ, "noisy", handler, NULL);
}

static int setup(void **state)
{
    (void)state;
    irq_operator_enable(IRQ, true);
    irq_enable(IRQ);
    answer = IRQ_HANDLED;
    handled = warnings = 0;
    return 0;
}

/* count interrupts, each a while after the other; those that are off stay pending. */
static void interrupts(uint32_t irq, unsigned count, uint64_t ns)
{
    for (unsigned i = 0; i < count; i++) {
        host_irq_raise(0, irq);
        host_clock_advance_ns(ns);
    }
}

static struct irq_info info_of(uint32_t irq)
{
    struct irq_info info;

    assert_int_equal(irq_get_info(irq, &info), 0);
    return info;
}

static void test_what_is_no_storm(void **state)
{
    (void)state;
    interrupts(IRQ, 4 * WINDOW, 25000); /* 40000 a second */
    assert_int_equal(handled, 4 * WINDOW);
    assert_int_equal(info_of(IRQ).storms, 0);
    assert_int_equal(info_of(IRQ).state, IRQ_STATE_ENABLED);
}

static void test_storm(void **state)
{
    unsigned timers = hrtimer_count(0);

    (void)state;
    for (unsigned i = 0; i < 2 * WINDOW && host_irq_is_enabled(IRQ); i++)
        interrupts(IRQ, 1, 1000);
    assert_false(host_irq_is_enabled(IRQ));
    assert_in_range(handled, 1, 2 * WINDOW);
    assert_int_equal(info_of(IRQ).state, IRQ_STATE_STORM);
    assert_int_equal(info_of(IRQ).storms, 1);
    assert_int_equal(info_of(IRQ).storm_ns, 10 * NS_PER_MS);
    assert_int_equal(warnings, 1);
    assert_int_equal(hrtimer_count(0), timers + 1);
    handled = 0;
    interrupts(IRQ, 1, 1000);
    assert_int_equal(handled, 0);
    host_clock_advance_ns(9 * NS_PER_MS);
    assert_false(host_irq_is_enabled(IRQ));
    /* On again by itself, what was pending comes, and no timer is left. */
    host_clock_advance_ns(2 * NS_PER_MS);
    assert_true(host_irq_is_enabled(IRQ));
    host_irq_poll();
    assert_int_equal(handled, 1);
    assert_int_equal(hrtimer_count(0), timers);
}

/* Longer each time, but no longer than a second, and the log is spared. */
static void test_storm_that_goes_on(void **state)
{
    (void)state;
    host_clock_advance_ns(10 * NS_PER_SEC);
    for (unsigned i = 0; i < 200000; i++)
        interrupts(IRQ, 1, 1000);
    for (unsigned i = 0; i < 20; i++) {
        host_clock_advance_ns(NS_PER_SEC);
        for (unsigned n = 0; n < 3 * WINDOW && host_irq_is_enabled(IRQ); n++)
            interrupts(IRQ, 1, 1000);
    }
    assert_int_equal(info_of(IRQ).storm_ns, NS_PER_SEC);
    assert_in_range(warnings, 7, 8);
    /* After a long peace it begins with a short pause. */
    host_clock_advance_ns(60 * NS_PER_SEC);
    for (unsigned n = 0; n < 3 * WINDOW && host_irq_is_enabled(IRQ); n++)
        interrupts(IRQ, 1, 1000);
    assert_int_equal(info_of(IRQ).storm_ns, 10 * NS_PER_MS);
}

static void test_operator_ends_a_storm(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 3 * WINDOW && host_irq_is_enabled(IRQ); n++)
        interrupts(IRQ, 1, 1000);
    assert_false(host_irq_is_enabled(IRQ));
    assert_int_equal(irq_operator_enable(IRQ, true), 0);
    assert_true(host_irq_is_enabled(IRQ));
    /* Disabled, it does not come back after the pause. */
    for (unsigned n = 0; n < 3 * WINDOW && host_irq_is_enabled(IRQ); n++)
        interrupts(IRQ, 1, 1000);
    assert_int_equal(irq_operator_enable(IRQ, false), 0);
    host_clock_advance_ns(5 * NS_PER_SEC);
    assert_false(host_irq_is_enabled(IRQ));
}

static void test_who_is_left_alone(void **state)
{
    uint64_t storms = info_of(IRQ).storms;

    (void)state;
    answer = IRQ_KEEP_ACTIVE; /* a guest ends it, so that it can not storm */
    interrupts(IRQ, 4 * WINDOW, 1000);
    assert_int_equal(handled, 4 * WINDOW);
    answer = IRQ_HANDLED;
    assert_int_equal(irq_set_storm_rate(IRQ, 0), 0);
    interrupts(IRQ, 4 * WINDOW, 1000);
    assert_int_equal(handled, 8 * WINDOW);
    assert_int_equal(irq_set_storm_rate(IRQ, 50000), 0);
    assert_int_equal(irq_set_storm_rate(200, 50000), -ENOENT);
    /* Private ones: the hypervisor lives on them. */
    assert_int_equal(irq_request(20, "private", handler, NULL), 0);
    interrupts(20, 4 * WINDOW, 1000);
    assert_int_equal(handled, 12 * WINDOW);
    irq_release(20);
    assert_int_equal(info_of(IRQ).storms, storms);
}

/* Threaded handlers */

static struct {
    unsigned first, second;
    bool level;
    uint64_t sleep_ns;
    enum irq_result first_answer;
} halves;

static enum irq_result first(uint32_t irq, void *arg)
{
    assert_int_equal(irq, 41);
    assert_ptr_equal(arg, &halves);
    assert_int_equal(ctx_current(), CTX_IRQ);
    halves.first++;
    return halves.first_answer;
}

static void second(uint32_t irq, void *arg)
{
    assert_ptr_equal(arg, &halves);
    assert_int_equal(ctx_current(), CTX_ORPHAN);
    assert_false(host_irq_is_enabled(irq));
    assert_int_equal(info_of(irq).state, IRQ_STATE_HELD);
    thread_sleep(halves.sleep_ns);
    assert_false(host_irq_is_enabled(irq));
    halves.second++;
}

static int request_thread(void *arg)
{
    return irq_thread_request(41, "slow", arg == NULL ? NULL : first, second, &halves);
}

static int release_thread(void *arg)
{
    (void)arg;
    irq_thread_release(41);
    return 0;
}

static void test_thread(void **state)
{
    struct machine_census before = machine_census(), after;

    (void)state;
    memset(&halves, 0, sizeof(halves));
    halves.sleep_ns = NS_PER_MS;
    assert_int_equal(irq_thread_request(20, "x", first, second, &halves), -EINVAL);
    assert_int_equal(machine_call(request_thread, &halves), 0);
    assert_true(irq_thread_exists(41));
    assert_int_equal(machine_call(request_thread, &halves), -EBUSY);
    irq_enable(41);
    /* The first half alone. */
    halves.first_answer = IRQ_HANDLED;
    host_irq_raise(0, 41);
    machine_run();
    assert_int_equal(halves.first, 1);
    assert_int_equal(halves.second, 0);
    assert_true(host_irq_is_enabled(41));
    /* Both: off until the second is done, though it sleeps; what comes meanwhile comes then. */
    halves.first_answer = IRQ_WAKE_THREAD;
    host_irq_raise(0, 41);
    assert_false(host_irq_is_enabled(41));
    machine_run();
    host_irq_raise(0, 41);
    assert_int_equal(halves.first, 2);
    machine_run_for(10 * NS_PER_MS);
    assert_int_equal(halves.first, 3);
    assert_int_equal(halves.second, 2);
    assert_true(host_irq_is_enabled(41));
    /* Disabled by its owner meanwhile, it stays off. */
    host_irq_raise(0, 41);
    machine_run();
    irq_disable(41);
    machine_run_for(10 * NS_PER_MS);
    assert_int_equal(halves.second, 3);
    assert_false(host_irq_is_enabled(41));
    /* Released while the second half sleeps: it is waited for. */
    irq_enable(41);
    host_irq_raise(0, 41);
    machine_run();
    assert_int_equal(machine_call(release_thread, NULL), 0);
    assert_false(irq_thread_exists(41));
    assert_null(irq_owner(41));
    machine_run_for(NS_PER_MS);
    after = machine_census();
    assert_int_equal(after.vcpus, before.vcpus);
    assert_int_equal(after.heap_objects, before.heap_objects);
}

static void test_thread_without_first_half(void **state)
{
    (void)state;
    memset(&halves, 0, sizeof(halves));
    assert_int_equal(machine_call(request_thread, NULL), 0);
    irq_enable(41);
    host_irq_raise(0, 41);
    machine_run_for(NS_PER_MS);
    assert_int_equal(halves.second, 1);
    assert_int_equal(machine_call(release_thread, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_what_is_no_storm, setup),
        cmocka_unit_test_setup(test_storm, setup),
        cmocka_unit_test_setup(test_storm_that_goes_on, setup),
        cmocka_unit_test_setup(test_operator_ends_a_storm, setup),
        cmocka_unit_test_setup(test_who_is_left_alone, setup),
        cmocka_unit_test_setup(test_thread, setup),
        cmocka_unit_test_setup(test_thread_without_first_half, setup),
    };

    return cmocka_run_group_tests(tests, boot, NULL);
}
