// SPDX-License-Identifier: Apache-2.0
// FP/SIMD ownership: the registers belong to the loaded world, and are loaded and saved only if the guest uses them.
#include <arm64/fp.h>
#include <arm64/sysreg.h>

#include <arch/barrier.h>

static void set_trap(struct vcpu *vcpu, bool trap)
{
    vcpu->arch.cptr = trap ? vcpu->arch.cptr | CPTR_TFP : vcpu->arch.cptr & ~CPTR_TFP;
    sysreg_write(cptr_el2, vcpu->arch.cptr);
    arch_barrier_context();
}

void fp_load(struct vcpu *vcpu)
{
    set_trap(vcpu, false);
    fp_regs_load(&vcpu->arch.fp);
    vcpu->arch.fp_valid = true;
}

void fp_save(struct vcpu *vcpu)
{
    if (!vcpu->arch.fp_valid)
        return;
    fp_regs_save(&vcpu->arch.fp);
    fp_forget(vcpu);
}

void fp_forget(struct vcpu *vcpu)
{
    vcpu->arch.fp_valid = false;
    set_trap(vcpu, true);
}
