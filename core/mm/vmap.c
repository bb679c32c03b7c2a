// SPDX-License-Identifier: Apache-2.0
// The window of hypervisor virtual addresses: guarded stacks from the bottom, device mappings from
// the top.

#include <arch/mmu.h>
#include <hv/page.h>
#include <hv/spinlock.h>
#include <hv/vmap.h>
#include <lib/bitmap.h>
#include <lib/macros.h>
#include <hv/panic.h>

#define STACK_SLOT (2UL * CONFIG_STACK_SIZE)
#define STACKS_MAX 2048u
/*
 * Device mappings this large are placed like their physical address, so that blocks can map them.
 */
#define BLOCK_ALIGN 0x200000UL

_Static_assert(IS_POWER_OF_2(CONFIG_STACK_SIZE) && CONFIG_STACK_SIZE >= PAGE_SIZE,
               "one bit of SP tells its half");

static struct spinlock vmap_lock = SPINLOCK_INIT;
static BITMAP(stacks_used, STACKS_MAX) GUARDED_BY(vmap_lock);
static uint32_t stack_pages[STACKS_MAX]; /* page number of each stack's memory */
static uintptr_t device_low
    GUARDED_BY(vmap_lock); /* below here nothing is handed out to devices; 0 at first */

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

static int slot_take(void)
{
    size_t limit = stacks_limit();
    size_t slot;

    spin_lock(&vmap_lock);
    slot = bitmap_find_zero(stacks_used, limit, 0);
    if (slot < limit)
        bitmap_set(stacks_used, slot);
    spin_unlock(&vmap_lock);
    return slot < limit ? (int)slot : -1;
}

static void slot_give(unsigned slot)
{
    spin_lock(&vmap_lock);
    bitmap_clear(stacks_used, slot);
    spin_unlock(&vmap_lock);
}

void *vmap_stack_alloc(void)
{
    int slot = slot_take();
    uintptr_t va = stacks_base() + (uintptr_t)slot * STACK_SLOT;
    hpa_t pa;

    if (slot < 0)
        return NULL;
    if (page_alloc(stack_order(), PAGE_OWNER_STACK, &pa) != 0)
        goto no_page;
    if (arch_mmu_map(va, pa, CONFIG_STACK_SIZE, MMU_RW) != 0)
        goto no_map;
    stack_pages[slot] = (uint32_t)(pa.v >> PAGE_SHIFT);
    return (void *)va;

no_map:
    page_free(pa, stack_order());
no_page:
    slot_give((unsigned)slot);
    return NULL;
}

void vmap_stack_free(void *stack)
{
    unsigned slot = (unsigned)(((uintptr_t)stack - stacks_base()) / STACK_SLOT);

    if (stack == NULL)
        return;
    ASSERT(slot < stacks_limit() && (uintptr_t)stack == stacks_base() + slot * STACK_SLOT);
    arch_mmu_unmap((uintptr_t)stack, CONFIG_STACK_SIZE);
    page_free(hpa((uint64_t)stack_pages[slot] << PAGE_SHIFT), stack_order());
    slot_give(slot);
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

/*
 * Virtual addresses for a mapping, congruent to pa modulo the alignment; 0 when the window is full.
 */
static uintptr_t device_reserve(uint64_t pa, uint64_t size)
{
    uintptr_t align = size >= BLOCK_ALIGN ? BLOCK_ALIGN : PAGE_SIZE;
    uintptr_t base, va = 0;
    size_t window;

    arch_mmu_window(&base, &window);
    spin_lock(&vmap_lock);
    if (device_low == 0)
        device_low = base + window;
    if (size <= window / 2 && device_low - size - align >= base + window / 2) {
        va = ALIGN_DOWN(device_low - size - (pa & (align - 1)), align) + (pa & (align - 1));
        device_low = va;
    }
    spin_unlock(&vmap_lock);
    return va;
}

void *vmap_device(hpa_t addr, size_t size)
{
    uint64_t first = ALIGN_DOWN(addr.v, PAGE_SIZE);
    uint64_t bytes = ALIGN_UP(addr.v + size, PAGE_SIZE) - first;
    uintptr_t va;

    if (size == 0 || addr.v + size < addr.v || ALIGN_UP(addr.v + size, PAGE_SIZE) == 0 ||
        touches_ram(first, bytes))
        return NULL;
    va = device_reserve(first, bytes);
    if (va == 0 || arch_mmu_map(va, hpa(first), bytes, MMU_DEVICE) != 0)
        return NULL;
    return (void *)(va + (addr.v - first));
}
