// SPDX-License-Identifier: Apache-2.0
// Kicks and cross-CPU calls.

#include <arch/barrier.h>
#include <arch/irqflags.h>
#include <arch/system.h>
#include <hv/ctx.h>
#include <hv/irq.h>
#include <hv/panic.h>
#include <hv/smp.h>
#include <stddef.h>

/* What a CPU asks of others: one call at a time, as it does not go on before all are done. */
struct call_slot {
    void (*fn)(void *arg);
    void *arg;
    cpumask_t remaining; /* CPUs that have not finished yet */
};
static DEFINE_PER_CPU(struct call_slot, call_slot);
/* CPUs whose slot asks this CPU. */
static DEFINE_PER_CPU(cpumask_t, call_from);

static inline void sgi_send(const struct irqchip *chip, uint32_t sgi, cpumask_t cpus)
{
    arch_barrier_io_write();
    chip->send(sgi, cpus);
}

void smp_send(uint32_t sgi, unsigned cpu)
{
    sgi_send(irq_chip(), sgi, CPU_MASK(cpu));
}

void smp_kick(unsigned cpu)
{
    const struct irqchip *chip = irq_chip();

    /*
     * To this CPU, too: the caller may be moved to another one before it gets to its own way out.
     */
    if (chip != NULL)
        sgi_send(chip, SMP_SGI_KICK, CPU_MASK(cpu));
}

/* Serve all calls that ask this CPU. IRQs masked. */
static void calls_serve(void)
{
    cpumask_t from = __atomic_exchange_n(&this_cpu(call_from), 0, __ATOMIC_ACQ_REL);
    unsigned self = cpu_id();

    for (; from != 0; from &= from - 1) {
        struct call_slot *slot = &per_cpu(call_slot, (unsigned)__builtin_ctzll(from));

        slot->fn(slot->arg);
        __atomic_fetch_and(&slot->remaining, ~CPU_MASK(self), __ATOMIC_RELEASE);
    }
}

/*
 * Until all are done. Serving meanwhile, so that CPUs that call each other with interrupts masked
 * get through as well.
 */
static void calls_wait(struct call_slot *slot)
{
    while (__atomic_load_n(&slot->remaining, __ATOMIC_ACQUIRE) != 0) {
        if (__atomic_load_n(&this_cpu(call_from), __ATOMIC_RELAXED) != 0) {
            irqflags_t flags = arch_irq_save();

            ctx_enter_irq();
            calls_serve();
            ctx_leave_irq();
            arch_irq_restore(flags);
        }
        arch_cpu_relax();
    }
}

static void call_self(void (*fn)(void *arg), void *arg)
{
    irqflags_t flags = arch_irq_save();

    ctx_enter_irq();
    fn(arg);
    ctx_leave_irq();
    arch_irq_restore(flags);
}

void smp_call(cpumask_t mask, void (*fn)(void *arg), void *arg)
{
    cpumask_t targets;
    struct call_slot *slot;
    unsigned self;

    ctx_assert_may_sleep();
    preempt_disable();
    self = cpu_id();
    slot = &this_cpu(call_slot);
    targets = mask & cpu_online() & ~CPU_MASK(self);
    if (targets != 0) {
        slot->fn = fn;
        slot->arg = arg;
        __atomic_store_n(&slot->remaining, targets, __ATOMIC_RELEASE);
        for (cpumask_t left = targets; left != 0; left &= left - 1)
            __atomic_fetch_or(&per_cpu(call_from, (unsigned)__builtin_ctzll(left)), CPU_MASK(self),
                              __ATOMIC_ACQ_REL);
        sgi_send(irq_chip(), SMP_SGI_CALL, targets);
    }
    if ((mask & CPU_MASK(self)) != 0)
        call_self(fn, arg);
    calls_wait(slot);
    preempt_enable();
}

static enum irq_result call_handler(uint32_t irq, void *arg)
{
    (void)irq;
    (void)arg;
    calls_serve();
    return IRQ_HANDLED;
}

static enum irq_result stop_handler(uint32_t irq, void *arg)
{
    (void)irq;
    (void)arg;
    arch_system_halt();
}

static const struct {
    uint32_t sgi;
    const char *name;
    irq_handler handler;
} sgis[] = {
    {SMP_SGI_KICK, "kick", NULL},
    {SMP_SGI_CALL, "cross-CPU call", call_handler},
    {SMP_SGI_STOP, "stop", stop_handler},
};

int smp_init_cpu(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(sgis); i++) {
        /* The handlers are the same on all CPUs; the boot CPU comes first. */
        int err = irq_owner(sgis[i].sgi) == NULL
                      ? irq_request(sgis[i].sgi, sgis[i].name, sgis[i].handler, NULL)
                      : 0;

        if (err != 0)
            return err;
        irq_enable(sgis[i].sgi);
    }
    return 0;
}
