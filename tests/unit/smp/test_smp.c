// SPDX-License-Identifier: Apache-2.0
// Cross-CPU calls and kicks on simulated CPUs.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arch/irqflags.h>
#include <hv/ctx.h>
#include <hv/irq.h>
#include <hv/smp.h>
#include <port/host.h>
#include <port/machine.h>
#include <string.h>

#define CPUS 4

static int set_up(void **state)
{
    (void)state;
    machine_start(CPUS);
    return 0;
}

static unsigned calls[CPUS];

static void record(void *arg)
{
    assert_ptr_equal(arg, calls);
    assert_true(arch_irq_is_disabled());
    assert_int_equal(ctx_current(), CTX_IRQ);
    calls[cpu_id()]++;
}

static void assert_called(unsigned mask)
{
    for (unsigned cpu = 0; cpu < CPUS; cpu++)
        assert_int_equal(calls[cpu], (mask >> cpu) & 1);
    memset(calls, 0, sizeof(calls));
    assert_int_equal(cpu_id(), 0);
    assert_int_equal(this_cpu(ctx_state).preempt_count, 0);
}

static void test_call(void **state)
{
    (void)state;
    smp_call(CPU_MASK_ALL, record, calls);
    assert_called(15);
    smp_call(CPU_MASK(2), record, calls);
    assert_called(4);
    smp_call(CPU_MASK(0), record, calls);
    assert_called(1);
    smp_call(0, record, calls);
    assert_called(0);
    /* CPUs that are not there are left out. */
    smp_call(CPU_MASK(5) | CPU_MASK(1), record, calls);
    assert_called(2);
}

static void test_call_from_another_cpu(void **state)
{
    (void)state;
    host_cpu_switch(3);
    smp_call(CPU_MASK(0) | CPU_MASK(3), record, calls);
    host_cpu_switch(0);
    assert_called(9);
}

static void test_call_with_interrupts_masked(void **state)
{
    irqflags_t flags = arch_irq_save();

    (void)state;
    smp_call(CPU_MASK_ALL, record, calls);
    assert_true(arch_irq_is_disabled());
    arch_irq_restore(flags);
    assert_called(15);
}

static void test_kick(void **state)
{
    uint64_t before = irq_count(SMP_SGI_KICK, 1);

    (void)state;
    smp_kick(1);
    host_cpu_switch(1);
    host_cpu_switch(0);
    assert_int_equal(irq_count(SMP_SGI_KICK, 1), before + 1);
    assert_string_equal(irq_owner(SMP_SGI_KICK), "kick");
}

static void call_with_lock(void *arg)
{
    preempt_disable();
    smp_call(CPU_MASK_ALL, record, arg);
}

static void be_stopped(void *arg)
{
    (void)arg;
    irq_chip()->send(SMP_SGI_STOP, CPU_MASK(0));
}

static void test_stop(void **state)
{
    (void)state;
    assert_int_equal(host_run(be_stopped, NULL), HOST_STOP_HALT);
}

static void test_call_with_lock_panics(void **state)
{
    (void)state;
    assert_int_equal(host_run(call_with_lock, calls), HOST_STOP_HALT);
    assert_non_null(strstr(host_console_text(), "preempt count 1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_call, set_up),
        cmocka_unit_test_setup(test_call_from_another_cpu, set_up),
        cmocka_unit_test_setup(test_call_with_interrupts_masked, set_up),
        cmocka_unit_test_setup(test_kick, set_up),
        cmocka_unit_test_setup(test_call_with_lock_panics, set_up),
        cmocka_unit_test_setup(test_stop, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
