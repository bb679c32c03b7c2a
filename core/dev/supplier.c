// SPDX-License-Identifier: Apache-2.0
// What a device depends on, by the properties of its node.
#include "dev_internal.h"

#include <lib/macros.h>
#include <stddef.h>

/* A property is read so far only. */
#define ENTRIES_MAX 64

/* Lists of phandles, each with as many cells behind it as the supplier's node says. */
static const struct {
    const char *property;
    const char *cells; /* NULL: none */
} suppliers[] = {
    {"clocks", "#clock-cells"},
    {"resets", "#reset-cells"},
    {"power-domains", "#power-domain-cells"},
    {"dmas", "#dma-cells"},
    {"iommus", "#iommu-cells"},
    {"phys", "#phy-cells"},
    {"pinctrl-0", NULL},
    {"vcc-supply", NULL},
};

static bool each_in_list(const struct dt_node *node, unsigned which,
                         bool (*fn)(struct dt_node *supplier, void *arg), void *arg)
{
    uint32_t phandle, cells;
    unsigned at = 0;

    for (unsigned i = 0; i < ENTRIES_MAX; i++) {
        struct dt_node *supplier;

        if (dt_get_u32_at(node, suppliers[which].property, at, &phandle) != 0)
            return false;
        supplier = dt_find_phandle(phandle);
        if (supplier == NULL)
            return false;
        if (fn(supplier, arg))
            return true;
        cells = 0;
        if (suppliers[which].cells != NULL)
            (void)dt_get_u32(supplier, suppliers[which].cells, &cells);
        if (cells > ENTRIES_MAX)
            return false;
        at += 1 + cells;
    }
    return false;
}

bool device_for_each_supplier(const struct device *dev,
                              bool (*fn)(struct dt_node *supplier, void *arg), void *arg)
{
    struct dt_node *controller;

    if (dev->node == NULL)
        return false;
    for (unsigned i = 0; i < ENTRIES_MAX; i++) {
        controller = dt_interrupt_controller(dev->node, i);
        if (controller == NULL)
            break;
        if (fn(controller, arg))
            return true;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(suppliers); i++) {
        if (each_in_list(dev->node, i, fn, arg))
            return true;
    }
    return false;
}
