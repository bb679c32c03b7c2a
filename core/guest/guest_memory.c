// SPDX-License-Identifier: Apache-2.0
// Host memory of a guest's regions: taken, scrubbed, mapped at stage 2, and all of it given back.
#include <hv/guest_parts.h>

#include <hv/page.h>
#include <lib/errno.h>

#define BLOCK_2M 0x200000ULL
#define BLOCK_1G 0x40000000ULL

/* Aligned as the guest address is, so that stage 2 can use large blocks; less when RAM is in pieces. */
static int take_pages(struct guest *guest, struct guest_region *region)
{
    static const uint64_t aligns[] = {BLOCK_1G, BLOCK_2M, PAGE_SIZE};
    int err = -ENOMEM;

    for (unsigned i = 0; i < ARRAY_SIZE(aligns) && err != 0; i++) {
        if (aligns[i] == PAGE_SIZE ||
            (region->size >= aligns[i] && IS_ALIGNED(region->start.v, aligns[i]))) {
            err = page_alloc_range(region->size, aligns[i], PAGE_OWNER_GUEST + guest->id,
                                   &region->host);
        }
    }
    if (err == 0) {
        region->owned = true;
        page_scrub(region->host, region->size);
    }
    return err;
}

static int map_region(struct guest *guest, const struct guest_region *region)
{
    const struct guest_region *target =
        region->kind == GUEST_REGION_ALIAS ? region->alias_of : region;
    enum guest_mmu_attr attr = GUEST_MMU_DEVICE;

    if (target->kind == GUEST_REGION_VIRTUAL) {
        return 0;
    }
    if (target->kind == GUEST_REGION_MEMORY) {
        attr = target->read_only ? GUEST_MMU_ROM : GUEST_MMU_RAM;
    }
    return arch_guest_mmu_map(&guest->arch.mmu, region->start, target->host, region->size, attr);
}

int guest_memory_create(struct guest *guest, struct report *report)
{
    const struct guest_region_map *map = guest->map;
    struct guest_region *region = NULL;
    int err = 0;

    for (unsigned i = 0; i < map->count && err == 0; i++) {
        region = map->regions[i];
        if (region->kind == GUEST_REGION_MEMORY) {
            err = take_pages(guest, region);
        }
    }
    if (err != 0) {
        guest_config_error(report, guest->node, region->name,
                           "the host has no contiguous 0x%llx bytes free; give it less memory or "
                           "destroy another guest",
                           (unsigned long long)region->size);
    }
    for (unsigned i = 0; i < map->count && err == 0; i++) {
        region = map->regions[i];
        err = map_region(guest, region);
        if (err != 0) {
            guest_config_error(report, guest->node, region->name,
                               "can not be mapped: %s; destroy another guest or give it less memory",
                               error_name(err));
        }
    }
    return err;
}

void guest_memory_destroy(struct guest *guest)
{
    if (guest->map == NULL) {
        return;
    }
    for (unsigned i = 0; i < guest->map->count; i++) {
        struct guest_region *region = guest->map->regions[i];

        if (region->owned) {
            page_scrub(region->host, region->size);
            page_free_range(region->host, region->size);
            region->owned = false;
        }
    }
}
