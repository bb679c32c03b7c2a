// SPDX-License-Identifier: Apache-2.0
// Kernel heap: objects are taken from and given back to slabs and page ranges.

#include "heap_internal.h"
#include "page_internal.h"

#include <arch/mmu.h>
#include <lib/string.h>

#define LARGE_SIZE_MAX BIT(40)

const uint16_t heap_slots[CLASSES] = {32, 48, 64, 96, 128, 192, 256, 336, 496, 672, 1008, 2016};

struct spinlock heap_lock = SPINLOCK_INIT;
struct list heap_slabs = LIST_INIT(heap_slabs);
struct list heap_larges = LIST_INIT(heap_larges);
uint32_t (*heap_guest_hook)(void);

static struct list partial[CLASSES] GUARDED_BY(heap_lock);
static struct heap_stats stats GUARDED_BY(heap_lock);
static struct heap_class classes[CLASSES + 1] GUARDED_BY(heap_lock); /* the last: large objects */

static void count_taken(unsigned class, int64_t bytes) REQUIRES(heap_lock)
{
    stats.bytes_taken += (uint64_t)bytes;
    classes[class].taken += (uint64_t)bytes;
}

static void count_object(unsigned class, const struct seal *seal, uint64_t size, int sign)
    REQUIRES(heap_lock)
{
    uint64_t bytes = sign < 0 ? 0 - size : size;

    stats.objects += (uint64_t)(int64_t)sign;
    stats.bytes_used += bytes;
    stats.objects_peak = MAX(stats.objects_peak, stats.objects);
    stats.bytes_peak = MAX(stats.bytes_peak, stats.bytes_used);
    classes[class].objects += (uint64_t)(int64_t)sign;
    classes[class].bytes += bytes;
    heap_site_charge(seal->site, sign, (int64_t)bytes);
}

static struct slab *slab_create(unsigned class) REQUIRES(heap_lock)
{
    struct slab *slab;
    unsigned slots = slab_slots(class);
    hpa_t pa;

    if (page_alloc(0, PAGE_OWNER_HEAP, &pa) != 0)
        return NULL;
    slab = arch_mmu_linear(pa);
    slab->class = (uint16_t) class;
    slab->used = 0;
    slab->free[0] = slots >= 64 ? ~0ULL : BIT(slots) - 1;
    slab->free[1] = slots > 64 ? BIT(slots - 64) - 1 : 0;
    slab->check = heap_slab_checksum(slab);
    for (unsigned i = 0; i < slots; i++) {
        *slot_seal(slab_slot(slab, i), class) = (struct seal){0};
        heap_free_slot_seal(slab_slot(slab, i), class);
    }
    list_add_head(&partial[class], &slab->link);
    list_add_tail(&heap_slabs, &slab->all);
    count_taken(class, (int64_t)PAGE_SIZE);
    return slab;
}

static void *small_alloc(unsigned class, struct seal seal) REQUIRES(heap_lock)
{
    struct slab *slab = LIST_FIRST(&partial[class], struct slab, link);
    unsigned word, index;
    const char *fault;
    void *slot;

    if (slab == NULL)
        slab = slab_create(class);
    if (slab == NULL)
        return NULL;
    if (!heap_slab_is_sound(slab))
        heap_panic("damaged header of a slab", slab, slot_seal(slab_slot(slab, 0), class));
    word = slab->free[0] != 0 ? 0 : 1;
    index = word * 64 + (unsigned)__builtin_ctzll(slab->free[word]);
    slot = slab_slot(slab, index);
    fault = heap_free_slot_fault(slot, class, false);
    if (fault != NULL)
        heap_panic(fault, slot, slot_seal(slot, class));
    slab->free[word] &= slab->free[word] - 1;
    if (++slab->used == slab_slots(class))
        list_remove(&slab->link);
    slab->check = heap_slab_checksum(slab);
    heap_object_seal(slot, class, seal);
    count_object(class, &seal, seal.size, 1);
    return slot;
}

/* Checks everything about an object that is to be freed. Returns its slot number. */
static unsigned small_verify(const struct slab *slab, void *ptr)
{
    unsigned class = slab->class;
    unsigned offset = (unsigned)((uintptr_t)ptr - (uintptr_t)slab);
    unsigned index = (offset - HEADER_SIZE) / heap_slots[class];
    const char *fault;

    if (offset < HEADER_SIZE || index >= slab_slots(class))
        heap_panic("no object", ptr, NULL);
    if (ptr != slab_slot(slab, index))
        heap_panic("no object, but inside of one", ptr, slot_seal(slab_slot(slab, index), class));
    if (slab_slot_is_free(slab, index))
        heap_panic("double free", ptr, slot_seal(ptr, class));
    fault = heap_object_fault(ptr, class);
    if (fault != NULL)
        heap_panic(fault, ptr, slot_seal(ptr, class));
    return index;
}

static void slab_destroy(struct slab *slab) REQUIRES(heap_lock)
{
    list_remove(&slab->link);
    list_remove(&slab->all);
    slab->check = 0;
    count_taken(slab->class, -(int64_t)PAGE_SIZE);
    page_free(arch_mmu_hpa(slab), 0);
}

static void small_free(struct slab *slab, void *ptr) REQUIRES(heap_lock)
{
    unsigned index = small_verify(slab, ptr);
    unsigned class = slab->class;
    const struct seal *seal = slot_seal(ptr, class);

    count_object(class, seal, seal->size, -1);
    heap_free_slot_seal(ptr, class);
    slab->free[index / 64] |= BIT(index % 64);
    if (slab->used == slab_slots(class))
        list_add_head(&partial[class], &slab->link);
    slab->used--;
    slab->check = heap_slab_checksum(slab);
    /* Given back at once, so that what is taken depends on what is held and on nothing else. */
    if (slab->used == 0)
        slab_destroy(slab);
}

static void *large_alloc(size_t size, struct seal seal) REQUIRES(heap_lock)
{
    uint64_t taken = ALIGN_UP(HEADER_SIZE + size + GUARD_MAX, PAGE_SIZE);
    struct large *large;
    hpa_t pa;

    if (size > LARGE_SIZE_MAX || page_alloc_range(taken, PAGE_SIZE, PAGE_OWNER_HEAP, &pa) != 0)
        return NULL;
    large = arch_mmu_linear(pa);
    large->size = size;
    large->taken = taken;
    large->site = seal.site;
    large->guest = seal.guest;
    heap_large_seal(large);
    list_add_tail(&heap_larges, &large->all);
    count_taken(CLASSES, (int64_t)taken);
    count_object(CLASSES, &seal, size, 1);
    return (char *)large + HEADER_SIZE;
}

static void large_free(struct large *large) REQUIRES(heap_lock)
{
    const struct seal seal = {.site = large->site, .guest = large->guest};
    uint64_t taken = large->taken;

    if (heap_large_fault(large) != NULL)
        heap_panic(heap_large_fault(large), (char *)large + HEADER_SIZE, &seal);
    count_object(CLASSES, &seal, large->size, -1);
    count_taken(CLASSES, -(int64_t)taken);
    list_remove(&large->all);
    large->check = 0;
    page_free_range(arch_mmu_hpa(large), taken);
}

static void *alloc_locked(size_t size, struct seal seal) REQUIRES(heap_lock)
{
    if (partial[0].next == NULL) {
        for (unsigned i = 0; i < CLASSES; i++)
            list_init(&partial[i]);
    }
    for (unsigned class = 0; class < CLASSES; class ++) {
        if (size <= heap_slots[class] - sizeof(struct seal)) {
            seal.size = (uint16_t)size;
            return small_alloc(class, seal);
        }
    }
    return large_alloc(size, seal);
}

void *heap_alloc_at(size_t size, struct heap_site *site)
{
    uint32_t guest = heap_guest_hook != NULL ? heap_guest_hook() : 0;
    struct seal seal = {.guest = (uint16_t)MIN(guest, (uint32_t)UINT16_MAX)};
    void *ptr = NULL;
    bool fail = page_must_fail();

    spin_lock(&heap_lock);
    seal.site = heap_site_id(site);
    if (!fail)
        ptr = alloc_locked(size, seal);
    if (ptr != NULL) {
        stats.allocs++;
    } else {
        stats.fails++;
        heap_site_charge(seal.site, 0, 0);
    }
    spin_unlock(&heap_lock);
    return ptr;
}

void *heap_zalloc_at(size_t size, struct heap_site *site)
{
    void *ptr = heap_alloc_at(size, site);

    if (ptr != NULL)
        memset(ptr, 0, size);
    return ptr;
}

void *heap_calloc_at(size_t n, size_t size, struct heap_site *site)
{
    size_t bytes;

    return __builtin_mul_overflow(n, size, &bytes) ? NULL : heap_zalloc_at(bytes, site);
}

char *heap_strdup_at(const char *s, struct heap_site *site)
{
    size_t size = strlen(s) + 1;
    char *copy = heap_alloc_at(size, site);

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
        heap_panic("no object", ptr, NULL);
    spin_lock(&heap_lock);
    if (heap_slab_is_sound(slab))
        small_free(slab, ptr);
    else if (heap_large_is_sound(large) && ptr == (char *)large + HEADER_SIZE)
        large_free(large);
    else
        heap_panic_header(ptr);
    spin_unlock(&heap_lock);
}

void heap_get_stats(struct heap_stats *out)
{
    spin_lock(&heap_lock);
    *out = stats;
    spin_unlock(&heap_lock);
}

bool heap_get_class(unsigned index, struct heap_class *out)
{
    if (index > CLASSES)
        return false;
    spin_lock(&heap_lock);
    *out = classes[index];
    spin_unlock(&heap_lock);
    out->room = index < CLASSES ? heap_slots[index] - (uint32_t)sizeof(struct seal) : 0;
    return true;
}
