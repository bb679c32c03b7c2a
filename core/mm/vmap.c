// SPDX-License-Identifier: Apache-2.0
// The window of hypervisor virtual addresses: guarded stacks from the bottom, device mappings from
// the top.

#include <arch/mmu.h>
#include <hv/heap.h>
#include <hv/page.h>
#include <hv/panic.h>
#include <hv/spinlock.h>
#include <hv/vmap.h>
#include <lib/list.h>
#include <lib/macros.h>
#include <lib/string.h>

#define STACK_SLOT (2UL * CONFIG_STACK_SIZE)
#define STACKS_MAX 2048u
/*
 * Device mappings this large are placed like their physical address, so that blocks can map them.
 */
#define BLOCK_ALIGN 0x200000UL

_Static_assert(IS_POWER_OF_2(CONFIG_STACK_SIZE) && CONFIG_STACK_SIZE >= PAGE_SIZE,
               "one bit of SP tells its half");

struct range {
    struct list link; /* of devices, the highest first */
    struct vmap_range info;
};

static struct spinlock vmap_lock = SPINLOCK_INIT;
static struct range *stacks[STACKS_MAX] GUARDED_BY(vmap_lock); /* by slot */
static struct list devices GUARDED_BY(vmap_lock) = LIST_INIT(devices);
static unsigned range_count GUARDED_BY(vmap_lock);

static unsigned stack_order(void)
{
    unsigned order = 0;

    while ((PAGE_SIZE << order) < CONFIG_STACK_SIZE)
        order++;
    return order;
}

static uintptr_t stacks_base(void)
{
    uintptr_t base;
    size_t size;

    arch_mmu_window(&base, &size);
    return ALIGN_UP(base, STACK_SLOT);
}

/* Slots that fit the lower half of the window. */
static unsigned stacks_limit(void)
{
    uintptr_t base;
    size_t size;

    arch_mmu_window(&base, &size);
    return (unsigned)MIN((size / 2) / STACK_SLOT, (size_t)STACKS_MAX);
}

/* The first vacant slot; its address goes into the range. */
static bool slot_take(struct range *range)
{
    unsigned limit = stacks_limit();
    unsigned slot = 0;

    spin_lock(&vmap_lock);
    while (slot < limit && stacks[slot] != NULL)
        slot++;
    if (slot < limit) {
        range->info.start = stacks_base() + slot * STACK_SLOT;
        stacks[slot] = range;
        range_count++;
    }
    spin_unlock(&vmap_lock);
    return slot < limit;
}

static void slot_give(unsigned slot)
{
    spin_lock(&vmap_lock);
    stacks[slot] = NULL;
    range_count--;
    spin_unlock(&vmap_lock);
}

static unsigned slot_of(uintptr_t stack)
{
    return (unsigned)((stack - stacks_base()) / STACK_SLOT);
}

static struct range *range_create(size_t size, const char *owner)
{
    struct range *range = heap_zalloc(sizeof(*range));

    if (range == NULL)
        return NULL;
    range->info.size = size;
    str_copy(range->info.owner, owner, sizeof(range->info.owner));
    return range;
}

void *vmap_stack_alloc(const char *owner)
{
    struct range *range = range_create(CONFIG_STACK_SIZE, owner);
    hpa_t pa;

    if (range == NULL)
        return NULL;
    range->info.is_stack = true;
    if (page_alloc(stack_order(), PAGE_OWNER_STACK, &pa) != 0)
        goto no_page;
    range->info.host = pa;
    if (!slot_take(range))
        goto no_slot;
    if (arch_mmu_map(range->info.start, pa, CONFIG_STACK_SIZE, MMU_RW) != 0)
        goto no_map;
    return (void *)range->info.start;

no_map:
    slot_give(slot_of(range->info.start));
no_slot:
    page_free(pa, stack_order());
no_page:
    heap_free(range);
    return NULL;
}

static struct range *stack_range(unsigned slot)
{
    struct range *range;

    spin_lock(&vmap_lock);
    range = slot < stacks_limit() ? stacks[slot] : NULL;
    spin_unlock(&vmap_lock);
    return range;
}

void vmap_stack_free(void *stack)
{
    unsigned slot = slot_of((uintptr_t)stack);
    struct range *range;

    if (stack == NULL)
        return;
    range = stack_range(slot);
    ASSERT(range != NULL && range->info.start == (uintptr_t)stack);
    arch_mmu_unmap((uintptr_t)stack, CONFIG_STACK_SIZE);
    slot_give(slot);
    page_free(range->info.host, stack_order());
    heap_free(range);
}

/* RAM is never mapped as a device: two memory types for one address are not coherent. */
static bool touches_ram(uint64_t start, uint64_t size)
{
    hpa_t ram;
    uint64_t ram_size;

    for (unsigned i = 0; page_ram_range(i, &ram, &ram_size); i++) {
        if (start < ram.v + ram_size && start + size > ram.v)
            return true;
    }
    return false;
}

/* The highest place below top for a mapping, congruent to pa modulo the alignment. */
static uintptr_t device_place(uintptr_t top, uint64_t pa, uint64_t size)
{
    uintptr_t align = size >= BLOCK_ALIGN ? BLOCK_ALIGN : PAGE_SIZE;
    uintptr_t offset = pa & (align - 1);

    return ALIGN_DOWN(top - size - offset, align) + offset;
}

/* Virtual addresses for the range, the highest that are vacant. False when the window is full. */
static bool device_reserve(struct range *range)
{
    uint64_t pa = range->info.host.v, size = range->info.size;
    uintptr_t base, va;
    size_t window;

    arch_mmu_window(&base, &window);
    if (size > window / 4)
        return false;
    spin_lock(&vmap_lock);
    va = device_place(base + window, pa, size);
    LIST_FOR_EACH(other, &devices, struct range, link) {
        if (va >= other->info.start + other->info.size + PAGE_SIZE) {
            list_insert_before(&other->link, &range->link);
            break;
        }
        va = device_place(other->info.start - PAGE_SIZE, pa, size);
    }
    if (va < base + window / 2) {
        spin_unlock(&vmap_lock);
        return false;
    }
    range->info.start = va;
    if (range->link.next == NULL)
        list_add_tail(&devices, &range->link);
    range_count++;
    spin_unlock(&vmap_lock);
    return true;
}

static void device_give(struct range *range)
{
    spin_lock(&vmap_lock);
    list_remove(&range->link);
    range_count--;
    spin_unlock(&vmap_lock);
    heap_free(range);
}

void *vmap_device_for(hpa_t addr, size_t size, const char *owner)
{
    uint64_t first = ALIGN_DOWN(addr.v, PAGE_SIZE);
    uint64_t bytes = ALIGN_UP(addr.v + size, PAGE_SIZE) - first;
    struct range *range;

    if (size == 0 || addr.v + size < addr.v || ALIGN_UP(addr.v + size, PAGE_SIZE) == 0 ||
        touches_ram(first, bytes))
        return NULL;
    range = range_create(bytes, owner);
    if (range == NULL)
        return NULL;
    range->info.host = hpa(first);
    if (!device_reserve(range)) {
        heap_free(range);
        return NULL;
    }
    if (arch_mmu_map(range->info.start, hpa(first), bytes, MMU_DEVICE) != 0) {
        device_give(range);
        return NULL;
    }
    return (void *)(range->info.start + (addr.v - first));
}

void vmap_device_free(void *regs)
{
    struct range *found = NULL;

    if (regs == NULL)
        return;
    spin_lock(&vmap_lock);
    LIST_FOR_EACH(range, &devices, struct range, link) {
        if (range->info.start == ((uintptr_t)regs & PAGE_MASK))
            found = range;
    }
    spin_unlock(&vmap_lock);
    ASSERT(found != NULL);
    arch_mmu_unmap(found->info.start, found->info.size);
    device_give(found);
}

/* Of the stacks the first that ends above from. */
static const struct range *stack_above(uintptr_t from) REQUIRES(vmap_lock)
{
    unsigned limit = stacks_limit();

    for (unsigned slot = from > stacks_base() ? slot_of(from) : 0; slot < limit; slot++) {
        if (stacks[slot] != NULL && stacks[slot]->info.start + CONFIG_STACK_SIZE > from)
            return stacks[slot];
    }
    return NULL;
}

bool vmap_next(uintptr_t from, struct vmap_range *out)
{
    const struct range *found;

    spin_lock(&vmap_lock);
    found = stack_above(from);
    if (found == NULL) {
        LIST_FOR_EACH(range, &devices, struct range, link) {
            if (range->info.start + range->info.size > from)
                found = range;
        }
    }
    if (found != NULL)
        *out = found->info;
    spin_unlock(&vmap_lock);
    return found != NULL;
}

unsigned vmap_count(void)
{
    unsigned count;

    spin_lock(&vmap_lock);
    count = range_count;
    spin_unlock(&vmap_lock);
    return count;
}
