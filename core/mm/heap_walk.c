// SPDX-License-Identifier: Apache-2.0
// The whole heap verified, a page at a time: a cursor in the lists of slabs and of large objects
// keeps the place while the lock is free.

#include "heap_internal.h"

#include <arch/addr.h>
#include <lib/errno.h>

struct walk {
    void (*fn)(const struct heap_object *object, void *arg);
    void *arg;
    struct list cursor;
};

static bool walking; /* atomic: there is one cursor at most */

static void tell(const struct walk *walk, const void *ptr, const struct seal *seal,
                 const char *fault) REQUIRES(heap_lock)
{
    struct heap_object object = {
        .ptr = ptr,
        .size = seal->size,
        .site = heap_site_by_id(seal->site),
        .guest = seal->guest,
        .fault = fault,
    };

    walk->fn(&object, walk->arg);
}

static void walk_slab(const struct walk *walk, const struct slab *slab) REQUIRES(heap_lock)
{
    const struct heap_object damaged = {.ptr = slab, .fault = "damaged header of a slab"};

    if (!heap_slab_is_sound(slab)) {
        walk->fn(&damaged, walk->arg);
        return;
    }
    for (unsigned i = 0; i < slab_slots(slab->class); i++) {
        const void *slot = slab_slot(slab, i);
        bool is_free = slab_slot_is_free(slab, i);
        const char *fault = is_free ? heap_free_slot_fault(slot, slab->class, true)
                                    : heap_object_fault(slot, slab->class);

        if (!is_free || fault != NULL)
            tell(walk, slot, slot_seal(slot, slab->class), fault);
    }
}

static void walk_large(const struct walk *walk, const struct large *large) REQUIRES(heap_lock)
{
    const char *ptr = (const char *)large + HEADER_SIZE;
    struct heap_object object = {.ptr = ptr, .fault = "damaged header"};

    if (heap_large_is_sound(large)) {
        object.size = large->size;
        object.site = heap_site_by_id(large->site);
        object.guest = large->guest;
        object.fault = heap_large_fault(large);
    }
    walk->fn(&object, walk->arg);
}

/* The page behind the cursor, which moves past it. False at the end. */
static bool walk_step(struct walk *walk, struct list *head) REQUIRES(heap_lock)
{
    struct list *next = list_next(head, &walk->cursor);

    if (next == NULL)
        return false;
    if (head == &heap_slabs)
        walk_slab(walk, LIST_ENTRY(next, struct slab, all));
    else
        walk_large(walk, LIST_ENTRY(next, struct large, all));
    list_remove(&walk->cursor);
    list_add_head(next, &walk->cursor);
    return true;
}

static void walk_list(struct walk *walk, struct list *head)
{
    bool more;

    spin_lock(&heap_lock);
    list_add_head(head, &walk->cursor);
    do {
        more = walk_step(walk, head);
        spin_unlock(&heap_lock);
        spin_lock(&heap_lock);
    } while (more);
    list_remove(&walk->cursor);
    spin_unlock(&heap_lock);
}

int heap_walk(void (*fn)(const struct heap_object *object, void *arg), void *arg)
{
    struct walk walk = {.fn = fn, .arg = arg};

    if (__atomic_exchange_n(&walking, true, __ATOMIC_ACQUIRE))
        return -EBUSY;
    walk_list(&walk, &heap_slabs);
    walk_list(&walk, &heap_larges);
    __atomic_store_n(&walking, false, __ATOMIC_RELEASE);
    return 0;
}
