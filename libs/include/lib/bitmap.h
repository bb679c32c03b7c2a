// SPDX-License-Identifier: Apache-2.0
// Bitmaps over arrays of 64-bit words.
#ifndef LIB_BITMAP_H
#define LIB_BITMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Nothing here is atomic. Bit n is bit n % 64 of word n / 64. Bits at and above `bits` in the last
// word are never read as a result and never written.

#define BITMAP_WORDS(bits) (((bits) + 63) / 64)
#define BITMAP(name, bits) uint64_t name[BITMAP_WORDS(bits)]

static inline void bitmap_set(uint64_t *map, size_t bit)
{
    map[bit / 64] |= UINT64_C(1) << (bit % 64);
}

static inline void bitmap_clear(uint64_t *map, size_t bit)
{
    map[bit / 64] &= ~(UINT64_C(1) << (bit % 64));
}

static inline bool bitmap_test(const uint64_t *map, size_t bit)
{
    return (map[bit / 64] >> (bit % 64)) & 1;
}

void bitmap_set_range(uint64_t *map, size_t start, size_t count);
void bitmap_clear_range(uint64_t *map, size_t start, size_t count);

// First set (clear) bit at or after `from`, or `bits` when there is none.
size_t bitmap_find_set(const uint64_t *map, size_t bits, size_t from);
size_t bitmap_find_zero(const uint64_t *map, size_t bits, size_t from);

// Start of the first run of `count` clear bits at or after `from`, its start a multiple of `align`
// (a power of two), or `bits` when there is none. `count` is at least 1.
size_t bitmap_find_zero_run(const uint64_t *map, size_t bits, size_t from, size_t count,
                            size_t align);

// Number of set bits below `bits`.
size_t bitmap_count(const uint64_t *map, size_t bits);

bool bitmap_is_empty(const uint64_t *map, size_t bits);

#endif
