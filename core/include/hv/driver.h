// SPDX-License-Identifier: Apache-2.0
// Host device drivers. Room: dev.
#pragma once

#include <hv/bus.h>
#include <hv/device.h>
#include <lib/table.h>

struct driver {
    const char *name;
    const char *const *match; /**< compatibles, NULL-terminated */
    /**
     * Init thread; the device is enabled and what it depends on is there. -EAGAIN: something is
     * still missing, try again when another device has come. What was asked for by the functions of
     * hv/device.h is given back by itself after a failure.
     */
    int (*probe)(struct device *dev);
    /** Quiet the device; what probe asked for is given back afterwards. NULL: it can not go. */
    void (*remove)(struct device *dev);
    const struct bus *bus; /**< NULL: platform_bus */
};
#define DRIVER(d) TABLE_ENTRY(drivers, struct driver, d)

/**
 * Find all devices, and probe those that have a driver: each after those that it depends on, again
 * and again until nothing more comes. What is left says why in the log. Init thread; may be called
 * again when the tree has grown.
 */
void driver_probe_all(void);
/** In order of names; NULL past the last one. Any context. */
const struct driver *driver_at(unsigned index);
/** The driver that fits best by its bus's match; NULL. Any context. */
const struct driver *driver_find(const struct device *dev);
