// SPDX-License-Identifier: Apache-2.0
// Private to the vGIC: its state and the seams between state, routing, list registers and register files.
//
// Locks, in this order: vgic.lock (shared interrupts), then one vgic_vcpu.lock. What they protect:
// - Configuration of an SPI (bank words, priority, route, line, target) is written with vgic.lock held, and with its owner's
//   lock too while it has an owner. So each of the two locks is enough to read it.
// - Dynamic state of an SPI (pending, active, list register) belongs to its owner's lock while it has an owner, else to vgic.lock.
// - An SPI gets an owner with both locks held, and loses it with the owner's lock alone.
// - All of a private interrupt belongs to its VCPU's lock: SGIs and timers never touch vgic.lock.
// Register reads that need no more than one load take no lock.
#pragma once

#include <hv/emulator.h>
#include <hv/guest.h>
#include <hv/spinlock.h>
#include <lib/list.h>
#include <lib/macros.h>
#include <stdbool.h>
#include <stdint.h>

#define VGIC_SGI_COUNT 16
#define VGIC_PRIVATE_COUNT 32
#define VGIC_BANK_SIZE 32
#define VGIC_SPI_DEFAULT 96
#define VGIC_SPI_MAX 988
/** Interrupts have 5 priority bits: the upper ones of 8. */
#define VGIC_PRIORITY_MASK 0xf8
/** A GICv2 distributor knows 8 CPU interfaces. */
#define VGIC_V2_VCPUS 8
#define VGIC_LR_NONE 0xff
/** JEP106 code of Arm in the identification registers, product 'B'. */
#define VGIC_IIDR 0x4200043bU

/** GICD_CTLR as it is kept: the group enables only. */
#define VGIC_CTLR_GROUP0 (1U << 0)
#define VGIC_CTLR_GROUP1 (1U << 1)

struct vgic;
struct vgic_vcpu;
struct vgic_bank;

struct vgic_irq {
    struct list link;
    struct vgic_vcpu *owner;  /**< in whose list it is */
    struct vgic_vcpu *target; /**< who is to get it; NULL: routed to nobody */
    struct vgic_bank *bank;
    uint32_t pirq; /**< physical interrupt behind the line, 0 = none */
    uint16_t intid;
    uint8_t lr;       /**< list register that holds it, or VGIC_LR_NONE */
    uint8_t source;   /**< GICv2 SGI: who requested what is in the list register or active */
    uint8_t latch;    /**< latched pending: bit 0, or for a GICv2 SGI a bit for each source */
    uint8_t lr_latch; /**< what of it the list register has, not acknowledged as far as known */
    bool line;        /**< level of the input */
    bool again;       /**< a hardware-linked line rose after it was put into the list register */
    bool active;
    uint8_t held_priority; /**< with which it became active, and is to be ended */
    bool held_group1;
    bool active_forced; /**< active was written by the guest; what the list register says is older */
    bool hw;            /**< in the list register, or active, as hardware-linked */
    bool picked;        /**< scratch of the refill */
};

/** 32 interrupts; what registers read by the word is kept by the word. */
struct vgic_bank {
    struct vgic *vgic;
    uint32_t enabled;
    uint32_t group1;
    uint32_t edge;
    uint32_t valid; /**< INTIDs that exist */
    uint32_t used;  /**< those that may be pending or active: none else has been since the reset */
    uint8_t priority[VGIC_BANK_SIZE];
    uint32_t route[VGIC_BANK_SIZE]; /**< GICv2: mask of targets; GICv3: affinity Aff2.Aff1.Aff0 */
    struct vgic_irq irqs[VGIC_BANK_SIZE];
};

struct vgic_vcpu {
    struct vgic *vgic;
    struct vcpu *vcpu;
    struct spinlock lock;
    struct list list; /**< interrupts that are pending and enabled, active, or in a list register */
    struct vgic_irq *lr[GUEST_IRQ_LR_MAX];
    uint32_t lr_used;
    uint32_t release;      /**< private interrupts whose physical half the next flush deactivates */
    uint32_t fresh;        /**< hardware-linked ones that rose since the guest last ran */
    struct vgic_irq *news; /**< what is to be placed for VCPU_WORK_IRQ_NEW */
    bool overflow; /**< there are more than list registers; the underflow interrupt is asked for */
    uint64_t sgi_self; /**< what ICC_SGI1R_EL1 holds beside the INTID to name this one alone */
    bool asleep;       /**< GICR_WAKER.ProcessorSleep */
    struct vgic_bank bank;
};

struct vgic {
    struct guest *guest;
    struct spinlock lock;
    uint32_t ctlr;    /**< VGIC_CTLR_*; written with the lock, read without */
    unsigned version; /**< 2 or 3 */
    unsigned spi_banks;
    unsigned lr_count;
    struct vgic_bank *spi;
    struct guest_irq_lines lines;       /**< the SPIs */
    struct guest_irq_doorbell doorbell; /**< GICv3: message-based SPIs, at GICD_SETSPI_NSR */
};

/** One register access on its way down. */
struct vgic_access {
    struct vgic *vgic;
    struct vgic_vcpu *self;   /**< who accesses */
    struct vgic_vcpu *banked; /**< whose interrupts 0..31 are meant; NULL: nobody's */
    bool shared;              /**< SPIs are there (not in a redistributor) */
    uint32_t offset;
    uint8_t size;
    bool is_write;
    uint64_t value;
};

static inline uint32_t vgic_load(const uint32_t *word)
{
    return __atomic_load_n(word, __ATOMIC_RELAXED);
}

/** Bit of a configuration word; its lock is held, readers need none. */
static inline bool vgic_word_write(uint32_t *word, uint32_t bit, bool set)
{
    uint32_t old = *word;
    uint32_t now = set ? old | bit : old & ~bit;

    __atomic_store_n(word, now, __ATOMIC_RELAXED);
    return now != old;
}

static inline uint32_t vgic_irq_bit(const struct vgic_irq *irq)
{
    return 1U << (irq->intid % VGIC_BANK_SIZE);
}

static inline bool vgic_irq_is_private(const struct vgic_irq *irq)
{
    return irq->intid < VGIC_PRIVATE_COUNT;
}

static inline bool vgic_irq_is_edge(const struct vgic_irq *irq)
{
    return (vgic_load(&irq->bank->edge) & vgic_irq_bit(irq)) != 0;
}

static inline bool vgic_irq_is_enabled(const struct vgic_irq *irq)
{
    return (vgic_load(&irq->bank->enabled) & vgic_irq_bit(irq)) != 0;
}

static inline bool vgic_irq_is_group1(const struct vgic_irq *irq)
{
    return (vgic_load(&irq->bank->group1) & vgic_irq_bit(irq)) != 0;
}

static inline bool vgic_irq_is_pending(const struct vgic_irq *irq)
{
    return (irq->latch | irq->lr_latch) != 0 || (irq->line && !vgic_irq_is_edge(irq));
}

static inline uint8_t vgic_irq_priority(const struct vgic_irq *irq)
{
    return irq->bank->priority[irq->intid % VGIC_BANK_SIZE];
}

/** It is pending, or put into a list. Its bank's lock is held: vgic.lock, or that of the VCPU. */
static inline void vgic_irq_use(const struct vgic_irq *irq)
{
    struct vgic_bank *bank = irq->bank;

    if (unlikely((bank->used & vgic_irq_bit(irq)) == 0))
        __atomic_store_n(&bank->used, bank->used | vgic_irq_bit(irq), __ATOMIC_RELAXED);
}

/** It becomes active by the guest's own writing. */
static inline void vgic_irq_hold(struct vgic_irq *irq)
{
    irq->active = true;
    irq->held_priority = vgic_irq_priority(irq);
    irq->held_group1 = vgic_irq_is_group1(irq);
}

static inline struct vgic_vcpu *vgic_vcpu_of(const struct vcpu *vcpu)
{
    return vcpu == NULL ? NULL : vcpu->irq;
}

/* vgic.c: the device */

/** Interrupt of a guest as v sees it; v may be NULL for SPIs. NULL when there is none of that number. */
struct vgic_irq *vgic_irq_find(struct vgic *vgic, struct vgic_vcpu *v, uint32_t intid);
int vgic_probe(struct emu_device *dev, unsigned version);
void vgic_reset(struct emu_device *dev);
/** The part of a VCPU that is dropped. Orphan or Normal. */
void vgic_vcpu_reset(struct vcpu *vcpu);
void vgic_remove(struct emu_device *dev);
/** A GICv2 distributor with one CPU interface routes all to it, and has no registers for that. */
bool vgic_is_uniprocessor(const struct vgic *vgic);
/** The accessing VCPU (the first one when nobody is named, as in tests); NULL when it has no interrupt state. */
static inline struct vgic_vcpu *vgic_accessor(struct vgic *vgic, const struct emu_access *access)
{
    if (likely(access->vcpu != NULL))
        return vgic_vcpu_of(access->vcpu);
    return vgic->guest->vcpu_count > 0 ? vgic_vcpu_of(vgic->guest->vcpus[0]) : NULL;
}

/* vgic_irq.c: changes of one interrupt, and where it goes */

/** One change of an interrupt with its locks held; false: nothing changed. */
typedef bool (*vgic_change_fn)(struct vgic_irq *irq, uint32_t arg);
/** Make a change, then queue the interrupt where it belongs and tell that VCPU. Any context, no vGIC lock held. */
void vgic_irq_change(struct vgic *vgic, struct vgic_irq *irq, vgic_change_fn change, uint32_t arg);
/** Take a hardware-linked line as low when its source says so; else it is only known to have been high. No vGIC lock held. */
void vgic_line_check(struct vgic_irq *irq);
bool vgic_change_none(struct vgic_irq *irq, uint32_t arg);
bool vgic_change_line(struct vgic_irq *irq, uint32_t level);
bool vgic_change_enabled(struct vgic_irq *irq, uint32_t enabled);
bool vgic_change_group(struct vgic_irq *irq, uint32_t group1);
bool vgic_change_edge(struct vgic_irq *irq, uint32_t edge);
bool vgic_change_priority(struct vgic_irq *irq, uint32_t priority);
/** arg is the mask of latch bits. */
bool vgic_change_pend(struct vgic_irq *irq, uint32_t mask);
bool vgic_change_unpend(struct vgic_irq *irq, uint32_t mask);
bool vgic_change_active(struct vgic_irq *irq, uint32_t active);
/** A write of the register that deactivates, where the guest ends interrupts in two steps. Its world is loaded here. */
void vgic_deactivate(struct vgic_vcpu *self, uint32_t intid);
bool vgic_change_route(struct vgic_irq *irq, uint32_t route);
/** Find the target that an SPI's route means. vgic->lock held, and that of its owner. */
void vgic_route_resolve(struct vgic_irq *irq);
/** An SGI that a VCPU sends to itself. It has just left the guest, IRQs masked since then; no vGIC lock held. */
void vgic_sgi_to_self(struct vgic_vcpu *v, uint32_t intid);
/** The same for the SGI that another VCPU sends to v: that one's world is loaded here, so v's is not. */
void vgic_sgi_to_other(struct vgic_vcpu *v, uint32_t intid);
int vgic_line_set(struct guest_irq_lines *lines, uint32_t irq, bool level);
int vgic_private_set(struct vcpu *vcpu, uint32_t irq, bool level, uint32_t pirq);
/** Hand on what waits in v's list for another target. */
void vgic_migrate(struct vgic_vcpu *v);
/** Make all VCPUs look at their interrupts again (group enables changed). */
void vgic_kick_all(struct vgic *vgic);

struct vgic_vcpu *vgic_vcpu_by_affinity(struct vgic *vgic, uint64_t affinity);

/* vgic_lr.c: list registers */

/** In v's list for a reason? v->lock held. */
bool vgic_irq_is_wanted(const struct vgic_irq *irq);
void vgic_list_add(struct vgic_vcpu *v, struct vgic_irq *irq);
void vgic_list_remove(struct vgic_irq *irq);
/** The active state of a hardware-linked interrupt ended without the guest's CPU interface: end the physical one for it. */
void vgic_hw_end(struct vgic_irq *irq);
/** Forget list registers whose world was dropped; what was pending in them is pending in the model. v->lock held. */
void vgic_lr_forget(struct vgic_vcpu *v);
void vgic_flush(struct vcpu *vcpu, uint32_t work);
/**
 * Put what became pending straight into a list register, if nothing else has to change for that. came_here: a hardware-linked
 * one came while v's world was loaded, so that it is active on this CPU. v->lock held, v's world is the one loaded on this CPU.
 * False: only a flush can tell.
 */
bool vgic_lr_place(struct vgic_vcpu *v, struct vgic_irq *irq, bool came_here);
/**
 * An SGI (pirq 0) of a GICv3, or the line of a PPI that is linked to pirq, which is active here, has risen: true when that is in
 * the list register again. v->lock held, IRQs masked.
 */
bool vgic_lr_renew(struct vgic_vcpu *v, struct vgic_irq *irq, uint32_t pirq);
bool vgic_deliverable(struct vcpu *vcpu);
void vgic_maintenance(struct vcpu *vcpu);
void vgic_vcpu_off(struct vcpu *vcpu);
/** Fold v's list registers, if its world is in memory or on this CPU. Any context. */
void vgic_fold(struct vgic_vcpu *v);
/** Before pending or active state of a bank is read: fold the list registers that hold some of it, wherever they are. Normal context, IRQs masked. */
void vgic_sync(struct vgic_vcpu *self, struct vgic_bank *bank);

/* vgic_state.c: the model as plain data. Orphan, no VCPU runs. */

#define VGIC_STATE_VERSION 2
size_t vgic_state_size(const struct emu_device *dev);
void vgic_state_save(struct emu_device *dev, void *to);
int vgic_state_restore(struct emu_device *dev, const void *from);

/* vgic_dist.c: registers that GICv2 and GICv3 share */

/** Blocks of registers from 0x080 to 0xeff of a distributor or SGI frame. 0 or -EFAULT (width). */
int vgic_bank_access(struct vgic_access *a);
void vgic_ctlr_write(struct vgic *vgic, uint32_t value);
/** Bank of interrupts 32 * index and on, as the access sees them; NULL when there are none. */
struct vgic_bank *vgic_bank_find(const struct vgic_access *a, unsigned index);

/* vgic_v3.c */
int vgic_v3_message(struct guest_irq_doorbell *bell, uint64_t offset, uint32_t data,
                    uint32_t device);
/** Of the registers at which messages arrive, in the distributor. */
#define VGIC_V3_DOORBELL 0x40
#define VGIC_V3_DOORBELL_SIZE 0x10
/** What ICC_SGI1R_EL1 holds beside the INTID to name that one alone. */
uint64_t vgic_v3_sgi_list(uint64_t affinity);
int vgic_v3_sgi(struct vcpu *vcpu, uint64_t value);
int vgic_v3_sysreg(struct vcpu *vcpu, unsigned reg, bool is_write, uint64_t *value);
