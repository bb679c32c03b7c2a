// SPDX-License-Identifier: Apache-2.0
// Ranges of pages at given addresses: claimed and released in the largest pieces possible.

#include "page_internal.h"

#include <hv/panic.h>
#include <lib/errno.h>
#include <lib/macros.h>
#include <stddef.h>

/* What a range consists of: 2^order whole blocks of one run, or pages of one block. */
struct part {
    struct page_piece piece;
    unsigned order;
    bool whole;
    enum block_state state;
};

/* The part at *pos, which moves behind it. All of [*pos, end) is RAM. */
static struct part part_next(uint64_t *pos, uint64_t end) REQUIRES(page_lock)
{
    uint32_t n = (uint32_t)(*pos >> BLOCK_SHIFT);
    const struct block *b = page_block(page_block_head(n));
    unsigned first = (unsigned)(*pos >> PAGE_SHIFT) % BLOCK_PAGES;
    unsigned last = (unsigned)MIN((uint64_t)BLOCK_PAGES, first + ((end - *pos) >> PAGE_SHIFT));
    struct part part = {.piece = {n, first, last}, .state = b->state};

    if (first == 0 && last == BLOCK_PAGES && b->state != BLOCK_SPLIT) {
        part.whole = true;
        part.order = MIN(page_block_fit(n, (uint32_t)(end >> BLOCK_SHIFT)), (unsigned)b->order);
        *pos += BLOCK_SIZE << part.order;
    } else {
        *pos += (uint64_t)(last - first) << PAGE_SHIFT;
    }
    return part;
}

static bool part_is_free(const struct part *part) REQUIRES(page_lock)
{
    return part->state == BLOCK_FREE ||
           (part->state == BLOCK_SPLIT && page_split_is_free(&part->piece));
}

static void part_claim(const struct part *part, unsigned slot) REQUIRES(page_lock)
{
    if (!part->whole) {
        page_split_claim(&part->piece, slot);
        return;
    }
    page_block_divide(part->piece.block, part->order);
    page_block_use(part->piece.block, slot);
    page_owner_charge(slot, (int64_t)(BLOCK_SIZE << part->order));
}

int page_range_claim(uint64_t addr, uint64_t size, uint32_t owner)
{
    int slot = page_owner_slot(owner);

    if (slot < 0)
        return slot;
    for (uint64_t pos = addr; pos < addr + size;) {
        struct part part = part_next(&pos, addr + size);

        if (!part_is_free(&part))
            return -EBUSY;
    }
    for (uint64_t pos = addr; pos < addr + size;) {
        struct part part = part_next(&pos, addr + size);

        part_claim(&part, (unsigned)slot);
    }
    return 0;
}

void page_range_release(uint64_t addr, uint64_t size)
{
    for (uint64_t pos = addr; pos < addr + size;) {
        struct part part = part_next(&pos, addr + size);
        uint32_t n = part.piece.block;

        if (part.state == BLOCK_FREE)
            panic("page: 0x%llx is free already", (unsigned long long)n << BLOCK_SHIFT);
        if (!part.whole) {
            page_split_release(&part.piece);
            continue;
        }
        page_block_divide(n, part.order);
        page_owner_charge(page_block(n)->owner, -(int64_t)(BLOCK_SIZE << part.order));
        page_block_release(n, part.order);
    }
}

/* Single pages of a split block: the free ones become reserved, those that are so already stay. */
static int split_reserve(const struct page_piece *piece) REQUIRES(page_lock)
{
    for (unsigned page = piece->first; page < piece->end; page++) {
        const struct page_piece one = {piece->block, page, page + 1};

        if (page_split_is_owned(&one, PAGE_OWNER_NONE))
            continue;
        if (!page_split_is_free(&one))
            return -EBUSY;
        page_split_claim(&one, PAGE_OWNER_NONE);
    }
    return 0;
}

int page_range_reserve(uint64_t addr, uint64_t size)
{
    for (uint64_t pos = addr; pos < addr + size;) {
        struct part part = part_next(&pos, addr + size);
        int err = 0;

        if (part.state == BLOCK_FREE)
            part_claim(&part, PAGE_OWNER_NONE);
        else if (part.state == BLOCK_SPLIT)
            err = split_reserve(&part.piece);
        else if (page_block(page_block_head(part.piece.block))->owner != PAGE_OWNER_NONE)
            err = -EBUSY;
        if (err != 0)
            return err;
    }
    return 0;
}
