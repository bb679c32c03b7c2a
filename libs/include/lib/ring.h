// SPDX-License-Identifier: Apache-2.0
// Byte queue of fixed size over the caller's memory.
#ifndef LIB_RING_H
#define LIB_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Any size is allowed, also 0 (always full and always empty). Locking is the caller's.
struct ring {
    uint8_t *data;
    size_t size;
    size_t head;  // index of the oldest byte
    size_t count; // bytes held
};

void ring_init(struct ring *ring, void *memory, size_t size);

static inline void ring_clear(struct ring *ring)
{
    ring->head = 0;
    ring->count = 0;
}

static inline size_t ring_count(const struct ring *ring)
{
    return ring->count;
}

static inline size_t ring_free(const struct ring *ring)
{
    return ring->size - ring->count;
}

// false when full; the byte is not stored then.
bool ring_put(struct ring *ring, uint8_t byte);

// Like ring_put(), but a full ring loses its oldest byte instead.
void ring_put_over(struct ring *ring, uint8_t byte);

// false when empty.
bool ring_get(struct ring *ring, uint8_t *byte);

// Reads the byte `offset` places after the oldest without taking it; false when there is none.
bool ring_peek(const struct ring *ring, size_t offset, uint8_t *byte);

// Blocks; return how many bytes were moved, which is less than `size` when full (empty).
size_t ring_write(struct ring *ring, const void *from, size_t size);
size_t ring_read(struct ring *ring, void *to, size_t size);

#endif
