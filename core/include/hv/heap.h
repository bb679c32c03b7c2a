// SPDX-License-Identifier: Apache-2.0
// Kernel heap over the page allocator: size classes, statistics, poison and canaries. Room: mm.
#pragma once

#include <stddef.h>
#include <stdint.h>

/** 16-byte aligned. NULL when out of memory. Any context but IRQ. */
void *heap_alloc(size_t size);
void *heap_zalloc(size_t size);
/** n * size with overflow check, zeroed. */
void *heap_calloc(size_t n, size_t size);
char *heap_strdup(const char *s);
/** NULL is fine. Detects double free and overrun (panic: a hypervisor bug). */
void heap_free(void *ptr);

struct heap_stats {
    uint64_t bytes_used;  /**< asked for by callers */
    uint64_t bytes_taken; /**< pages taken from the page allocator */
    uint64_t objects;
    uint64_t allocs;
    uint64_t fails;
};
void heap_get_stats(struct heap_stats *stats);
