// SPDX-License-Identifier: Apache-2.0
// The latest exception that a guest's own doing brought on a VCPU, kept for the operator. Room: sched.
#pragma once

#include <stdbool.h>
#include <stdint.h>

/**
 * Written by the port on the VCPU's CPU when it gives the guest an exception (or ends the guest for
 * one); cleared at a reset of the guest. Readers take no lock: while the VCPU runs, fields may be
 * one fault apart.
 */
struct vcpu_fault {
    uint64_t count;    /**< since the guest's last reset; all else is of the latest */
    uint64_t syndrome; /**< as the guest sees it: arch_fault_text() */
    uint64_t pc;
    uint64_t va;   /**< the address that was accessed */
    uint64_t ipa;  /**< the same, guest-physical */
    uint64_t when; /**< host's counter */
    bool has_address, has_ipa;
};
