// SPDX-License-Identifier: Apache-2.0
// Inside of the heap, for its files only: slabs of one page for small objects, page ranges for
// large ones; every object sealed at its end.
#pragma once

#include <arch/addr.h>
#include <hv/heap.h>
#include <hv/lock_annotations.h>
#include <hv/spinlock.h>
#include <lib/list.h>
#include <lib/macros.h>

/*
 * A slab is a page: struct slab, then slots of one size. An object fills its slot from the start;
 * behind it come guard bytes and, at the slot's end, the seal with its size and owner. Free slots
 * are full of poison and known by the bitmap only: nothing that an overrun or a write after free
 * can reach is ever followed.
 */
#define HEADER_SIZE 64u
#define SLAB_SPACE (PAGE_SIZE - HEADER_SIZE)
#define GUARD_MAX 16u
#define CLASSES 12u

struct seal {
    uint16_t size;
    uint16_t mark;
    uint16_t site; /* of a free slot: of the last object there */
    uint16_t guest;
};

struct slab {
    uint64_t check; /* over the fields below: a flipped bit is noticed, not believed */
    uint64_t free[2];
    uint16_t class;
    uint16_t used;
    struct list link; /* in its class's list while it has free slots */
    struct list all;
};

struct large {
    uint64_t check;
    uint64_t size;  /* asked for */
    uint64_t taken; /* bytes of the page range */
    uint16_t site;
    uint16_t guest;
    struct list all;
};
_Static_assert(sizeof(struct slab) <= HEADER_SIZE && sizeof(struct large) <= HEADER_SIZE,
               "headers fit");

extern struct spinlock heap_lock;
extern const uint16_t heap_slots[CLASSES];
extern struct list heap_slabs, heap_larges; /* all of them */

static inline unsigned slab_slots(unsigned class)
{
    return SLAB_SPACE / heap_slots[class];
}

static inline void *slab_slot(const struct slab *slab, unsigned index)
{
    return (char *)slab + HEADER_SIZE + index * heap_slots[slab->class];
}

static inline bool slab_slot_is_free(const struct slab *slab, unsigned index)
{
    return (slab->free[index / 64] >> index % 64) & 1;
}

static inline struct seal *slot_seal(const void *slot, unsigned class)
{
    return (struct seal *)((char *)slot + heap_slots[class]) - 1;
}

/* heap_fault.c: all with heap_lock held. What is wrong, or NULL. */
uint64_t heap_slab_checksum(const struct slab *slab);
uint64_t heap_large_checksum(const struct large *large);
bool heap_slab_is_sound(const struct slab *slab);
bool heap_large_is_sound(const struct large *large);
const char *heap_object_fault(const void *slot, unsigned class);
const char *heap_free_slot_fault(const void *slot, unsigned class, bool whole);
const char *heap_large_fault(const struct large *large);
/* Put in what these look for. */
void heap_object_seal(void *slot, unsigned class, struct seal seal);
void heap_free_slot_seal(void *slot, unsigned class);
void heap_large_seal(struct large *large);
/* Stops the machine, naming the owner as far as it can be found. */
NORETURN void heap_panic(const char *what, const void *ptr, const struct seal *seal);
/* A damaged header leaves the seals: the object's own says whose it is. */
NORETURN void heap_panic_header(const void *ptr);

/* heap_site.c, with heap_lock held */
uint16_t heap_site_id(struct heap_site *site);
struct heap_site *heap_site_by_id(unsigned id);
void heap_site_charge(unsigned id, int64_t objects, int64_t bytes);
