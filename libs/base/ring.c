// SPDX-License-Identifier: Apache-2.0
// Byte queue of fixed size.
#include <lib/macros.h>
#include <lib/ring.h>
#include <lib/string.h>

void ring_init(struct ring *ring, void *memory, size_t size)
{
    ring->data = memory;
    ring->size = size;
    ring_clear(ring);
}

// Index of the place `offset` bytes after the oldest; no division, for sizes are arbitrary.
static size_t place(const struct ring *ring, size_t offset)
{
    size_t index = ring->head + offset;

    return index >= ring->size ? index - ring->size : index;
}

bool ring_put(struct ring *ring, uint8_t byte)
{
    if (ring_free(ring) == 0) {
        return false;
    }
    ring->data[place(ring, ring->count)] = byte;
    ring->count++;
    return true;
}

void ring_put_over(struct ring *ring, uint8_t byte)
{
    if (ring->size == 0) {
        return;
    }
    if (ring_free(ring) == 0) {
        ring->head = place(ring, 1);
        ring->count--;
    }
    ring->data[place(ring, ring->count)] = byte;
    ring->count++;
}

bool ring_get(struct ring *ring, uint8_t *byte)
{
    if (ring->count == 0) {
        return false;
    }
    *byte = ring->data[ring->head];
    ring->head = place(ring, 1);
    ring->count--;
    return true;
}

bool ring_peek(const struct ring *ring, size_t offset, uint8_t *byte)
{
    if (offset >= ring->count) {
        return false;
    }
    *byte = ring->data[place(ring, offset)];
    return true;
}

size_t ring_write(struct ring *ring, const void *from, size_t size)
{
    size_t total = MIN(size, ring_free(ring));
    size_t start = place(ring, ring->count);
    size_t first = MIN(total, ring->size - start);

    if (total == 0) {
        return 0;
    }
    memcpy(ring->data + start, from, first);
    memcpy(ring->data, (const uint8_t *)from + first, total - first);
    ring->count += total;
    return total;
}

size_t ring_read(struct ring *ring, void *to, size_t size)
{
    size_t total = MIN(size, ring->count);
    size_t first = MIN(total, ring->size - ring->head);

    if (total == 0) {
        return 0;
    }
    memcpy(to, ring->data + ring->head, first);
    memcpy((uint8_t *)to + first, ring->data, total - first);
    ring->head = place(ring, total);
    ring->count -= total;
    return total;
}
