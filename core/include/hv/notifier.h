// SPDX-License-Identifier: Apache-2.0
// Notifier chains: callbacks that a higher room hands to a lower one. Calls take no lock, so that a
// callback may call, add to and remove from the same chain. Room: base.
#pragma once

#include <hv/spinlock.h>

struct notifier {
    /** In the context of whoever calls the chain. */
    void (*notify)(struct notifier *self, unsigned event, void *data);
    int priority; /**< higher is called earlier; equal ones in the order they were added */
    struct notifier *next;
};

/** All zero is an empty chain. */
struct notifier_chain {
    struct notifier *first;
    struct spinlock lock; /**< of changes */
    uint32_t epoch;       /**< its lowest bit says where new calls are counted */
    uint32_t calls[2];    /**< under way */
};

/**
 * Any context. Calls that begin later reach it; one that is under way may. It must not be in a
 * chain, nor in use by calls of one (see notifier_drain()).
 */
void notifier_add(struct notifier_chain *chain, struct notifier *n);
/**
 * Calls that begin later do not reach it; one that is under way may still. Nothing happens when it
 * is not in the chain. Any context, also out of a callback, its own included.
 */
void notifier_remove(struct notifier_chain *chain, struct notifier *n);
/**
 * Wait until the calls that are under way have ended: what was removed before may be freed or added
 * again. Spins; not out of a callback of the chain, nor with a lock that one takes.
 */
void notifier_drain(struct notifier_chain *chain);
/** Calls every notifier by priority, in the caller's context. Any context. */
void notifier_call(struct notifier_chain *chain, unsigned event, void *data);
