// SPDX-License-Identifier: Apache-2.0
// Stopping a VCPU for a moment to look at it.

#include <hv/vcpu_debug.h>
#include <lib/errno.h>

/* Longest wait for it to stop. */
#define WAIT_NS (2 * 1000000000ULL)

int vcpu_debug_stop(struct vcpu *vcpu, bool *resume)
{
    int err;

    *resume = false;
    if (vcpu->state == VCPU_HALTED)
        return 0;
    err = vcpu_pause(vcpu, VCPU_REASON_DEBUG);
    *resume = err == 0 || err == -EINPROGRESS;
    if (err == -EINPROGRESS) {
        err = vcpu_wait_settled(vcpu, WAIT_NS);
        if (err < 0) {
            (void)vcpu_resume(vcpu, VCPU_REASON_DEBUG);
            *resume = false;
        }
    }
    return err == -EALREADY ? 0 : err;
}

void vcpu_debug_go(struct vcpu *vcpu, bool resume)
{
    if (resume)
        (void)vcpu_resume(vcpu, VCPU_REASON_DEBUG);
}
