// SPDX-License-Identifier: Apache-2.0
// Self-hosted debug of guests: breakpoints and watchpoints belong to the world of a VCPU that uses them.
#pragma once

#include <arm64/sysreg.h>
#include <hv/vcpu.h>
#include <stdbool.h>

/** Registers of a VCPU that has used them; off on this CPU then. */
void debug_save_used(struct vcpu *vcpu);
void debug_load_used(struct vcpu *vcpu);

static inline void debug_save(struct vcpu *vcpu)
{
    if (unlikely(vcpu->arch.debug_used))
        debug_save_used(vcpu);
}

static inline void debug_load(struct vcpu *vcpu)
{
    sysreg_write(oslar_el1, vcpu->arch.os_lock);
    if (unlikely(vcpu->arch.debug_used))
        debug_load_used(vcpu);
}

void debug_forget(struct vcpu *vcpu);
/** OSLAR_EL1.OSLK; the VCPU runs. */
void debug_set_lock(struct vcpu *vcpu, bool lock);
/** Memory of a register that traps: which = 0..3: BVR, BCR, WVR, WCR. NULL: the CPU has not so many. */
uint64_t *debug_register(struct vcpu *vcpu, unsigned number, unsigned which);
/** First use of a debug register: from now on the guest owns them (no more traps). */
void debug_grant(struct vcpu *vcpu);
/** All breakpoints off on this CPU. */
void debug_init_cpu(void);
