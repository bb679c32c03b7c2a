// SPDX-License-Identifier: Apache-2.0
// Which RAM there is, and what of it is reserved: told at boot.

#include "page_internal.h"

#include <arch/mmu.h>
#include <lib/errno.h>
#include <lib/macros.h>
#include <stddef.h>

#define RESERVED_MAX 64
/* Block numbers fit 32 bits with room for sums. */
#define ADDRESS_MAX BIT(52)

struct page_region page_regions[PAGE_REGIONS_MAX];
unsigned page_region_count;

static struct reserved {
    uint64_t start, end;
    const char *what;
} reserved[RESERVED_MAX];
static unsigned reserved_count;

bool page_is_ram(hpa_t addr, uint64_t size)
{
    uint64_t pos = addr.v;
    uint64_t end = addr.v + size;

    if (size == 0 || end < pos)
        return false;
    /* A range may cross from one region to the next: at most that many steps. */
    for (unsigned steps = 0; steps <= page_region_count; steps++) {
        const struct page_region *in = NULL;

        for (unsigned i = 0; i < page_region_count; i++) {
            if (pos >= page_regions[i].start && pos < page_regions[i].end)
                in = &page_regions[i];
        }
        if (in == NULL)
            return false;
        if (end <= in->end)
            return true;
        pos = in->end;
    }
    return false;
}

bool page_reserved_range(unsigned index, hpa_t *start, uint64_t *size, const char **what)
{
    if (index >= reserved_count)
        return false;
    *start = hpa(reserved[index].start);
    *size = reserved[index].end - reserved[index].start;
    *what = reserved[index].what;
    return true;
}

bool page_ram_range(unsigned index, hpa_t *start, uint64_t *size)
{
    if (index >= page_region_count)
        return false;
    *start = hpa(page_regions[index].start);
    *size = page_regions[index].end - page_regions[index].start;
    return true;
}

static int reserved_add(uint64_t start, uint64_t end, const char *what)
{
    if (reserved_count == RESERVED_MAX)
        return -ENOSPC;
    reserved[reserved_count++] = (struct reserved){start, end, what};
    return 0;
}

int page_reserve(hpa_t start, uint64_t size, const char *what)
{
    uint64_t first = ALIGN_DOWN(start.v, PAGE_SIZE);
    uint64_t end = ALIGN_UP(start.v + size, PAGE_SIZE);
    int err;

    if (size == 0 || start.v + size < start.v || end > ADDRESS_MAX)
        return -EINVAL;
    spin_lock(&page_lock);
    err = reserved_add(first, end, what);
    for (unsigned i = 0; i < page_region_count && err == 0; i++) {
        uint64_t from = MAX(first, page_regions[i].start);
        uint64_t to = MIN(end, page_regions[i].end);

        if (from < to)
            err = page_range_reserve(from, to - from);
    }
    spin_unlock(&page_lock);
    return err;
}

/* A reserved range that overlaps [start, end), the lowest one; NULL. */
static const struct reserved *reserved_in(uint64_t start, uint64_t end)
{
    const struct reserved *lowest = NULL;

    for (unsigned i = 0; i < reserved_count; i++) {
        const struct reserved *r = &reserved[i];

        if (r->start < end && r->end > start && (lowest == NULL || r->start < lowest->start))
            lowest = r;
    }
    return lowest;
}

/* Room for the block descriptors inside the range, clear of what is reserved. -ENOSPC. */
static int place_descriptors(uint64_t start, uint64_t end, uint64_t size, uint64_t *out)
{
    uint64_t at = start;

    while (at < end && end - at >= size) {
        const struct reserved *r = reserved_in(at, at + size);

        if (r == NULL) {
            *out = at;
            return reserved_add(at, at + size, "page descriptors");
        }
        at = r->end;
    }
    return -ENOSPC;
}

/* Leaves out blocks that another region has descriptors for already. */
static int trim(uint64_t *start, uint64_t *end)
{
    for (unsigned i = 0; i < page_region_count; i++) {
        const struct page_region *r = &page_regions[i];
        uint64_t low = (uint64_t)r->first << BLOCK_SHIFT;
        uint64_t high = (uint64_t)(r->first + r->count) << BLOCK_SHIFT;

        if (*start<r->end && * end> r->start)
            return -EEXIST;
        if (*start >= r->end && *start < high)
            *start = high;
        if (*end <= r->start && *end > low)
            *end = low;
    }
    return *start < *end ? 0 : -EINVAL;
}

/* Everything is used by nobody so far: free what is not reserved. */
static void region_open(const struct page_region *region) REQUIRES(page_lock)
{
    uint64_t pos = region->start;

    while (pos < region->end) {
        const struct reserved *r = reserved_in(pos, region->end);
        uint64_t to = r == NULL ? region->end : MAX(pos, r->start);

        page_range_release(pos, to - pos);
        pos = r == NULL ? region->end : MIN(r->end, region->end);
    }
}

static int region_add(uint64_t start, uint64_t end) REQUIRES(page_lock)
{
    struct page_region *region = &page_regions[page_region_count];
    uint64_t descriptors = 0;
    uint32_t first, count;
    int err = page_region_count < PAGE_REGIONS_MAX ? trim(&start, &end) : -ENOSPC;

    if (err != 0)
        return err;
    first = (uint32_t)(start >> BLOCK_SHIFT);
    count = (uint32_t)((end + BLOCK_SIZE - 1) >> BLOCK_SHIFT) - first;
    err = place_descriptors(start, end, ALIGN_UP(count * sizeof(struct block), PAGE_SIZE),
                            &descriptors);
    if (err != 0)
        return err;
    *region = (struct page_region){start, end, first, count, arch_mmu_linear(hpa(descriptors))};
    page_region_count++;
    page_block_tile(first, count, PAGE_OWNER_NONE);
    page_owner_charge(PAGE_OWNER_NONE, (int64_t)(end - start));
    region_open(region);
    return 0;
}

int page_add_range(hpa_t start, uint64_t size)
{
    uint64_t first = ALIGN_UP(start.v, PAGE_SIZE);
    uint64_t end = ALIGN_DOWN(start.v + size, PAGE_SIZE);
    int err;

    if (start.v + size < start.v || end > ADDRESS_MAX || first >= end)
        return -EINVAL;
    spin_lock(&page_lock);
    err = region_add(first, end);
    spin_unlock(&page_lock);
    return err;
}
