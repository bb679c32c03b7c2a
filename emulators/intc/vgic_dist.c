// SPDX-License-Identifier: Apache-2.0
// Virtual GIC, register blocks that GICv2 and GICv3 distributors and redistributors share (IHI 0048B 4.3, IHI 0069 12.9).

#include "vgic.h"

#include <lib/errno.h>

/** 128 bytes each, from offset 0. */
#define BLOCK_SHIFT 7
#define BLOCK_IPRIORITYR 8
#define BLOCK_ITARGETSR 16
#define BLOCK_ICFGR 24
/** Bits of a GICD_ICFGR that say something. */
#define ICFGR_EDGES 0xaaaaaaaaU

struct block {
    /** Value of the register for the interrupts from first on in the bank. */
    uint32_t (*read)(struct vgic_access *a, struct vgic_bank *bank, unsigned first);
    void (*write)(struct vgic_access *a, struct vgic_bank *bank, unsigned first);
    uint8_t start; /**< block in which its registers begin */
    uint8_t bits;  /**< for each interrupt */
};

struct vgic_bank *vgic_bank_find(const struct vgic_access *a, unsigned index)
{
    if (index == 0)
        return a->banked == NULL ? NULL : &a->banked->bank;
    return a->shared && index <= a->vgic->spi_banks ? &a->vgic->spi[index - 1] : NULL;
}

/* One change to each interrupt of the mask. */
static void change_each(struct vgic_bank *bank, uint32_t mask, vgic_change_fn change, uint32_t arg)
{
    for (mask &= bank->valid; mask != 0; mask &= mask - 1)
        vgic_irq_change(bank->vgic, &bank->irqs[__builtin_ctz(mask)], change, arg);
}

static uint32_t group_read(struct vgic_access *a, struct vgic_bank *bank, unsigned first)
{
    (void)a;
    (void)first;
    return vgic_load(&bank->group1);
}

static void group_write(struct vgic_access *a, struct vgic_bank *bank, unsigned first)
{
    uint32_t flip = vgic_load(&bank->group1) ^ (uint32_t)a->value;

    (void)first;
    change_each(bank, flip & (uint32_t)a->value, vgic_change_group, 1);
    change_each(bank, flip & ~(uint32_t)a->value, vgic_change_group, 0);
}

static uint32_t enable_read(struct vgic_access *a, struct vgic_bank *bank, unsigned first)
{
    (void)a;
    (void)first;
    return vgic_load(&bank->enabled);
}

/* SGIs of a GICv2 are always enabled. */
static uint32_t enable_mask(const struct vgic_access *a, const struct vgic_bank *bank)
{
    return a->vgic->version == 2 && bank->irqs[0].intid == 0 ? 0xffff0000U : 0xffffffffU;
}

static void enable_set(struct vgic_access *a, struct vgic_bank *bank, unsigned first)
{
    (void)first;
    change_each(bank, (uint32_t)a->value & enable_mask(a, bank), vgic_change_enabled, 1);
}

static void enable_clear(struct vgic_access *a, struct vgic_bank *bank, unsigned first)
{
    (void)first;
    change_each(bank, (uint32_t)a->value & enable_mask(a, bank), vgic_change_enabled, 0);
}

static uint32_t pending_read(struct vgic_access *a, struct vgic_bank *bank, unsigned first)
{
    uint32_t value = 0;

    (void)first;
    vgic_sync(a->self, bank);
    for (uint32_t rest = vgic_load(&bank->used); rest != 0; rest &= rest - 1) {
        unsigned i = (unsigned)__builtin_ctz(rest);

        vgic_line_check(&bank->irqs[i]);
        value |= (uint32_t)vgic_irq_is_pending(&bank->irqs[i]) << i;
    }
    return value & bank->valid;
}

/* GICv2 has registers of their own for the pending state of SGIs. */
static uint32_t pending_mask(const struct vgic_access *a, const struct vgic_bank *bank)
{
    return enable_mask(a, bank);
}

static void pending_set(struct vgic_access *a, struct vgic_bank *bank, unsigned first)
{
    (void)first;
    change_each(bank, (uint32_t)a->value & pending_mask(a, bank), vgic_change_pend, 1);
}

static void pending_clear(struct vgic_access *a, struct vgic_bank *bank, unsigned first)
{
    (void)first;
    change_each(bank, (uint32_t)a->value & pending_mask(a, bank), vgic_change_unpend, 1);
}

static uint32_t active_read(struct vgic_access *a, struct vgic_bank *bank, unsigned first)
{
    uint32_t value = 0;

    (void)first;
    vgic_sync(a->self, bank);
    for (uint32_t rest = vgic_load(&bank->used); rest != 0; rest &= rest - 1) {
        unsigned i = (unsigned)__builtin_ctz(rest);

        value |= (uint32_t)bank->irqs[i].active << i;
    }
    return value & bank->valid;
}

static void active_set(struct vgic_access *a, struct vgic_bank *bank, unsigned first)
{
    (void)first;
    change_each(bank, (uint32_t)a->value, vgic_change_active, 1);
}

static void active_clear(struct vgic_access *a, struct vgic_bank *bank, unsigned first)
{
    (void)first;
    change_each(bank, (uint32_t)a->value, vgic_change_active, 0);
}

static uint32_t priority_read(struct vgic_access *a, struct vgic_bank *bank, unsigned first)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < a->size; i++)
        value |= (uint32_t)bank->priority[first + i] << (8 * i);
    return value;
}

/* Mostly, what is written is there already. */
static void priority_write(struct vgic_access *a, struct vgic_bank *bank, unsigned first)
{
    for (unsigned i = 0; i < a->size; i++) {
        uint8_t value = (uint8_t)(a->value >> (8 * i)) & VGIC_PRIORITY_MASK;

        if (bank->priority[first + i] != value)
            change_each(bank, 1U << (first + i), vgic_change_priority, value);
    }
}

/* Existing CPU interfaces of a GICv2. */
static uint32_t target_mask(const struct vgic *vgic)
{
    return (1U << MIN(vgic->guest->vcpu_count, VGIC_V2_VCPUS)) - 1;
}

static uint32_t target_read(struct vgic_access *a, struct vgic_bank *bank, unsigned first)
{
    uint32_t value = 0;

    if (a->vgic->version != 2 || vgic_is_uniprocessor(a->vgic))
        return 0;
    for (unsigned i = 0; i < a->size; i++) {
        uint32_t mask = vgic_irq_is_private(&bank->irqs[0]) ? 1U << a->self->vcpu->subid
                                                            : vgic_load(&bank->route[first + i]);

        value |= mask << (8 * i);
    }
    return value;
}

static void target_write(struct vgic_access *a, struct vgic_bank *bank, unsigned first)
{
    if (a->vgic->version != 2 || vgic_is_uniprocessor(a->vgic) ||
        vgic_irq_is_private(&bank->irqs[0]))
        return;
    for (unsigned i = 0; i < a->size; i++)
        change_each(bank, 1U << (first + i), vgic_change_route,
                    (uint8_t)(a->value >> (8 * i)) & target_mask(a->vgic));
}

static uint32_t config_read(struct vgic_access *a, struct vgic_bank *bank, unsigned first)
{
    uint32_t value = (vgic_load(&bank->edge) >> first) & 0xffff;

    (void)a;
    /* Bit i goes to bit 2 * i + 1. */
    value = (value | value << 8) & 0x00ff00ff;
    value = (value | value << 4) & 0x0f0f0f0f;
    value = (value | value << 2) & 0x33333333;
    value = (value | value << 1) & 0x55555555;
    return value << 1;
}

/* SGIs are edge-triggered and PPIs level-sensitive, both for good. */
static void config_write(struct vgic_access *a, struct vgic_bank *bank, unsigned first)
{
    if (vgic_irq_is_private(&bank->irqs[0]))
        return;
    for (uint32_t flip = config_read(a, bank, first) ^ ((uint32_t)a->value & ICFGR_EDGES);
         flip != 0; flip &= flip - 1) {
        unsigned i = (unsigned)__builtin_ctz(flip);

        change_each(bank, 1U << (first + i / 2), vgic_change_edge, (a->value >> i) & 1);
    }
}

/* By offset >> 7; what is not here is reserved: reads as zero, writes are ignored. */
static const struct block blocks[] = {
    [1] = {group_read, group_write, 1, 1},
    [2] = {enable_read, enable_set, 2, 1},
    [3] = {enable_read, enable_clear, 3, 1},
    [4] = {pending_read, pending_set, 4, 1},
    [5] = {pending_read, pending_clear, 5, 1},
    [6] = {active_read, active_set, 6, 1},
    [7] = {active_read, active_clear, 7, 1},
    [8 ... 15] = {priority_read, priority_write, BLOCK_IPRIORITYR, 8},
    [16 ... 23] = {target_read, target_write, BLOCK_ITARGETSR, 8},
    [24 ... 25] = {config_read, config_write, BLOCK_ICFGR, 2},
};

int vgic_bank_access(struct vgic_access *a)
{
    unsigned index = a->offset >> BLOCK_SHIFT;
    const struct block *block;
    struct vgic_bank *bank;
    unsigned irq;

    if (index >= ARRAY_SIZE(blocks) || blocks[index].read == NULL)
        return a->size == 4 ? 0 : -EFAULT;
    block = &blocks[index];
    if (a->size != 4 && !(a->size == 1 && block->bits == 8))
        return -EFAULT;
    irq = (a->offset - ((unsigned)block->start << BLOCK_SHIFT)) * 8 / block->bits;
    bank = vgic_bank_find(a, irq / VGIC_BANK_SIZE);
    if (bank == NULL)
        return 0;
    if (a->is_write)
        block->write(a, bank, irq % VGIC_BANK_SIZE);
    else
        a->value = block->read(a, bank, irq % VGIC_BANK_SIZE);
    return 0;
}

void vgic_ctlr_write(struct vgic *vgic, uint32_t value)
{
    irqflags_t flags = spin_lock_irqsave(&vgic->lock);
    bool changed = vgic_word_write(&vgic->ctlr, VGIC_CTLR_GROUP0 | VGIC_CTLR_GROUP1, false);

    changed |= vgic_word_write(&vgic->ctlr, value & (VGIC_CTLR_GROUP0 | VGIC_CTLR_GROUP1), true);
    spin_unlock_irqrestore(&vgic->lock, flags);
    if (changed)
        vgic_kick_all(vgic);
}
