// SPDX-License-Identifier: Apache-2.0
// Host device drivers: matched by compatible against the device tree. Room: dev.
#pragma once

#include <hv/dt.h>
#include <lib/table.h>

struct driver {
    const char *name;
    const char *const *match; /**< NULL-terminated */
    /** Boot, init thread. Node is enabled. */
    int (*probe)(struct dt_node *node);
};
#define DRIVER(d) TABLE_ENTRY(drivers, struct driver, d)

/** Probe every enabled node that a driver matches. Orphan. Failures are logged. */
void driver_probe_all(void);
void driver_for_each(void (*fn)(const struct driver *drv, const char *path, int result, void *arg),
                     void *arg);
