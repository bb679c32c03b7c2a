// SPDX-License-Identifier: Apache-2.0
// Memory on demand: a page is taken, cleared and mapped when it is first touched, by the guest or for it.
#include <hv/guest_parts.h>

#include <arch/cache.h>
#include <arch/guest_mmu.h>
#include <hv/clock.h>
#include <hv/page.h>
#include <hv/thread.h>
#include <hv/upcall.h>
#include <lib/errno.h>

/* Taken at a time, so that the allocator of all guests is asked rarely. */
#define STOCK_SIZE (16 * PAGE_SIZE)

static int stock_fill(struct guest *guest) REQUIRES(guest->stock.lock)
{
    uint32_t owner = PAGE_OWNER_GUEST + guest->id;
    uint64_t size = STOCK_SIZE;

    /* The last pages of the host come one by one. */
    if (page_alloc_range(size, size, owner, &guest->stock.next) != 0) {
        size = PAGE_SIZE;
        if (page_alloc_range(size, size, owner, &guest->stock.next) != 0) {
            return -ENOMEM;
        }
    }
    guest->stock.size = size;
    return 0;
}

static int map_page(struct guest *guest, const struct guest_region *region, gpa_t addr, hpa_t page)
{
    enum guest_mmu_attr attr = region->read_only ? GUEST_MMU_ROM : GUEST_MMU_RAM;

    return arch_guest_mmu_map(&guest->arch.mmu, addr, page, PAGE_SIZE, attr);
}

/* A guest whose caches are off must see the zeros, too: page_scrub() writes them to memory. */
static int add_page(struct guest *guest, const struct guest_region *region, gpa_t addr)
    REQUIRES(guest->stock.lock)
{
    struct guest_stock *stock = &guest->stock;
    int err = stock->size == 0 ? stock_fill(guest) : 0;

    if (err != 0) {
        return err;
    }
    page_scrub(stock->next, PAGE_SIZE);
    err = map_page(guest, region, addr, stock->next);
    if (err == 0) {
        stock->next.v += PAGE_SIZE;
        stock->size -= PAGE_SIZE;
    }
    return err;
}

int guest_demand_touch(struct guest *guest, const struct guest_region *region, uint64_t offset,
                       hpa_t *host)
{
    gpa_t addr = gpa(region->start.v + ALIGN_DOWN(offset, PAGE_SIZE));
    enum guest_mmu_attr attr;
    int err = 0;

    spin_lock(&guest->stock.lock);
    if (arch_guest_mmu_lookup(&guest->arch.mmu, addr, host, &attr) != 0) {
        err = add_page(guest, region, addr);
        host->v = guest->stock.next.v - PAGE_SIZE;
    }
    spin_unlock(&guest->stock.lock);
    host->v += offset % PAGE_SIZE;
    return err;
}

bool hv_guest_touch(struct vcpu *vcpu, gpa_t addr, bool is_fetch)
{
    struct guest_region *region = guest_region_find(vcpu, addr);
    struct guest_region *target;
    hpa_t host;
    int err;

    if (region == NULL) {
        return false;
    }
    target = region->kind == GUEST_REGION_ALIAS ? region->alias_of : region;
    if (!target->demand) {
        return false;
    }
    err = guest_demand_touch(vcpu->guest, target, addr.v - region->start.v, &host);
    if (err == 0 && region != target) {
        err = map_page(vcpu->guest, target, gpa(ALIGN_DOWN(addr.v, PAGE_SIZE)),
                       hpa(ALIGN_DOWN(host.v, PAGE_SIZE)));
    }
    if (err != 0 && err != -EEXIST) {
        hv_guest_fault(vcpu, "the host has no memory for its page", addr.v);
    } else if (is_fetch) {
        arch_cache_sync_code(); /* what another guest executed there */
    }
    return true;
}

static void give_region(struct guest *guest, const struct guest_region *region)
{
    gpa_t end = gpa(region->start.v + region->size);
    uint64_t since = clock_now();
    hpa_t page;

    for (gpa_t at = region->start; arch_guest_mmu_next(&guest->arch.mmu, &at, end, &page) == 0;
         at.v += PAGE_SIZE) {
        guest_memory_give(page, PAGE_SIZE);
        thread_give_way(&since);
    }
}

void guest_demand_destroy(struct guest *guest)
{
    for (unsigned i = 0; guest->map != NULL && i < guest->map->count; i++) {
        if (guest->map->regions[i]->demand) {
            give_region(guest, guest->map->regions[i]);
        }
    }
    if (guest->stock.size != 0) {
        page_free_range(guest->stock.next, guest->stock.size);
        guest->stock.size = 0;
    }
}
