// SPDX-License-Identifier: Apache-2.0
// Back-traces of threads, and of guests' VCPUs through their own page tables. Room: debug.
#pragma once

#include <hv/vcpu.h>
#include <stdbool.h>
#include <stdint.h>

#define BACKTRACE_DEPTH 32

struct backtrace {
    unsigned count;
    uint64_t pc[BACKTRACE_DEPTH]; /**< innermost first; the first is where it is, the others return addresses */
};

/**
 * Of hypervisor code on the stack of the VCPU (normal or orphan) with this id, whatever it does now.
 * A count of 0: it runs its guest. Orphan. -ENOENT, -EAGAIN (it did not stay on one CPU).
 */
int backtrace_hypervisor(uint32_t id, struct backtrace *out);

/**
 * Of the guest's own code, by the frame records of the AAPCS64. A VCPU that runs is stopped for a
 * moment; what the guest's memory holds is followed as far as it makes sense. The caller keeps the
 * VCPU alive. Orphan. -ETIMEDOUT (it does not stop), -EINVAL (its state has no registers).
 */
int backtrace_guest(struct vcpu *vcpu, struct backtrace *out);
