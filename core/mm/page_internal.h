// SPDX-License-Identifier: Apache-2.0
// Inside of the page allocator, for the files of room mm only: RAM in blocks of 2 MiB, each whole
// or split into pages.
#pragma once

#include <arch/addr.h>
#include <hv/lock_annotations.h>
#include <hv/page.h>
#include <hv/spinlock.h>
#include <stdbool.h>
#include <stdint.h>

#define BLOCK_SHIFT 21
#define BLOCK_SIZE (1UL << BLOCK_SHIFT)
#define BLOCK_PAGES 512u
/** Page order of a block; smaller orders live in split blocks, larger ones are runs of blocks. */
#define BLOCK_ORDER 9u
/** A run is 2^order whole blocks, naturally aligned. */
#define RUN_ORDER_MAX (PAGE_ORDER_MAX - BLOCK_ORDER)
#define BLOCK_NONE UINT32_MAX

enum block_state {
    BLOCK_FREE = 1, /**< head of a free run, in the free list of its order */
    BLOCK_USED,     /**< head of a used run */
    BLOCK_SPLIT,    /**< its pages are handed out one by one */
};

/**
 * One per 2 MiB of RAM, found by block number (address >> 21). Runs tile all blocks without gap;
 * only the descriptor of a run's first block means anything, the others may never have been
 * written. That is why a range of any size is added in a few steps, and why a run is looked up from
 * the largest order down (page_block_head()).
 */
struct block {
    uint32_t next, prev; /**< block numbers: free list or split list */
    union {
        uint32_t refs; /**< USED: references to the run */
        struct {       /**< SPLIT */
            uint16_t free_pages;
            uint16_t meta; /**< the page of the block that holds its struct split_meta */
        };
    };
    uint16_t owner; /**< USED: owner slot. SPLIT: its largest free order, which is its list */
    uint8_t state;  /**< enum block_state */
    uint8_t order;  /**< of the run; 0 when SPLIT */
};
_Static_assert(sizeof(struct block) == 16, "one small descriptor per block");

/** Page descriptors of a split block, in one of its own pages. */
struct split_meta {
    uint64_t free[BLOCK_PAGES / 64];
    uint32_t refs[BLOCK_PAGES];
    uint16_t owner[BLOCK_PAGES]; /**< owner slot */
    uint8_t order[BLOCK_PAGES]; /**< at the first page of each allocation; PAGE_BODY at the others */
};
_Static_assert(sizeof(struct split_meta) <= PAGE_SIZE, "the descriptors of a block fit one page");
#define PAGE_BODY 0xff

#define PAGE_REGIONS_MAX 32

/** A range of RAM with descriptors for all blocks that it touches. */
struct page_region {
    uint64_t start, end; /**< RAM, page aligned */
    uint32_t first;      /**< block number of blocks[0] */
    uint32_t count;
    struct block *blocks;
};

/** Some or all pages of one block. */
struct page_piece {
    uint32_t block;
    unsigned first, end; /**< pages of the block, end not included */
};

/** Guards all that follows. Never taken in IRQ context. */
extern struct spinlock page_lock;
extern struct page_region page_regions[PAGE_REGIONS_MAX];
extern unsigned page_region_count;

/* page_owner.c */
/** The slot for an owner's bytes; taken when it has none. -ENOMEM: too many owners at once. */
int page_owner_slot(uint32_t owner) REQUIRES(page_lock);
void page_owner_charge(unsigned slot, int64_t bytes) REQUIRES(page_lock);
uint64_t page_owner_bytes(uint32_t owner) REQUIRES(page_lock);
/** Of all owners, what is reserved included. */
uint64_t page_owner_total(void) REQUIRES(page_lock);

/** The index-th owner that holds anything; false past the last one. */
bool page_owner_get(unsigned index, uint32_t *owner, uint64_t *bytes) REQUIRES(page_lock);

/* page_block.c */
/** NULL when no RAM is there. */
struct block *page_block(uint32_t n) REQUIRES(page_lock);
/** First block of the run that covers n. */
uint32_t page_block_head(uint32_t n) REQUIRES(page_lock);
/**
 * Cut the run that covers n, whatever its state, until the piece with n in it has at most this
 * order.
 */
void page_block_divide(uint32_t n, unsigned order) REQUIRES(page_lock);
/** Make blocks [n, n + count) used by slot; they have no valid descriptors yet. */
void page_block_tile(uint32_t n, uint32_t count, unsigned slot) REQUIRES(page_lock);
/** A free run of this order becomes used; BLOCK_NONE when there is none. */
uint32_t page_block_take(unsigned order, unsigned slot) REQUIRES(page_lock);
/** Make the free run n used. */
void page_block_use(uint32_t n, unsigned slot) REQUIRES(page_lock);
/** Make the used run n free, merged with its neighbours. */
void page_block_release(uint32_t n, unsigned order) REQUIRES(page_lock);
/** The largest order of a run at n within [n, end). */
unsigned page_block_fit(uint32_t n, uint32_t end);
/**
 * First run of count free blocks whose first block is a multiple of align blocks; BLOCK_NONE. Walks
 * all runs.
 */
uint32_t page_block_search(uint32_t count, uint32_t align) REQUIRES(page_lock);

/* List of blocks, by block number. */
void page_list_add(uint32_t *head, uint32_t n) REQUIRES(page_lock);
void page_list_remove(uint32_t *head, uint32_t n) REQUIRES(page_lock);

/* page_split.c */
/**
 * 2^order pages (order < BLOCK_ORDER) of a split block, or of a free block that is split for it.
 * as_range: each page is its own. -ENOMEM.
 */
int page_split_alloc(unsigned order, unsigned slot, bool as_range, hpa_t *out) REQUIRES(page_lock);
/**
 * Drop a reference of what page_split_alloc() gave; panics when it gave no such thing. True when it
 * became free.
 */
bool page_split_free(uint32_t n, unsigned page, unsigned order) REQUIRES(page_lock);
/** Add a reference. */
void page_split_ref(uint32_t n, unsigned page) REQUIRES(page_lock);
/** Are these pages free, or all of them used by slot? */
bool page_split_is_free(const struct page_piece *piece) REQUIRES(page_lock);
bool page_split_is_owned(const struct page_piece *piece, unsigned slot) REQUIRES(page_lock);
/** Take pages of which page_split_is_free() is true. Less than the whole block. */
void page_split_claim(const struct page_piece *piece, unsigned slot) REQUIRES(page_lock);
/** Give back used pages, less than the whole block; panics when one is free. */
void page_split_release(const struct page_piece *piece) REQUIRES(page_lock);
/** Largest free order in split blocks, -1 when none. */
int page_split_largest(void) REQUIRES(page_lock);
/** Adds the free pieces of split block n, as large as they come, to counts. */
void page_split_count(uint32_t n, uint64_t counts[BLOCK_ORDER]) REQUIRES(page_lock);

/* page_range.c: all of the range is RAM */
/** -EBUSY when part of it is not free; then nothing changed. */
int page_range_claim(uint64_t addr, uint64_t size, uint32_t owner) REQUIRES(page_lock);
/** Panics when part of it is not used. */
void page_range_release(uint64_t addr, uint64_t size) REQUIRES(page_lock);
/** What is free becomes reserved. -EBUSY when part of it is used. */
int page_range_reserve(uint64_t addr, uint64_t size) REQUIRES(page_lock);

/** Counts an allocation for page_fail_after(): true when this one must fail. */
bool page_must_fail(void);
