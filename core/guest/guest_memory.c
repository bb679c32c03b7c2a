// SPDX-License-Identifier: Apache-2.0
// Host memory of a guest's regions: taken, scrubbed, mapped at stage 2, and all of it given back.
#include <hv/guest_parts.h>

#include <hv/clock.h>
#include <hv/page.h>
#include <hv/thread.h>
#include <lib/errno.h>

#define BLOCK_2M 0x200000ULL
#define BLOCK_1G 0x40000000ULL

/* Gigabytes take long, and who wants a guest created or destroyed goes before guests: those are let in between. */
static void scrub(hpa_t host, uint64_t size)
{
    uint64_t since = clock_now();

    for (uint64_t done = 0; done < size; done += GUEST_PIECE_SIZE) {
        page_scrub(hpa(host.v + done), MIN(size - done, GUEST_PIECE_SIZE));
        thread_give_way(&since);
    }
}

/* Aligned as the guest address is, so that stage 2 can use large blocks; less when RAM is in pieces. */
int guest_memory_take(uint64_t size, gpa_t start, uint32_t owner, hpa_t *out)
{
    static const uint64_t aligns[] = {BLOCK_1G, BLOCK_2M, PAGE_SIZE};
    int err = -ENOMEM;

    for (unsigned i = 0; i < ARRAY_SIZE(aligns) && err != 0; i++) {
        if (aligns[i] == PAGE_SIZE || (size >= aligns[i] && IS_ALIGNED(start.v, aligns[i]))) {
            err = page_alloc_range(size, aligns[i], owner, out);
        }
    }
    if (err == 0) {
        scrub(*out, size);
    }
    return err;
}

void guest_memory_give(hpa_t host, uint64_t size)
{
    scrub(host, size);
    page_free_range(host, size);
}

/* Memory of its own, anywhere or where the configuration says. */
static int take_own(struct guest *guest, struct guest_region *region, bool fixed)
{
    uint32_t owner = PAGE_OWNER_GUEST + guest->id;
    int err;

    if (fixed) {
        err = page_claim_range(region->host, region->size, owner);
        if (err == 0) {
            scrub(region->host, region->size);
        }
    } else {
        err = guest_memory_take(region->size, region->start, owner, &region->host);
    }
    region->owned = err == 0;
    return err;
}

static int take_region(struct guest *guest, struct guest_region *region,
                       const struct guest_region_config *config)
{
    int err;

    if (config->shared == NULL) {
        return take_own(guest, region, config->fixed);
    }
    err = guest_shared_get(config->shared, region->size, region->start, &region->shared);
    if (err == 0) {
        region->host = guest_shared_host(region->shared);
    }
    return err;
}

static void report_refusal(struct guest *guest, const struct guest_region *region,
                           const struct guest_region_config *config, struct report *report)
{
    const char *shared = config->shared;
    uint64_t size = shared != NULL ? guest_shared_size(shared) : 0;

    if (config->fixed) {
        guest_config_error(report, config->node, "bulkhead,host-address",
                           "0x%llx, size 0x%llx: in use already; move it",
                           (unsigned long long)config->host, (unsigned long long)config->size);
        return;
    }

    if (size != 0 && size != region->size) {
        guest_config_error(report, guest->node, region->name,
                           "shared memory \"%s\" has 0x%llx bytes, this region 0x%llx; give all "
                           "guests that share it the same size",
                           shared, (unsigned long long)size, (unsigned long long)region->size);
        return;
    }
    guest_config_error(report, guest->node, region->name,
                       "the host has no contiguous 0x%llx bytes free; give it less memory or "
                       "destroy another guest",
                       (unsigned long long)region->size);
}

static int map_region(struct guest *guest, const struct guest_region *region)
{
    const struct guest_region *target =
        region->kind == GUEST_REGION_ALIAS ? region->alias_of : region;
    enum guest_mmu_attr attr = GUEST_MMU_DEVICE;
    uint64_t size = target->kind == GUEST_REGION_HOST ? target->direct : region->size;

    if (target->kind == GUEST_REGION_VIRTUAL || target->demand) {
        return 0;
    }
    if (target->kind == GUEST_REGION_MEMORY) {
        attr = target->read_only ? GUEST_MMU_ROM : GUEST_MMU_RAM;
    }
    return arch_guest_mmu_map(&guest->arch.mmu, region->start, target->host, size, attr);
}

int guest_memory_create(struct guest *guest, struct report *report)
{
    const struct guest_region_map *map = guest->map;
    struct guest_region *region = NULL;
    int err = 0;

    for (unsigned i = 0; i < map->count && err == 0; i++) {
        region = map->regions[i];
        if (region->kind == GUEST_REGION_MEMORY && !region->demand) {
            err = take_region(guest, region, &guest->config->regions[i]);
        }
        if (err != 0) {
            report_refusal(guest, region, &guest->config->regions[i], report);
        }
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
            guest_memory_give(region->host, region->size);
            region->owned = false;
        }
        if (region->shared != NULL) {
            guest_shared_put(region->shared);
            region->shared = NULL;
        }
    }
}
