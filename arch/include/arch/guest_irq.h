// SPDX-License-Identifier: Apache-2.0
// Contract: list registers of the CPU interface that hardware virtualises (GICv2 GICH_LR, GICv3 ICH_LR_EL2), or their absence.
// Unless a VCPU is named, functions work on the one whose world is loaded on this CPU; interrupts masked.
#pragma once

#include <arch/addr.h>
#include <stdbool.h>
#include <stdint.h>

struct vcpu;

enum guest_irq_version {
    GUEST_IRQ_NONE, /**< no virtual CPU interface on this host */
    GUEST_IRQ_V2,
    GUEST_IRQ_V3,
};

#define GUEST_IRQ_LR_MAX 16

struct guest_irq_lr {
    uint32_t virq; /**< INTID the guest sees */
    uint32_t pirq; /**< physical INTID when hw */
    uint8_t priority;
    uint8_t source; /**< GICv2 SGI: number of the requesting CPU interface */
    bool pending;
    bool active;
    bool hw; /**< guest deactivation deactivates pirq */
    bool group1;
    bool eoi; /**< maintenance interrupt when the guest ends it (only without hw) */
};

/** What the host offers; the same on all its CPUs. After irq_init(). */
enum guest_irq_version arch_guest_irq_version(void);
/** Host-physical GICV frame for a GICv2 guest's GICC region; size 0 where there is none. */
void arch_guest_irq_gicv(hpa_t *base, uint64_t *size);
/** Usable list registers, 0..GUEST_IRQ_LR_MAX. */
unsigned arch_guest_irq_lr_count(void);
/** Priority bits that the virtual interface implements (>= 5). */
unsigned arch_guest_irq_priority_bits(void);
void arch_guest_irq_lr_read(unsigned index, struct guest_irq_lr *lr);
void arch_guest_irq_lr_write(unsigned index, const struct guest_irq_lr *lr);
/**
 * List register index holds a pending interrupt from now on. virq: with the source of a GICv2 SGI in bits 12:10; pirq != 0:
 * linked to that, which is active on this CPU.
 */
void arch_guest_irq_lr_pend(unsigned index, uint32_t virq, uint32_t pirq, uint8_t priority,
                            bool group1);
void arch_guest_irq_lr_clear(unsigned index);
/** Bit i set: list register i holds neither a pending nor an active interrupt (ELRSR). */
uint32_t arch_guest_irq_lr_empty(void);
/** Bit i set: list register i of a finished interrupt asked for a maintenance interrupt (EISR). */
uint32_t arch_guest_irq_lr_ended(void);
#define GUEST_IRQ_WHEN_FEW 1        /**< at most one list register is left in use (UIE) */
#define GUEST_IRQ_WHEN_NO_PENDING 2 /**< none is left that is pending (NPIE) */
#define GUEST_IRQ_WHEN_GROUPS                                                                      \
    4 /**< the guest has opened or closed a group (VGrp0EIE to VGrp1DIE) */
/** When to ask for a maintenance interrupt (GUEST_IRQ_WHEN_*), beside what list registers ask for themselves. */
void arch_guest_irq_maintain(unsigned when);
/** Has the guest chosen to end interrupts in two steps (EOImode 1)? */
bool arch_guest_irq_splits(void);
/** Groups that the guest has open at its CPU interface: bit 0 group 0, bit 1 group 1. */
unsigned arch_guest_irq_groups(void);
/** GICv3 priority mask and group enables for the WFI check: true when an interrupt of this group and priority would be taken. */
bool arch_guest_irq_accepts(bool group1, uint8_t priority);
/** Set the physical active state of pirq on this CPU. */
void arch_guest_irq_activate(uint32_t pirq);
/** Clear the physical active state of pirq on this CPU (a hardware-linked interrupt whose virtual half was withdrawn). */
void arch_guest_irq_deactivate(uint32_t pirq);
/**
 * Does the source behind a hardware-linked interrupt of the VCPU assert now? True also when that can not be known here. IRQs masked.
 */
bool arch_guest_irq_asserts(const struct vcpu *vcpu, uint32_t pirq);

/**
 * What list register index of a VCPU whose world is in memory will hold when it is loaded; false: nothing. What is saved while this reads is told as it was
 * before or as it is now. Any context.
 */
bool arch_guest_irq_saved_read(const struct vcpu *vcpu, unsigned index, struct guest_irq_lr *lr);
/** They will hold nothing. The VCPU does not run and its world is in memory. Orphan. */
void arch_guest_irq_saved_clear(struct vcpu *vcpu);
