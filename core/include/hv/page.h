// SPDX-License-Identifier: Apache-2.0
// Buddy page allocator over host RAM. Room: mm.
#pragma once

#include <arch/addr.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Order n = 4 KiB << n; up to 1 GiB. */
#define PAGE_ORDER_MAX 18

/** Owners for accounting: small numbers are the hypervisor's, PAGE_OWNER_GUEST + id are guests',
 * PAGE_OWNER_SHARED + id memory that guests share. */
enum {
    PAGE_OWNER_NONE,
    PAGE_OWNER_HEAP,
    PAGE_OWNER_TABLES,
    PAGE_OWNER_STACK,
    PAGE_OWNER_PERCPU,
    PAGE_OWNER_MISC,
    PAGE_OWNER_GUEST = 16,
    PAGE_OWNER_SHARED = 0x40000000
};

/**
 * Hand a RAM range to the allocator; boot only, after arch_mmu_map_ram(); ranges may come in any
 * order. Nothing is walked: the cost is a few steps a GiB. Descriptors (16 bytes per 2 MiB) are
 * taken from the range itself, clear of what is reserved by then: so reserve first. -EINVAL (no
 * whole page), -EEXIST (overlaps another range), -ENOSPC (no room for descriptors, or too many
 * ranges).
 */
int page_add_range(hpa_t start, uint64_t size);
/**
 * Take a range out for good (image, DTB, firmware reservations). Boot only, best before
 * page_add_range() of it; after: -EBUSY when part is in use. -EINVAL, -ENOSPC.
 */
int page_reserve(hpa_t start, uint64_t size, const char *what);

/**
 * 2^order pages, naturally aligned; content undefined. *out is set on success. Any context but IRQ.
 * -ENOMEM. The time does not depend on how much RAM there is, nor on how it is used.
 */
int page_alloc(unsigned order, uint32_t owner, hpa_t *out);
/** The same, zeroed and cleaned to the point of coherency. */
int page_alloc_zeroed(unsigned order, uint32_t owner, hpa_t *out);
/**
 * Drops a reference, frees with the last one. The order must be that of the allocation; anything
 * else panics. Scrubs are the caller's affair (page_scrub()). Any context but IRQ.
 */
void page_free(hpa_t addr, unsigned order);
/**
 * One more reference to what page_alloc() gave (page_alloc() gives the first one). Any context but
 * IRQ.
 */
void page_ref(hpa_t addr, unsigned order);
/** Zero and clean+invalidate size bytes (page multiple), preemptible. Orphan. */
void page_scrub(hpa_t addr, uint64_t size);

/**
 * A contiguous range of size bytes (page multiple), aligned to align (power of 2, at least
 * PAGE_SIZE), of any size up to RAM. -ENOMEM. Up to 2 MiB: as page_alloc(), any context but IRQ.
 * More: a search of all blocks (some steps for each 2 MiB of RAM in the worst case) when no single
 * piece is as large; Orphan.
 */
int page_alloc_range(uint64_t size, uint64_t align, uint32_t owner, hpa_t *out);
/**
 * Take exactly this free range (page multiple). -EBUSY when part of it is in use or not RAM,
 * -EINVAL. Orphan.
 */
int page_claim_range(hpa_t addr, uint64_t size, uint32_t owner);
/**
 * Give back all or any page-aligned part of what the two above gave. Panics when part of it is not
 * allocated. Orphan.
 */
void page_free_range(hpa_t addr, uint64_t size);

struct page_stats {
    uint64_t total;    /**< bytes of RAM handed in */
    uint64_t reserved; /**< bytes never free: image, metadata, firmware */
    uint64_t free; /**< not reserved, not owned; page descriptors of split 2 MiB blocks count as free */
    uint64_t largest_free; /**< longest contiguous free range, in whole 2 MiB blocks if there is one */
    uint64_t alloc_count;
    uint64_t fail_count;
};
/** Walks RAM in short steps for largest_free, as page_get_free() does. Orphan or boot. */
void page_get_stats(struct page_stats *stats);
/**
 * Free pieces of each order, as large as they come, and the longest contiguous free range as in
 * struct page_stats. orders may be NULL. Walks RAM in short steps: what changes meanwhile may be
 * counted before or after. Orphan or boot.
 */
void page_get_free(uint64_t orders[PAGE_ORDER_MAX + 1], uint64_t *largest);
/** Bytes that owner holds. Any context but IRQ. */
uint64_t page_owned(uint32_t owner);
/** The index-th of those who hold memory (PAGE_OWNER_NONE: what is reserved). False past the last. */
bool page_owner_at(unsigned index, uint32_t *owner, uint64_t *bytes);
/** Is [addr,addr+size) RAM known to the allocator (free or not)? */
bool page_is_ram(hpa_t addr, uint64_t size);
/** Reserved ranges, for 'host memory' and for the guest validator. Returns false past the end. */
bool page_reserved_range(unsigned index, hpa_t *start, uint64_t *size, const char **what);
/** RAM ranges. Returns false past the end. */
bool page_ram_range(unsigned index, hpa_t *start, uint64_t *size);
/** Tests: fail the n-th allocation from now (0 = off), page and heap alike. */
void page_fail_after(uint64_t n);
