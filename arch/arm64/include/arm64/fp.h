// SPDX-License-Identifier: Apache-2.0
// FP/SIMD state by trap and ownership.
#pragma once

#include <arm64/sysreg.h>
#include <hv/vcpu.h>
#include <stdbool.h>

/* IRQs masked in all of them. */

/** First use of FP by current: its registers are loaded, those of the one before saved, no more traps. */
void fp_load(struct vcpu *vcpu);
/* So often a world that has used FP gets its registers at once; then it has to show again that it needs them. */
#define FP_EAGER_TURNS 16

/**
 * Part of loading a world, before its controls are written: whether it will use FP, judged by the past. True: FP does not
 * trap, and fp_enter() follows once the controls are in force.
 */
static inline bool fp_expect(struct vcpu *vcpu)
{
    if (vcpu->arch.fp_turns == 0)
        return false;
    vcpu->arch.fp_turns--;
    vcpu->arch.fp_open = true;
    vcpu->arch.cptr &= ~CPTR_TFP;
    return true;
}
void fp_enter(struct vcpu *vcpu);
/** Part of saving a world: store the registers if they are this VCPU's. Trapping is up to the caller: fp_close(), or the next controls. */
void fp_save(struct vcpu *vcpu);
void fp_close(void);
/** Part of world_forget(): its registers are worth nothing any more; trap. */
void fp_forget(struct vcpu *vcpu);
/** Its world is still loaded, and it is about to run again: no traps if its registers are still there. */
void fp_resume(struct vcpu *vcpu);
/** Called by arch_vcpu_switch() when FP does not trap: it does for whoever comes. */
void fp_leave(struct vcpu *prev);
/** The hypervisor's own code used FP. True: a thread that may, and now can; false: a bug. */
bool fp_trap_thread(void);

/* fp_regs.S, the only code that touches V registers. */
void fp_regs_save(struct arm64_fp *fp);
void fp_regs_load(const struct arm64_fp *fp);
