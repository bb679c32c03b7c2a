// SPDX-License-Identifier: Apache-2.0
// Host RAM before the device tree is in memory: read from the flattened tree, reserve what is in use, hand out the rest.
#include <hv/init.h>

#include <arch/mmu.h>
#include <hv/dt_reader.h>
#include <hv/log.h>
#include <hv/page.h>
#include <lib/endian.h>
#include <lib/errno.h>
#include <lib/macros.h>
#include <lib/string.h>
#include <libfdt.h>
#include <stdbool.h>

/* A hostile tree must not keep start-up busy for ever. */
#define RANGES_MAX 64
#define NODES_MAX 64

/* The attribute reg of a node that describes RAM, or what is reserved in it; in the blob. */
struct region {
    const char *reg;
    uint32_t size;
    bool is_ram;
};

/* What one pass over the blob finds. */
struct found {
    struct region regions[NODES_MAX];
    unsigned count;
    uint32_t address_cells, size_cells; /* of the root */
    uint64_t bundle, bundle_end;
    bool in_chosen, in_reserved; /* the open child of the root */
    struct region child;         /* of the root, being read */
};

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

static uint64_t read_number(const struct dt_token *token)
{
    const char *at = token->data;

    return token->size == 4 || token->size == 8 ? read_cells(&at, (int)token->size / 4) : 0;
}

static bool is_named(const struct dt_token *token, const char *name)
{
    return strcmp(token->name, name) == 0;
}

static bool is_memory_type(const struct dt_token *token)
{
    /* With its terminator: the length is what bounds the comparison. */
    return token->size == sizeof("memory") && memcmp(token->data, "memory", sizeof("memory")) == 0;
}

static int add_region(struct found *found, struct region region)
{
    if (found->count == NODES_MAX)
        return -ENOSPC;
    found->regions[found->count++] = region;
    return 0;
}

/* Depth 1 is the root, 2 a child of it, 3 what may be a child of /reserved-memory. */
static int note_attr(struct found *found, unsigned depth, const struct dt_token *token)
{
    if (depth == 1 && is_named(token, "#address-cells"))
        found->address_cells = (uint32_t)read_number(token);
    else if (depth == 1 && is_named(token, "#size-cells"))
        found->size_cells = (uint32_t)read_number(token);
    else if (depth == 2 && found->in_chosen && is_named(token, "linux,initrd-start"))
        found->bundle = read_number(token);
    else if (depth == 2 && found->in_chosen && is_named(token, "linux,initrd-end"))
        found->bundle_end = read_number(token);
    else if (depth == 2 && is_named(token, "device_type"))
        found->child.is_ram = is_memory_type(token);
    else if (depth == 2 && is_named(token, "reg"))
        found->child = (struct region){token->data, token->size, found->child.is_ram};
    else if (depth == 3 && found->in_reserved && is_named(token, "reg"))
        return add_region(found, (struct region){token->data, token->size, false});
    return 0;
}

static int note_token(struct found *found, unsigned depth, const struct dt_token *token)
{
    switch (token->kind) {
    case DT_TOKEN_NODE:
        if (depth == 2) {
            found->child = (struct region){0};
            found->in_chosen = is_named(token, "chosen");
            found->in_reserved = is_named(token, "reserved-memory");
        }
        return 0;
    case DT_TOKEN_NODE_END:
        return depth == 1 && found->child.is_ram ? add_region(found, found->child) : 0;
    case DT_TOKEN_ATTR:
        return note_attr(found, depth, token);
    default:
        return 0;
    }
}

static int read_blob(struct found *found, const void *fdt, size_t size)
{
    struct dt_token token;
    struct dt_reader reader;
    int err = dt_reader_init(&reader, fdt, size);

    *found = (struct found){.address_cells = 2, .size_cells = 1};
    do {
        if (!err)
            err = dt_reader_next(&reader, &token);
        if (!err)
            err = note_token(found, reader.depth, &token);
    } while (!err && token.kind != DT_TOKEN_END);
    return err;
}

/* Calls fn for each (address, size) of the region. */
static int for_each_range(const struct found *found, const struct region *region, range_fn fn)
{
    const char *at = region->reg, *end = at + region->size;
    uint32_t cells = found->address_cells + found->size_cells;
    int err = 0;

    if (!at || found->address_cells - 1 > 1 || found->size_cells - 1 > 1)
        return -EBADMSG;
    for (unsigned i = 0; !err && i < RANGES_MAX && end - at >= 4 * (ptrdiff_t)cells; i++) {
        uint64_t start = read_cells(&at, (int)found->address_cells);
        uint64_t size = read_cells(&at, (int)found->size_cells);

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

static int for_all(const struct found *found, bool is_ram, range_fn fn)
{
    int err = 0;

    for (unsigned i = 0; !err && i < found->count; i++) {
        if (found->regions[i].is_ram == is_ram)
            err = for_each_range(found, &found->regions[i], fn);
    }
    return err;
}

static bool has_ram(const struct found *found)
{
    for (unsigned i = 0; i < found->count; i++) {
        if (found->regions[i].is_ram)
            return true;
    }
    return false;
}

/* /memreserve/ entries. */
static int reserve_listed(const void *fdt)
{
    int count = MIN(fdt_num_mem_rsv(fdt), RANGES_MAX);
    int err = 0;

    for (int i = 0; !err && i < count; i++) {
        uint64_t start, size;

        if (fdt_get_mem_rsv(fdt, i, &start, &size) == 0 && size && start + size > start)
            err = reserve_firmware(start, size);
    }
    return err;
}

static int reserve_all(const void *fdt, uint64_t used, const struct found *found)
{
    uint64_t image_size;
    hpa_t image;
    int err;

    arch_mmu_image_range(&image, &image_size);
    err = reserve_pages(0, PAGE_SIZE, "null page");
    if (!err)
        err = reserve_pages(image.v, image_size, "hypervisor");
    if (!err)
        err = reserve_pages(arch_mmu_hpa(fdt).v, used, "device tree blob");
    if (!err && found->bundle_end > found->bundle)
        err = reserve_pages(found->bundle, found->bundle_end - found->bundle, "boot bundle");
    if (!err)
        err = reserve_listed(fdt);
    return err ? err : for_all(found, false, reserve_firmware);
}

int init_memory(const void *fdt, uint64_t limit, size_t *fdt_size)
{
    int64_t used = used_size(fdt, limit);
    static struct found found; /* boot only; large for the stack */
    int err;

    if (used < 0)
        return -EBADMSG;
    *fdt_size = fdt_totalsize(fdt);
    err = read_blob(&found, fdt, *fdt_size);
    if (!err && !has_ram(&found))
        err = -ENOENT;
    if (!err)
        err = reserve_all(fdt, (uint64_t)used, &found);
    return err ? err : for_all(&found, true, add_ram);
}
