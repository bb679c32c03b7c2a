// SPDX-License-Identifier: Apache-2.0
// Single pages: 2 MiB blocks that were split, with a bitmap and page descriptors in one of their
// own pages.

#include "page_internal.h"

#include <arch/mmu.h>
#include <hv/panic.h>
#include <lib/bitmap.h>
#include <lib/errno.h>
#include <lib/macros.h>
#include <lib/string.h>
#include <stddef.h>

#define SPLIT_WORDS (BLOCK_PAGES / 64)
/* Owner field of a split block without free pages: it is in no list. */
#define SPLIT_FULL BLOCK_ORDER

/*
 * Blocks with free pages, by an upper bound of the largest free order in them. A search that fails
 * lowers the bound, only a free raises it: so the failing searches are paid for by the frees.
 */
static uint32_t split_lists[BLOCK_ORDER] = {[0 ... BLOCK_ORDER - 1] = BLOCK_NONE};

static struct split_meta *split_meta(uint32_t n, const struct block *b)
{
    return arch_mmu_linear(hpa(((uint64_t)n << BLOCK_SHIFT) + ((uint64_t)b->meta << PAGE_SHIFT)));
}

static void list_move(uint32_t n, struct block *b, unsigned list) REQUIRES(page_lock)
{
    if (b->owner != SPLIT_FULL)
        page_list_remove(&split_lists[b->owner], n);
    b->owner = (uint16_t)list;
    if (list != SPLIT_FULL)
        page_list_add(&split_lists[list], n);
}

/* The order that the number of free pages allows at most. */
static unsigned order_bound(unsigned free_pages)
{
    unsigned order = 0;

    if (free_pages == 0)
        return SPLIT_FULL;
    while (order < BLOCK_ORDER - 1 && (2u << order) <= free_pages)
        order++;
    return order;
}

/* First aligned run of 2^order set bits, or -1. */
static int run_find(const uint64_t *map, unsigned order)
{
    static const uint64_t aligned[6] = {~0ULL,
                                        0x5555555555555555ULL,
                                        0x1111111111111111ULL,
                                        0x0101010101010101ULL,
                                        0x0001000100010001ULL,
                                        0x0000000100000001ULL};
    unsigned words = order > 6 ? 1u << (order - 6) : 1;

    for (unsigned w = 0; w < SPLIT_WORDS; w += words) {
        uint64_t bits = map[w];

        for (unsigned i = 1; i < words; i++)
            bits &= map[w + i];
        if (order >= 6) {
            if (bits == ~0ULL)
                return (int)(w * 64);
            continue;
        }
        for (unsigned i = 0; i < order; i++)
            bits &= bits >> (1u << i);
        bits &= aligned[order];
        if (bits != 0)
            return (int)(w * 64) + __builtin_ctzll(bits);
    }
    return -1;
}

/* Free pages become used; the block's list is adjusted. */
static void pages_use(uint32_t n, struct block *b, const struct page_piece *piece, unsigned slot)
    REQUIRES(page_lock)
{
    struct split_meta *meta = split_meta(n, b);
    unsigned bound;

    bitmap_clear_range(meta->free, piece->first, piece->end - piece->first);
    for (unsigned page = piece->first; page < piece->end; page++) {
        meta->owner[page] = (uint16_t)slot;
        meta->order[page] = 0;
        meta->refs[page] = 1;
    }
    b->free_pages = (uint16_t)(b->free_pages - (piece->end - piece->first));
    bound = order_bound(b->free_pages);
    if (bound == SPLIT_FULL || bound < b->owner)
        list_move(n, b, bound);
}

/* Used pages become free; when all are, the block is whole again. */
static void pages_unuse(uint32_t n, struct block *b, const struct page_piece *piece)
    REQUIRES(page_lock)
{
    struct split_meta *meta = split_meta(n, b);

    bitmap_set_range(meta->free, piece->first, piece->end - piece->first);
    b->free_pages = (uint16_t)(b->free_pages + piece->end - piece->first);
    if (b->free_pages == BLOCK_PAGES - 1) {
        list_move(n, b, SPLIT_FULL);
        page_block_release(n, 0);
        return;
    }
    list_move(n, b, order_bound(b->free_pages));
}

/* A block that was taken becomes split: all pages free but the one with the descriptors. */
static struct block *block_split(uint32_t n, unsigned meta_page) REQUIRES(page_lock)
{
    struct block *b = page_block(n);
    struct split_meta *meta;

    b->state = BLOCK_SPLIT;
    b->order = 0;
    b->free_pages = BLOCK_PAGES - 1;
    b->meta = (uint16_t)meta_page;
    meta = split_meta(n, b);
    bitmap_set_range(meta->free, 0, BLOCK_PAGES);
    bitmap_clear(meta->free, meta_page);
    b->owner = SPLIT_FULL;
    list_move(n, b, BLOCK_ORDER - 1);
    return b;
}

/* A split block with 2^order free pages, its first page in *page; BLOCK_NONE. */
static uint32_t split_search(unsigned order, unsigned *page) REQUIRES(page_lock)
{
    for (unsigned list = order; list < BLOCK_ORDER; list++) {
        while (split_lists[list] != BLOCK_NONE) {
            uint32_t n = split_lists[list];
            struct block *b = page_block(n);
            int found = run_find(split_meta(n, b)->free, order);

            if (found >= 0) {
                *page = (unsigned)found;
                return n;
            }
            /* Order 0 is always found in a block that has free pages. */
            list_move(n, b, order - 1);
        }
    }
    return BLOCK_NONE;
}

int page_split_alloc(unsigned order, unsigned slot, bool as_range, hpa_t *out)
{
    unsigned page = 0;
    uint32_t n = split_search(order, &page);
    struct page_piece piece;
    struct block *b;

    if (n == BLOCK_NONE) {
        n = page_block_take(0, slot);
        if (n == BLOCK_NONE)
            return -ENOMEM;
        block_split(n, BLOCK_PAGES - 1);
    }
    b = page_block(n);
    piece = (struct page_piece){n, page, page + (1u << order)};
    pages_use(n, b, &piece, slot);
    if (!as_range) {
        struct split_meta *meta = split_meta(n, b);

        memset(&meta->order[page], PAGE_BODY, 1u << order);
        meta->order[page] = (uint8_t)order;
    }
    *out = hpa(((uint64_t)n << BLOCK_SHIFT) + ((uint64_t)page << PAGE_SHIFT));
    return 0;
}

/*
 * The descriptors of a block one of whose used pages is named by a caller; anything else is a bug
 * of that caller.
 */
static struct split_meta *used_meta(uint32_t n, unsigned page) REQUIRES(page_lock)
{
    struct block *b = page_block(n);
    struct split_meta *meta = split_meta(n, b);

    if (page == b->meta || bitmap_test(meta->free, page))
        panic("page: 0x%llx is not allocated",
              ((unsigned long long)n << BLOCK_SHIFT) + ((unsigned long long)page << PAGE_SHIFT));
    return meta;
}

bool page_split_free(uint32_t n, unsigned page, unsigned order)
{
    struct split_meta *meta = used_meta(n, page);
    struct page_piece piece = {n, page, page + (1u << order)};

    if (meta->order[page] != order)
        panic("page: 0x%llx was not allocated with order %u",
              ((unsigned long long)n << BLOCK_SHIFT) + ((unsigned long long)page << PAGE_SHIFT),
              order);
    if (--meta->refs[page] != 0)
        return false;
    page_owner_charge(meta->owner[page], -(int64_t)(PAGE_SIZE << order));
    pages_unuse(n, page_block(n), &piece);
    return true;
}

void page_split_ref(uint32_t n, unsigned page)
{
    used_meta(n, page)->refs[page]++;
}

/* A free page outside the piece, where the descriptors could live instead; -1. */
static int other_free_page(const struct split_meta *meta, const struct page_piece *piece)
{
    size_t page = bitmap_find_set(meta->free, BLOCK_PAGES, 0);

    if (page >= piece->first && page < piece->end)
        page = bitmap_find_set(meta->free, BLOCK_PAGES, piece->end);
    return page < BLOCK_PAGES ? (int)page : -1;
}

bool page_split_is_free(const struct page_piece *piece)
{
    const struct block *b = page_block(piece->block);
    const struct split_meta *meta = split_meta(piece->block, b);

    for (unsigned page = piece->first; page < piece->end; page++) {
        if (page != b->meta && !bitmap_test(meta->free, page))
            return false;
    }
    if (b->meta >= piece->first && b->meta < piece->end)
        return other_free_page(meta, piece) >= 0;
    return true;
}

bool page_split_is_owned(const struct page_piece *piece, unsigned slot)
{
    const struct block *b = page_block(piece->block);
    const struct split_meta *meta = split_meta(piece->block, b);

    for (unsigned page = piece->first; page < piece->end; page++) {
        if (page == b->meta || bitmap_test(meta->free, page) || meta->owner[page] != slot)
            return false;
    }
    return true;
}

/* The descriptors move to another free page, so that theirs becomes free. */
static void meta_move(uint32_t n, struct block *b, unsigned to)
{
    struct split_meta *from = split_meta(n, b);
    unsigned was = b->meta;

    b->meta = (uint16_t)to;
    memcpy(split_meta(n, b), from, sizeof(*from));
    bitmap_set(split_meta(n, b)->free, was);
    bitmap_clear(split_meta(n, b)->free, to);
}

void page_split_claim(const struct page_piece *piece, unsigned slot)
{
    struct block *b;

    page_block_divide(piece->block, 0);
    b = page_block(piece->block);
    if (b->state == BLOCK_FREE) {
        page_block_use(piece->block, slot);
        b = block_split(piece->block, piece->end < BLOCK_PAGES ? BLOCK_PAGES - 1 : 0);
    } else if (b->meta >= piece->first && b->meta < piece->end) {
        meta_move(piece->block, b, (unsigned)other_free_page(split_meta(piece->block, b), piece));
    }
    pages_use(piece->block, b, piece, slot);
    page_owner_charge(slot, (int64_t)(piece->end - piece->first) << PAGE_SHIFT);
}

/*
 * Part of a used block is given back: the rest stays used, page by page, and the descriptors go to
 * the part given back.
 */
static void used_release(const struct page_piece *piece) REQUIRES(page_lock)
{
    unsigned slot = page_block(piece->block)->owner;
    struct block *b = block_split(piece->block, piece->end - 1);
    const struct page_piece before = {piece->block, 0, piece->first};
    const struct page_piece after = {piece->block, piece->end, BLOCK_PAGES};

    pages_use(piece->block, b, &before, slot);
    pages_use(piece->block, b, &after, slot);
    page_owner_charge(slot, -((int64_t)(piece->end - piece->first) << PAGE_SHIFT));
}

void page_split_release(const struct page_piece *piece)
{
    struct block *b;

    page_block_divide(piece->block, 0);
    b = page_block(piece->block);
    if (b->state == BLOCK_USED) {
        used_release(piece);
        return;
    }
    for (unsigned page = piece->first; page < piece->end; page++) {
        const struct split_meta *meta = used_meta(piece->block, page);

        if (meta->refs[page] != 1)
            panic("page: a page of block 0x%x is shared", piece->block);
        page_owner_charge(meta->owner[page], -(int64_t)PAGE_SIZE);
    }
    pages_unuse(piece->block, b, piece);
}

int page_split_largest(void)
{
    for (unsigned order = BLOCK_ORDER; order-- > 0;) {
        for (unsigned list = order; list < BLOCK_ORDER; list++) {
            for (uint32_t n = split_lists[list]; n != BLOCK_NONE; n = page_block(n)->next) {
                if (run_find(split_meta(n, page_block(n))->free, order) >= 0)
                    return (int)order;
            }
        }
    }
    return -1;
}
