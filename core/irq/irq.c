// SPDX-License-Identifier: Apache-2.0
// Host interrupts: the root controller, handlers, dispatch and counts.

#include <arch/irqflags.h>
#include <hv/ctx.h>
#include <hv/irq.h>
#include <hv/log.h>
#include <hv/match.h>
#include <hv/panic.h>
#include <hv/spinlock.h>
#include <hv/upcall.h>
#include <lib/errno.h>
#include <stddef.h>

TABLE_DECLARE(irqchips, struct dt_match);

/*
 * Interrupts taken in one go; a storm then still lets the interrupted code take a step and the
 * scheduler look.
 */
#define BATCH_MAX 64

static struct handler_entry {
    irq_handler handler; /* written last, read first */
    void *arg;
    const char *name; /* NULL: free */
    bool reported;    /* that nobody handles it was logged */
} handlers[IRQ_MAX];
static struct spinlock handlers_lock = SPINLOCK_INIT;

static const struct irqchip *root_chip;
static const struct dt_node *root_node;
static uint64_t counts[SMP_CPUS_MAX][IRQ_MAX];
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
            root_node = node;
            err = match->init(node);
            if (err == 0)
                return 0;
            log_error("interrupt controller %s: %s", node->name, error_name(err));
            root_node = NULL;
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

static bool irq_exists(uint32_t irq)
{
    return root_chip != NULL && irq < root_chip->total;
}

int irq_request(uint32_t irq, const char *name, irq_handler handler, void *arg)
{
    irqflags_t flags;
    int err = 0;

    if (!irq_exists(irq) || handler == NULL || name == NULL)
        return -EINVAL;
    flags = spin_lock_irqsave(&handlers_lock);
    if (handlers[irq].name != NULL) {
        err = -EBUSY;
    } else {
        handlers[irq].name = name;
        handlers[irq].arg = arg;
        handlers[irq].reported = false;
        __atomic_store_n(&handlers[irq].handler, handler, __ATOMIC_RELEASE);
    }
    spin_unlock_irqrestore(&handlers_lock, flags);
    return err;
}

void irq_release(uint32_t irq)
{
    irqflags_t flags;

    ASSERT(irq_exists(irq));
    irq_disable(irq);
    flags = spin_lock_irqsave(&handlers_lock);
    __atomic_store_n(&handlers[irq].handler, NULL, __ATOMIC_RELEASE);
    handlers[irq].name = NULL;
    spin_unlock_irqrestore(&handlers_lock, flags);
}

void irq_enable(uint32_t irq)
{
    irqflags_t flags = arch_irq_save();

    ASSERT(irq_exists(irq));
    root_chip->enable(irq);
    arch_irq_restore(flags);
}

void irq_disable(uint32_t irq)
{
    irqflags_t flags = arch_irq_save();

    ASSERT(irq_exists(irq));
    root_chip->disable(irq);
    arch_irq_restore(flags);
}

int irq_from_node(const struct dt_node *node, unsigned index, uint32_t *irq)
{
    uint32_t cells[4], trigger;
    int count = dt_get_interrupt(node, index, cells);
    irqflags_t flags;
    int err;

    if (count < 0)
        return count;
    if (root_chip == NULL ||
        (root_node != NULL && dt_interrupt_controller(node, index) != root_node))
        return -EINVAL;
    err = root_chip->translate(cells, (unsigned)count, irq, &trigger);
    if (err != 0)
        return err;
    if (*irq >= root_chip->total)
        return -EINVAL;
    flags = arch_irq_save();
    err = root_chip->configure(*irq, trigger);
    arch_irq_restore(flags);
    return err;
}

/* Nobody wants it: it must not come again and again. */
static void irq_refuse(uint32_t irq)
{
    root_chip->disable(irq);
    if (__atomic_exchange_n(&handlers[irq].reported, true, __ATOMIC_RELAXED))
        return;
    log_warn("interrupt %u (%s) is not handled: disabled", irq,
             handlers[irq].name == NULL ? "no owner" : handlers[irq].name);
}

static void irq_dispatch(uint32_t irq, unsigned cpu)
{
    const struct handler_entry *entry = &handlers[irq];
    irq_handler handler = __atomic_load_n(&entry->handler, __ATOMIC_ACQUIRE);
    enum irq_result result = handler == NULL ? IRQ_UNHANDLED : handler(irq, entry->arg);

    counts[cpu][irq]++;
    if (unlikely(result == IRQ_UNHANDLED))
        irq_refuse(irq);
    root_chip->end(irq, result != IRQ_KEEP_ACTIVE);
}

void hv_irq(void)
{
    unsigned cpu = cpu_id();
    unsigned taken;

    ctx_enter_irq();
    for (taken = 0; taken < BATCH_MAX; taken++) {
        uint32_t irq = root_chip->ack();

        if (irq >= IRQ_MAX)
            break;
        irq_dispatch(irq, cpu);
    }
    if (unlikely(taken == 0))
        __atomic_fetch_add(&spurious, 1, __ATOMIC_RELAXED);
    ctx_leave_irq();
}

const char *irq_owner(uint32_t irq)
{
    return irq < IRQ_MAX ? __atomic_load_n(&handlers[irq].name, __ATOMIC_RELAXED) : NULL;
}

uint64_t irq_count(uint32_t irq, unsigned cpu)
{
    return irq < IRQ_MAX && cpu < SMP_CPUS_MAX
               ? __atomic_load_n(&counts[cpu][irq], __ATOMIC_RELAXED)
               : 0;
}

uint64_t irq_spurious_count(void)
{
    return __atomic_load_n(&spurious, __ATOMIC_RELAXED);
}
