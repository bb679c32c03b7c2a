// SPDX-License-Identifier: Apache-2.0
// The hypervisor's own map: 4 KiB granule, 48-bit addresses, four levels (Arm ARM D8).
#include <arm64/boot.h>
#include <arm64/stage1.h>
#include <arm64/sysreg.h>

#include <arch/barrier.h>
#include <hv/page.h>
#include <hv/spinlock.h>
#include <lib/errno.h>
#include <lib/string.h>

#define ENTRIES 512
#define LEVEL_SHIFT(level) (39 - 9 * (level))
#define LEVEL_SIZE(level) (1UL << LEVEL_SHIFT(level))
#define LAST_LEVEL 3

#define DESC_VALID BIT(0)
#define DESC_TABLE BIT(1) /* table at levels 0-2, page at level 3 */
#define DESC_ADDR 0x0000fffffffff000UL
#define DESC_ATTR_INDEX(i) ((uint64_t)(i) << 2)
#define DESC_RES1 BIT(6) /* AP[1] */
#define DESC_RO BIT(7)
#define DESC_ISH (3UL << 8)
#define DESC_AF BIT(10)
#define DESC_XN BIT(54)

/* Identity below this bit, handed-out window above. */
#define WINDOW_BASE (1UL << 47)
#define VA_END (1UL << 48)
#define WINDOW_SIZE (1UL << 36)
#define LINEAR_END WINDOW_BASE

/* Enough for the image, the DTB, the early UART and RAM until the page allocator runs. */
#define EARLY_TABLES 24

uint64_t stage1_root[ENTRIES] ALIGNED(4096) SECTION(".bss.page_tables");
static uint64_t early_tables[EARLY_TABLES][ENTRIES] ALIGNED(4096) SECTION(".bss.page_tables");
static unsigned early_used;
static struct spinlock stage1_lock;

static const uint64_t attr_bits[] = {
    [MMU_RW] = DESC_ATTR_INDEX(1) | DESC_ISH | DESC_XN,
    [MMU_RO] = DESC_ATTR_INDEX(1) | DESC_ISH | DESC_RO | DESC_XN,
    [MMU_RX] = DESC_ATTR_INDEX(1) | DESC_ISH | DESC_RO,
    [MMU_DEVICE] = DESC_ATTR_INDEX(0) | DESC_XN,
};

static uint64_t *table_of(uint64_t desc)
{
    return (uint64_t *)(desc & DESC_ADDR);
}

static bool is_table(uint64_t desc)
{
    return (desc & (DESC_VALID | DESC_TABLE)) == (DESC_VALID | DESC_TABLE);
}

static uint64_t *alloc_table(void)
{
    hpa_t page;

    if (early_used < EARLY_TABLES)
        return early_tables[early_used++];
    if (page_alloc(0, PAGE_OWNER_TABLES, &page))
        return NULL;
    memset(arch_mmu_linear(page), 0, PAGE_SIZE);
    return arch_mmu_linear(page);
}

/* A walker of another CPU may look at any time: contents first, then the link. */
static void publish(uint64_t *slot, uint64_t desc)
{
    arch_barrier_complete();
    __atomic_store_n(slot, desc, __ATOMIC_RELAXED);
}

/* The slot that maps va at level, making tables on the way. NULL: out of memory, or a block is in the way (*blocked). */
static uint64_t *slot_for(uintptr_t va, int level, bool *blocked)
{
    uint64_t *table = stage1_root;

    *blocked = false;
    for (int l = 0; l < level; l++) {
        uint64_t *slot = &table[(va >> LEVEL_SHIFT(l)) % ENTRIES];

        if (*slot & DESC_VALID && !is_table(*slot)) {
            *blocked = true;
            return NULL;
        }
        if (!(*slot & DESC_VALID)) {
            uint64_t *next = alloc_table();

            if (!next)
                return NULL;
            publish(slot, (uintptr_t)next | DESC_VALID | DESC_TABLE);
        }
        table = table_of(*slot);
    }
    return &table[(va >> LEVEL_SHIFT(level)) % ENTRIES];
}

static int level_for(uintptr_t va, uint64_t pa, uint64_t size)
{
    for (int level = 1; level < LAST_LEVEL; level++) {
        if (IS_ALIGNED(va | pa, LEVEL_SIZE(level)) && size >= LEVEL_SIZE(level))
            return level;
    }
    return LAST_LEVEL;
}

static uint64_t leaf(uint64_t pa, int level, enum mmu_attr attr)
{
    return pa | attr_bits[attr] | DESC_AF | DESC_RES1 | DESC_VALID |
           (level == LAST_LEVEL ? DESC_TABLE : 0);
}

/* A leaf and those behind it: as many as the table has room for, up to a slot in use. Returns their bytes. */
static uint64_t map_leaves(uint64_t *slot, int level, uint64_t pa, uint64_t size, enum mmu_attr attr)
{
    uint64_t *end = (uint64_t *)ALIGN_UP((uintptr_t)(slot + 1), PAGE_SIZE);
    uint64_t desc = leaf(pa, level, attr), step = LEVEL_SIZE(level), done = 0;

    do {
        __atomic_store_n(slot++, desc + done, __ATOMIC_RELAXED);
        done += step;
    } while (slot < end && done + step <= size && !(*slot & DESC_VALID));
    return done;
}

/*
 * Map the largest piece at va. Returns its size, 0 when out of memory. What is mapped already is stepped over
 * (keep) or reported by *clash.
 */
static uint64_t map_piece(uintptr_t va, uint64_t pa, uint64_t size, enum mmu_attr attr, bool *clash)
{
    for (int level = level_for(va, pa, size); level <= LAST_LEVEL; level++) {
        bool blocked;
        uint64_t *slot = slot_for(va, level, &blocked);

        if (blocked) {
            *clash = true;
            return MIN(size, LEVEL_SIZE(level - 1) - (va & (LEVEL_SIZE(level - 1) - 1)));
        }
        if (!slot)
            return 0;
        if (level < LAST_LEVEL && is_table(*slot))
            continue; /* finer pieces exist below */
        if (!(*slot & DESC_VALID))
            return map_leaves(slot, level, pa, size, attr);
        *clash = true;
        return LEVEL_SIZE(level);
    }
    return 0;
}

/* Returns how many bytes from the start were visited. */
static uint64_t map_all(uintptr_t va, uint64_t pa, uint64_t size, enum mmu_attr attr, bool *clash)
{
    uint64_t done = 0;

    while (done < size) {
        uint64_t step = map_piece(va + done, pa + done, size - done, attr, clash);

        if (!step)
            break;
        done += step;
    }
    arch_barrier_complete();
    arch_barrier_context();
    return done;
}

void stage1_map_early(uintptr_t start, uintptr_t end, enum mmu_attr attr)
{
    bool clash = false;

    map_all(start, start, end - start, attr, &clash);
}

int arch_mmu_map_ram(hpa_t pa, uint64_t size)
{
    uint64_t start = MAX(ALIGN_UP(pa.v, PAGE_SIZE), PAGE_SIZE); /* page 0 stays unmapped */
    uint64_t end = MIN(ALIGN_DOWN(pa.v + size, PAGE_SIZE), LINEAR_END);
    bool clash = false;

    if (start >= end)
        return 0;
    return map_all(start, start, end - start, MMU_RW, &clash) == end - start ? 0 : -ENOMEM;
}

void arch_mmu_window(uintptr_t *base, size_t *size)
{
    *base = WINDOW_BASE;
    *size = WINDOW_SIZE;
}

/* What maps va, 0 when nothing does; *size bytes around it, aligned to that, are mapped alike or not at all. */
static uint64_t lookup(uintptr_t va, uint64_t *size)
{
    uint64_t *table = stage1_root;

    *size = LEVEL_SIZE(0);
    if (va >= VA_END)
        return 0;
    for (int level = 0;; level++) {
        uint64_t desc =
            __atomic_load_n(&table[(va >> LEVEL_SHIFT(level)) % ENTRIES], __ATOMIC_RELAXED);

        *size = LEVEL_SIZE(level);
        if (!(desc & DESC_VALID))
            return 0;
        if (level == LAST_LEVEL || !is_table(desc))
            return desc;
        table = table_of(desc);
    }
}

static enum mmu_attr attr_of(uint64_t desc)
{
    if ((desc & DESC_ATTR_INDEX(7)) != DESC_ATTR_INDEX(1))
        return MMU_DEVICE;
    if (!(desc & DESC_XN))
        return MMU_RX;
    return desc & DESC_RO ? MMU_RO : MMU_RW;
}

int arch_mmu_next(uintptr_t *va, size_t *size, enum mmu_attr *attr)
{
    uint64_t step;

    *size = 0;
    for (uintptr_t at = *va & PAGE_MASK; at < VA_END; at += step - (at & (step - 1))) {
        uint64_t desc = lookup(at, &step);

        if (*size && (!desc || attr_of(desc) != *attr))
            break;
        if (desc && !*size) {
            *va = at;
            *attr = attr_of(desc);
        }
        if (desc)
            *size += step - (at & (step - 1));
    }
    return *size != 0;
}

int arch_mmu_is_readable(uintptr_t va, size_t size)
{
    if (va + size < va)
        return 0;
    for (uintptr_t page = va & PAGE_MASK; page < va + size; page += PAGE_SIZE) {
        uint64_t step, desc = lookup(page, &step);

        if (!desc || (desc & DESC_ATTR_INDEX(7)) != DESC_ATTR_INDEX(1))
            return 0;
    }
    return 1;
}

static void flush_tlb(uintptr_t va, size_t size)
{
    arch_barrier_complete();
    for (uintptr_t page = va; page < va + size; page += PAGE_SIZE)
        __asm__ volatile("tlbi vae2is, %0" : : "r"(page >> PAGE_SHIFT) : "memory");
    arch_barrier_complete();
    arch_barrier_context();
}

static void unmap_locked(uintptr_t va, size_t size)
{
    for (uintptr_t page = va; page < va + size; page += PAGE_SIZE) {
        uint64_t *table = stage1_root;

        for (int level = 0; level < LAST_LEVEL && table; level++) {
            uint64_t desc = table[(page >> LEVEL_SHIFT(level)) % ENTRIES];

            table = is_table(desc) ? table_of(desc) : NULL;
        }
        if (table)
            table[(page >> PAGE_SHIFT) % ENTRIES] = 0;
    }
    flush_tlb(va, size);
}

int arch_mmu_map(uintptr_t va, hpa_t pa, size_t size, enum mmu_attr attr)
{
    bool clash = false;
    irqflags_t flags = spin_lock_irqsave(&stage1_lock);
    uint64_t done = map_all(va, pa.v, size, attr, &clash);

    if (done < size)
        unmap_locked(va, done);
    spin_unlock_irqrestore(&stage1_lock, flags);
    if (done < size)
        return -ENOMEM;
    return clash ? -EEXIST : 0;
}

void arch_mmu_unmap(uintptr_t va, size_t size)
{
    irqflags_t flags = spin_lock_irqsave(&stage1_lock);

    unmap_locked(va, size);
    spin_unlock_irqrestore(&stage1_lock, flags);
}
