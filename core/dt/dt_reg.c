// SPDX-License-Identifier: Apache-2.0
// Device tree: reg and ranges (Devicetree Specification 2.3.5, 2.3.6, 2.3.8).

#include "dt_internal.h"

#include <lib/endian.h>
#include <lib/errno.h>

#define ADDRESS_CELLS_DEFAULT 2
#define SIZE_CELLS_DEFAULT 1

int dt_cells(const struct dt_node *bus, unsigned *address_cells, unsigned *size_cells)
{
    uint32_t address = ADDRESS_CELLS_DEFAULT;
    uint32_t size = SIZE_CELLS_DEFAULT;

    if (bus == NULL || dt_get_u32(bus, "#address-cells", &address) == -EINVAL ||
        dt_get_u32(bus, "#size-cells", &size) == -EINVAL)
        return -EINVAL;
    if (address < 1 || address > 2 || size > 2)
        return -EINVAL;
    *address_cells = address;
    *size_cells = size;
    return 0;
}

/* A number of 0 to 2 cells. */
static uint64_t cells_load(const uint8_t *from, unsigned cells)
{
    return cells == 0 ? 0 : cells == 1 ? be32_load(from) : be64_load(from);
}

int dt_get_reg(const struct dt_node *node, unsigned index, uint64_t *addr, uint64_t *size)
{
    const struct dt_attr *attr = dt_attr(node, "reg");
    unsigned address_cells, size_cells, entry;
    const uint8_t *at;

    if (attr == NULL)
        return -ENOENT;
    if (dt_cells(node->parent, &address_cells, &size_cells) != 0)
        return -EINVAL;
    entry = 4 * (address_cells + size_cells);
    if (attr->size % entry != 0)
        return -EINVAL;
    if (index >= attr->size / entry)
        return -ENOENT;
    at = (const uint8_t *)attr->data + (size_t)index * entry;
    *addr = cells_load(at, address_cells);
    *size = cells_load(at + 4 * (size_t)address_cells, size_cells);
    return 0;
}

unsigned dt_reg_count(const struct dt_node *node)
{
    const struct dt_attr *attr = dt_attr(node, "reg");
    unsigned address_cells, size_cells;

    if (attr == NULL || dt_cells(node->parent, &address_cells, &size_cells) != 0)
        return 0;
    return attr->size / (4 * (address_cells + size_cells));
}

/* From the address space of bus to that of its parent. */
static int translate(const struct dt_node *bus, uint64_t *addr, uint64_t size)
{
    const struct dt_attr *ranges = dt_attr(bus, "ranges");
    unsigned child_cells, size_cells, parent_cells, unused, entry;

    /* Without ranges, what is on the bus has no address outside. */
    if (ranges == NULL || dt_cells(bus, &child_cells, &size_cells) != 0 ||
        dt_cells(bus->parent, &parent_cells, &unused) != 0)
        return -EINVAL;
    if (ranges->size == 0)
        return 0;
    entry = 4 * (child_cells + parent_cells + size_cells);
    if (ranges->size % entry != 0)
        return -EINVAL;
    for (unsigned at = 0; at < ranges->size; at += entry) {
        const uint8_t *cells = (const uint8_t *)ranges->data + at;
        uint64_t child = cells_load(cells, child_cells);
        uint64_t parent = cells_load(cells + 4 * (size_t)child_cells, parent_cells);
        uint64_t length = cells_load(cells + 4 * (size_t)(child_cells + parent_cells), size_cells);

        if (*addr < child || *addr - child >= length || size > length - (*addr - child))
            continue;
        *addr = parent + (*addr - child);
        return *addr < parent || *addr + size < *addr ? -EINVAL : 0;
    }
    return -EINVAL;
}

int dt_get_reg_translated(const struct dt_node *node, unsigned index, uint64_t *addr, uint64_t *size)
{
    int err = dt_get_reg(node, index, addr, size);

    if (err == 0 && *addr + *size < *addr)
        err = -EINVAL;
    for (const struct dt_node *bus = node->parent; err == 0 && bus->parent != NULL;
         bus = bus->parent)
        err = translate(bus, addr, *size);
    return err;
}
