// SPDX-License-Identifier: Apache-2.0
// Host RAM before the device tree is in memory: read from the flattened tree, reserve what is in use, hand out the rest.
#include <hv/init.h>

#include <arch/mmu.h>
#include <hv/log.h>
#include <hv/page.h>
#include <lib/endian.h>
#include <lib/errno.h>
#include <lib/macros.h>
#include <lib/string.h>
#include <libfdt.h>

/* A hostile tree must not keep start-up busy for ever. */
#define RANGES_MAX 64

typedef int (*range_fn)(uint64_t start, uint64_t size);

/* Bytes of the blob that hold anything: boot loaders pad theirs. -EBADMSG when header or blocks do not fit. */
static int64_t used_size(const void *fdt, uint64_t limit)
{
    uint64_t structure, strings;

    if (limit < FDT_V17_SIZE || fdt_check_header(fdt) || fdt_totalsize(fdt) > limit ||
        fdt_version(fdt) < 17)
        return -EBADMSG;
    structure = (uint64_t)fdt_off_dt_struct(fdt) + fdt_size_dt_struct(fdt);
    strings = (uint64_t)fdt_off_dt_strings(fdt) + fdt_size_dt_strings(fdt);
    return (int64_t)MAX(structure, strings);
}

static uint64_t read_cells(const char **at, int cells)
{
    uint64_t value = 0;

    for (; cells > 0; cells--, *at += 4)
        value = value << 32 | be32_load(*at);
    return value;
}

/* Calls fn for each (address, size) of the node's reg. */
static int for_each_reg(const void *fdt, int node, range_fn fn)
{
    int address_cells = fdt_address_cells(fdt, 0);
    int size_cells = fdt_size_cells(fdt, 0);
    int length, err = 0;
    const char *at = fdt_getprop(fdt, node, "reg", &length);
    const char *end = at + length;

    if (!at || address_cells < 1 || address_cells > 2 || size_cells < 1 || size_cells > 2)
        return -EBADMSG;
    for (int i = 0; !err && i < RANGES_MAX && end - at >= 4 * (address_cells + size_cells); i++) {
        uint64_t start = read_cells(&at, address_cells);
        uint64_t size = read_cells(&at, size_cells);

        if (size && start + size > start)
            err = fn(start, size);
    }
    return err;
}

static int reserve_pages(uint64_t start, uint64_t size, const char *what)
{
    uint64_t first = ALIGN_DOWN(start, PAGE_SIZE);

    return page_reserve(hpa(first), ALIGN_UP(start + size, PAGE_SIZE) - first, what);
}

static int reserve_firmware(uint64_t start, uint64_t size)
{
    return reserve_pages(start, size, "firmware");
}

static int add_ram(uint64_t start, uint64_t size)
{
    int err = arch_mmu_map_ram(hpa(start), size);

    return err ? err : page_add_range(hpa(start), size);
}

/* /memreserve/ entries and the children of /reserved-memory that have a place. */
static int reserve_listed(const void *fdt)
{
    int count = MIN(fdt_num_mem_rsv(fdt), RANGES_MAX);
    int parent = fdt_path_offset(fdt, "/reserved-memory");
    int node, err = 0;

    for (int i = 0; !err && i < count; i++) {
        uint64_t start, size;

        if (fdt_get_mem_rsv(fdt, i, &start, &size) == 0 && size && start + size > start)
            err = reserve_firmware(start, size);
    }
    if (parent < 0)
        return err;
    fdt_for_each_subnode(node, fdt, parent)
    {
        if (!err && fdt_getprop(fdt, node, "reg", NULL))
            err = for_each_reg(fdt, node, reserve_firmware);
    }
    return err;
}

static uint64_t chosen_address(const void *fdt, int chosen, const char *name)
{
    int length;
    const char *at = fdt_getprop(fdt, chosen, name, &length);

    if (!at || (length != 4 && length != 8))
        return 0;
    return read_cells(&at, length / 4);
}

static int reserve_bundle(const void *fdt)
{
    int chosen = fdt_path_offset(fdt, "/chosen");
    uint64_t start, end;

    if (chosen < 0)
        return 0;
    start = chosen_address(fdt, chosen, "linux,initrd-start");
    end = chosen_address(fdt, chosen, "linux,initrd-end");
    return end > start ? reserve_pages(start, end - start, "boot bundle") : 0;
}

static int add_memory_nodes(const void *fdt)
{
    int node, found = 0;

    fdt_for_each_subnode(node, fdt, 0)
    {
        int length, err;
        const char *type = fdt_getprop(fdt, node, "device_type", &length);

        /* With its terminator: the length is what bounds the comparison. */
        if (!type || length != sizeof("memory") || memcmp(type, "memory", sizeof("memory")) != 0)
            continue;
        err = for_each_reg(fdt, node, add_ram);
        if (err)
            return err;
        found++;
    }
    return found ? 0 : -ENOENT;
}

int init_memory(const void *fdt, uint64_t limit, size_t *fdt_size)
{
    int64_t used = used_size(fdt, limit);
    uint64_t image_size;
    hpa_t image;
    int err;

    if (used < 0)
        return -EBADMSG;
    *fdt_size = fdt_totalsize(fdt);
    arch_mmu_image_range(&image, &image_size);
    err = reserve_pages(0, PAGE_SIZE, "null page");
    if (!err)
        err = reserve_pages(image.v, image_size, "hypervisor");
    if (!err)
        err = reserve_pages(arch_mmu_hpa(fdt).v, (uint64_t)used, "device tree blob");
    if (!err)
        err = reserve_bundle(fdt);
    if (!err)
        err = reserve_listed(fdt);
    return err ? err : add_memory_nodes(fdt);
}
