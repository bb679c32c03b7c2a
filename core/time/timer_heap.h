// SPDX-License-Identifier: Apache-2.0
// Priority queue of timer events: a leftist tree. Events are on no side of it in particular, but
// none is before the one above it, and the shortest way down from any event to a free place is
// along its right children: at most log2(n + 1) steps, with which everything here is done.
#pragma once

#include <hv/hrtimer.h>
#include <lib/macros.h>
#include <stdbool.h>

struct timer_heap {
    struct hrtimer *root; /**< the first to expire, or NULL */
    uint64_t starts;      /**< numbers the starts: equal times expire in their order */
};

/** Steps from an event to the nearest free place below it; 0 for none. */
static inline unsigned timer_heap_rank(const struct hrtimer *timer)
{
    return timer != NULL ? timer->rank : 0;
}

/** What is below the event has changed: restore its rank, and those above it as far as they change. */
void timer_heap_settle(struct hrtimer *timer);
/** Take an event out that is in it. */
void timer_heap_remove(struct timer_heap *heap, struct hrtimer *timer);

/*
 * The right child of an event at the right side has risen to that rank. Where the left one stays
 * behind they change places, and nothing above sees a change.
 */
static inline void timer_heap_raise(struct hrtimer *timer, unsigned rank)
{
    for (; timer != NULL; timer = timer->above) {
        struct hrtimer *left = timer->left;

        if (timer_heap_rank(left) < rank) {
            timer->left = timer->right;
            timer->right = left;
            return;
        }
        timer->rank = ++rank;
    }
}

/**
 * Put an event in; expires is set. From the end of the right side up, because most events belong
 * near it. True when it became the first.
 */
static inline bool timer_heap_insert(struct timer_heap *heap, struct hrtimer *timer,
                                     uint64_t expires)
{
    struct hrtimer *below = NULL;
    struct hrtimer *above = NULL;

    for (struct hrtimer *next = heap->root; next != NULL; next = next->right)
        above = next;
    while (above != NULL && above->expires > expires) {
        below = above;
        above = above->above;
    }
    timer->expires = expires;
    timer->start = heap->starts++;
    timer->above = above;
    timer->left = below;
    timer->right = NULL;
    timer->rank = 1;
    if (below != NULL)
        below->above = timer;
    if (above == NULL) {
        heap->root = timer;
        return true;
    }
    above->right = timer;
    if (below == NULL)
        timer_heap_raise(above, 1);
    else if (below->rank > 1)
        timer_heap_settle(above);
    return false;
}
