// SPDX-License-Identifier: Apache-2.0
// One access of a guest to an emulated device, on its way from the trap to the device and back. Room: guest.
#pragma once

#include <arch/addr.h>
#include <stdbool.h>
#include <stdint.h>

struct vcpu;

struct emu_access {
    gpa_t addr;      /**< guest-physical */
    uint64_t offset; /**< in the register frame, < frame size; found by hv_guest_mmio() */
    uint64_t value; /**< to write (low size bytes count); or 0, then what was read, zero-extended; for a device in the host's byte order */
    struct vcpu *vcpu; /**< who accesses; NULL in tests */
    unsigned frame;    /**< index of the frame in reg; found by hv_guest_mmio() */
    uint8_t size;      /**< 1, 2, 4, 8 */
    bool is_write;
    bool swap; /**< the guest's data byte order is not the host's */
};
