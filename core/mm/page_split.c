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
/* The page of a block where its descriptors are, unless that is claimed by its address. */
#define META_HOME (BLOCK_PAGES - 1)
/* Owner field of a split block without free pages: it is in no list. */
#define SPLIT_FULL BLOCK_ORDER

/*
 * Blocks with free pages, by the largest order that is free in them: an allocation looks into one
 * block only, whatever state the others are in.
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

/* Orders below that of a word: where their runs begin. */
#define WORD_ORDER 6
static const uint64_t aligned[WORD_ORDER] = {~0ULL,
                                             0x5555555555555555ULL,
                                             0x1111111111111111ULL,
                                             0x0101010101010101ULL,
                                             0x0001000100010001ULL,
                                             0x0000000100000001ULL};

/* The largest order of an aligned run among whole words: 6 or more; 0 when no word is full. */
static unsigned word_runs_largest(const uint64_t *map)
{
    unsigned full = 0;

    for (unsigned w = 0; w < SPLIT_WORDS; w++)
        full |= (unsigned)(map[w] == ~0ULL) << w;
    if (full == 0)
        return 0;
    full &= (full >> 1) & 0x55;
    if (full == 0)
        return WORD_ORDER;
    return (full & (full >> 2) & 0x11) != 0 ? WORD_ORDER + 2 : WORD_ORDER + 1;
}

/* The largest order of an aligned run of set bits; SPLIT_FULL when no bit is set. */
static unsigned run_largest(const uint64_t *map)
{
    unsigned order = word_runs_largest(map);
    uint64_t bits[SPLIT_WORDS];
    uint64_t any = 0;

    if (order != 0)
        return order;
    for (unsigned w = 0; w < SPLIT_WORDS; w++) {
        bits[w] = map[w];
        any |= bits[w];
    }
    if (any == 0)
        return SPLIT_FULL;
    for (;; order++) {
        any = 0;
        for (unsigned w = 0; w < SPLIT_WORDS; w++) {
            bits[w] &= (bits[w] >> (1u << order)) & aligned[order + 1];
            any |= bits[w];
        }
        if (any == 0 || order + 1 == WORD_ORDER - 1)
            return any == 0 ? order : order + 1;
    }
}

/* First aligned run of 2^order set bits, or -1. */
static int run_find(const uint64_t *map, unsigned order)
{
    unsigned words = order > WORD_ORDER ? 1u << (order - WORD_ORDER) : 1;

    for (unsigned w = 0; w < SPLIT_WORDS; w += words) {
        uint64_t bits = map[w];

        for (unsigned i = 1; i < words; i++)
            bits &= map[w + i];
        if (order >= WORD_ORDER) {
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

    bitmap_clear_range(meta->free, piece->first, piece->end - piece->first);
    for (unsigned page = piece->first; page < piece->end; page++) {
        meta->owner[page] = (uint16_t)slot;
        meta->order[page] = 0;
        meta->refs[page] = 1;
    }
    b->free_pages = (uint16_t)(b->free_pages - (piece->end - piece->first));
    list_move(n, b, run_largest(meta->free));
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
    /* A claim may have driven the descriptors into the middle, where they part what is free. */
    if (b->meta != META_HOME && bitmap_test(meta->free, META_HOME))
        meta_move(n, b, META_HOME);
    list_move(n, b, run_largest(split_meta(n, b)->free));
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
        uint32_t n = split_lists[list];

        if (n != BLOCK_NONE) {
            *page = (unsigned)run_find(split_meta(n, page_block(n))->free, order);
            return n;
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
        block_split(n, META_HOME);
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

void page_split_claim(const struct page_piece *piece, unsigned slot)
{
    struct block *b;

    page_block_divide(piece->block, 0);
    b = page_block(piece->block);
    if (b->state == BLOCK_FREE) {
        page_block_use(piece->block, slot);
        b = block_split(piece->block, piece->end < BLOCK_PAGES ? META_HOME : 0);
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

static bool bits_are_set(const uint64_t *map, unsigned first, unsigned count)
{
    return bitmap_find_zero(map, first + count, first) == first + count;
}

int page_split_largest(void)
{
    for (unsigned order = BLOCK_ORDER; order-- > 0;) {
        if (split_lists[order] != BLOCK_NONE)
            return (int)order;
    }
    return -1;
}

void page_split_count(uint32_t n, uint64_t counts[BLOCK_ORDER])
{
    const uint64_t *map = split_meta(n, page_block(n))->free;

    for (unsigned page = 0; page < BLOCK_PAGES;) {
        unsigned order = 0;

        if (!bitmap_test(map, page)) {
            page++;
            continue;
        }
        while (order + 1 < BLOCK_ORDER && (page & (1u << order)) == 0 &&
               bits_are_set(map, page, 2u << order))
            order++;
        counts[order]++;
        page += 1u << order;
    }
}
