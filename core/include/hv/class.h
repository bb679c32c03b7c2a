// SPDX-License-Identifier: Apache-2.0
// Classes: what a device is for whoever uses it, whichever bus it is on. Room: dev.
#pragma once

#include <lib/table.h>
#include <stddef.h>

struct device;

struct class
{
    const char *name; /**< as typed: "char", "rtc" */
    const char *help; /**< one line */
    /** A line about how the device is, without its end. NULL: nothing to say. Orphan. */
    void (*describe)(const struct device *dev, char *buf, size_t size);
    /** The device is about to go: 0, or -EBUSY when it is in use. NULL: it may always go. Orphan. */
    int (*leave)(struct device *dev);
};
#define CLASS(c) TABLE_ENTRY(classes, struct class, c)

/** NULL: none of that name. Any context. */
const struct class *class_find(const char *name);
/**
 * Driver's probe: the device is one of the class now, and the class's own data go with it; ended
 * when the device goes. -EBUSY: it is in a class already.
 */
int class_join(struct device *dev, const struct class *cls, void *data);
/** What its driver gave to class_join(); NULL without a class. Any context. */
void *class_data(const struct device *dev);
/** Bound devices of the class in the order in which they were found; NULL past the last one. Any context. */
struct device *class_device_at(const struct class *cls, unsigned index);

/** Real-time clocks; the class's data is a struct rtc. */
extern const struct class rtc_class;
