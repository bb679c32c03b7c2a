// SPDX-License-Identifier: Apache-2.0
// Guest translation: 4 KiB granule, start at level 1 with up to two concatenated root tables (Arm ARM D8.2).
#include <arm64/stage2.h>
#include <arm64/sysreg.h>

#include <arch/barrier.h>
#include <arch/cache.h>
#include <arch/guest_mmu.h>
#include <arch/irqflags.h>
#include <arch/mmu.h>
#include <hv/guest.h>
#include <hv/page.h>
#include <lib/errno.h>
#include <lib/string.h>

#define ENTRIES 512UL
#define FIRST_LEVEL 1
#define LAST_LEVEL 3
#define LEVEL_SHIFT(level) (39 - 9 * (level))
#define LEVEL_SIZE(level) (1UL << LEVEL_SHIFT(level))
#define ROOT_ORDER 1
#define IPA_BITS_MAX 40

#define DESC_VALID BIT(0)
#define DESC_TABLE BIT(1)
#define DESC_ADDR 0x0000fffffffff000UL
#define DESC_NORMAL_WB (0xfUL << 2)
#define DESC_DEVICE_NGNRE (0x1UL << 2)
#define DESC_READ BIT(6)
#define DESC_WRITE BIT(7)
#define DESC_ISH (3UL << 8)
#define DESC_AF BIT(10)
#define DESC_XN BIT(54)

#define VTCR_RES1 BIT(31)
#define VTCR_SL0_LEVEL1 (1UL << 6)
#define VTCR_IRGN_WB (1UL << 8)
#define VTCR_ORGN_WB (1UL << 10)
#define VTCR_SH_INNER (3UL << 12)
#define VTCR_VS BIT(19)
#define PARANGE_48BIT 5UL
#define VTTBR_VMID_SHIFT 48

static const uint64_t attr_bits[] = {
    [GUEST_MMU_RAM] = DESC_NORMAL_WB | DESC_ISH | DESC_READ | DESC_WRITE,
    [GUEST_MMU_ROM] = DESC_NORMAL_WB | DESC_ISH | DESC_READ,
    [GUEST_MMU_DEVICE] = DESC_DEVICE_NGNRE | DESC_READ | DESC_WRITE | DESC_XN,
};

static uint64_t empty_root[2 * ENTRIES] ALIGNED(8192);

unsigned arch_guest_mmu_ipa_bits(void)
{
    static const uint8_t bits[] = {32, 36, 40, 42, 44, 48};
    uint64_t range = sysreg_read(id_aa64mmfr0_el1) & 0xf;

    range = MIN(range, PARANGE_48BIT);
    return MIN(bits[range], IPA_BITS_MAX);
}

void stage2_init_cpu(void)
{
    uint64_t parange = MIN(sysreg_read(id_aa64mmfr0_el1) & 0xf, PARANGE_48BIT);
    uint64_t vtcr = VTCR_RES1 | VTCR_SL0_LEVEL1 | VTCR_IRGN_WB | VTCR_ORGN_WB | VTCR_SH_INNER |
                    (parange << 16) | (64 - arch_guest_mmu_ipa_bits());

    if (((sysreg_read(id_aa64mmfr1_el1) >> 4) & 0xf) == 2)
        vtcr |= VTCR_VS;
    sysreg_write(vtcr_el2, vtcr);
    sysreg_write(vttbr_el2, arch_mmu_hpa(empty_root).v);
    arch_barrier_context();
    __asm__ volatile("tlbi alle1" : : : "memory");
    arch_barrier_complete();
    arch_barrier_context();
}

static uint64_t vttbr_of(const struct arch_guest_mmu *mmu, uint16_t vmid)
{
    return mmu->root_hpa | ((uint64_t)vmid << VTTBR_VMID_SHIFT);
}

/* TLB entries under this VMID may come from another VCPU's ASIDs and context. */
static NOINLINE void change_vcpu(uint32_t *last, uint32_t subid)
{
    if (*last) {
        __asm__ volatile("tlbi vmalle1\n\tic iallu" : : : "memory");
        arch_barrier_complete();
        arch_barrier_context();
    }
    *last = subid + 1;
}

static NOINLINE void load_new(struct arch_guest_mmu *mmu, unsigned cpu, uint32_t *last,
                              uint32_t subid)
{
    sysreg_write(vttbr_el2, vttbr_of(mmu, vmid_get_slow(mmu, &vmid_cpus[cpu])));
    arch_barrier_context();
    if (*last != subid + 1)
        change_vcpu(last, subid);
}

void stage2_load(struct vcpu *vcpu)
{
    struct arch_guest *guest = &vcpu->guest->arch;
    unsigned cpu = (unsigned)vcpu->arch.world_cpu;
    uint32_t *last = &guest->last_vcpu[cpu];
    uint16_t vmid;

    if (unlikely(!vmid_get(&guest->mmu, &vmid_cpus[cpu], &vmid))) {
        load_new(&guest->mmu, cpu, last, vcpu->subid);
        return;
    }
    sysreg_write(vttbr_el2, vttbr_of(&guest->mmu, vmid));
    arch_barrier_context();
    if (unlikely(*last != vcpu->subid + 1))
        change_vcpu(last, vcpu->subid);
}

void stage2_unload(void)
{
    sysreg_write(vttbr_el2, arch_mmu_hpa(empty_root).v);
    arch_barrier_complete();
    arch_barrier_context();
    vmid_put();
}

int arch_guest_mmu_init(struct arch_guest_mmu *mmu, uint32_t owner)
{
    hpa_t root;
    int err = page_alloc_zeroed(ROOT_ORDER, owner, &root);

    if (err)
        return err;
    spin_init(&mmu->lock);
    mmu->root = arch_mmu_linear(root);
    mmu->root_hpa = root.v;
    mmu->vmid = 0;
    mmu->owner = owner;
    return 0;
}

static uint64_t *table_of(uint64_t desc)
{
    return arch_mmu_linear(hpa(desc & DESC_ADDR));
}

static bool is_table(uint64_t desc, int level)
{
    return level < LAST_LEVEL && (desc & (DESC_VALID | DESC_TABLE)) == (DESC_VALID | DESC_TABLE);
}

static uint64_t *entry_of(uint64_t *table, uint64_t ipa, int level)
{
    uint64_t index = ipa >> LEVEL_SHIFT(level);

    return &table[level == FIRST_LEVEL ? index : index % ENTRIES];
}

static void publish(uint64_t *slot, uint64_t desc)
{
    arch_barrier_complete();
    __atomic_store_n(slot, desc, __ATOMIC_RELAXED);
}

static int add_table(struct arch_guest_mmu *mmu, uint64_t *slot)
{
    hpa_t page;
    int err = page_alloc_zeroed(0, mmu->owner, &page);

    if (err)
        return err;
    publish(slot, page.v | DESC_VALID | DESC_TABLE);
    return 0;
}

static int level_for(uint64_t ipa, uint64_t pa, uint64_t size)
{
    for (int level = FIRST_LEVEL; level < LAST_LEVEL; level++) {
        if (IS_ALIGNED(ipa | pa, LEVEL_SIZE(level)) && size >= LEVEL_SIZE(level))
            return level;
    }
    return LAST_LEVEL;
}

/* Maps one piece at ipa; its size is *step. */
static int map_piece(struct arch_guest_mmu *mmu, uint64_t ipa, uint64_t pa, uint64_t attr, int level)
{
    uint64_t *table = mmu->root;
    uint64_t *slot = NULL;

    for (int l = FIRST_LEVEL; l <= level; l++) {
        int err;

        slot = entry_of(table, ipa, l);
        if (l == level)
            break;
        if (*slot & DESC_VALID && !is_table(*slot, l))
            return -EEXIST;
        err = *slot & DESC_VALID ? 0 : add_table(mmu, slot);
        if (err)
            return err;
        table = table_of(*slot);
    }
    if (*slot & DESC_VALID)
        return -EEXIST;
    publish(slot, pa | attr | DESC_AF | DESC_VALID | (level == LAST_LEVEL ? DESC_TABLE : 0));
    return 0;
}

static int map_all(struct arch_guest_mmu *mmu, uint64_t ipa, uint64_t pa, uint64_t size,
                   uint64_t attr, uint64_t *done)
{
    for (*done = 0; *done < size;) {
        int level = level_for(ipa + *done, pa + *done, size - *done);
        int err = map_piece(mmu, ipa + *done, pa + *done, attr, level);

        if (err)
            return err;
        *done += LEVEL_SIZE(level);
    }
    return 0;
}

/* IRQs masked: stage-2 TLB maintenance works on the VMID that is loaded (Arm ARM D8.13). */
static void flush_range(struct arch_guest_mmu *mmu, uint64_t ipa, uint64_t size)
{
    uint64_t loaded = sysreg_read(vttbr_el2);
    uint16_t vmid = (uint16_t)__atomic_load_n(&mmu->vmid, __ATOMIC_ACQUIRE);

    arch_barrier_complete();
    if (!vmid)
        return; /* never ran: nothing is cached */
    sysreg_write(vttbr_el2, vttbr_of(mmu, vmid));
    arch_barrier_context();
    if (size <= LEVEL_SIZE(2)) {
        for (uint64_t at = ipa; at < ipa + size; at += PAGE_SIZE)
            __asm__ volatile("tlbi ipas2e1is, %0" : : "r"(at >> PAGE_SHIFT) : "memory");
        arch_barrier_complete();
        __asm__ volatile("tlbi vmalle1is" : : : "memory");
    } else {
        __asm__ volatile("tlbi vmalls12e1is" : : : "memory");
    }
    arch_barrier_complete();
    sysreg_write(vttbr_el2, loaded);
    arch_barrier_context();
}

/* A block is never split: callers unmap what they mapped. */
static void unmap_all(struct arch_guest_mmu *mmu, uint64_t ipa, uint64_t size)
{
    uint64_t end = ipa + size;

    for (uint64_t at = ipa; at < end;) {
        uint64_t *table = mmu->root;
        uint64_t *slot;
        int level = FIRST_LEVEL;

        for (slot = entry_of(table, at, level); is_table(*slot, level);
             slot = entry_of(table, at, level)) {
            table = table_of(*slot);
            level++;
        }
        *slot = 0;
        at = ALIGN_DOWN(at, LEVEL_SIZE(level)) + LEVEL_SIZE(level);
    }
    flush_range(mmu, ipa, size);
}

int arch_guest_mmu_map(struct arch_guest_mmu *mmu, gpa_t ipa, hpa_t pa, uint64_t size,
                       enum guest_mmu_attr attr)
{
    irqflags_t flags;
    uint64_t done;
    int err;

    if (ipa.v + size < ipa.v || (ipa.v + size - 1) >> arch_guest_mmu_ipa_bits())
        return -ERANGE;
    flags = spin_lock_irqsave(&mmu->lock);
    err = map_all(mmu, ipa.v, pa.v, size, attr_bits[attr], &done);
    if (err && done)
        unmap_all(mmu, ipa.v, done);
    arch_barrier_complete();
    spin_unlock_irqrestore(&mmu->lock, flags);
    return err;
}

void arch_guest_mmu_unmap(struct arch_guest_mmu *mmu, gpa_t ipa, uint64_t size)
{
    irqflags_t flags = spin_lock_irqsave(&mmu->lock);

    unmap_all(mmu, ipa.v, size);
    spin_unlock_irqrestore(&mmu->lock, flags);
}

/* The descriptor that ends the walk, valid or not, and its level. */
static uint64_t walk(const struct arch_guest_mmu *mmu, uint64_t ipa, int *level)
{
    uint64_t *table = mmu->root;

    for (*level = FIRST_LEVEL;; ++*level) {
        uint64_t desc = __atomic_load_n(entry_of(table, ipa, *level), __ATOMIC_RELAXED);

        if (!is_table(desc, *level))
            return desc;
        table = table_of(desc);
    }
}

static hpa_t output_of(uint64_t desc, uint64_t ipa, int level)
{
    uint64_t within = LEVEL_SIZE(level) - 1;

    return hpa((desc & DESC_ADDR & ~within) | (ipa & within));
}

int arch_guest_mmu_lookup(struct arch_guest_mmu *mmu, gpa_t ipa, hpa_t *pa,
                          enum guest_mmu_attr *attr)
{
    uint64_t desc;
    int level;

    if (ipa.v >> arch_guest_mmu_ipa_bits())
        return -ENOENT;
    desc = walk(mmu, ipa.v, &level);
    if (!(desc & DESC_VALID))
        return -ENOENT;
    *pa = output_of(desc, ipa.v, level);
    *attr = !(desc & DESC_WRITE)                        ? GUEST_MMU_ROM
            : (desc & DESC_NORMAL_WB) == DESC_NORMAL_WB ? GUEST_MMU_RAM
                                                        : GUEST_MMU_DEVICE;
    return 0;
}

int arch_guest_mmu_next(struct arch_guest_mmu *mmu, gpa_t *ipa, gpa_t end, hpa_t *pa)
{
    while (ipa->v < end.v) {
        int level;
        uint64_t desc = walk(mmu, ipa->v, &level);

        if (desc & DESC_VALID) {
            *pa = output_of(desc, ipa->v, level);
            return 0;
        }
        ipa->v = ALIGN_DOWN(ipa->v, LEVEL_SIZE(level)) + LEVEL_SIZE(level);
    }
    return -ENOENT;
}

static void free_tables(uint64_t *table, uint64_t entries, int level)
{
    for (uint64_t i = 0; i < entries; i++) {
        if (!is_table(table[i], level))
            continue;
        free_tables(table_of(table[i]), ENTRIES, level + 1);
        page_free(hpa(table[i] & DESC_ADDR), 0);
    }
}

void arch_guest_mmu_destroy(struct arch_guest_mmu *mmu)
{
    irqflags_t flags = arch_irq_save();

    flush_range(mmu, 0, UINT64_MAX);
    arch_irq_restore(flags);
    free_tables(mmu->root, 2 * ENTRIES, FIRST_LEVEL);
    page_free(arch_mmu_hpa(mmu->root), ROOT_ORDER);
    mmu->root = NULL;
}

int arch_guest_init(struct guest *guest)
{
    memset(&guest->arch, 0, sizeof(guest->arch));
    return arch_guest_mmu_init(&guest->arch.mmu, PAGE_OWNER_GUEST + guest->id);
}

void arch_guest_destroy(struct guest *guest)
{
    arch_guest_mmu_destroy(&guest->arch.mmu);
}
