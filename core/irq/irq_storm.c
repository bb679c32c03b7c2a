// SPDX-License-Identifier: Apache-2.0
// Stuck lines: interrupts that their handler does not know, and those that come faster than any
// device should. All of it is off the path of a good interrupt.

#include "irq_internal.h"

#include <arch/irqflags.h>
#include <arch/time.h>
#include <hv/log.h>
#include <lib/errno.h>
#include <stddef.h>

#define NS_PER_SECOND 1000000000ULL
/* So many in a row that the handler does not know, and the interrupt is off. */
#define UNHANDLED_MAX 100U
/* Off for so long; twice as long each time a storm follows within BACKOFF_MEMORY times that. */
#define BACKOFF_MIN_NS 10000000ULL
#define BACKOFF_MAX_NS NS_PER_SECOND
#define BACKOFF_MEMORY 10U

static void (*timer_arm)(uint64_t ns);

void irq_set_storm_timer(void (*arm)(uint64_t ns))
{
    timer_arm = arm;
}

static uint64_t ns_to_ticks(uint64_t ns)
{
    return ns / 1000 * (arch_time_frequency() / 1000) / 1000;
}

static uint64_t ticks_to_ns(uint64_t ticks)
{
    return ticks * 1000 / (arch_time_frequency() / 1000) * 1000;
}

void irq_unhandled(struct irq_desc *desc, uint64_t count)
{
    irqflags_t flags;

    desc->unhandled++;
    desc->unhandled_streak = count == desc->unhandled_last + 1 ? desc->unhandled_streak + 1 : 1;
    desc->unhandled_last = count;
    if (desc->unhandled_streak < UNHANDLED_MAX)
        return;
    desc->unhandled_streak = 0;
    flags = spin_lock_irqsave(&irq_lock);
    if (desc->irq < IRQ_SHARED_FIRST)
        desc->domain->ops->disable(desc->domain, desc->hwirq);
    else
        irq_desc_switch(desc, IRQ_OFF_UNHANDLED, 0);
    spin_unlock_irqrestore(&irq_lock, flags);
    log_warn("interrupt %u: %s did not know %u of them in a row: disabled. See to the device, then "
             "'irq enable %u'",
             desc->irq, desc->owned ? desc->name : "nobody", UNHANDLED_MAX, desc->irq);
}

/* How long it is off this time. */
static uint64_t backoff(const struct irq_desc *desc, uint64_t now)
{
    uint64_t again = desc->storm_end + ns_to_ticks(desc->storm_ns) * BACKOFF_MEMORY;

    if (desc->storm_ns == 0 || now > again)
        return BACKOFF_MIN_NS;
    return MIN(desc->storm_ns * 2, BACKOFF_MAX_NS);
}

static void storm_begin(struct irq_desc *desc, uint64_t now)
{
    uint64_t last = desc->storm_ns;
    irqflags_t flags = spin_lock_irqsave(&irq_lock);

    desc->storms++;
    desc->storm_ns = backoff(desc, now);
    desc->storm_end = now + ns_to_ticks(desc->storm_ns);
    irq_desc_switch(desc, IRQ_OFF_STORM, 0);
    spin_unlock_irqrestore(&irq_lock, flags);
    timer_arm(desc->storm_ns);
    /* Not at each one: a device that storms on and on is off for a second at a time. */
    if (desc->storm_ns != last)
        log_warn("interrupt %u (%s): more than %u a second: off for %llu ms. If this goes on, look "
                 "at the device, or 'irq disable %u'",
                 desc->irq, desc->name, desc->storm_rate,
                 (unsigned long long)(desc->storm_ns / 1000000), desc->irq);
}

void irq_storm_check(struct irq_desc *desc)
{
    uint64_t now = arch_time_counter(), start = desc->window_start;
    uint32_t rate = __atomic_load_n(&desc->storm_rate, __ATOMIC_RELAXED);

    desc->window_start = now;
    if (desc->irq < IRQ_SHARED_FIRST || rate == 0 || timer_arm == NULL || start == 0)
        return;
    if (now - start < IRQ_STORM_WINDOW * arch_time_frequency() / rate)
        storm_begin(desc, now);
}

/* The storm's own bit stands until here. True: it is off for left more ticks. */
static bool storm_goes_on(struct irq_desc *desc, uint64_t now, uint64_t *left) REQUIRES(irq_lock)
{
    if ((desc->off & IRQ_OFF_STORM) == 0)
        return false;
    if (now < desc->storm_end) {
        *left = desc->storm_end - now;
        return true;
    }
    desc->window_start = 0;
    irq_desc_switch(desc, 0, IRQ_OFF_STORM);
    return false;
}

void irq_storm_expired(void)
{
    uint64_t now = arch_time_counter(), next = UINT64_MAX, left = 0;

    for (uint32_t irq = irq_next(IRQ_NONE); irq != IRQ_NONE; irq = irq_next(irq)) {
        irqflags_t flags = spin_lock_irqsave(&irq_lock);
        struct irq_desc *desc = irq_desc_find(irq);

        if (desc != NULL && storm_goes_on(desc, now, &left))
            next = MIN(next, left);
        spin_unlock_irqrestore(&irq_lock, flags);
    }
    if (next != UINT64_MAX)
        timer_arm(ticks_to_ns(next) + 1000);
}
