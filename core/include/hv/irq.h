// SPDX-License-Identifier: Apache-2.0
// Host interrupts: one flat number space of the root controller (GIC INTIDs), handlers, counts.
// Room: irq.
#pragma once

#include <hv/cpu.h>
#include <stdbool.h>
#include <stdint.h>

/** Enough for SGIs, PPIs and SPIs of a GIC. */
#define IRQ_MAX 1020
/** Below this, interrupts are private to each CPU. */
#define IRQ_SHARED_FIRST 32
struct dt_node;

#define IRQ_NONE UINT32_MAX

/** What a controller driver provides. All operations: any context, IRQs masked. */
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
    /** level or edge by trigger (Devicetree: 1 rising edge, 4 level high). */
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
    IRQ_UNHANDLED,
};
typedef enum irq_result (*irq_handler)(uint32_t irq, void *arg);

/** Called by the controller driver's match function (boot). The first one is the root. */
int irq_set_chip(const struct irqchip *chip);
const struct irqchip *irq_chip(void);
/** Probe the table "irqchips" against the tree; boot. -ENODEV. */
int irq_init(void);
/** Per-CPU on secondaries. */
int irq_init_cpu(void);

/**
 * Handlers run in IRQ context with interrupts masked. irq_enable() turns the interrupt on. Below
 * IRQ_SHARED_FIRST there is one handler for all CPUs, to be enabled on each of them. -EBUSY,
 * -EINVAL. Orphan or boot.
 */
int irq_request(uint32_t irq, const char *name, irq_handler handler, void *arg);
/**
 * Disables it first; the caller has quieted the device, so that its handler does not run any more.
 */
void irq_release(uint32_t irq);
void irq_enable(uint32_t irq);
void irq_disable(uint32_t irq);
/**
 * From a node's interrupts property; also sets the trigger. -ENOENT (no such entry), -EINVAL
 * (malformed, or not of the root controller).
 */
int irq_from_node(const struct dt_node *node, unsigned index, uint32_t *irq);

/** Who holds it: NULL when free. For the guest validator and 'host irq'. */
const char *irq_owner(uint32_t irq);
uint64_t irq_count(uint32_t irq, unsigned cpu);
uint64_t irq_spurious_count(void);
