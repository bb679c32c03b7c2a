// SPDX-License-Identifier: Apache-2.0
// Host interrupts: the root controller, handlers, dispatch and counts.

#include "irq_internal.h"

#include <arch/barrier.h>
#include <arch/irqflags.h>
#include <hv/ctx.h>
#include <hv/log.h>
#include <hv/match.h>
#include <hv/panic.h>
#include <hv/percpu.h>
#include <hv/upcall.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <stddef.h>

TABLE_DECLARE(irqchips, struct dt_match);

struct spinlock irq_lock = SPINLOCK_INIT;

static const struct irqchip *root_chip;
static struct irq_desc *root_descs[IRQ_MAX];
static DEFINE_PER_CPU(uint64_t[IRQ_MAX], root_counts);
static uint64_t spurious;

int irq_set_chip(const struct irqchip *chip)
{
    if (chip->total == 0 || chip->total > IRQ_MAX)
        return -EINVAL;
    if (root_chip != NULL)
        return -EBUSY;
    root_chip = chip;
    return 0;
}

const struct irqchip *irq_chip(void)
{
    return root_chip;
}

/* Tries one match table entry on every node that it fits. 0 when one of them became the root. */
static int probe_match(const struct dt_match *match)
{
    for (const char *const *compatible = match->compatible; *compatible != NULL; compatible++) {
        struct dt_node *node = NULL;

        while ((node = dt_find_compatible(node, *compatible)) != NULL) {
            int err;

            if (!dt_is_enabled(node))
                continue;
            irq_root_set(node);
            err = match->init(node);
            if (err == 0)
                return 0;
            log_error("interrupt controller %s: %s", node->name, error_name(err));
            irq_root_set(NULL);
        }
    }
    return -ENODEV;
}

int irq_init(void)
{
    TABLE_FOREACH(irqchips, struct dt_match, match) {
        if (probe_match(*match) == 0)
            return 0;
    }
    return -ENODEV;
}

int irq_init_cpu(void)
{
    return root_chip->init_cpu();
}

struct irq_desc **irq_root_slot(uint32_t irq)
{
    return &root_descs[irq];
}

uint64_t *irq_desc_count(struct irq_desc *desc, unsigned cpu)
{
    return desc->counts != NULL ? &desc->counts[cpu] : &per_cpu(root_counts, cpu)[desc->irq];
}

enum irq_result irq_nobody(uint32_t irq, void *arg)
{
    (void)irq;
    (void)arg;
    return IRQ_UNHANDLED;
}

static void desc_own(struct irq_desc *desc, const char *name, irq_handler handler, void *arg)
    REQUIRES(irq_lock)
{
    (void)str_copy(desc->name, name, sizeof(desc->name));
    desc->owned = true;
    desc->off = IRQ_OFF_OWNER;
    desc->storm_rate = CONFIG_IRQ_STORM_RATE;
    desc->storm_ns = 0;
    desc->unhandled_streak = 0;
    desc->arg = arg;
    /* Away from an isolated CPU; what is private or chained has no route of its own. */
    (void)irq_desc_route(desc, desc->affinity);
    __atomic_store_n(&desc->handler, handler != NULL ? handler : irq_nobody, __ATOMIC_RELEASE);
}

int irq_request(uint32_t irq, const char *name, irq_handler handler, void *arg)
{
    struct irq_desc *desc = irq_desc_find(irq);
    irqflags_t flags;
    int err;

    if ((handler == NULL) != (irq == IRQ_KICK) || name == NULL || (desc == NULL && irq >= IRQ_MAX))
        return -EINVAL;
    err = desc != NULL ? irq_desc_get(desc->domain, desc->hwirq, &desc)
                       : irq_desc_get(irq_root_domain(), irq, &desc);
    if (err != 0)
        return err;
    flags = spin_lock_irqsave(&irq_lock);
    if (desc->owned)
        err = -EBUSY;
    else
        desc_own(desc, name, handler, arg);
    spin_unlock_irqrestore(&irq_lock, flags);
    if (err != 0)
        irq_desc_put(desc);
    return err;
}

/*
 * Each CPU is seen outside of interrupts once. The controller has been told before not to send the
 * interrupt any more, so that none comes anew.
 */
void irq_synchronize(void)
{
    unsigned self = cpu_id();

    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    for (unsigned cpu = 0; cpu < SMP_CPUS_MAX; cpu++) {
        if (cpu == self || (cpu_online() & CPU_MASK(cpu)) == 0)
            continue;
        while (__atomic_load_n(&per_cpu(ctx_state, cpu).irq_depth, __ATOMIC_ACQUIRE) != 0)
            arch_cpu_relax();
    }
}

void irq_release(uint32_t irq)
{
    struct irq_desc *desc = irq_desc_find(irq);
    irqflags_t flags;

    ASSERT(desc != NULL && desc->owned);
    irq_disable(irq);
    flags = spin_lock_irqsave(&irq_lock);
    __atomic_store_n(&desc->handler, irq_nobody, __ATOMIC_RELEASE);
    spin_unlock_irqrestore(&irq_lock, flags);
    irq_synchronize();
    flags = spin_lock_irqsave(&irq_lock);
    desc->owned = false;
    desc->name[0] = '\0';
    spin_unlock_irqrestore(&irq_lock, flags);
    irq_desc_put(desc);
}

void irq_desc_switch(struct irq_desc *desc, unsigned set, unsigned clear)
{
    desc->off = (uint8_t)((desc->off | set) & ~clear);
    if (desc->off == 0)
        desc->domain->ops->enable(desc->domain, desc->hwirq);
    else
        desc->domain->ops->disable(desc->domain, desc->hwirq);
}

static void owner_switch(uint32_t irq, unsigned set, unsigned clear)
{
    struct irq_desc *desc = irq_desc_find(irq);
    irqflags_t flags = spin_lock_irqsave(&irq_lock);

    ASSERT(desc != NULL);
    irq_desc_switch(desc, set, clear);
    spin_unlock_irqrestore(&irq_lock, flags);
}

/* Private ones are enabled on each CPU by itself, which no lock and no bit of all CPUs concerns. */
void irq_enable(uint32_t irq)
{
    irqflags_t flags = arch_irq_save();

    if (irq < IRQ_SHARED_FIRST)
        root_chip->enable(irq);
    else
        owner_switch(irq, 0, IRQ_OFF_OWNER);
    arch_irq_restore(flags);
}

void irq_disable(uint32_t irq)
{
    irqflags_t flags = arch_irq_save();

    if (irq < IRQ_SHARED_FIRST)
        root_chip->disable(irq);
    else
        owner_switch(irq, IRQ_OFF_OWNER, 0);
    arch_irq_restore(flags);
}

void irq_hold(uint32_t irq)
{
    ASSERT(irq >= IRQ_SHARED_FIRST);
    owner_switch(irq, IRQ_OFF_HELD, 0);
}

void irq_unhold(uint32_t irq)
{
    ASSERT(irq >= IRQ_SHARED_FIRST);
    owner_switch(irq, 0, IRQ_OFF_HELD);
}

/* Nobody has ever asked for it, or no longer: it must not come again and again. */
static NOINLINE void refuse(uint32_t irq)
{
    root_chip->disable(irq);
    log_warn("interrupt %u came without an owner: disabled", irq);
}

static ALWAYS_INLINE enum irq_result desc_handle(struct irq_desc *desc, uint32_t irq, uint64_t count)
{
    irq_handler handler = __atomic_load_n(&desc->handler, __ATOMIC_ACQUIRE);
    enum irq_result result = handler(irq, desc->arg);

    if (unlikely(result != IRQ_HANDLED)) {
        if (result == IRQ_UNHANDLED)
            irq_unhandled(desc, count);
    } else if (unlikely((count & (IRQ_STORM_WINDOW - 1)) == 0)) {
        irq_storm_check(desc);
    }
    return result;
}

enum irq_result irq_domain_handle(struct irq_domain *domain, uint32_t hwirq)
{
    struct irq_desc *desc = irq_map_get(&domain->map, hwirq);

    if (desc == NULL)
        return IRQ_UNHANDLED;
    return desc_handle(desc, desc->irq, ++desc->counts[cpu_id()]);
}

static void irq_dispatch(uint32_t irq)
{
    struct irq_desc *desc = __atomic_load_n(&root_descs[irq], __ATOMIC_ACQUIRE);
    uint64_t count = ++this_cpu(root_counts)[irq];
    enum irq_result result = IRQ_UNHANDLED;

    if (likely(desc != NULL))
        result = desc_handle(desc, irq, count);
    else
        refuse(irq);
    root_chip->end(irq, result != IRQ_KEEP_ACTIVE);
}

static ALWAYS_INLINE void irq_take(uint32_t irq)
{
    struct ctx_state *ctx = ctx_enter_irq();

    if (likely(irq < IRQ_MAX))
        irq_dispatch(irq);
    else
        __atomic_fetch_add(&spurious, 1, __ATOMIC_RELAXED);
    ctx->irq_depth--;
}

/*
 * One only: what else is pending comes as an interrupt of its own, and most often nothing is. A kick is no more than the way
 * out that follows it.
 */
void hv_irq(void)
{
    const struct irqchip *chip = root_chip;
    uint32_t irq = chip->ack();

    if (irq == IRQ_KICK) {
        this_cpu(root_counts)[IRQ_KICK]++;
        chip->end(IRQ_KICK, true);
    } else {
        irq_take(irq);
    }
}

uint64_t irq_count(uint32_t irq, unsigned cpu)
{
    struct irq_desc *desc;

    if (cpu >= SMP_CPUS_MAX || !percpu_is_there(cpu))
        return 0;
    if (irq < IRQ_MAX)
        return __atomic_load_n(&per_cpu(root_counts, cpu)[irq], __ATOMIC_RELAXED);
    desc = irq_desc_find(irq);
    return desc == NULL ? 0 : __atomic_load_n(&desc->counts[cpu], __ATOMIC_RELAXED);
}

uint64_t irq_spurious_count(void)
{
    return __atomic_load_n(&spurious, __ATOMIC_RELAXED);
}
