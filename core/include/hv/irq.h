// SPDX-License-Identifier: Apache-2.0
// Host interrupts: one flat number space, filled by domains (the root controller and those chained
// to it), with handlers, counts, affinity, and a guard against stuck lines. Room: irq.
#pragma once

#include <hv/cpu.h>
#include <stdbool.h>
#include <stdint.h>

struct dt_node;

/** The SGI by which CPUs make each other look at what is to be done: that it came is all it says, so it has no handler. */
#define IRQ_KICK 0
/** The root controller's interrupts have the numbers 0..IRQ_MAX-1; those of other domains follow. */
#define IRQ_MAX 1020
/** Below this, interrupts are private to each CPU. */
#define IRQ_SHARED_FIRST 32
#define IRQ_NONE UINT32_MAX
#define IRQ_NAME_MAX 32

/** Devicetree trigger flags. */
enum irq_trigger {
    IRQ_TRIGGER_NONE = 0,
    IRQ_TRIGGER_RISING = 1,
    IRQ_TRIGGER_FALLING = 2,
    IRQ_TRIGGER_HIGH = 4,
    IRQ_TRIGGER_LOW = 8,
};

/** What the root controller's driver provides. All operations: any context, IRQs masked. */
struct irqchip {
    const char *name;
    /** Acknowledge: the interrupt number, IRQ_NONE when there is none. */
    uint32_t (*ack)(void);
    /**
     * Drop the running priority; with deactivate also end it (not for interrupts that a guest
     * ends).
     */
    void (*end)(uint32_t irq, bool deactivate);
    void (*enable)(uint32_t irq);
    void (*disable)(uint32_t irq);
    /** Make it pending by software (edge); for tests. NULL: can not. */
    void (*raise)(uint32_t irq);
    /** level or edge by enum irq_trigger. */
    int (*configure)(uint32_t irq, uint32_t trigger);
    int (*set_affinity)(uint32_t irq, unsigned cpu);
    /** Send the kick SGI. */
    void (*send)(uint32_t sgi, cpumask_t cpus);
    /** Devicetree interrupt specifier -> number and trigger. -EINVAL. */
    int (*translate)(const uint32_t *cells, unsigned count, uint32_t *irq, uint32_t *trigger);
    /** Per-CPU set-up of a secondary. */
    int (*init_cpu)(void);
    /** 0..total-1 interrupts exist. */
    uint32_t total;
};

enum irq_result {
    IRQ_HANDLED,
    IRQ_KEEP_ACTIVE, /**< handled; do not deactivate (a guest will) */
    IRQ_WAKE_THREAD, /**< only of the first half of a threaded handler, see hv/irq_thread.h */
    IRQ_UNHANDLED,   /**< the device did not ask */
};
/** IRQ context, interrupts masked, no lock of this room held. */
typedef enum irq_result (*irq_handler)(uint32_t irq, void *arg);

/** Called by the root controller's match function; chip lasts. Boot. -EINVAL (total), -EBUSY (there is a root already). */
int irq_set_chip(const struct irqchip *chip);
/** The root controller; NULL before irq_init(). Any context. */
const struct irqchip *irq_chip(void);
/** Probe the table "irqchips" against the tree; boot. -ENODEV. */
int irq_init(void);
/** Set-up of a secondary, on itself, IRQs masked. The controller's error. */
int irq_init_cpu(void);

/*
 * Domains: a controller that is chained to another one has its own numbers (hwirq, 32 bits, sparse)
 * and its own specifiers. Its interrupts get flat numbers when they are first asked for.
 */
struct irq_domain;
struct irq_domain_ops {
    /** Specifier -> hwirq and trigger; -EINVAL. Orphan or boot. */
    int (*translate)(struct irq_domain *domain, const uint32_t *cells, unsigned count,
                     uint32_t *hwirq, uint32_t *trigger);
    /** A number was given to hwirq / taken away; NULL: nothing to do. Orphan or boot. */
    int (*map)(struct irq_domain *domain, uint32_t hwirq, uint32_t irq);
    void (*unmap)(struct irq_domain *domain, uint32_t hwirq);
    /** Any context, IRQs masked, the room's lock held: must not call back. configure may be NULL. */
    void (*enable)(struct irq_domain *domain, uint32_t hwirq);
    void (*disable)(struct irq_domain *domain, uint32_t hwirq);
    int (*configure)(struct irq_domain *domain, uint32_t hwirq, uint32_t trigger);
    /** NULL: they all go where the parent interrupt goes. */
    int (*set_affinity)(struct irq_domain *domain, uint32_t hwirq, unsigned cpu);
};
/**
 * For the controller of node (not NULL); name is copied. Orphan or boot. -ENOMEM, -EEXIST (the node
 * has one).
 */
int irq_domain_create(struct dt_node *node, const char *name, const struct irq_domain_ops *ops,
                      void *priv, struct irq_domain **out);
/** -EBUSY while a number of it is in use. Orphan. */
int irq_domain_destroy(struct irq_domain *domain);
void *irq_domain_priv(const struct irq_domain *domain);
/** From the handler of the parent interrupt: hwirq is pending. IRQ context; takes no lock. */
enum irq_result irq_domain_handle(struct irq_domain *domain, uint32_t hwirq);
/** Number of hwirq, given now if it has none; to be given back with irq_put(). -ENOMEM, -EINVAL. Orphan or boot. */
int irq_domain_map(struct irq_domain *domain, uint32_t hwirq, uint32_t *irq);
/**
 * From a node's interrupts property, through the tree to the domain of its controller; also sets
 * the trigger. irq_put() gives it back (the root's numbers do not need it). -ENOENT (no such
 * entry), -EINVAL (malformed), -EAGAIN (no driver has made the controller's domain yet), -ENOMEM.
 * Orphan or boot.
 */
int irq_from_node(const struct dt_node *node, unsigned index, uint32_t *irq);
void irq_put(uint32_t irq);

/**
 * Handlers run in IRQ context with interrupts masked. irq_enable() turns the interrupt on. Below
 * IRQ_SHARED_FIRST there is one handler for all CPUs, to be enabled on each of them. name is
 * copied. handler is NULL for IRQ_KICK, and for no other. -EBUSY (it has an owner), -EINVAL, -ENOMEM. Orphan or boot.
 */
int irq_request(uint32_t irq, const char *name, irq_handler handler, void *arg);
/** Disables it and waits until its handler runs nowhere. Orphan or boot. */
void irq_release(uint32_t irq);
/** The owner's switch. Any context. */
void irq_enable(uint32_t irq);
void irq_disable(uint32_t irq);
/**
 * Off for a moment, beside the owner's switch: level interrupts until their thread has run. Shared
 * ones only. Any context; do not nest.
 */
void irq_hold(uint32_t irq);
void irq_unhold(uint32_t irq);

/** CPUs that take no device interrupts; the routes change at once. Boot or Orphan. */
void irq_set_isolated(cpumask_t cpus);
/**
 * The CPUs that may take it: the one of them, online and not isolated, that has the fewest gets it.
 * -EINVAL (no such CPU, or private to each CPU), -EBUSY (only isolated CPUs), -EOPNOTSUPP (its
 * controller can not), -ENOENT. Any context.
 */
int irq_set_affinity(uint32_t irq, cpumask_t cpus);
/**
 * More interrupts per second than this (default CONFIG_IRQ_STORM_RATE, 0: any number) are a storm:
 * the interrupt is off for a while. Shared ones that a guest does not end only. -ENOENT.
 */
int irq_set_storm_rate(uint32_t irq, uint32_t per_second);
/**
 * The operator's switch, beside the owner's; on also clears what unhandled interrupts and storms
 * have done. -EPERM: private interrupts, which the hypervisor lives on. -ENOENT. Any context.
 */
int irq_operator_enable(uint32_t irq, bool on);
/** Make it pending by software. -EOPNOTSUPP, -ENOENT. Any context. */
int irq_raise(uint32_t irq);

/** Hook of a higher room: call irq_storm_expired() in ns, whatever was asked before. Any context. */
void irq_set_storm_timer(void (*arm)(uint64_t ns));
/** Turns on again what has been off long enough, and arms the timer for the rest. IRQ context. */
void irq_storm_expired(void);

enum irq_state {
    IRQ_STATE_OFF,       /**< not enabled by its owner */
    IRQ_STATE_ENABLED,   /**< on this CPU, for private ones */
    IRQ_STATE_HELD,      /**< until its thread has run */
    IRQ_STATE_OPERATOR,  /**< disabled by the operator */
    IRQ_STATE_STORM,     /**< for a while */
    IRQ_STATE_UNHANDLED, /**< its handler does not know it: off until the operator enables it */
};

struct irq_info {
    uint32_t irq, hwirq;
    char domain[IRQ_NAME_MAX];
    char name[IRQ_NAME_MAX]; /**< of the owner; empty: mapped but not owned */
    uint32_t trigger;
    bool is_private;
    cpumask_t affinity; /**< asked for */
    unsigned cpu;       /**< that gets it; shared ones */
    enum irq_state state;
    uint32_t storm_rate;
    uint64_t unhandled, storms;
    uint64_t storm_ns; /**< off for so long at a time, the last one */
};
/** -ENOENT: neither owned nor mapped. Any context. */
int irq_get_info(uint32_t irq, struct irq_info *info);
/** The next number, after irq, that is owned or mapped; start with IRQ_NONE, which is also the end. Any context. */
uint32_t irq_next(uint32_t irq);
const char *irq_state_name(enum irq_state state);

/** Name of the owner, valid as long as it is; NULL: none. Any context. */
const char *irq_owner(uint32_t irq);
/** How often that CPU took it. Any context. */
uint64_t irq_count(uint32_t irq, unsigned cpu);
/** Interrupts that were gone when they were acknowledged. */
uint64_t irq_spurious_count(void);
