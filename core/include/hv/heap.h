// SPDX-License-Identifier: Apache-2.0
// Kernel heap over the page allocator: size classes, statistics, poison and canaries; every object
// knows who asked for it. Room: mm.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A place in the source that allocates; zero but for file and line until it does so first. */
struct heap_site {
    const char *file; /**< as the compiler was told it: "core/mm/vmap.c" */
    uint16_t line;
    uint16_t id;      /**< 0: not known to the heap yet, or one too many */
    uint64_t objects; /**< in use; the heap's own lock guards these */
    uint64_t bytes;
    uint64_t fails;
};

#define HEAP_SITE                                                                                  \
    (__extension__({                                                                               \
        static struct heap_site heap_site_here = {.file = __FILE__, .line = __LINE__};             \
        &heap_site_here;                                                                           \
    }))

/** 16-byte aligned. NULL when out of memory. Any context but IRQ. */
#define heap_alloc(size) heap_alloc_at(size, HEAP_SITE)
#define heap_zalloc(size) heap_zalloc_at(size, HEAP_SITE)
/** n * size with overflow check, zeroed. */
#define heap_calloc(n, size) heap_calloc_at(n, size, HEAP_SITE)
#define heap_strdup(s) heap_strdup_at(s, HEAP_SITE)

/** The same for the account of another place than the caller's. The site lasts for ever. */
void *heap_alloc_at(size_t size, struct heap_site *site);
void *heap_zalloc_at(size_t size, struct heap_site *site);
void *heap_calloc_at(size_t n, size_t size, struct heap_site *site);
char *heap_strdup_at(const char *s, struct heap_site *site);
/**
 * NULL is fine. Detects double free and overrun (panic: a hypervisor bug), naming the owner. With
 * CONFIG_DEBUG_HEAP also overruns by single bytes and writes after free.
 */
void heap_free(void *ptr);

/** The guest for whose sake the caller allocates: its id + 1, or 0. Handed in by room guest. */
extern uint32_t (*heap_guest_hook)(void);

struct heap_stats {
    uint64_t bytes_used;  /**< asked for by callers */
    uint64_t bytes_taken; /**< pages taken from the page allocator */
    uint64_t objects;
    uint64_t allocs;
    uint64_t fails;
    uint64_t bytes_peak;   /**< most that bytes_used was */
    uint64_t objects_peak; /**< most that objects was */
};
/** A copy, consistent in itself. Any context but IRQ. */
void heap_get_stats(struct heap_stats *stats);

/** One size class, or all objects too large for any. */
struct heap_class {
    uint32_t room;  /**< bytes that an object may have; 0: larger than all classes */
    uint64_t taken; /**< bytes of pages */
    uint64_t objects;
    uint64_t bytes;
};
/** Classes by size, the large objects last. False past the end. Any context but IRQ. */
bool heap_get_class(unsigned index, struct heap_class *out);
/** The index-th place that has ever allocated: a copy. False past the last. Any context but IRQ. */
bool heap_get_site(unsigned index, struct heap_site *out);

/** An object in use, or one that is damaged. */
struct heap_object {
    const void *ptr;
    uint64_t size;
    const struct heap_site *site; /**< NULL: not known */
    uint32_t guest;               /**< id + 1, or 0 */
    const char *fault;            /**< what is wrong with it or its slab; NULL: nothing */
};
/**
 * Verify the whole heap, calling fn for every object in use and for everything that is damaged; fn
 * runs with a spinlock held. What is allocated or freed meanwhile may be left out. -EBUSY: another
 * walk is under way. Orphan; preemptible after each page.
 */
int heap_walk(void (*fn)(const struct heap_object *object, void *arg), void *arg);
