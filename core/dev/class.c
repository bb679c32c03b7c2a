// SPDX-License-Identifier: Apache-2.0
// Classes of devices.
#include <hv/class.h>
#include <hv/device.h>
#include <lib/errno.h>
#include <lib/string.h>

TABLE_DECLARE(classes, struct class);

const struct class *class_find(const char *name)
{
    TABLE_FOREACH(classes, struct class, it) {
        if (str_equal((*it)->name, name))
            return *it;
    }
    return NULL;
}

int class_join(struct device *dev, const struct class *cls, void *data)
{
    if (dev->cls != NULL)
        return -EBUSY;
    dev->cls = cls;
    dev->class_data = data;
    return 0;
}

void *class_data(const struct device *dev)
{
    return dev->class_data;
}

struct device *class_device_at(const struct class *cls, unsigned index)
{
    for (struct device *dev = device_next(NULL); dev != NULL; dev = device_next(dev)) {
        if (dev->cls == cls && dev->state == DEVICE_BOUND && index-- == 0)
            return dev;
    }
    return NULL;
}
