// SPDX-License-Identifier: Apache-2.0
// Device emulators: one const descriptor each, matched by compatible, reached through guest regions. Room: guest (instances); dispatch is in room emu.
#pragma once

#include <hv/dt.h>
#include <lib/list.h>
#include <lib/table.h>
#include <stdbool.h>
#include <stdint.h>

struct emu_device;
struct guest;
struct vcpu;

/** One access, already checked for alignment and size, in host byte order. */
struct emu_access {
    struct vcpu *vcpu; /**< who accesses; NULL in tests */
    uint64_t offset;   /**< in the register frame, < frame size */
    unsigned frame;    /**< index of the frame in reg */
    uint8_t size;      /**< 1, 2, 4, 8 */
    bool is_write;
    uint64_t value;
};

#define EMU_WIDTH_8 1
#define EMU_WIDTH_16 2
#define EMU_WIDTH_32 4
#define EMU_WIDTH_64 8

struct emulator {
    const char *name;
    const char *const *match; /**< NULL-terminated compatibles of the guest's node */
    unsigned state_size;      /**< plain data without pointers: copying it is a snapshot */
    unsigned widths; /**< EMU_WIDTH_* accepted by the dispatcher; others are -EFAULT. Misaligned accesses never arrive. */
    /** Allocates what the device needs beyond state; reads its node. Orphan. Errors are reported by the caller with node name. */
    int (*probe)(struct emu_device *dev);
    /** Power-on state. All VCPUs of the guest are off. Orphan. */
    void (*reset)(struct emu_device *dev);
    /** 0 or -EFAULT (the guest gets an external abort). Normal context, IRQs masked on entry; takes its own locks, holds none across a sleep. */
    int (*access)(struct emu_device *dev, struct emu_access *access);
    /** Frees what probe took. Orphan. */
    void (*remove)(struct emu_device *dev);
};
#define EMULATOR(e) TABLE_ENTRY(emulators, struct emulator, e)

/** An instance in a guest. */
struct emu_device {
    const struct emulator *emulator;
    struct guest *guest;
    struct dt_node *node;
    const char *name; /**< node name without unit address */
    void *state;      /**< state_size bytes, zeroed */
    void *priv;       /**< the device's second block: queues, timers, locks */
    uint32_t irq;     /**< first SPI as INTID, 0 = none */
    unsigned irq_count;
    struct list link;
};

/** By any compatible of the node; NULL when no emulator matches. */
const struct emulator *emulator_find(const struct dt_node *node);
const struct emulator *emulator_find_compatible(const char *compatible);
/** Number index of the table; NULL past the end. */
const struct emulator *emulator_at(unsigned index);
/** Instantiate for a node: allocates state, calls probe. -ENODEV (unknown compatible), -ENOMEM, or probe's error. Orphan. */
int emu_device_create(struct guest *guest, struct dt_node *node, struct emu_device **out);
void emu_device_destroy(struct emu_device *dev);
/** Guest-physical start and bytes of a register frame, defaults included; 0 when there is none. From probe on. */
uint64_t emu_device_frame_start(const struct emu_device *dev, unsigned frame);
uint64_t emu_device_frame_size(const struct emu_device *dev, unsigned frame);
/** Drive the device's interrupt line (n = 0 first). Any context. */
void emu_device_irq(struct emu_device *dev, unsigned n, bool level);

/** SMCCC services (hypercalls) by function id range. */
struct smccc_service {
    uint32_t first, last; /**< ids, bit 30 (64-bit convention) ignored */
    /** x[0..17] in and out. Normal context, IRQs masked. */
    void (*call)(struct vcpu *vcpu, uint64_t x[18]);
};
#define SMCCC_SERVICE(s) TABLE_ENTRY(smccc_services, struct smccc_service, s)
