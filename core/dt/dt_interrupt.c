// SPDX-License-Identifier: Apache-2.0
// Device tree: which controller an interrupt goes to and its specifier (Devicetree Specification
// 2.4).

#include "dt_internal.h"

#include <lib/endian.h>
#include <lib/errno.h>

#define CELLS_MAX 4

/*
 * The interrupt parent: of the node or the nearest node above that names one, or the nearest one
 * above that is a controller.
 */
static struct dt_node *interrupt_parent(const struct dt_node *node)
{
    const struct dt_node *at = node;
    uint32_t phandle;

    while (at != NULL) {
        if (at != node && dt_attr(at, "#interrupt-cells") != NULL)
            return (struct dt_node *)at;
        if (dt_get_u32(at, "interrupt-parent", &phandle) == 0)
            return dt_find_phandle(phandle);
        at = at->parent;
    }
    return NULL;
}

static int interrupt_cells(const struct dt_node *controller, unsigned *cells)
{
    uint32_t value;

    if (controller == NULL || dt_get_u32(controller, "#interrupt-cells", &value) != 0 ||
        value < 1 || value > CELLS_MAX)
        return -EINVAL;
    *cells = value;
    return 0;
}

struct specifier {
    struct dt_node *controller;
    const uint8_t *cells;
    unsigned count;
};

static int find_extended(const struct dt_attr *attr, unsigned index, struct specifier *spec)
{
    const uint8_t *at = attr->data;
    uint32_t left = attr->size / 4;

    if (attr->size % 4 != 0)
        return -EINVAL;
    while (left > 0) {
        spec->controller = dt_find_phandle(be32_load(at));
        if (interrupt_cells(spec->controller, &spec->count) != 0 || spec->count > left - 1)
            return -EINVAL;
        spec->cells = at + 4;
        if (index-- == 0)
            return 0;
        at += 4 * (size_t)(spec->count + 1);
        left -= spec->count + 1;
    }
    return -ENOENT;
}

static int find_specifier(const struct dt_node *node, unsigned index, struct specifier *spec)
{
    const struct dt_attr *extended = dt_attr(node, "interrupts-extended");
    const struct dt_attr *attr = dt_attr(node, "interrupts");

    if (extended != NULL)
        return find_extended(extended, index, spec);
    if (attr == NULL)
        return -ENOENT;
    spec->controller = interrupt_parent(node);
    if (interrupt_cells(spec->controller, &spec->count) != 0 || attr->size % (4 * spec->count) != 0)
        return -EINVAL;
    if (index >= attr->size / (4 * spec->count))
        return -ENOENT;
    spec->cells = (const uint8_t *)attr->data + 4 * (size_t)spec->count * index;
    return 0;
}

int dt_get_interrupt(const struct dt_node *node, unsigned index, uint32_t cells[4])
{
    struct specifier spec;
    int err = find_specifier(node, index, &spec);

    if (err != 0)
        return err;
    for (unsigned i = 0; i < spec.count; i++)
        cells[i] = be32_load(spec.cells + 4 * (size_t)i);
    return (int)spec.count;
}

struct dt_node *dt_interrupt_controller(const struct dt_node *node, unsigned index)
{
    struct specifier spec;

    return find_specifier(node, index, &spec) == 0 ? spec.controller : NULL;
}
