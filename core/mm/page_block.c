// SPDX-License-Identifier: Apache-2.0
// Runs of whole 2 MiB blocks: a buddy system whose descriptors need no initialisation.

#include "page_internal.h"

#include <hv/panic.h>
#include <stddef.h>

static uint32_t free_lists[RUN_ORDER_MAX + 1] = {[0 ... RUN_ORDER_MAX] = BLOCK_NONE};

struct block *page_block(uint32_t n)
{
    for (unsigned i = 0; i < page_region_count; i++) {
        if (n - page_regions[i].first < page_regions[i].count)
            return &page_regions[i].blocks[n - page_regions[i].first];
    }
    return NULL;
}

void page_list_add(uint32_t *head, uint32_t n)
{
    struct block *b = page_block(n);

    b->next = *head;
    b->prev = BLOCK_NONE;
    if (*head != BLOCK_NONE)
        page_block(*head)->prev = n;
    *head = n;
}

void page_list_remove(uint32_t *head, uint32_t n)
{
    struct block *b = page_block(n);

    if (b->prev != BLOCK_NONE)
        page_block(b->prev)->next = b->next;
    else
        *head = b->next;
    if (b->next != BLOCK_NONE)
        page_block(b->next)->prev = b->prev;
}

uint32_t page_block_head(uint32_t n)
{
    /*
     * From the top down: the aligned block of an order always begins a run when no larger run
     * covers n, so that no descriptor is read that was never written.
     */
    for (unsigned order = RUN_ORDER_MAX; order > 0; order--) {
        uint32_t head = n & ~((1u << order) - 1);
        const struct block *b = page_block(head);

        if (b != NULL && b->order >= order)
            return head;
    }
    return n;
}

static void run_set(uint32_t n, unsigned order, enum block_state state, unsigned slot)
    REQUIRES(page_lock)
{
    struct block *b = page_block(n);

    b->state = (uint8_t)state;
    b->order = (uint8_t)order;
    b->owner = (uint16_t)slot;
    b->refs = 1;
}

static void run_set_free(uint32_t n, unsigned order) REQUIRES(page_lock)
{
    run_set(n, order, BLOCK_FREE, 0);
    page_list_add(&free_lists[order], n);
}

/*
 * Halve the run at head until the part with n in it has at most this order; it leaves its free
 * list. Returns that part.
 */
static uint32_t run_cut(uint32_t head, uint32_t n, unsigned order) REQUIRES(page_lock)
{
    struct block *b = page_block(head);
    enum block_state state = b->state;
    unsigned slot = b->owner;
    unsigned have = b->order;

    if (state == BLOCK_FREE)
        page_list_remove(&free_lists[have], head);
    while (have > order) {
        uint32_t upper = head + (1u << --have);
        uint32_t other = n >= upper ? head : upper;

        head = n >= upper ? upper : head;
        if (state == BLOCK_FREE)
            run_set_free(other, have);
        else
            run_set(other, have, state, slot);
    }
    run_set(head, have, state, slot);
    return head;
}

void page_block_divide(uint32_t n, unsigned order)
{
    uint32_t head = page_block_head(n);
    struct block *b = page_block(head);

    if (b->order <= order)
        return;
    head = run_cut(head, n, order);
    b = page_block(head);
    if (b->state == BLOCK_FREE)
        page_list_add(&free_lists[b->order], head);
}

unsigned page_block_fit(uint32_t n, uint32_t end)
{
    unsigned order = 0;

    while (order < RUN_ORDER_MAX && (n & (1u << order)) == 0 && end - n >= (2u << order))
        order++;
    return order;
}

void page_block_tile(uint32_t n, uint32_t count, unsigned slot)
{
    uint32_t end = n + count;

    while (n != end) {
        unsigned order = page_block_fit(n, end);

        run_set(n, order, BLOCK_USED, slot);
        n += 1u << order;
    }
}

uint32_t page_block_take(unsigned order, unsigned slot)
{
    for (unsigned have = order; have <= RUN_ORDER_MAX; have++) {
        uint32_t n = free_lists[have];

        if (n == BLOCK_NONE)
            continue;
        run_cut(n, n, order);
        run_set(n, order, BLOCK_USED, slot);
        return n;
    }
    return BLOCK_NONE;
}

void page_block_use(uint32_t n, unsigned slot)
{
    unsigned order = page_block(n)->order;

    page_list_remove(&free_lists[order], n);
    run_set(n, order, BLOCK_USED, slot);
}

void page_block_release(uint32_t n, unsigned order)
{
    while (order < RUN_ORDER_MAX) {
        uint32_t buddy = n ^ (1u << order);
        const struct block *b = page_block(buddy);

        if (b == NULL || b->state != BLOCK_FREE || b->order != order)
            break;
        page_list_remove(&free_lists[order], buddy);
        n &= buddy;
        order++;
    }
    run_set_free(n, order);
}

struct free_span {
    uint32_t first, count;
};

/* The next span of free blocks in a region at or after *n, which moves behind it. count 0: none. */
static struct free_span span_next(const struct page_region *region, uint32_t *n) REQUIRES(page_lock)
{
    struct free_span span = {0, 0};
    uint32_t end = region->first + region->count;

    while (*n < end) {
        const struct block *b = page_block(*n);

        if (b->state != BLOCK_FREE && span.count != 0)
            break;
        if (b->state == BLOCK_FREE) {
            span.first = span.count == 0 ? *n : span.first;
            span.count += 1u << b->order;
        }
        *n += 1u << b->order;
    }
    return span;
}

/* Where to begin walking a region: a run of the region before may reach into it. */
static uint32_t span_begin(const struct page_region *region) REQUIRES(page_lock)
{
    uint32_t head = page_block_head(region->first);

    return head == region->first ? head : head + (1u << page_block(head)->order);
}

uint32_t page_block_search(uint32_t count, uint32_t align)
{
    for (unsigned i = 0; i < page_region_count; i++) {
        uint32_t n = span_begin(&page_regions[i]);

        for (;;) {
            struct free_span span = span_next(&page_regions[i], &n);
            uint64_t first = ((uint64_t)span.first + align - 1) & ~((uint64_t)align - 1);

            if (span.count == 0)
                break;
            if (first + count <= (uint64_t)span.first + span.count)
                return (uint32_t)first;
        }
    }
    return BLOCK_NONE;
}
