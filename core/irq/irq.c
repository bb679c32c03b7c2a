// SPDX-License-Identifier: Apache-2.0
// Host interrupts: finding the controller, handlers, dispatch, counts.
#include <hv/irq.h>

#include <arch/irqflags.h>
#include <hv/ctx.h>
#include <hv/log.h>
#include <hv/match.h>
#include <hv/percpu.h>
#include <hv/spinlock.h>
#include <hv/upcall.h>
#include <lib/errno.h>

/* Interrupts taken in one go: what arrives faster than this is taken after the interrupted code moved on. */
#define BATCH_MAX 64

TABLE_DECLARE(irqchips, struct dt_match);

struct irq_action {
    irq_handler handler; /* published last, with release */
    void *arg;
    const char *name;
};

struct irq_counts {
    uint32_t taken[IRQ_MAX];
    uint64_t spurious;
};

static const struct irqchip *root;
static struct irq_action actions[IRQ_MAX];
static struct spinlock actions_lock;
static DEFINE_PER_CPU(struct irq_counts, irq_counts);

int irq_set_chip(const struct irqchip *chip)
{
    if (root)
        return -EEXIST;
    root = chip;
    return 0;
}

const struct irqchip *irq_chip(void)
{
    return root;
}

static int probe(const struct dt_match *match)
{
    for (const char *const *compatible = match->compatible; *compatible; compatible++) {
        struct dt_node *node = dt_find_compatible(NULL, *compatible);
        int err;

        if (!node || !dt_is_enabled(node))
            continue;
        err = match->init(node);
        if (err)
            log_error("interrupt controller %s: %s", node->name, error_name(err));
        return err;
    }
    return -ENODEV;
}

int irq_init(void)
{
    TABLE_FOREACH(irqchips, struct dt_match, match)
    {
        int err = probe(*match);

        if (err != -ENODEV)
            return err;
    }
    return -ENODEV;
}

int irq_init_cpu(void)
{
    return root->init_cpu();
}

static bool exists(uint32_t irq)
{
    return root && irq < IRQ_MAX && irq < root->total;
}

int irq_request(uint32_t irq, const char *name, irq_handler handler, void *arg)
{
    irqflags_t flags;
    int err = 0;

    if (!exists(irq))
        return -EINVAL;
    flags = spin_lock_irqsave(&actions_lock);
    if (actions[irq].handler) {
        err = -EBUSY;
    } else {
        actions[irq].arg = arg;
        actions[irq].name = name;
        __atomic_store_n(&actions[irq].handler, handler, __ATOMIC_RELEASE);
    }
    spin_unlock_irqrestore(&actions_lock, flags);
    return err;
}

void irq_release(uint32_t irq)
{
    irqflags_t flags;

    if (!exists(irq))
        return;
    flags = spin_lock_irqsave(&actions_lock);
    root->disable(irq);
    __atomic_store_n(&actions[irq].handler, NULL, __ATOMIC_RELEASE);
    actions[irq].name = NULL;
    spin_unlock_irqrestore(&actions_lock, flags);
}

void irq_enable(uint32_t irq)
{
    irqflags_t flags = arch_irq_save();

    if (exists(irq))
        root->enable(irq);
    arch_irq_restore(flags);
}

void irq_disable(uint32_t irq)
{
    irqflags_t flags = arch_irq_save();

    if (exists(irq))
        root->disable(irq);
    arch_irq_restore(flags);
}

int irq_from_node(const struct dt_node *node, unsigned index, uint32_t *irq)
{
    uint32_t cells[4], trigger;
    int count = dt_get_interrupt(node, index, cells);
    int err;

    if (count < 0)
        return count;
    if (!root)
        return -ENODEV;
    err = root->translate(cells, (unsigned)count, irq, &trigger);
    if (err)
        return err;
    return exists(*irq) ? root->configure(*irq, trigger) : -EINVAL;
}

const char *irq_owner(uint32_t irq)
{
    return irq < IRQ_MAX ? actions[irq].name : NULL;
}

uint64_t irq_count(uint32_t irq, unsigned cpu)
{
    return irq < IRQ_MAX ? per_cpu(irq_counts, cpu).taken[irq] : 0;
}

uint64_t irq_spurious_count(void)
{
    uint64_t sum = 0;

    for (unsigned cpu = 0; cpu < SMP_CPUS_MAX; cpu++) {
        if (cpu_online() & CPU_MASK(cpu))
            sum += per_cpu(irq_counts, cpu).spurious;
    }
    return sum;
}

/* Nobody handles it: off, so that it can not storm. */
static void reject(uint32_t irq)
{
    this_cpu(irq_counts).spurious++;
    root->disable(irq);
    log_warn("interrupt %u has no handler: disabled", irq);
}

static void take(uint32_t irq)
{
    enum irq_result result = IRQ_UNHANDLED;
    irq_handler handler;

    handler = irq < IRQ_MAX ? __atomic_load_n(&actions[irq].handler, __ATOMIC_ACQUIRE) : NULL;
    if (handler) {
        this_cpu(irq_counts).taken[irq]++;
        result = handler(irq, actions[irq].arg);
    }
    if (result == IRQ_UNHANDLED)
        reject(irq);
    root->end(irq, result != IRQ_KEEP_ACTIVE);
}

void hv_irq(void)
{
    uint32_t irq = root->ack();

    if (unlikely(irq == IRQ_NONE)) {
        this_cpu(irq_counts).spurious++;
        return;
    }
    ctx_enter_irq();
    for (unsigned i = 0; i < BATCH_MAX && irq != IRQ_NONE; i++) {
        take(irq);
        irq = i + 1 < BATCH_MAX ? root->ack() : IRQ_NONE;
    }
    ctx_leave_irq();
}
