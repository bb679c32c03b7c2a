// SPDX-License-Identifier: Apache-2.0
// FP/SIMD state by trap and ownership.
#pragma once

#include <hv/vcpu.h>
#include <stdbool.h>

/* IRQs masked in all of them. */

/** First use of FP by current: its registers are loaded, those of the one before saved, no more traps. */
void fp_load(struct vcpu *vcpu);
/** Part of world_save(): store the registers if they are this VCPU's; trap. */
void fp_save(struct vcpu *vcpu);
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
