// SPDX-License-Identifier: Apache-2.0
// The platform bus: devices of the device tree, found below the root and below simple buses.
#include "dev_internal.h"

#include <hv/driver.h>
#include <hv/log.h>
#include <hv/match.h>
#include <lib/errno.h>
#include <lib/string.h>

TABLE_DECLARE(irqchips, struct dt_match);
TABLE_DECLARE(timers, struct dt_match);

static bool is_listed(const char *const *list, const char *compatible)
{
    for (; *list != NULL; list++) {
        if (str_equal(*list, compatible))
            return true;
    }
    return false;
}

/* The node's compatible strings go from the most to the least specific one. */
static int platform_match(const struct device *dev, const struct driver *driver)
{
    const char *compatible;

    for (int i = 0; dt_get_string_at(dev->node, "compatible", (unsigned)i, &compatible) == 0; i++) {
        if (is_listed(driver->match, compatible))
            return i;
    }
    return -ENODEV;
}

static bool fits(const struct dt_match *match, const struct dt_node *node)
{
    for (const char *const *compatible = match->compatible; *compatible != NULL; compatible++) {
        if (dt_is_compatible(node, *compatible))
            return true;
    }
    return false;
}

bool device_is_early(const struct device *dev)
{
    if (dev->node == NULL)
        return false;
    TABLE_FOREACH(irqchips, struct dt_match, match) {
        if (fits(*match, dev->node))
            return true;
    }
    TABLE_FOREACH(timers, struct dt_match, match) {
        if (fits(*match, dev->node))
            return true;
    }
    return false;
}

/* Those without compatible only hold others together, and what is off is none of ours. */
static int scan_below(struct device *parent, struct dt_node *at)
{
    int err = 0;

    for (struct dt_node *node = dt_first_child(at); node != NULL; node = dt_next_sibling(node)) {
        struct device *dev;

        if (!dt_is_host(node) || !dt_is_enabled(node) || dt_attr(node, "compatible") == NULL)
            continue;
        err = device_add(&platform_bus, parent, node, node->name, &dev);
        if (err != 0 && err != -EEXIST)
            return err;
    }
    return 0;
}

static int platform_scan(void)
{
    return scan_below(NULL, dt_root());
}

const struct bus platform_bus = {
    .name = "platform",
    .help = "nodes of the device tree",
    .match = platform_match,
    .scan = platform_scan,
};
BUS(platform_bus);

static int simple_bus_probe(struct device *dev)
{
    return scan_below(dev, dev->node);
}

static const char *const simple_bus_match[] = {"simple-bus", "simple-mfd", "arm,amba-bus", NULL};
static const struct driver simple_bus = {
    .name = "simple-bus", .match = simple_bus_match, .probe = simple_bus_probe};
DRIVER(simple_bus);
