// SPDX-License-Identifier: Apache-2.0
// Device emulators: one const descriptor each, matched by compatible, reached through guest regions. Room: guest (instances); dispatch is in room emu.
//
// Reset of a guest, in this order; no VCPU of it runs or is loaded anywhere meanwhile:
// 1. the interrupt controller (device 0): all that is shared; the levels of its lines are kept, they belong to the devices
// 2. the other devices, in the order of the configuration. One may drive its lines and send messages, read its node and the clocks, and start or stop its own
//    timers. It must not touch guest memory (which is loaded afterwards), another device, or a VCPU.
// 3. the controller's part of each VCPU, by number: so what a device did to private lines is gone, what it did to shared ones stays
// Saved states of devices are put back in the same order.
#pragma once

#include <hv/dt.h>
#include <hv/emu_access.h>
#include <hv/spinlock.h>
#include <lib/list.h>
#include <lib/table.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct emu_device;
struct guest;
struct vcpu;

#define EMU_WIDTH_8 1
#define EMU_WIDTH_16 2
#define EMU_WIDTH_32 4
#define EMU_WIDTH_64 8

#define EMU_REGISTER_RO 1    /**< writes do nothing */
#define EMU_REGISTER_WO 2    /**< reads as zero */
#define EMU_REGISTER_W1C 4   /**< what is written as one becomes zero */
#define EMU_REGISTER_W1S 8   /**< what is written as one becomes one */
#define EMU_REGISTER_KEEP 16 /**< a reset leaves it alone */

/**
 * One register of frame 0 of a device whose accesses go through emu_register_access(). Without a place it reads as its reset value, and a write only calls
 * the hook. Registers that share a place have the same reset value, or all but one EMU_REGISTER_KEEP. Narrower accesses reach the bytes that they name. Hooks run with the device's lock held.
 */
struct emu_register {
    uint32_t offset; /**< a multiple of size; a table is sorted by it */
    uint8_t size;    /**< bytes: 1, 2, 4, 8 */
    uint8_t flags;   /**< EMU_REGISTER_* */
    uint8_t widths;  /**< EMU_WIDTH_* that it takes, others are -EFAULT; 0: up to its size */
    bool has_place;
    uint16_t place; /**< offset in the state block */
    uint64_t mask;  /**< bits that a write changes; the others keep their value */
    uint64_t reset;
    /** Value instead of what is in its place. NULL: that. */
    uint64_t (*read)(struct emu_device *dev);
    /** After a write; value is what was written, with the bytes that a narrow one left alone. NULL: nothing more. */
    void (*write)(struct emu_device *dev, uint64_t value);
};
/** Initialisers: where it is in struct type. */
#define EMU_PLACE(type, member) .has_place = true, .place = offsetof(type, member)
/** The eight identification registers at the end of a PrimeCell's 4 KiB; id is a list of eight bytes. */
#define EMU_PRIMECELL_ID(i0, i1, i2, i3, i4, i5, i6, i7)                                           \
    EMU_CONSTANT(0xfe0, i0), EMU_CONSTANT(0xfe4, i1), EMU_CONSTANT(0xfe8, i2),                     \
        EMU_CONSTANT(0xfec, i3), EMU_CONSTANT(0xff0, i4), EMU_CONSTANT(0xff4, i5),                 \
        EMU_CONSTANT(0xff8, i6), EMU_CONSTANT(0xffc, i7)
#define EMU_CONSTANT(at, value)                                                                    \
    {                                                                                              \
        .offset = (at), .size = 4, .flags = EMU_REGISTER_RO, .reset = (value)                      \
    }

struct emulator {
    const char *name;
    const char *const *match; /**< NULL-terminated compatibles of the guest's node */
    unsigned state_size;      /**< plain data without pointers: copying it is a snapshot */
    unsigned version;         /**< of the state's layout: a saved state of another one is refused */
    unsigned widths; /**< EMU_WIDTH_* accepted by the dispatcher; others are -EFAULT. Misaligned accesses never arrive. */
    /** For emu_register_access() and emu_register_reset(), sorted; what is not in it reads as zero and ignores writes. */
    const struct emu_register *registers;
    unsigned register_count;
    /** Allocates what the device needs beyond state; reads its node. Orphan. Errors are reported by the caller with node name. NULL: nothing to do. */
    int (*probe)(struct emu_device *dev);
    /** Power-on state; see the order above. Orphan. NULL: nothing to do. */
    void (*reset)(struct emu_device *dev);
    /** An access checked for alignment and size. 0 or -EFAULT (the guest gets an external abort). Normal context, IRQs masked on entry; takes its own locks, holds none across a sleep. */
    int (*access)(struct emu_device *dev, struct emu_access *access);
    /** Frees what probe took. Orphan. NULL: nothing to do. */
    void (*remove)(struct emu_device *dev);

    /** Registers were written through the table, or reset: lines and timers follow from the state. The device's lock is held. NULL: nothing to do. */
    void (*changed)(struct emu_device *dev);

    /* Saved states: no VCPU runs, so that nothing but timers and input changes the state. With the device's lock held, if it has one. */

    /** What is not in the block yet, like the time, goes there before it is copied. NULL: nothing. */
    void (*saving)(struct emu_device *dev);
    /** May this block, which anybody may have made up, become the state? 0 or -EINVAL. NULL: any may. */
    int (*check)(const struct emu_device *dev, const void *state);
    /** The block was replaced: rebuild lines, timers and queues from it. NULL: nothing to do. */
    void (*restored)(struct emu_device *dev);
    /**
     * A device whose state is not in the block says how many bytes it takes (state_size is then its own business), and brings these two instead of the three
     * above. Orphan, no lock held. restore changes nothing when it returns an error.
     */
    size_t (*flat_size)(const struct emu_device *dev);
    void (*flat_save)(struct emu_device *dev, void *to);
    int (*flat_restore)(struct emu_device *dev, const void *from);
};
#define EMULATOR(e) TABLE_ENTRY(emulators, struct emulator, e)

/** An instance in a guest. */
struct emu_device {
    const struct emulator *emulator;
    struct guest *guest;
    struct dt_node *node;
    const char *name;      /**< node name without unit address */
    void *state;           /**< state_size bytes, zeroed */
    struct spinlock *lock; /**< guards state; set by probe. NULL: none is needed */
    void *priv;            /**< the device's second block: queues, timers, locks */
    uint32_t irq;          /**< first SPI as INTID, 0 = none */
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
/** Its remove(), then its memory. No VCPU of the guest runs any more. Orphan. */
void emu_device_destroy(struct emu_device *dev);
/** Guest-physical start and bytes of a register frame, defaults included; 0 when there is none. From probe on. */
uint64_t emu_device_frame_start(const struct emu_device *dev, unsigned frame);
uint64_t emu_device_frame_size(const struct emu_device *dev, unsigned frame);
/** Drive the device's interrupt line (n = 0 first). Any context. */
void emu_device_irq(struct emu_device *dev, unsigned n, bool level);

/** For .access: by the register table, whole. */
int emu_register_access(struct emu_device *dev, struct emu_access *access);
/** The same for a device that has more to do under its lock, which is held; calls hooks of the register, but not changed(). */
int emu_register_access_locked(struct emu_device *dev, struct emu_access *access);
/** For .reset: each place to its reset value, then changed(). */
void emu_register_reset(struct emu_device *dev);

/** Bytes that emu_state_save() takes: a header and the state. Orphan. */
size_t emu_state_size(const struct emu_device *dev);
/** The device's state to buf. No VCPU of the guest runs. Orphan. -ENOSPC: size is too small. */
int emu_state_save(struct emu_device *dev, void *buf, size_t size);
/**
 * Replace the state by one of a device of the same kind, saved here or elsewhere; nothing in it is trusted. Nothing is changed unless it is 0: -EBADMSG (not a
 * saved state, or damaged), -ENODEV (of another kind of device), -EPROTO (of another version), -EINVAL (does not fit this device), -ENOMEM. No VCPU of the guest runs.
 * Orphan.
 */
int emu_state_restore(struct emu_device *dev, const void *buf, size_t size);

/** SMCCC services (hypercalls) by function id range. */
struct smccc_service {
    uint32_t first, last; /**< ids, bit 30 (64-bit convention) ignored */
    /** x[0..17] in and out. Normal context, IRQs masked. */
    void (*call)(struct vcpu *vcpu, uint64_t x[18]);
};
#define SMCCC_SERVICE(s) TABLE_ENTRY(smccc_services, struct smccc_service, s)
