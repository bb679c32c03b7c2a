// SPDX-License-Identifier: Apache-2.0
// Leftist tree of timer events: merging, removing, keeping the right side short.

#include "timer_heap.h"

static bool expires_before(const struct hrtimer *a, const struct hrtimer *b)
{
    return a->expires < b->expires || (a->expires == b->expires && a->start < b->start);
}

/* The higher rank goes left. True when the event's own rank changed. */
static bool settle_one(struct hrtimer *timer)
{
    unsigned left = timer_heap_rank(timer->left);
    unsigned right = timer_heap_rank(timer->right);
    unsigned rank = (left < right ? left : right) + 1;
    bool changed = rank != timer->rank;

    if (left < right) {
        struct hrtimer *other = timer->left;

        timer->left = timer->right;
        timer->right = other;
    }
    timer->rank = rank;
    return changed;
}

void timer_heap_settle(struct hrtimer *timer)
{
    while (timer != NULL && settle_one(timer))
        timer = timer->above;
}

/* Two trees, NULL when empty, to one, by going down their right sides. Its root's above is not set. */
static struct hrtimer *merge(struct hrtimer *a, struct hrtimer *b)
{
    struct hrtimer *root = NULL;
    struct hrtimer **place = &root;
    struct hrtimer *above = NULL;

    while (a != NULL && b != NULL) {
        struct hrtimer *first = expires_before(b, a) ? b : a;

        b = first == a ? b : a;
        *place = first;
        first->above = above;
        above = first;
        place = &first->right;
        a = first->right;
    }
    *place = a != NULL ? a : b;
    if (*place != NULL)
        (*place)->above = above;
    for (; above != NULL; above = above->above)
        (void)settle_one(above);
    return root;
}

void timer_heap_remove(struct timer_heap *heap, struct hrtimer *timer)
{
    struct hrtimer *above = timer->above;
    struct hrtimer *rest = merge(timer->left, timer->right);

    __atomic_store_n(&timer->rank, 0, __ATOMIC_RELEASE);
    if (rest != NULL)
        rest->above = above;
    if (above == NULL) {
        heap->root = rest;
        return;
    }
    if (above->left == timer)
        above->left = rest;
    else
        above->right = rest;
    timer_heap_settle(above);
}
