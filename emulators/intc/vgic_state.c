// SPDX-License-Identifier: Apache-2.0
// Virtual GIC as plain data: what the guest can read back or will be interrupted by, without pointers and list registers.
//
// Hardware-linked lines (timers) are not in it: they are low after a restore, and their source, which asserts or does not,
// says so anew. One that was active stays so, without its physical half.

#include "vgic.h"

#include <lib/errno.h>
#include <lib/string.h>

#define OWNER_NONE 0xffffU

struct flat_bank {
    uint32_t enabled, group1, edge;
    uint32_t line, active;
    uint32_t held_group1; /**< of those that are active, as held */
    uint32_t route[VGIC_BANK_SIZE];
    uint16_t owner[VGIC_BANK_SIZE]; /**< VCPU on which a shared interrupt is active, if any */
    uint8_t priority[VGIC_BANK_SIZE];
    uint8_t held[VGIC_BANK_SIZE]; /**< priority with which it is active */
    uint8_t latch[VGIC_BANK_SIZE];
    uint8_t source[VGIC_BANK_SIZE];
};

/** Then a bank for each VCPU, then those of the shared interrupts. */
struct flat_vgic {
    uint32_t gic_version;
    uint32_t vcpu_count;
    uint32_t spi_banks;
    uint32_t ctlr;
    uint64_t asleep; /**< bit n: GICR_WAKER.ProcessorSleep of VCPU n */
    struct flat_bank banks[];
};

static unsigned bank_count(const struct vgic *vgic)
{
    return vgic->guest->vcpu_count + vgic->spi_banks;
}

/* The VCPU's own banks first. v: whose, or NULL. */
static struct vgic_bank *bank_at(struct vgic *vgic, unsigned index, struct vgic_vcpu **v)
{
    unsigned vcpus = vgic->guest->vcpu_count;

    *v = index < vcpus ? vgic_vcpu_of(vgic->guest->vcpus[index]) : NULL;
    return *v != NULL ? &(*v)->bank : &vgic->spi[index - vcpus];
}

size_t vgic_state_size(const struct emu_device *dev)
{
    return sizeof(struct flat_vgic) + bank_count(dev->priv) * sizeof(struct flat_bank);
}

/* Save */

static void irq_save(const struct vgic_irq *irq, struct flat_bank *flat)
{
    unsigned i = irq->intid % VGIC_BANK_SIZE;
    bool private = vgic_irq_is_private(irq);

    flat->line |= (uint32_t)(irq->line && irq->pirq == 0) << i;
    flat->active |= (uint32_t)irq->active << i;
    flat->route[i] = irq->bank->route[i];
    flat->owner[i] = OWNER_NONE;
    if (irq->active && !private && irq->owner != NULL)
        flat->owner[i] = (uint16_t)irq->owner->vcpu->subid;
    flat->priority[i] = irq->bank->priority[i];
    flat->latch[i] = irq->latch | irq->lr_latch;
    flat->source[i] = irq->active ? irq->source : 0;
    flat->held[i] = irq->active ? irq->held_priority : 0;
    flat->held_group1 |= (uint32_t)(irq->active && irq->held_group1) << i;
}

/* Dynamic state belongs to owners' locks; but no VCPU runs, and devices come here with vgic->lock for shared interrupts. */
static void bank_save(const struct vgic_bank *bank, struct flat_bank *flat)
{
    flat->enabled = bank->enabled;
    flat->group1 = bank->group1;
    flat->edge = bank->edge;
    for (unsigned i = 0; i < VGIC_BANK_SIZE; i++)
        irq_save(&bank->irqs[i], flat);
}

void vgic_state_save(struct emu_device *dev, void *to)
{
    struct vgic *vgic = dev->priv;
    struct flat_vgic *flat = to;
    unsigned vcpus = vgic->guest->vcpu_count;

    memset(flat, 0, vgic_state_size(dev));
    flat->gic_version = vgic->version;
    flat->vcpu_count = vcpus;
    flat->spi_banks = vgic->spi_banks;
    for (unsigned i = 0; i < vcpus; i++) {
        arch_vcpu_sync(vgic->guest->vcpus[i]);
        vgic_fold(vgic_vcpu_of(vgic->guest->vcpus[i]));
    }
    for (unsigned i = 0; i < bank_count(vgic); i++) {
        struct vgic_vcpu *v;
        struct vgic_bank *bank = bank_at(vgic, i, &v);
        struct spinlock *lock = v != NULL ? &v->lock : &vgic->lock;
        irqflags_t flags = spin_lock_irqsave(lock);

        bank_save(bank, &flat->banks[i]);
        if (v != NULL)
            flat->asleep |= (uint64_t)v->asleep << i;
        spin_unlock_irqrestore(lock, flags);
    }
    flat->ctlr = vgic->ctlr;
}

/* Restore */

static int bank_check(const struct vgic *vgic, const struct vgic_bank *bank,
                      const struct flat_bank *flat, bool private)
{
    bool sgi_sources = private && vgic->version == 2;
    uint32_t outside =
        flat->enabled | flat->group1 | flat->edge | flat->line | flat->active | flat->held_group1;

    if ((outside & ~bank->valid) != 0)
        return -EINVAL;
    for (unsigned i = 0; i < VGIC_BANK_SIZE; i++) {
        bool sgi = sgi_sources && i < VGIC_SGI_COUNT;
        bool owned = (flat->active & (1U << i)) != 0 && !private;

        if (flat->latch[i] > (sgi ? 0xff : 1) || flat->source[i] >= (sgi ? VGIC_V2_VCPUS : 1) ||
            ((flat->priority[i] | flat->held[i]) & ~VGIC_PRIORITY_MASK) != 0 ||
            (flat->owner[i] != OWNER_NONE && (!owned || flat->owner[i] >= vgic->guest->vcpu_count)) ||
            ((bank->valid & (1U << i)) == 0 && flat->latch[i] != 0))
            return -EINVAL;
    }
    return 0;
}

static int state_check(struct vgic *vgic, const struct flat_vgic *flat)
{
    int err = 0;

    if (flat->gic_version != vgic->version || flat->vcpu_count != vgic->guest->vcpu_count ||
        flat->spi_banks != vgic->spi_banks ||
        (flat->ctlr & ~(VGIC_CTLR_GROUP0 | VGIC_CTLR_GROUP1)) != 0)
        return -EINVAL;
    for (unsigned i = 0; i < bank_count(vgic) && err == 0; i++) {
        struct vgic_vcpu *v;
        struct vgic_bank *bank = bank_at(vgic, i, &v);

        err = bank_check(vgic, bank, &flat->banks[i], v != NULL);
    }
    return err;
}

/* What registers of this version can hold, whatever the state says. */
static uint32_t route_of(const struct vgic *vgic, uint32_t route)
{
    uint32_t vcpus = MIN(vgic->guest->vcpu_count, VGIC_V2_VCPUS);

    return route & (vgic->version == 2 ? (1U << vcpus) - 1 : 0x00ffffffU);
}

static void irq_restore(struct vgic *vgic, struct vgic_irq *irq, const struct flat_bank *flat)
{
    unsigned i = irq->intid % VGIC_BANK_SIZE;

    irq->line = (flat->line & (1U << i)) != 0;
    irq->latch = flat->latch[i];
    irq->active = (flat->active & (1U << i)) != 0;
    irq->source = flat->source[i];
    irq->held_priority = flat->held[i];
    irq->held_group1 = (flat->held_group1 & (1U << i)) != 0;
    irq->bank->priority[i] = flat->priority[i];
    if (vgic_irq_is_private(irq))
        return;
    irq->bank->route[i] = route_of(vgic, flat->route[i]);
    vgic_route_resolve(irq);
}

static void bank_restore(struct vgic *vgic, struct vgic_bank *bank, const struct flat_bank *flat,
                         bool private)
{
    /* SGIs are edge-triggered and PPIs level-sensitive, and SGIs of a GICv2 enabled, all for good. */
    uint32_t enabled = private && vgic->version == 2 ? 0x0000ffffU : 0;

    bank->enabled = flat->enabled | enabled;
    bank->group1 = flat->group1;
    bank->edge = private ? 0x0000ffffU : flat->edge;
    for (unsigned i = 0; i < VGIC_BANK_SIZE; i++)
        if ((bank->valid & (1U << i)) != 0)
            irq_restore(vgic, &bank->irqs[i], flat);
}

/* An active one belongs to the VCPU that has to end it, whoever is its target. */
static void active_adopt(struct vgic *vgic, struct vgic_irq *irq, struct vgic_vcpu *v)
{
    irqflags_t flags;

    if (v == NULL)
        return;
    flags = spin_lock_irqsave(&vgic->lock);
    spin_lock(&v->lock);
    vgic_list_add(v, irq);
    spin_unlock(&v->lock);
    spin_unlock_irqrestore(&vgic->lock, flags);
}

static struct vgic_vcpu *owner_of(const struct vgic *vgic, const struct flat_bank *flat, unsigned i)
{
    return flat->owner[i] == OWNER_NONE ? NULL : vgic_vcpu_of(vgic->guest->vcpus[flat->owner[i]]);
}

static void bank_queue(struct vgic *vgic, struct vgic_bank *bank, const struct flat_bank *flat,
                       struct vgic_vcpu *v)
{
    for (uint32_t rest = bank->valid; rest != 0; rest &= rest - 1) {
        unsigned i = (unsigned)__builtin_ctz(rest);
        struct vgic_irq *irq = &bank->irqs[i];

        if (irq->active)
            active_adopt(vgic, irq, v != NULL ? v : owner_of(vgic, flat, i));
        vgic_irq_change(vgic, irq, vgic_change_none, 0);
    }
}

static void bank_replace(struct vgic *vgic, unsigned index, const struct flat_vgic *flat)
{
    struct vgic_vcpu *v;
    struct vgic_bank *bank = bank_at(vgic, index, &v);
    struct spinlock *lock = v != NULL ? &v->lock : &vgic->lock;
    irqflags_t flags = spin_lock_irqsave(lock);

    bank_restore(vgic, bank, &flat->banks[index], v != NULL);
    if (v != NULL)
        v->asleep = (flat->asleep & BIT(index)) != 0;
    spin_unlock_irqrestore(lock, flags);
    bank_queue(vgic, bank, &flat->banks[index], v);
}

int vgic_state_restore(struct emu_device *dev, const void *from)
{
    struct vgic *vgic = dev->priv;
    const struct flat_vgic *flat = from;
    int err = state_check(vgic, flat);

    if (err != 0)
        return err;
    for (unsigned i = 0; i < vgic->guest->vcpu_count; i++) {
        arch_vcpu_sync(vgic->guest->vcpus[i]);
        arch_guest_irq_saved_clear(vgic->guest->vcpus[i]);
    }
    vgic_reset(dev);
    for (unsigned i = 0; i < vgic->guest->vcpu_count; i++)
        vgic_vcpu_reset(vgic->guest->vcpus[i]);
    vgic_ctlr_write(vgic, flat->ctlr);
    for (unsigned i = 0; i < bank_count(vgic); i++)
        bank_replace(vgic, i, flat);
    return 0;
}
