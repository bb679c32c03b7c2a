// SPDX-License-Identifier: Apache-2.0
// Contexts, per-CPU copies, CPU masks, notifiers.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <hv/ctx.h>
#include <hv/notifier.h>
#include <hv/percpu.h>
#include <port/host.h>
#include <stdlib.h>
#include <string.h>

static DEFINE_PER_CPU(uint64_t, test_value);

static void test_contexts(void **state)
{
    (void)state;
    assert_int_equal(ctx_current(), CTX_ORPHAN);
    this_cpu(ctx_state).normal = true;
    assert_int_equal(ctx_current(), CTX_NORMAL);
    ctx_enter_irq();
    assert_int_equal(ctx_current(), CTX_IRQ);
    ctx_leave_irq();
    assert_int_equal(ctx_current(), CTX_NORMAL);
    this_cpu(ctx_state).normal = false;
    ctx_assert_may_sleep();
}

static void sleep_in_irq(void *arg)
{
    (void)arg;
    ctx_enter_irq();
    ctx_assert_may_sleep();
}

static void sleep_with_lock(void *arg)
{
    (void)arg;
    preempt_disable();
    ctx_assert_may_sleep();
}

static void test_sleep_in_atomic_context_panics(void **state)
{
    (void)state;
    host_console_clear();
    assert_int_equal(host_run(sleep_in_irq, NULL), HOST_STOP_HALT);
    assert_non_null(strstr(host_console_text(), "interrupt depth 1"));
}

static void test_sleep_with_preemption_off_panics(void **state)
{
    (void)state;
    /* A second panic of the same CPU counts as one while showing the first. */
    assert_int_equal(host_run(sleep_with_lock, NULL), HOST_STOP_HALT);
    assert_non_null(strstr(host_console_text(), "preempt count 1"));
}

static void act_for_a_guest(void *arg)
{
    (void)arg;
    this_cpu(ctx_state) = (struct ctx_state){.normal = true};
    ctx_assert_orphan();
}

static void test_threads_only(void **state)
{
    (void)state;
    this_cpu(ctx_state) = (struct ctx_state){0};
    ctx_assert_orphan();
    assert_int_equal(host_run(act_for_a_guest, NULL), HOST_STOP_HALT);
}

static void test_percpu_copies(void **state)
{
    void *memory = aligned_alloc(4096, (percpu_size() + 4095) & ~4095UL);

    (void)state;
    memset(memory, 0xff, percpu_size());
    this_cpu(test_value) = 7;
    percpu_create(2, memory);
    assert_int_equal(per_cpu(test_value, 0), 7);
    assert_int_equal(per_cpu(test_value, 2), 0);
    assert_int_equal(cpu_id(), 0);
    host_cpu_switch(2);
    assert_int_equal(cpu_id(), 2);
    assert_int_equal(this_cpu(test_value), 0);
    this_cpu(test_value) = 9;
    host_cpu_switch(0);
    assert_int_equal(this_cpu(test_value), 7);
    assert_int_equal(per_cpu(test_value, 2), 9);
    percpu_offsets[2] = 0;
    free(memory);
}

static void test_cpu_masks(void **state)
{
    (void)state;
    assert_int_equal(cpu_online(), 0);
    cpu_set_online(0);
    cpu_info(3)->error = -5;
    cpu_set_online(3);
    assert_int_equal(cpu_online(), 9);
    assert_int_equal(cpu_online_count(), 2);
    assert_int_equal(cpu_info(3)->status, CPU_ONLINE);
    assert_int_equal(cpu_info(3)->error, 0);
    cpu_set_count(4);
    assert_int_equal(cpu_count(), 4);
}

static unsigned order[3], calls;

static void notify(struct notifier *self, unsigned event, void *data)
{
    assert_int_equal(event, 5);
    order[calls++] = (unsigned)(self - (struct notifier *)data);
}

static void test_notifiers_in_order(void **state)
{
    struct notifier_chain chain = {0};
    struct notifier n[3] = {{.notify = notify}, {.notify = notify}, {.notify = notify}};

    (void)state;
    notifier_call(&chain, 5, n);
    assert_int_equal(calls, 0);
    notifier_add(&chain, &n[1]);
    notifier_add(&chain, &n[0]);
    notifier_add(&chain, &n[2]);
    notifier_call(&chain, 5, n);
    assert_int_equal(calls, 3);
    assert_int_equal(order[0], 1);
    assert_int_equal(order[1], 0);
    assert_int_equal(order[2], 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_contexts),
        cmocka_unit_test(test_percpu_copies),
        cmocka_unit_test(test_cpu_masks),
        cmocka_unit_test(test_notifiers_in_order),
        cmocka_unit_test(test_sleep_in_atomic_context_panics),
        cmocka_unit_test(test_sleep_with_preemption_off_panics),
        cmocka_unit_test(test_threads_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
