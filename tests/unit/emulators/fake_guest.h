// SPDX-License-Identifier: Apache-2.0
// A guest of hand-made VCPUs with a virtual GIC, for tests of emulators: no memory, no scheduler; the test plays the guest's CPUs.
#pragma once

#include <arch/guest_irq.h>
#include <hv/emulator.h>
#include <hv/guest.h>
#include <stdbool.h>
#include <stdint.h>

#define FAKE_VCPUS_MAX 20
#define FAKE_SPURIOUS 1023

struct fake_guest {
    struct guest guest;
    struct vcpu vcpus[FAKE_VCPUS_MAX];
    struct vcpu *by_subid[FAKE_VCPUS_MAX];
    struct dt_node node;
    struct emu_device gic;
    unsigned current;
    unsigned physical_ends; /**< deactivations of hardware-linked interrupts by the guest */
    uint32_t physical_last;
};

extern struct fake_guest fake;

/** Memory for the heap; once in a program, and everything else at its start for each test. */
void fake_boot(void);
/** The emulator of the linked table with this name. */
const struct emulator *fake_emulator(const char *name);
/** A guest of vcpu_count VCPUs with a vGIC (2 or 3) on a host with lr_count list registers. */
void fake_create(unsigned version, unsigned vcpu_count, unsigned lr_count);
void fake_destroy(void);

/** Let the guest's VCPU n be the one whose world is loaded. */
struct vcpu *fake_switch(unsigned n);
/** The current VCPU's way out: takes maintenance, flushes when asked to. True when it flushed. */
bool fake_enter(void);
/** The guest acknowledges its most urgent interrupt (FAKE_SPURIOUS: none), and ends it. source as in GICC_IAR. */
uint32_t fake_ack(void);
uint32_t fake_ack_source(unsigned *source);
void fake_end(uint32_t intid);
/** Enter, acknowledge, end: what was taken. */
uint32_t fake_take(void);
/** List register of the current VCPU that holds intid; NULL: none. */
const struct guest_irq_lr *fake_lr(uint32_t intid);

/** Accesses to the vGIC by the current VCPU; a failed read is an assertion. */
int fake_access(unsigned frame, uint64_t offset, unsigned size, bool is_write, uint64_t *value);
uint32_t gicd_read(uint32_t offset);
void gicd_write(uint32_t offset, uint32_t value);
uint32_t gicr_read(unsigned vcpu, uint32_t offset);
void gicr_write(unsigned vcpu, uint32_t offset, uint32_t value);

/** Accesses to any device. */
uint64_t device_read(struct emu_device *dev, uint64_t offset, unsigned size);
void device_write(struct emu_device *dev, uint64_t offset, unsigned size, uint64_t value);
