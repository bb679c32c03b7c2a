// SPDX-License-Identifier: Apache-2.0
// Kernel heap: slabs of one page for small objects, page ranges for large ones; every object sealed
// at its end.

#include "page_internal.h"

#include <arch/mmu.h>
#include <hv/heap.h>
#include <hv/panic.h>
#include <lib/list.h>
#include <lib/macros.h>
#include <lib/string.h>

/*
 * A slab is a page: struct slab, then slots of one size. An object fills its slot from the start;
 * behind it come guard bytes and, at the slot's end, the seal with the size. Free slots are full of
 * poison and known by the bitmap only: nothing that an overrun or a write after free can reach is
 * ever followed.
 */
#define HEADER_SIZE 64u
#define SLAB_SPACE (PAGE_SIZE - HEADER_SIZE)
#define SLAB_MAGIC 0x5eab1abULL
#define LARGE_MAGIC 0x1a59eULL
#define SEAL_LIVE 0x5ea1u
#define SEAL_DEAD 0xdeadu
#define GUARD_BYTE 0xc5
#define GUARD_MAX 16u
#define POISON_BYTE 0xd7
#define POISON_WORD 0xd7d7d7d7d7d7d7d7ULL
/* How much of a free slot is checked for writes after free when it is used again. */
#define POISON_CHECKED 256u
#define LARGE_SIZE_MAX BIT(40)

struct seal {
    uint16_t size;
    uint16_t mark;
};

static const uint16_t slot_sizes[] = {32, 48, 64, 96, 128, 192, 256, 336, 496, 672, 1008, 2016};
#define CLASSES ARRAY_SIZE(slot_sizes)

struct slab {
    uint64_t check; /**< over the fields below: a flipped bit is noticed, not believed */
    uint64_t free[2];
    uint16_t class;
    uint16_t used;
    struct list link; /**< in its class's list while it has free slots */
};

struct large {
    uint64_t check;
    uint64_t size;  /**< asked for */
    uint64_t taken; /**< bytes of the page range */
};
_Static_assert(sizeof(struct slab) <= HEADER_SIZE && sizeof(struct large) <= HEADER_SIZE,
               "headers fit");

static struct spinlock heap_lock = SPINLOCK_INIT;
static struct list partial[CLASSES] GUARDED_BY(heap_lock);
static struct heap_stats stats GUARDED_BY(heap_lock);

static uint64_t slab_check(const struct slab *slab)
{
    return (SLAB_MAGIC << 32 | (uint64_t)slab->class << 16 | slab->used) ^ slab->free[0] ^
           (slab->free[1] << 1 | slab->free[1] >> 63) ^ (uintptr_t)slab;
}

static uint64_t large_check(const struct large *large)
{
    return LARGE_MAGIC << 40 ^ large->size ^ (large->taken << 1) ^ (uintptr_t)large;
}

static struct seal *slot_seal(void *slot, unsigned class)
{
    return (struct seal *)((char *)slot + slot_sizes[class]) - 1;
}

static uint16_t seal_mark(const void *slot, unsigned size, unsigned mark)
{
    return (uint16_t)(mark ^ size ^ ((uintptr_t)slot >> 4));
}

static unsigned slab_slots(unsigned class)
{
    return SLAB_SPACE / slot_sizes[class];
}

/* Guard bytes between the object and its seal. */
static unsigned guard_size(unsigned class, unsigned size)
{
    return MIN(slot_sizes[class] - (unsigned)sizeof(struct seal) - size, GUARD_MAX);
}

static bool bytes_are(const void *data, uint8_t byte, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (((const uint8_t *)data)[i] != byte)
            return false;
    }
    return true;
}

static struct slab *slab_create(unsigned class) REQUIRES(heap_lock)
{
    struct slab *slab;
    unsigned slots = slab_slots(class);
    hpa_t pa;

    if (page_alloc(0, PAGE_OWNER_HEAP, &pa) != 0)
        return NULL;
    slab = arch_mmu_linear(pa);
    memset((char *)slab + HEADER_SIZE, POISON_BYTE, SLAB_SPACE);
    for (unsigned i = 0; i < slots; i++)
        slot_seal((char *)slab + HEADER_SIZE + i * slot_sizes[class], class)->mark = SEAL_DEAD;
    slab->free[0] = slots >= 64 ? ~0ULL : BIT(slots) - 1;
    slab->free[1] = slots > 64 ? BIT(slots - 64) - 1 : 0;
    slab->class = (uint16_t) class;
    slab->used = 0;
    slab->check = slab_check(slab);
    list_add_head(&partial[class], &slab->link);
    stats.bytes_taken += PAGE_SIZE;
    return slab;
}

static void poison_verify(const void *slot, unsigned class)
{
    const uint64_t *words = slot;
    unsigned count = MIN(slot_sizes[class] - (unsigned)sizeof(struct seal), POISON_CHECKED) / 8;

    for (unsigned i = 0; i < count; i++) {
        if (words[i] != POISON_WORD)
            panic("heap: write after free at %p", (const void *)&words[i]);
    }
}

static void *small_alloc(unsigned class, size_t size) REQUIRES(heap_lock)
{
    struct slab *slab = LIST_FIRST(&partial[class], struct slab, link);
    unsigned word, index;
    struct seal *seal;
    char *slot;

    if (slab == NULL)
        slab = slab_create(class);
    if (slab == NULL)
        return NULL;
    if (slab->check != slab_check(slab))
        panic("heap: header of slab %p is damaged", (void *)slab);
    word = slab->free[0] != 0 ? 0 : 1;
    index = word * 64 + (unsigned)__builtin_ctzll(slab->free[word]);
    slab->free[word] &= slab->free[word] - 1;
    if (++slab->used == slab_slots(class))
        list_remove(&slab->link);
    slab->check = slab_check(slab);
    slot = (char *)slab + HEADER_SIZE + index * slot_sizes[class];
    seal = slot_seal(slot, class);
    if (seal->mark != SEAL_DEAD)
        panic("heap: overrun into the free slot %p", (void *)slot);
    poison_verify(slot, class);
    *seal = (struct seal){(uint16_t)size, seal_mark(slot, (unsigned)size, SEAL_LIVE)};
    memset(slot + size, GUARD_BYTE, guard_size(class, (unsigned)size));
    return slot;
}

/* Checks everything about an object that is to be freed. Returns its slot number. */
static unsigned small_verify(const struct slab *slab, void *ptr)
{
    unsigned class = slab->class;
    unsigned offset = (unsigned)((uintptr_t)ptr - (uintptr_t)slab);
    unsigned index = (offset - HEADER_SIZE) / slot_sizes[class];
    const struct seal *seal = slot_seal(ptr, class);

    if (offset < HEADER_SIZE || (offset - HEADER_SIZE) % slot_sizes[class] != 0 ||
        index >= slab_slots(class))
        panic("heap: %p is no object", ptr);
    if ((slab->free[index / 64] >> index % 64) & 1)
        panic("heap: double free of %p", ptr);
    if (seal->mark != seal_mark(ptr, seal->size, SEAL_LIVE) ||
        seal->size > slot_sizes[class] - sizeof(struct seal) ||
        !bytes_are((char *)ptr + seal->size, GUARD_BYTE, guard_size(class, seal->size)))
        panic("heap: overrun of %p", ptr);
    return index;
}

static void slab_destroy(struct slab *slab) REQUIRES(heap_lock)
{
    list_remove(&slab->link);
    slab->check = 0;
    stats.bytes_taken -= PAGE_SIZE;
    page_free(arch_mmu_hpa(slab), 0);
}

static void small_free(struct slab *slab, void *ptr) REQUIRES(heap_lock)
{
    unsigned index = small_verify(slab, ptr);
    unsigned class = slab->class;
    struct seal *seal = slot_seal(ptr, class);

    stats.bytes_used -= seal->size;
    memset(ptr, POISON_BYTE, slot_sizes[class] - sizeof(*seal));
    seal->mark = SEAL_DEAD;
    slab->free[index / 64] |= BIT(index % 64);
    if (slab->used == slab_slots(class))
        list_add_head(&partial[class], &slab->link);
    slab->used--;
    slab->check = slab_check(slab);
    /* Given back at once, so that what is taken depends on what is held and on nothing else. */
    if (slab->used == 0)
        slab_destroy(slab);
}

static void *large_alloc(size_t size) REQUIRES(heap_lock)
{
    uint64_t taken = ALIGN_UP(HEADER_SIZE + size + GUARD_MAX, PAGE_SIZE);
    struct large *large;
    hpa_t pa;

    if (size > LARGE_SIZE_MAX || page_alloc_range(taken, PAGE_SIZE, PAGE_OWNER_HEAP, &pa) != 0)
        return NULL;
    large = arch_mmu_linear(pa);
    large->size = size;
    large->taken = taken;
    large->check = large_check(large);
    memset((char *)large + HEADER_SIZE + size, GUARD_BYTE, GUARD_MAX);
    stats.bytes_taken += taken;
    return (char *)large + HEADER_SIZE;
}

static void large_free(struct large *large) REQUIRES(heap_lock)
{
    uint64_t taken = large->taken;

    if (!bytes_are((char *)large + HEADER_SIZE + large->size, GUARD_BYTE, GUARD_MAX))
        panic("heap: overrun of %p", (void *)((char *)large + HEADER_SIZE));
    stats.bytes_used -= large->size;
    stats.bytes_taken -= taken;
    large->check = 0;
    page_free_range(arch_mmu_hpa(large), taken);
}

static void *alloc_locked(size_t size) REQUIRES(heap_lock)
{
    if (partial[0].next == NULL) {
        for (unsigned i = 0; i < CLASSES; i++)
            list_init(&partial[i]);
    }
    for (unsigned class = 0; class < CLASSES; class ++) {
        if (size <= slot_sizes[class] - sizeof(struct seal))
            return small_alloc(class, size);
    }
    return large_alloc(size);
}

void *heap_alloc(size_t size)
{
    void *ptr = NULL;
    bool fail = page_must_fail();

    spin_lock(&heap_lock);
    if (!fail)
        ptr = alloc_locked(size);
    if (ptr != NULL) {
        stats.bytes_used += size;
        stats.objects++;
        stats.allocs++;
    } else {
        stats.fails++;
    }
    spin_unlock(&heap_lock);
    return ptr;
}

void *heap_zalloc(size_t size)
{
    void *ptr = heap_alloc(size);

    if (ptr != NULL)
        memset(ptr, 0, size);
    return ptr;
}

void *heap_calloc(size_t n, size_t size)
{
    size_t bytes;

    return __builtin_mul_overflow(n, size, &bytes) ? NULL : heap_zalloc(bytes);
}

char *heap_strdup(const char *s)
{
    size_t size = strlen(s) + 1;
    char *copy = heap_alloc(size);

    if (copy != NULL)
        memcpy(copy, s, size);
    return copy;
}

void heap_free(void *ptr)
{
    void *page = (void *)((uintptr_t)ptr & PAGE_MASK);
    struct slab *slab = page;
    struct large *large = page;

    if (ptr == NULL)
        return;
    if (!IS_ALIGNED((uintptr_t)ptr, 16))
        panic("heap: %p is no object", ptr);
    spin_lock(&heap_lock);
    if (slab->class < CLASSES && slab->check == slab_check(slab))
        small_free(slab, ptr);
    else if (large->check == large_check(large) && ptr == (char *)large + HEADER_SIZE)
        large_free(large);
    else
        panic("heap: %p is no object, or its header is damaged, or its page was freed", ptr);
    stats.objects--;
    spin_unlock(&heap_lock);
}

void heap_get_stats(struct heap_stats *out)
{
    spin_lock(&heap_lock);
    *out = stats;
    spin_unlock(&heap_lock);
}
