// SPDX-License-Identifier: Apache-2.0
// What is asked of host interrupts from above: routes, the operator's switch, and how they are.

#include "irq_internal.h"

#include <arch/irqflags.h>
#include <hv/panic.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <stddef.h>

static cpumask_t isolated; /* under irq_lock */

/* Routes */

/* Shared interrupts that go to a CPU. */
static unsigned routed(unsigned cpu)
{
    unsigned count = 0;

    for (uint32_t irq = irq_next(IRQ_SHARED_FIRST - 1); irq != IRQ_NONE; irq = irq_next(irq)) {
        const struct irq_desc *desc = irq_desc_find(irq);

        count += desc != NULL && desc->owned && desc->cpu == cpu;
    }
    return count;
}

static unsigned least_loaded(cpumask_t cpus)
{
    unsigned best = (unsigned)__builtin_ctzll(cpus);
    unsigned load = UINT32_MAX;

    for (cpumask_t left = cpus; left != 0; left &= left - 1) {
        unsigned cpu = (unsigned)__builtin_ctzll(left), count = routed(cpu);

        if (count < load) {
            best = cpu;
            load = count;
        }
    }
    return best;
}

int irq_desc_route(struct irq_desc *desc, cpumask_t cpus)
{
    cpumask_t online = cpus & cpu_online(), usable = online & ~isolated;
    unsigned cpu;
    int err;

    if (desc->irq < IRQ_SHARED_FIRST || online == 0)
        return -EINVAL;
    if (usable == 0)
        return -EBUSY;
    if (desc->domain->ops->set_affinity == NULL)
        return -EOPNOTSUPP;
    cpu = (usable & CPU_MASK(desc->cpu)) != 0 ? desc->cpu : least_loaded(usable);
    err = desc->domain->ops->set_affinity(desc->domain, desc->hwirq, cpu);
    if (err != 0)
        return err;
    desc->cpu = cpu;
    desc->affinity = cpus;
    return 0;
}

int irq_set_affinity(uint32_t irq, cpumask_t cpus)
{
    irqflags_t flags = spin_lock_irqsave(&irq_lock);
    struct irq_desc *desc = irq_desc_find(irq);
    int err = desc == NULL ? -ENOENT : irq_desc_route(desc, cpus);

    spin_unlock_irqrestore(&irq_lock, flags);
    return err;
}

/* One that could go nowhere else stays where it is. */
void irq_set_isolated(cpumask_t cpus)
{
    irqflags_t flags = spin_lock_irqsave(&irq_lock);

    isolated = cpus;
    for (uint32_t irq = irq_next(IRQ_SHARED_FIRST - 1); irq != IRQ_NONE; irq = irq_next(irq)) {
        struct irq_desc *desc = irq_desc_find(irq);

        if (desc != NULL)
            (void)irq_desc_route(desc, desc->affinity);
    }
    spin_unlock_irqrestore(&irq_lock, flags);
}

/* Switches */

int irq_operator_enable(uint32_t irq, bool on)
{
    irqflags_t flags;
    struct irq_desc *desc;

    if (irq < IRQ_SHARED_FIRST)
        return -EPERM;
    flags = spin_lock_irqsave(&irq_lock);
    desc = irq_desc_find(irq);
    if (desc != NULL && on)
        irq_desc_switch(desc, 0, IRQ_OFF_OPERATOR | IRQ_OFF_STORM | IRQ_OFF_UNHANDLED);
    else if (desc != NULL)
        irq_desc_switch(desc, IRQ_OFF_OPERATOR, 0);
    spin_unlock_irqrestore(&irq_lock, flags);
    return desc == NULL ? -ENOENT : 0;
}

int irq_set_storm_rate(uint32_t irq, uint32_t per_second)
{
    struct irq_desc *desc = irq_desc_find(irq);

    if (desc == NULL)
        return -ENOENT;
    __atomic_store_n(&desc->storm_rate, per_second, __ATOMIC_RELAXED);
    return 0;
}

int irq_raise(uint32_t irq)
{
    const struct irq_desc *desc = irq_desc_find(irq);

    if (desc == NULL)
        return -ENOENT;
    if (desc->domain != irq_root_domain() || irq_chip()->raise == NULL)
        return -EOPNOTSUPP;
    irq_chip()->raise(irq);
    return 0;
}

/* How they are */

static enum irq_state state_of(const struct irq_desc *desc)
{
    if (desc->irq < IRQ_SHARED_FIRST)
        return desc->owned ? IRQ_STATE_ENABLED : IRQ_STATE_OFF;
    if ((desc->off & IRQ_OFF_OWNER) != 0)
        return IRQ_STATE_OFF;
    if ((desc->off & IRQ_OFF_OPERATOR) != 0)
        return IRQ_STATE_OPERATOR;
    if ((desc->off & IRQ_OFF_UNHANDLED) != 0)
        return IRQ_STATE_UNHANDLED;
    if ((desc->off & IRQ_OFF_STORM) != 0)
        return IRQ_STATE_STORM;
    return desc->off != 0 ? IRQ_STATE_HELD : IRQ_STATE_ENABLED;
}

const char *irq_state_name(enum irq_state state)
{
    static const char *const names[] = {
        [IRQ_STATE_OFF] = "off",     [IRQ_STATE_ENABLED] = "enabled",
        [IRQ_STATE_HELD] = "held",   [IRQ_STATE_OPERATOR] = "disabled",
        [IRQ_STATE_STORM] = "storm", [IRQ_STATE_UNHANDLED] = "unhandled",
    };

    return names[state];
}

static void describe(const struct irq_desc *desc, struct irq_info *info)
{
    *info = (struct irq_info){
        .irq = desc->irq,
        .hwirq = desc->hwirq,
        .trigger = desc->trigger,
        .is_private = desc->irq < IRQ_SHARED_FIRST,
        .affinity = desc->affinity,
        .cpu = desc->cpu,
        .state = state_of(desc),
        .storm_rate = desc->storm_rate,
        .unhandled = desc->unhandled,
        .storms = desc->storms,
        .storm_ns = desc->storm_ns,
    };
    (void)str_copy(info->domain,
                   desc->domain == irq_root_domain() ? irq_chip()->name : desc->domain->name,
                   sizeof(info->domain));
    (void)str_copy(info->name, desc->name, sizeof(info->name));
}

int irq_get_info(uint32_t irq, struct irq_info *info)
{
    irqflags_t flags = spin_lock_irqsave(&irq_lock);
    const struct irq_desc *desc = irq_desc_find(irq);

    if (desc != NULL)
        describe(desc, info);
    spin_unlock_irqrestore(&irq_lock, flags);
    return desc == NULL ? -ENOENT : 0;
}
