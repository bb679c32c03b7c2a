// SPDX-License-Identifier: Apache-2.0
// Buddy page allocator over host RAM: what the rest of the hypervisor calls.

#include "page_internal.h"

#include <arch/cache.h>
#include <arch/mmu.h>
#include <hv/panic.h>
#include <lib/errno.h>
#include <lib/macros.h>
#include <lib/string.h>
#include <stddef.h>

struct spinlock page_lock = SPINLOCK_INIT;

static uint64_t alloc_count GUARDED_BY(page_lock);
static uint64_t fail_count GUARDED_BY(page_lock);
static uint64_t fail_countdown;

void page_fail_after(uint64_t n)
{
    __atomic_store_n(&fail_countdown, n, __ATOMIC_RELAXED);
}

bool page_must_fail(void)
{
    if (likely(__atomic_load_n(&fail_countdown, __ATOMIC_RELAXED) == 0))
        return false;
    return __atomic_sub_fetch(&fail_countdown, 1, __ATOMIC_RELAXED) == 0;
}

/* as_range: to be freed by page_free_range(), also in parts. */
static int alloc_locked(unsigned order, uint32_t owner, bool as_range, hpa_t *out)
    REQUIRES(page_lock)
{
    int slot = page_owner_slot(owner);
    int err = -ENOMEM;

    if (slot >= 0 && order < BLOCK_ORDER) {
        err = page_split_alloc(order, (unsigned)slot, as_range, out);
    } else if (slot >= 0) {
        uint32_t n = page_block_take(order - BLOCK_ORDER, (unsigned)slot);

        if (n != BLOCK_NONE) {
            *out = hpa((uint64_t)n << BLOCK_SHIFT);
            err = 0;
        }
    }
    if (err == 0)
        page_owner_charge((unsigned)slot, (int64_t)(PAGE_SIZE << order));
    return err;
}

static int count_result(int err) REQUIRES(page_lock)
{
    if (err == 0)
        alloc_count++;
    else
        fail_count++;
    return err;
}

int page_alloc(unsigned order, uint32_t owner, hpa_t *out)
{
    int err = -ENOMEM;
    bool fail = page_must_fail();

    ASSERT(order <= PAGE_ORDER_MAX && owner != PAGE_OWNER_NONE);
    spin_lock(&page_lock);
    if (!fail)
        err = alloc_locked(order, owner, false, out);
    count_result(err);
    spin_unlock(&page_lock);
    return err;
}

int page_alloc_zeroed(unsigned order, uint32_t owner, hpa_t *out)
{
    int err = page_alloc(order, owner, out);

    if (err == 0) {
        memset(arch_mmu_linear(*out), 0, PAGE_SIZE << order);
        arch_cache_clean(arch_mmu_linear(*out), PAGE_SIZE << order);
    }
    return err;
}

/* The block that a caller of page_free() or page_ref() means. */
static struct block *caller_block(hpa_t addr, unsigned order) REQUIRES(page_lock)
{
    uint32_t n = (uint32_t)(addr.v >> BLOCK_SHIFT);
    struct block *b = page_block(n);

    if (!IS_ALIGNED(addr.v, PAGE_SIZE << order) || b == NULL || page_block_head(n) != n ||
        (order < BLOCK_ORDER ? b->state != BLOCK_SPLIT
                             : b->state != BLOCK_USED || b->order != order - BLOCK_ORDER))
        panic("page: 0x%llx of order %u is not allocated", (unsigned long long)addr.v, order);
    return b;
}

static unsigned page_in_block(uint64_t addr)
{
    return (unsigned)(addr >> PAGE_SHIFT) % BLOCK_PAGES;
}

void page_free(hpa_t addr, unsigned order)
{
    uint32_t n = (uint32_t)(addr.v >> BLOCK_SHIFT);
    struct block *b;

    spin_lock(&page_lock);
    b = caller_block(addr, order);
    if (order < BLOCK_ORDER) {
        page_split_free(n, page_in_block(addr.v), order);
    } else if (--b->refs == 0) {
        page_owner_charge(b->owner, -(int64_t)(PAGE_SIZE << order));
        page_block_release(n, order - BLOCK_ORDER);
    }
    spin_unlock(&page_lock);
}

void page_ref(hpa_t addr, unsigned order)
{
    struct block *b;

    spin_lock(&page_lock);
    b = caller_block(addr, order);
    if (order < BLOCK_ORDER)
        page_split_ref((uint32_t)(addr.v >> BLOCK_SHIFT), page_in_block(addr.v));
    else
        b->refs++;
    spin_unlock(&page_lock);
}

void page_scrub(hpa_t addr, uint64_t size)
{
    /* Page by page, so that the clean finds the lines still in the cache. */
    for (uint64_t done = 0; done < size; done += PAGE_SIZE)
        arch_cache_scrub(arch_mmu_linear(hpa(addr.v + done)), PAGE_SIZE);
}

static unsigned order_for(uint64_t size)
{
    unsigned order = 0;

    while (order <= PAGE_ORDER_MAX && (PAGE_SIZE << order) < size)
        order++;
    return order;
}

static int alloc_range_locked(uint64_t size, uint64_t align, uint32_t owner, hpa_t *out)
    REQUIRES(page_lock)
{
    unsigned order = order_for(MAX(size, align));
    uint32_t n;

    if (order <= PAGE_ORDER_MAX && alloc_locked(order, owner, true, out) == 0) {
        page_range_release(out->v + size, (PAGE_SIZE << order) - size);
        return 0;
    }
    if (order <= BLOCK_ORDER)
        return -ENOMEM; /* a piece of a block, or a block: the lists know all */
    if (size > (uint64_t)UINT32_MAX << BLOCK_SHIFT || align > (uint64_t)UINT32_MAX << BLOCK_SHIFT)
        return -ENOMEM;
    n = page_block_search((uint32_t)((size + BLOCK_SIZE - 1) >> BLOCK_SHIFT),
                          (uint32_t)MAX(align >> BLOCK_SHIFT, (uint64_t)1));
    if (n == BLOCK_NONE)
        return -ENOMEM;
    *out = hpa((uint64_t)n << BLOCK_SHIFT);
    return page_range_claim(out->v, size, owner);
}

int page_alloc_range(uint64_t size, uint64_t align, uint32_t owner, hpa_t *out)
{
    int err = -ENOMEM;
    bool fail = page_must_fail();

    ASSERT(size != 0 && IS_ALIGNED(size, PAGE_SIZE) && owner != PAGE_OWNER_NONE);
    ASSERT(IS_POWER_OF_2(align) && align >= PAGE_SIZE);
    spin_lock(&page_lock);
    if (!fail)
        err = alloc_range_locked(size, align, owner, out);
    count_result(err);
    spin_unlock(&page_lock);
    return err;
}

int page_claim_range(hpa_t addr, uint64_t size, uint32_t owner)
{
    int err = -ENOMEM;
    bool fail = page_must_fail();

    ASSERT(owner != PAGE_OWNER_NONE);
    if (size == 0 || !IS_ALIGNED(addr.v | size, PAGE_SIZE))
        return -EINVAL;
    if (!page_is_ram(addr, size))
        return -EBUSY;
    spin_lock(&page_lock);
    if (!fail)
        err = page_range_claim(addr.v, size, owner);
    count_result(err);
    spin_unlock(&page_lock);
    return err;
}

void page_free_range(hpa_t addr, uint64_t size)
{
    if (!IS_ALIGNED(addr.v | size, PAGE_SIZE) || (size != 0 && !page_is_ram(addr, size)))
        panic("page: [0x%llx, +0x%llx) is no RAM", (unsigned long long)addr.v,
              (unsigned long long)size);
    spin_lock(&page_lock);
    page_range_release(addr.v, size);
    spin_unlock(&page_lock);
}

void page_get_stats(struct page_stats *stats)
{
    uint64_t used;

    *stats = (struct page_stats){0};
    spin_lock(&page_lock);
    for (unsigned i = 0; i < page_region_count; i++)
        stats->total += page_regions[i].end - page_regions[i].start;
    stats->reserved = page_owner_bytes(PAGE_OWNER_NONE);
    used = page_owner_total();
    stats->free = stats->total - used;
    stats->alloc_count = alloc_count;
    stats->fail_count = fail_count;
    spin_unlock(&page_lock);
    page_get_free(NULL, &stats->largest_free);
}

uint64_t page_owned(uint32_t owner)
{
    uint64_t bytes;

    spin_lock(&page_lock);
    bytes = page_owner_bytes(owner);
    spin_unlock(&page_lock);
    return bytes;
}
