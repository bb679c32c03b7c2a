// SPDX-License-Identifier: Apache-2.0
// Host interrupts: what the files of this room share.
#pragma once

#include <hv/irq.h>
#include <hv/spinlock.h>
#include <lib/list.h>
#include <lib/macros.h>

/* Why an interrupt is off: each actor sets and clears only its own bit. */
enum {
    IRQ_OFF_OWNER = BIT(0), /* the owner has not enabled it */
    IRQ_OFF_HELD = BIT(1),
    IRQ_OFF_OPERATOR = BIT(2),
    IRQ_OFF_STORM = BIT(3),
    IRQ_OFF_UNHANDLED = BIT(4),
};

/**
 * Sparse numbers -> pointers: a tree of nodes of 64, as high as the largest number needs. Readers
 * take no lock; writers have irq_lock. Nodes go with the whole map.
 */
struct irq_map_node;
struct irq_map {
    struct irq_map_node *root;
};
void *irq_map_get(const struct irq_map *map, uint32_t key);
/** -ENOMEM. */
int irq_map_set(struct irq_map *map, uint32_t key, void *value);
/** The key is there: the value becomes NULL. */
void irq_map_clear(struct irq_map *map, uint32_t key);
/** The first one that is not NULL, from *key on, whose number is put there; NULL: none. */
void *irq_map_next(const struct irq_map *map, uint32_t *key);
/** No reader is left. */
void irq_map_free(struct irq_map *map);

struct irq_domain {
    struct list link;
    struct dt_node *node; /**< NULL: the root's, if a test or a port has set it by hand */
    char name[IRQ_NAME_MAX];
    const struct irq_domain_ops *ops;
    void *priv;
    struct irq_map map; /**< hwirq -> desc; not of the root */
};

/** An interrupt that is mapped or owned. What handlers do not touch is under irq_lock. */
struct irq_desc {
    irq_handler handler; /**< written last, read first; irq_nobody() without an owner */
    void *arg;
    struct irq_domain *domain;
    uint64_t *counts; /**< per CPU; NULL: in the table of the root's */
    uint32_t irq, hwirq;
    uint32_t trigger;
    uint32_t refs; /**< owner, and irq_from_node() or irq_domain_map() */
    bool owned;
    uint8_t off; /**< IRQ_OFF_*; 0: enabled. Shared interrupts only */
    cpumask_t affinity;
    unsigned cpu;
    /* Guard against stuck lines: only the CPU that serves it writes these, but for rate. */
    uint32_t storm_rate;
    uint64_t window_start; /**< counter value */
    uint64_t unhandled, unhandled_streak, unhandled_last;
    uint64_t storms;
    uint64_t storm_end; /**< counter value at which it comes back, or came back last */
    uint64_t storm_ns;
    char name[IRQ_NAME_MAX];
};

extern struct spinlock irq_lock;
/** Of the maps, the list of domains and refs. Not taken in IRQ context; outside irq_lock. */
extern struct spinlock irq_numbers_lock;

/** NULL: none. Any context; without irq_lock only what keeps the caller's number alive counts. */
struct irq_desc *irq_desc_find(uint32_t irq);
struct irq_desc **irq_root_slot(uint32_t irq);
/** Set and clear IRQ_OFF_* bits and tell the controller. Shared ones. */
void irq_desc_switch(struct irq_desc *desc, unsigned set, unsigned clear) REQUIRES(irq_lock);
uint64_t *irq_desc_count(struct irq_desc *desc, unsigned cpu);
/** The handler of what has no owner. */
enum irq_result irq_nobody(uint32_t irq, void *arg);
/** Wait until all CPUs have left the handlers that they were in. Not in IRQ context. */
void irq_synchronize(void);

/** One more user of the number, given to hwirq now if it had none. -ENOMEM, -EINVAL. */
int irq_desc_get(struct irq_domain *domain, uint32_t hwirq, struct irq_desc **out);
/** One user less: the last one frees it. */
void irq_desc_put(struct irq_desc *desc);
/** The root's domain, made with its controller. */
struct irq_domain *irq_root_domain(void);
void irq_root_set(struct dt_node *node);
struct irq_domain *irq_domain_of(const struct dt_node *node);

/** Route it to one of cpus; see irq_set_affinity(). */
int irq_desc_route(struct irq_desc *desc, cpumask_t cpus) REQUIRES(irq_lock);

/** Interrupts on one CPU between two looks at the rate; a power of two. */
#define IRQ_STORM_WINDOW 4096U
/** After so many on this CPU: are they too many in that time? IRQ context. */
void irq_storm_check(struct irq_desc *desc);
/** The handler did not know it (count: how many there were on this CPU). IRQ context. */
void irq_unhandled(struct irq_desc *desc, uint64_t count);
