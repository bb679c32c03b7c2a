// SPDX-License-Identifier: Apache-2.0
// The map of a guest's address space: built once, sorted, read without locks; copies to and from guest memory.
#include <hv/guest_parts.h>

#include <arch/mmu.h>
#include <hv/heap.h>
#include <lib/errno.h>
#include <lib/string.h>

static struct guest_region *map_find(const struct guest_region_map *map, uint64_t addr)
{
    unsigned low = 0;
    unsigned high = map->count;

    while (low < high) {
        unsigned middle = (low + high) / 2;
        struct guest_region *region = map->regions[middle];

        if (guest_region_contains(region, addr)) {
            return region;
        }
        if (addr < region->start.v) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}

struct guest_region *guest_region_find(struct vcpu *vcpu, gpa_t addr)
{
    struct guest_region *region = map_find(vcpu->guest->map, addr.v);

    if (region != NULL)
        guest_vcpu_of(vcpu)->last_region = region;
    return region;
}

int64_t guest_region_bytes(struct guest *guest, uint64_t addr, bool write, uint8_t **host)
{
    const struct guest_region *region = map_find(guest->map, addr);
    uint64_t offset;
    uint64_t left;
    hpa_t at;

    if (region == NULL) {
        return -EFAULT;
    }
    offset = addr - region->start.v;
    left = region->size - offset;
    if (region->kind == GUEST_REGION_ALIAS) {
        region = region->alias_of;
    }
    if (region->kind != GUEST_REGION_MEMORY || (write && region->read_only)) {
        return -EFAULT;
    }
    at = hpa(region->host.v + offset);
    if (region->demand) {
        if (guest_demand_touch(guest, region, offset, &at) != 0) {
            return -ENOMEM;
        }
        left = MIN(left, PAGE_SIZE - offset % PAGE_SIZE);
    }
    *host = arch_mmu_linear(at);
    return (int64_t)left;
}

static int memory_check(struct guest *guest, uint64_t addr, uint64_t size, bool write)
{
    uint8_t *host;

    if (size > UINT64_MAX - addr) {
        return -EFAULT;
    }
    while (size > 0) {
        int64_t here = guest_region_bytes(guest, addr, write, &host);

        if (here < 0) {
            return (int)here;
        }
        here = (int64_t)MIN((uint64_t)here, size);
        addr += (uint64_t)here;
        size -= (uint64_t)here;
    }
    return 0;
}

int guest_mem_read(struct guest *guest, gpa_t addr, void *buf, uint64_t size)
{
    uint8_t *to = buf;
    uint8_t *host;
    int err = memory_check(guest, addr.v, size, false);

    for (uint64_t done = 0; err == 0 && done < size;) {
        uint64_t here =
            MIN((uint64_t)guest_region_bytes(guest, addr.v + done, false, &host), size - done);

        memcpy(to + done, host, here);
        done += here;
    }
    return err;
}

int guest_mem_write(struct guest *guest, gpa_t addr, const void *buf, uint64_t size)
{
    const uint8_t *from = buf;
    uint8_t *host;
    int err = memory_check(guest, addr.v, size, true);

    for (uint64_t done = 0; err == 0 && done < size;) {
        uint64_t here =
            MIN((uint64_t)guest_region_bytes(guest, addr.v + done, true, &host), size - done);

        memcpy(host, from + done, here);
        done += here;
    }
    return err;
}

static void region_fill(struct guest_region *region, const struct guest_region_config *config,
                        const char *name)
{
    region->start = gpa(config->start);
    region->size = config->size;
    region->kind = config->kind;
    region->name = name;
    region->host = hpa(config->host);
    region->read_only = config->read_only;
    region->demand = config->demand;
    region->dev_reg = config->frame;
    region->direct = config->direct;
}

static void link_alias(struct guest *guest, unsigned index)
{
    const struct guest_config *config = guest->config;

    for (unsigned i = 0; i < config->region_count; i++) {
        if (config->regions[i].node == config->regions[index].alias_of &&
            config->regions[i].frame == 0) {
            guest->map->regions[index]->alias_of = guest->map->regions[i];
        }
    }
}

int guest_region_create(struct guest *guest, struct report *report)
{
    const struct guest_config *config = guest->config;
    unsigned count = config->region_count;
    struct guest_region_map *map;

    map = heap_zalloc(sizeof(*map) + count * sizeof(map->regions[0]));
    guest->map = map;
    for (unsigned i = 0; map != NULL && i < count; i++) {
        map->regions[i] = heap_zalloc(sizeof(struct guest_region));
        if (map->regions[i] == NULL) {
            break;
        }
        map->count++;
        region_fill(map->regions[i], &config->regions[i],
                    guest_config_name(config, config->regions[i].node));
    }
    if (map == NULL || map->count != count) {
        guest_config_error(report, guest->node, NULL, "no memory for its region map");
        return -ENOMEM;
    }
    for (unsigned i = 0; i < count; i++) {
        if (config->regions[i].kind == GUEST_REGION_ALIAS) {
            link_alias(guest, i);
        }
    }
    return 0;
}

void guest_region_destroy(struct guest *guest)
{
    if (guest->map == NULL) {
        return;
    }
    for (unsigned i = 0; i < guest->map->count; i++) {
        heap_free(guest->map->regions[i]);
    }
    heap_free(guest->map);
    guest->map = NULL;
}
