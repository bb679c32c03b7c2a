// SPDX-License-Identifier: Apache-2.0
// What is free, in pieces of which size, and who holds the rest: walked in short steps, so that
// nobody waits for it.

#include "page_internal.h"

#include <lib/macros.h>
#include <lib/string.h>
#include <stddef.h>

/* Runs looked at with the lock held. */
#define STEP_RUNS 32u

struct walk {
    uint64_t *orders; /* or NULL */
    uint32_t longest; /* blocks */
    uint32_t length;  /* of the free blocks just before here */
};

static void count_run(struct walk *walk, uint32_t n, const struct block *b) REQUIRES(page_lock)
{
    if (b->state != BLOCK_FREE) {
        walk->length = 0;
    } else {
        walk->length += 1u << b->order;
        walk->longest = MAX(walk->longest, walk->length);
    }
    if (walk->orders == NULL)
        return;
    if (b->state == BLOCK_FREE)
        walk->orders[BLOCK_ORDER + b->order]++;
    else if (b->state == BLOCK_SPLIT)
        page_split_count(n, walk->orders);
}

/* Some runs at and after n; returns where the next step begins. */
static uint32_t walk_step(struct walk *walk, uint32_t n, uint32_t end)
{
    spin_lock(&page_lock);
    for (unsigned runs = 0; runs < STEP_RUNS && n < end; runs++) {
        /* Not n itself when a run has grown over it since, or reaches in from the region before. */
        uint32_t head = page_block_head(n);
        const struct block *b = page_block(head);

        if (head == n)
            count_run(walk, n, b);
        n = head + (1u << b->order);
    }
    spin_unlock(&page_lock);
    return n;
}

void page_get_free(uint64_t orders[PAGE_ORDER_MAX + 1], uint64_t *largest)
{
    struct walk walk = {.orders = orders};
    int order;

    if (orders != NULL)
        memset(orders, 0, (PAGE_ORDER_MAX + 1) * sizeof(*orders));
    for (unsigned i = 0; i < page_region_count; i++) {
        uint32_t end = page_regions[i].first + page_regions[i].count;

        walk.length = 0;
        for (uint32_t n = page_regions[i].first; n < end;)
            n = walk_step(&walk, n, end);
    }
    *largest = (uint64_t)walk.longest << BLOCK_SHIFT;
    if (walk.longest != 0)
        return;
    spin_lock(&page_lock);
    order = page_split_largest();
    spin_unlock(&page_lock);
    *largest = order < 0 ? 0 : PAGE_SIZE << order;
}

bool page_owner_at(unsigned index, uint32_t *owner, uint64_t *bytes)
{
    bool found;

    spin_lock(&page_lock);
    found = page_owner_get(index, owner, bytes);
    spin_unlock(&page_lock);
    return found;
}
