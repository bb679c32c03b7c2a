// SPDX-License-Identifier: Apache-2.0
// What the exits of a VCPU cost, by cause: always counted, by the port, between vector and return. Room: sched.
#pragma once

#include <stdint.h>

struct vcpu;

enum exit_cause {
    EXIT_WAIT,      /**< WFI, WFE; the waiting itself does not count */
    EXIT_HYPERCALL, /**< HVC, SMC */
    EXIT_REGISTER,  /**< trapped system register or instruction */
    EXIT_MEMORY,    /**< data access: device or stage-2 fault */
    EXIT_FETCH,     /**< instruction fetch that stage 2 refuses */
    EXIT_FP,        /**< first use of FP/SIMD */
    EXIT_INTERRUPT, /**< a host interrupt came */
    EXIT_OTHER,     /**< all others, most of them UNDEFINED for the guest */
    EXIT_CAUSES,
};

/**
 * Times are ticks of the host's counter, from the vector to where the way back begins: being
 * scheduled away and waiting are not in them. Written by the VCPU's CPU; readers take no lock, and
 * figures of one row may be one exit apart.
 */
struct exit_stat {
    uint64_t count;
    uint64_t total;
    uint64_t max;
};

/** Exits of all causes. Any context. */
uint64_t exit_stats_count(const struct vcpu *vcpu);
/** Short lower-case word for tables, like "hypercall". Any context. */
const char *exit_cause_name(enum exit_cause cause);
