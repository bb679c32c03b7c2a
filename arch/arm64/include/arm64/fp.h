// SPDX-License-Identifier: Apache-2.0
// FP/SIMD state by trap and ownership.
#pragma once

#include <hv/vcpu.h>

/** The VCPU's first use of FP since its world was loaded: load its registers, stop trapping. */
void fp_load(struct vcpu *vcpu);
/** Part of world_save(): store the registers if they are this VCPU's. */
void fp_save(struct vcpu *vcpu);
void fp_forget(struct vcpu *vcpu);

/* fp_regs.S, the only code that touches V registers. */
void fp_regs_save(struct arm64_fp *fp);
void fp_regs_load(const struct arm64_fp *fp);
