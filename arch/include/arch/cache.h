// SPDX-License-Identifier: Apache-2.0
// Contract: cache maintenance by virtual address, to the point of coherency. Any context. Sizes in bytes, any alignment.
#pragma once

#include <stddef.h>

/** Write back, so that an observer with caches off (a guest before its MMU is on) sees the data (DC CVAC). */
void arch_cache_clean(const void *addr, size_t size);
/** Write back and invalidate (DC CIVAC): after scrubbing a page. */
void arch_cache_clean_invalidate(const void *addr, size_t size);
/** Zero whole pages and write them back to memory, invalidated: what was there is gone for observers with caches on or off. */
void arch_cache_scrub(void *page, size_t size);
/** Invalidate all instruction caches, inner shareable (IC IALLUIS): after loading code. */
void arch_cache_sync_code(void);
