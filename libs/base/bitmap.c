// SPDX-License-Identifier: Apache-2.0
// Bitmaps: searches, counts and ranges, a word at a time.
#include <lib/bitmap.h>
#include <lib/macros.h>

// Mask of the bits of word `word` that lie in [start, end); the two must overlap.
static uint64_t word_mask(size_t word, size_t start, size_t end)
{
    size_t low = MAX(start, word * 64) - word * 64;
    size_t high = MIN(end, word * 64 + 64) - word * 64;

    return BITS(high - 1, low);
}

void bitmap_set_range(uint64_t *map, size_t start, size_t count)
{
    size_t end = start + count;

    for (size_t word = start / 64; count > 0 && word <= (end - 1) / 64; word++) {
        map[word] |= word_mask(word, start, end);
    }
}

void bitmap_clear_range(uint64_t *map, size_t start, size_t count)
{
    size_t end = start + count;

    for (size_t word = start / 64; count > 0 && word <= (end - 1) / 64; word++) {
        map[word] &= ~word_mask(word, start, end);
    }
}

// Searches set bits after `flip` was applied to each word: 0 finds set bits, all ones clear ones.
static size_t find_bit(const uint64_t *map, size_t bits, size_t from, uint64_t flip)
{
    if (from >= bits) {
        return bits;
    }
    for (size_t word = from / 64; word <= (bits - 1) / 64; word++) {
        uint64_t hits = (map[word] ^ flip) & word_mask(word, from, bits);

        if (hits != 0) {
            return word * 64 + (size_t)__builtin_ctzll(hits);
        }
    }
    return bits;
}

size_t bitmap_find_set(const uint64_t *map, size_t bits, size_t from)
{
    return find_bit(map, bits, from, 0);
}

size_t bitmap_find_zero(const uint64_t *map, size_t bits, size_t from)
{
    return find_bit(map, bits, from, ~UINT64_C(0));
}

size_t bitmap_find_zero_run(const uint64_t *map, size_t bits, size_t from, size_t count,
                            size_t align)
{
    size_t start = ALIGN_UP(bitmap_find_zero(map, bits, from), align);

    while (start < bits && count <= bits - start) {
        size_t taken = bitmap_find_set(map, start + count, start);

        if (taken == start + count) {
            return start;
        }
        start = ALIGN_UP(bitmap_find_zero(map, bits, taken), align);
    }
    return bits;
}

size_t bitmap_count(const uint64_t *map, size_t bits)
{
    size_t count = 0;

    for (size_t word = 0; word < BITMAP_WORDS(bits); word++) {
        count += (size_t)__builtin_popcountll(map[word] & word_mask(word, 0, bits));
    }
    return count;
}

bool bitmap_is_empty(const uint64_t *map, size_t bits)
{
    return bitmap_find_set(map, bits, 0) == bits;
}
