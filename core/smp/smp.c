// SPDX-License-Identifier: Apache-2.0
// Cross-CPU interrupts: kick (look at your work), call (run this), stop (for good).
#include <hv/smp.h>

#include <arch/barrier.h>
#include <arch/irqflags.h>
#include <arch/system.h>
#include <hv/ctx.h>
#include <hv/irq.h>
#include <hv/panic.h>
#include <hv/percpu.h>
#include <lib/macros.h>

/* One call in flight for each caller: a caller waits until its own is done, with interrupts enabled. */
struct smp_call {
    void (*fn)(void *arg);
    void *arg;
    cpumask_t todo; /* CPUs that have not run it yet; atomic, set last */
};

static DEFINE_PER_CPU(struct smp_call, smp_calls);

static enum irq_result kick_interrupt(uint32_t irq, void *arg)
{
    (void)irq;
    (void)arg;
    return IRQ_HANDLED; /* that it came is the message */
}

static enum irq_result call_interrupt(uint32_t irq, void *arg)
{
    cpumask_t self = CPU_MASK(cpu_id());

    (void)irq;
    (void)arg;
    for (unsigned cpu = 0; cpu < SMP_CPUS_MAX; cpu++) {
        struct smp_call *call;

        if (!(cpu_online() & CPU_MASK(cpu)))
            continue;
        call = &per_cpu(smp_calls, cpu);
        if (!(__atomic_load_n(&call->todo, __ATOMIC_ACQUIRE) & self))
            continue;
        call->fn(call->arg);
        __atomic_fetch_and(&call->todo, ~self, __ATOMIC_RELEASE);
    }
    return IRQ_HANDLED;
}

static enum irq_result stop_interrupt(uint32_t irq, void *arg)
{
    (void)irq;
    (void)arg;
    arch_system_halt();
}

int smp_init_cpu(void)
{
    int err = 0;

    if (cpu_id() == 0) {
        err = irq_request(SMP_SGI_KICK, "kick", kick_interrupt, NULL);
        if (!err)
            err = irq_request(SMP_SGI_CALL, "call", call_interrupt, NULL);
        if (!err)
            err = irq_request(SMP_SGI_STOP, "stop", stop_interrupt, NULL);
    }
    if (err)
        return err;
    irq_enable(SMP_SGI_KICK);
    irq_enable(SMP_SGI_CALL);
    irq_enable(SMP_SGI_STOP);
    return 0;
}

void smp_kick(unsigned cpu)
{
    irq_chip()->send(SMP_SGI_KICK, CPU_MASK(cpu));
}

static void call_self(void (*fn)(void *arg), void *arg)
{
    irqflags_t flags = arch_irq_save();

    fn(arg);
    arch_irq_restore(flags);
}

void smp_call(cpumask_t mask, void (*fn)(void *arg), void *arg)
{
    struct smp_call *call;
    cpumask_t self, others;

    /* No preemption: the slot belongs to this CPU until the others are done. */
    preempt_disable();
    self = CPU_MASK(cpu_id());
    others = mask & cpu_online() & ~self;
    if (others) {
        ASSERT(!arch_irq_is_disabled()); /* two callers would wait for each other */
        call = &this_cpu(smp_calls);
        call->fn = fn;
        call->arg = arg;
        __atomic_store_n(&call->todo, others, __ATOMIC_SEQ_CST);
        irq_chip()->send(SMP_SGI_CALL, others);
    }
    if (mask & self)
        call_self(fn, arg);
    while (others && __atomic_load_n(&this_cpu(smp_calls).todo, __ATOMIC_ACQUIRE))
        arch_cpu_relax();
    preempt_enable();
}
