// SPDX-License-Identifier: Apache-2.0
// Host devices: where they are, who drives them, and what they hold. Room: dev.
#pragma once

#include <arch/addr.h>
#include <hv/dt.h>
#include <hv/irq.h>
#include <lib/list.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bus;
struct class;
struct driver;

#define DEVICE_NAME_MAX 32

enum device_state {
    DEVICE_UNBOUND, /**< no driver */
    DEVICE_EARLY,   /**< interrupt controllers and timers, taken before there are drivers */
    DEVICE_WAITING, /**< for another device */
    DEVICE_BOUND,
    DEVICE_FAILED, /**< its driver could not */
    DEVICE_STATES,
};

/** Once added a device lasts; what it holds lasts as long as it is bound. */
struct device {
    struct list link;
    char name[DEVICE_NAME_MAX]; /**< unique: the node's, with "#2" behind it if taken */
    struct dt_node *node;       /**< NULL: not of the tree; held */
    struct dt_hold hold;
    struct device *parent; /**< NULL: the root */
    const struct bus *bus;
    const struct driver *driver;
    const struct class *cls;
    void *class_data;
    void *priv; /**< the driver's */
    enum device_state state;
    int error;             /**< of the last probe; 0 */
    struct device *waits;  /**< for this one, while DEVICE_WAITING; NULL: by its driver's word */
    unsigned mark;         /**< private */
    struct list resources; /**< private: what is given back, last one first */
};

/**
 * A device that a bus has found; name is copied. -EEXIST: the node has one already. -ENOMEM. Init
 * thread.
 */
int device_add(const struct bus *bus, struct device *parent, struct dt_node *node, const char *name,
               struct device **out);
/** Take its driver away and all that it holds. -EBUSY: in use, or not removable. Orphan. */
int device_remove(struct device *dev);

/** Order of finding; NULL: the first one, and past the last one. Any context. */
struct device *device_next(const struct device *dev);
struct device *device_find(const char *name);
struct device *device_of_node(const struct dt_node *node);
/** The bound device whose registers overlap the range; NULL. */
const struct device *device_owner_of(hpa_t addr, uint64_t size);
const char *device_state_name(enum device_state state);

/*
 * For a driver's probe. All of it is given back when probe fails and when the device is removed, in
 * reverse order. Init thread.
 */
/** Zeroed memory. NULL: out of memory. */
void *device_alloc(struct device *dev, size_t size);
/**
 * Map registers by their index in reg. -ENOENT, -EINVAL, -EBUSY (another device has them; the log
 * says which), -ENOMEM.
 */
int device_map(struct device *dev, unsigned index, void **regs);
/**
 * Ask for the interrupt by its index and enable it. Errors of irq_from_node() and irq_request();
 * -ENOENT: the node has none of that index.
 */
int device_request_irq(struct device *dev, unsigned index, irq_handler handler, void *arg);
/** The same with a second half that may sleep, see hv/irq_thread.h. */
int device_request_irq_thread(struct device *dev, unsigned index, irq_handler first,
                              void (*second)(uint32_t irq, void *arg), void *arg);
/** Call fn(arg) when the device goes. -ENOMEM: it was called now. */
int device_on_release(struct device *dev, void (*fn)(void *arg), void *arg);

/** What it holds: the index-th register range or interrupt; false past the last one. */
bool device_regs_at(const struct device *dev, unsigned index, hpa_t *addr, uint64_t *size);
bool device_irq_at(const struct device *dev, unsigned index, uint32_t *irq);
