// SPDX-License-Identifier: Apache-2.0
// Host devices: what the files of this room share.
#pragma once

#include <hv/device.h>

/** Runs the driver's probe and gives everything back when it fails. */
int device_probe(struct device *dev, const struct driver *driver);
/** Give back what it holds, last one first. */
void device_release_all(struct device *dev);
/**
 * Calls fn for each node that this one depends on by its properties, until it returns true; that is
 * then the result.
 */
bool device_for_each_supplier(const struct device *dev,
                              bool (*fn)(struct dt_node *supplier, void *arg), void *arg);
/** Are the interrupt controllers and timers that are found before drivers of this node's kind? */
bool device_is_early(const struct device *dev);
