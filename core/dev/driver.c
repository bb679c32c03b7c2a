// SPDX-License-Identifier: Apache-2.0
// Drivers: the one that fits a device best, and probing in the order that dependencies ask for.
#include "dev_internal.h"

#include <hv/driver.h>
#include <hv/log.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

TABLE_DECLARE(drivers, struct driver);
TABLE_DECLARE(buses, struct bus);

/* Names in a message about a circle. */
#define CIRCLE_NAMES 8

const struct driver *driver_at(unsigned index)
{
    const struct driver *at = NULL;

    for (unsigned i = 0; i <= index; i++) {
        const struct driver *next = NULL;

        TABLE_FOREACH(drivers, struct driver, it) {
            if ((at == NULL || strcmp((*it)->name, at->name) > 0) &&
                (next == NULL || strcmp((*it)->name, next->name) < 0))
                next = *it;
        }
        if (next == NULL)
            return NULL;
        at = next;
    }
    return at;
}

const struct driver *driver_find(const struct device *dev)
{
    const struct driver *best = NULL;
    int best_rank = 0;

    TABLE_FOREACH(drivers, struct driver, it) {
        const struct bus *bus = (*it)->bus != NULL ? (*it)->bus : &platform_bus;
        int rank = bus == dev->bus ? bus->match(dev, *it) : -ENODEV;

        if (rank >= 0 && (best == NULL || rank < best_rank)) {
            best = *it;
            best_rank = rank;
        }
    }
    return best;
}

static bool is_ready(const struct device *dev)
{
    return dev->state == DEVICE_BOUND || dev->state == DEVICE_EARLY;
}

/*
 * Is this supplier one that will come, but has not yet? One that no driver knows is as firmware has
 * left it. The device of a node is that of the nearest node above that has one.
 */
static bool must_wait_for(struct dt_node *supplier, void *arg)
{
    struct device *dev = arg, *at = NULL;

    for (; supplier != NULL && at == NULL; supplier = supplier->parent)
        at = device_of_node(supplier);
    if (at == NULL || at == dev || at == dev->parent || is_ready(at) || driver_find(at) == NULL)
        return false;
    dev->waits = at;
    return true;
}

/* One try. True when there is one device more. */
static bool try_probe(struct device *dev)
{
    const struct driver *driver;

    if (dev->state != DEVICE_UNBOUND && dev->state != DEVICE_WAITING)
        return false;
    driver = driver_find(dev);
    if (driver == NULL)
        return false;
    dev->waits = NULL;
    dev->driver = driver;
    if (device_for_each_supplier(dev, must_wait_for, dev)) {
        dev->state = DEVICE_WAITING;
        return false;
    }
    return device_probe(dev, driver) == 0;
}

/* Each round goes over all of them, also those that a bridge has added meanwhile. */
static void probe_until_nothing_comes(void)
{
    bool more;

    do {
        more = false;
        for (struct device *dev = device_next(NULL); dev != NULL; dev = device_next(dev))
            more |= try_probe(dev);
    } while (more);
}

/* From any member, once round. */
static void report_circle(struct device *first)
{
    char text[CIRCLE_NAMES * (DEVICE_NAME_MAX + 4) + 8] = "";
    struct device *dev = first;
    unsigned count = 0;
    int used = 0;

    do {
        if (count++ < CIRCLE_NAMES)
            used += fmt_snprintf(text + used, sizeof(text) - (size_t)used, "%s -> ", dev->name);
        dev->error = -EDEADLK;
        dev = dev->waits;
    } while (dev != first);
    log_error("devices that wait for each other: %s%s%s", text,
              count > CIRCLE_NAMES ? "... -> " : "", first->name);
}

static void report_waiting(const struct device *dev)
{
    if (dev->waits == NULL)
        log_warn("%s: driver %s still waits for something that no driver provides", dev->name,
                 dev->driver->name);
    else if (dev->error != -EDEADLK)
        log_warn("%s: waits for %s (%s)", dev->name, dev->waits->name,
                 device_state_name(dev->waits->state));
}

static bool is_unmarked(const struct device *dev, unsigned walk)
{
    return dev != NULL && dev->state == DEVICE_WAITING && dev->mark < walk;
}

/* Follows who waits for whom; each walk has a mark of its own. Circles told before are not again. */
static void report_left(void)
{
    static unsigned walk;

    for (struct device *dev = device_next(NULL); dev != NULL; dev = device_next(dev)) {
        struct device *at = dev;

        walk++;
        for (; is_unmarked(at, walk); at = at->waits)
            at->mark = walk;
        if (at != NULL && at->state == DEVICE_WAITING && at->error != -EDEADLK)
            report_circle(at);
    }
    for (struct device *dev = device_next(NULL); dev != NULL; dev = device_next(dev)) {
        if (dev->state == DEVICE_WAITING)
            report_waiting(dev);
    }
}

void driver_probe_all(void)
{
    TABLE_FOREACH(buses, struct bus, bus) {
        int err = (*bus)->scan == NULL ? 0 : (*bus)->scan();

        if (err != 0)
            log_error("bus %s: not all of its devices were found: %s", (*bus)->name,
                      error_name(err));
    }
    probe_until_nothing_comes();
    report_left();
}
