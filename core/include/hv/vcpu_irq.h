// SPDX-License-Identifier: Apache-2.0
// Virtual interrupts of guests: what an emulated interrupt controller provides, and how everyone else raises lines. Room: guest.
#pragma once

#include <arch/guest_irq.h> /* what controllers are built on */
#include <hv/vcpu.h>
#include <stdbool.h>
#include <stdint.h>

struct guest;
struct emu_device;

/** Interrupt numbers as the guest's controller numbers them (GIC INTIDs: 0-15 SGI, 16-31 PPI, 32.. SPI). */
#define VCPU_IRQ_SPI_BASE 32

/** Provided by the emulated controller when its device is probed. All operations: any context unless said otherwise, own locks. */
struct intc_ops {
    /** Level of a shared line (SPI). Edge-triggered lines latch a rising edge. -EINVAL for a number that does not exist. */
    int (*line_set)(struct guest *guest, uint32_t irq, bool level);
    /** Level of a private line (PPI) of one VCPU; pirq != 0: hardware-linked level interrupt (physical one is active until the guest ends it). */
    int (*private_set)(struct vcpu *vcpu, uint32_t irq, bool level, uint32_t pirq);
    /** Fold list registers into the model and refill them. vcpu == current, its world loaded, IRQs masked. */
    void (*flush)(struct vcpu *vcpu);
    /** Would an interrupt be delivered if the VCPU ran (software pending included)? vcpu == current. */
    bool (*deliverable)(struct vcpu *vcpu);
    /** Maintenance interrupt. IRQ context, world loaded here. */
    void (*maintenance)(struct vcpu *vcpu);
    /** GICv3 SGI system registers; NULL for GICv2. vcpu == current. */
    int (*sysreg)(struct vcpu *vcpu, unsigned reg, bool is_write, uint64_t *value);
    /** Bring the private part of one VCPU to reset (CPU_OFF/reset). VCPU is not running, dropped. Orphan or Normal. */
    void (*vcpu_reset)(struct vcpu *vcpu);
    /** Allocate/free the per-VCPU part. Orphan. */
    int (*vcpu_init)(struct vcpu *vcpu);
    void (*vcpu_exit)(struct vcpu *vcpu);
};

/** Raise or lower an SPI of a guest (irq is the INTID). Any context. */
int guest_irq_line(struct guest *guest, uint32_t irq, bool level);
/** Raise or lower a PPI. Any context. */
int vcpu_irq_private(struct vcpu *vcpu, uint32_t irq, bool level, uint32_t pirq);
