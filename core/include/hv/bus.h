// SPDX-License-Identifier: Apache-2.0
// Buses: how devices are found and how a driver is told to fit one. Room: dev.
#pragma once

#include <lib/table.h>

struct device;
struct driver;

struct bus {
    const char *name;
    const char *help; /**< one line */
    /**
     * Does the driver, one of this bus, fit? Of several that do, the one with the lowest rank is
     * taken: 0 is the most specific. Negative: no.
     */
    int (*match)(const struct device *dev, const struct driver *driver);
    /** Boot: add what can be found without a driver of a bridge. NULL: nothing. 0 or error. */
    int (*scan)(void);
};
#define BUS(b) TABLE_ENTRY(buses, struct bus, b)

/** Devices of the device tree, which are matched by compatible; drivers without a bus are of it. */
extern const struct bus platform_bus;
