// SPDX-License-Identifier: Apache-2.0
// Virtual interrupts of guests: what an emulated interrupt controller provides, and how everyone else raises lines. Room: guest.
#pragma once

#include <arch/guest_irq.h> /* what controllers are built on */
#include <arch/addr.h>
#include <hv/vcpu.h>
#include <lib/list.h>
#include <stdbool.h>
#include <stdint.h>

struct guest;
struct emu_device;

/** Interrupt numbers as the guest's controller numbers them (GIC INTIDs: 0-15 SGI, 16-31 PPI, 32.. SPI). */
#define VCPU_IRQ_SPI_BASE 32

/** Provided by the emulated controller when its device is probed. All operations: any context unless said otherwise, own locks. */
struct intc_ops {
    /** Level of a private line (PPI) of one VCPU; pirq != 0: hardware-linked level interrupt (physical one is active until the guest ends it). */
    int (*private_set)(struct vcpu *vcpu, uint32_t irq, bool level, uint32_t pirq);
    /** Fold list registers into the model and refill them; work: enum vcpu_work. vcpu == current, its world loaded, IRQs masked. */
    void (*flush)(struct vcpu *vcpu, uint32_t work);
    /** Would an interrupt be delivered if the VCPU ran (software pending included)? vcpu == current. */
    bool (*deliverable)(struct vcpu *vcpu);
    /** Maintenance interrupt. IRQ context, world loaded here. */
    void (*maintenance)(struct vcpu *vcpu);
    /** Write of ICC_SGI1R_EL1; NULL for GICv2. vcpu == current, IRQs masked since it left the guest. -ENOENT. */
    int (*sgi)(struct vcpu *vcpu, uint64_t value);
    /** The other GICv3 system registers that trap (enum guest_sysreg), in the same way. */
    int (*sysreg)(struct vcpu *vcpu, unsigned reg, bool is_write, uint64_t *value);
    /** Bring the private part of one VCPU to reset (CPU_OFF/reset). VCPU is not running, dropped. Orphan or Normal. */
    void (*vcpu_reset)(struct vcpu *vcpu);
    /** A VCPU stops itself (CPU_OFF): shared interrupts that it holds are free for others. vcpu == current, its world loaded, IRQs masked. */
    void (*vcpu_off)(struct vcpu *vcpu);
    /** Allocate/free the per-VCPU part. Orphan. */
    int (*vcpu_init)(struct vcpu *vcpu);
    void (*vcpu_exit)(struct vcpu *vcpu);
};

/*
 * The router: devices raise lines by number and send messages to addresses; what serves them has said so when it was probed.
 * Numbers have 32 bits and need not follow each other. The objects belong to the controller, which attaches and detaches
 * them in its probe and remove functions: nothing runs that could look them up meanwhile.
 */

/** Lines first to first + count - 1 (a GIC: INTIDs of its SPIs). */
struct guest_irq_lines {
    uint32_t first, count;
    /** Level of a line. An edge-triggered one latches a rising edge. Any context, own locks. */
    int (*set)(struct guest_irq_lines *lines, uint32_t irq, bool level);
    void *owner;
    struct list link;
};
/** A range of guest-physical addresses that takes messages (MSIs). */
struct guest_irq_doorbell {
    gpa_t start;
    uint64_t size;
    /** What was written at offset, and the sender's id. Any context, own locks. */
    int (*message)(struct guest_irq_doorbell *bell, uint64_t offset, uint32_t data, uint32_t device);
    void *owner;
    struct list link;
};

/** Orphan, the guest does not run. -EINVAL (empty, or beyond the last number), -EEXIST (overlaps another). */
int guest_irq_attach_lines(struct guest *guest, struct guest_irq_lines *lines);
void guest_irq_detach_lines(struct guest_irq_lines *lines);
int guest_irq_attach_doorbell(struct guest *guest, struct guest_irq_doorbell *bell);
void guest_irq_detach_doorbell(struct guest_irq_doorbell *bell);

/** Raise or lower a line. -EINVAL: nobody serves that number. Any context. */
int guest_irq_line(struct guest *guest, uint32_t irq, bool level);
/** Write data to address as a device does to signal an interrupt. -EFAULT: no doorbell is there. Any context. */
int guest_irq_message(struct guest *guest, gpa_t address, uint32_t data, uint32_t device);
/** Raise or lower a PPI. Any context. */
int vcpu_irq_private(struct vcpu *vcpu, uint32_t irq, bool level, uint32_t pirq);
