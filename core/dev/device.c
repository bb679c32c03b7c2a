// SPDX-License-Identifier: Apache-2.0
// Host devices: the list of them, binding and removal.
#include "dev_internal.h"

#include <hv/class.h>
#include <hv/driver.h>
#include <hv/heap.h>
#include <hv/log.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

// Only grows: a device that is gone from its bus stays as one without a driver.
static struct list devices = LIST_INIT(devices);

static void device_name_set(struct device *dev, const char *name)
{
    unsigned copy = 1;

    (void)str_copy(dev->name, name, sizeof(dev->name));
    while (device_find(dev->name) != NULL) {
        copy++;
        (void)fmt_snprintf(dev->name, sizeof(dev->name), "%.26s#%u", name, copy);
    }
}

int device_add(const struct bus *bus, struct device *parent, struct dt_node *node, const char *name,
               struct device **out)
{
    struct device *dev;

    if (node != NULL && device_of_node(node) != NULL)
        return -EEXIST;
    dev = heap_zalloc(sizeof(*dev));
    if (dev == NULL)
        return -ENOMEM;
    device_name_set(dev, name);
    dev->bus = bus;
    dev->parent = parent;
    dev->node = node;
    if (node != NULL)
        dt_hold(node, &dev->hold, dev->name);
    list_init(&dev->resources);
    if (device_is_early(dev))
        dev->state = DEVICE_EARLY;
    list_add_tail(&devices, &dev->link);
    *out = dev;
    return 0;
}

struct device *device_next(const struct device *dev)
{
    return dev == NULL ? LIST_FIRST(&devices, struct device, link)
                       : LIST_NEXT(&devices, dev, struct device, link);
}

struct device *device_find(const char *name)
{
    LIST_FOR_EACH(dev, &devices, struct device, link) {
        if (str_equal(dev->name, name))
            return dev;
    }
    return NULL;
}

struct device *device_of_node(const struct dt_node *node)
{
    LIST_FOR_EACH(dev, &devices, struct device, link) {
        if (dev->node == node && node != NULL)
            return dev;
    }
    return NULL;
}

const struct device *device_owner_of(hpa_t addr, uint64_t size)
{
    LIST_FOR_EACH(dev, &devices, struct device, link) {
        uint64_t length;
        hpa_t start;

        for (unsigned i = 0; device_regs_at(dev, i, &start, &length); i++) {
            if (addr.v < start.v + length && start.v < addr.v + size)
                return dev;
        }
    }
    return NULL;
}

const char *device_state_name(enum device_state state)
{
    static const char *const names[DEVICE_STATES] = {
        [DEVICE_UNBOUND] = "no driver", [DEVICE_EARLY] = "early",   [DEVICE_WAITING] = "waiting",
        [DEVICE_BOUND] = "bound",       [DEVICE_FAILED] = "failed",
    };

    return names[state];
}

static void device_unbind(struct device *dev)
{
    device_release_all(dev);
    dev->driver = NULL;
    dev->cls = NULL;
    dev->class_data = NULL;
    dev->priv = NULL;
}

int device_probe(struct device *dev, const struct driver *driver)
{
    int err;

    dev->driver = driver;
    err = driver->probe(dev);
    dev->error = err;
    if (err == 0) {
        dev->state = DEVICE_BOUND;
        return 0;
    }
    device_unbind(dev);
    dev->driver = driver;
    dev->state = err == -EAGAIN ? DEVICE_WAITING : DEVICE_FAILED;
    if (err != -EAGAIN)
        log_error("%s: driver %s failed: %s", dev->name, driver->name, error_name(err));
    return err;
}

int device_remove(struct device *dev)
{
    int err;

    if (dev->state != DEVICE_BOUND)
        return -ENODEV;
    if (dev->driver->remove == NULL)
        return -EBUSY;
    err = dev->cls != NULL && dev->cls->leave != NULL ? dev->cls->leave(dev) : 0;
    if (err != 0)
        return err;
    dev->driver->remove(dev);
    device_unbind(dev);
    dev->state = DEVICE_UNBOUND;
    return 0;
}
