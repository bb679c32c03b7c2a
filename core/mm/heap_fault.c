// SPDX-License-Identifier: Apache-2.0
// Seals, guards and poison of the heap: put in, verified, and what is said when one is broken.

#include "heap_internal.h"

#include <arch/addr.h>
#include <hv/panic.h>
#include <lib/string.h>

#define SLAB_MAGIC 0x5eab1abULL
#define LARGE_MAGIC 0x1a59eULL
#define SEAL_LIVE 0x5ea1u
#define SEAL_DEAD 0xdeadu
#define GUARD_BYTE 0xc5
#define POISON_BYTE 0xd7
#define POISON_WORD 0xd7d7d7d7d7d7d7d7ULL
/* How much of a free slot is checked for writes after free when it is used again. */
#define POISON_CHECKED 256u

#ifdef CONFIG_DEBUG_HEAP
#define DEBUG_HEAP true
#else
#define DEBUG_HEAP false
#endif

uint64_t heap_slab_checksum(const struct slab *slab)
{
    return (SLAB_MAGIC << 32 | (uint64_t)slab->class << 16 | slab->used) ^ slab->free[0] ^
           (slab->free[1] << 1 | slab->free[1] >> 63) ^ (uintptr_t)slab;
}

uint64_t heap_large_checksum(const struct large *large)
{
    return LARGE_MAGIC << 40 ^ large->size ^ (large->taken << 1) ^ (uintptr_t)large ^
           (uint64_t)large->site << 48 ^ (uint64_t)large->guest << 32;
}

bool heap_slab_is_sound(const struct slab *slab)
{
    return slab->class < CLASSES && slab->check == heap_slab_checksum(slab);
}

bool heap_large_is_sound(const struct large *large)
{
    return large->check == heap_large_checksum(large);
}

static uint16_t seal_mark(const void *slot, const struct seal *seal)
{
    uint16_t owner = (uint16_t)(seal->site ^ (seal->guest << 8 | seal->guest >> 8));

    return (uint16_t)(SEAL_LIVE ^ seal->size ^ owner ^ ((uintptr_t)slot >> 4));
}

/* Guard bytes between the object and its seal. */
static unsigned guard_size(unsigned class, unsigned size)
{
    return MIN(heap_slots[class] - (unsigned)sizeof(struct seal) - size, GUARD_MAX);
}

static bool bytes_are(const void *data, uint8_t byte, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (((const uint8_t *)data)[i] != byte)
            return false;
    }
    return true;
}

void heap_object_seal(void *slot, unsigned class, struct seal seal)
{
    seal.mark = seal_mark(slot, &seal);
    *slot_seal(slot, class) = seal;
    if (DEBUG_HEAP)
        memset((char *)slot + seal.size, GUARD_BYTE, guard_size(class, seal.size));
}

static bool seal_is_sound(const void *slot, unsigned class)
{
    const struct seal *seal = slot_seal(slot, class);

    return seal->mark == seal_mark(slot, seal) &&
           seal->size <= heap_slots[class] - sizeof(struct seal);
}

const char *heap_object_fault(const void *slot, unsigned class)
{
    const struct seal *seal = slot_seal(slot, class);
    const char *guard = (const char *)slot + seal->size;

    if (!seal_is_sound(slot, class))
        return "overrun";
    if (DEBUG_HEAP && !bytes_are(guard, GUARD_BYTE, guard_size(class, seal->size)))
        return "overrun";
    return NULL;
}

void heap_free_slot_seal(void *slot, unsigned class)
{
    if (DEBUG_HEAP)
        memset(slot, POISON_BYTE, heap_slots[class] - sizeof(struct seal));
    slot_seal(slot, class)->mark = SEAL_DEAD;
}

const char *heap_free_slot_fault(const void *slot, unsigned class, bool whole)
{
    unsigned size = heap_slots[class] - (unsigned)sizeof(struct seal);
    const uint64_t *words = slot;

    if (slot_seal(slot, class)->mark != SEAL_DEAD)
        return "overrun into the free slot";
    if (!whole)
        size = MIN(size, POISON_CHECKED);
    for (unsigned i = 0; DEBUG_HEAP && i < size / sizeof(*words); i++) {
        if (words[i] != POISON_WORD)
            return "write after free";
    }
    return NULL;
}

void heap_large_seal(struct large *large)
{
    large->check = heap_large_checksum(large);
    if (DEBUG_HEAP)
        memset((char *)large + HEADER_SIZE + large->size, GUARD_BYTE, GUARD_MAX);
}

const char *heap_large_fault(const struct large *large)
{
    const char *guard = (const char *)large + HEADER_SIZE + large->size;

    return DEBUG_HEAP && !bytes_are(guard, GUARD_BYTE, GUARD_MAX) ? "overrun" : NULL;
}

void heap_panic(const char *what, const void *ptr, const struct seal *seal)
{
    const struct heap_site *site = seal != NULL ? heap_site_by_id(seal->site) : NULL;

    if (site == NULL || site->id == 0)
        panic("heap: %s: %p, owner unknown", what, ptr);
    if (seal->guest != 0)
        panic("heap: %s: %p, %u bytes of %s:%u for guest %u", what, ptr, seal->size, site->file,
              site->line, seal->guest - 1u);
    panic("heap: %s: %p, %u bytes of %s:%u", what, ptr, seal->size, site->file, site->line);
}

void heap_panic_header(const void *ptr)
{
    unsigned offset = (unsigned)((uintptr_t)ptr % PAGE_SIZE) - HEADER_SIZE;
    const struct seal *seal = NULL;

    for (unsigned class = 0; class < CLASSES && offset < SLAB_SPACE; class ++) {
        if (offset % heap_slots[class] == 0 && offset / heap_slots[class] < slab_slots(class) &&
            seal_is_sound(ptr, class))
            seal = slot_seal(ptr, class);
    }
    heap_panic("no object, or its header is damaged, or its page was freed", ptr, seal);
}
