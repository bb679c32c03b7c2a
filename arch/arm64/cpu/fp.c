// SPDX-License-Identifier: Apache-2.0
// FP/SIMD by trap and ownership, for guests and for threads that declare it: registers are loaded at the first use, and
// written back when another needs them (guests) or at the switch away (threads, which move between CPUs without a world).
#include <arm64/fp.h>
#include <arm64/sysreg.h>

#include <arch/barrier.h>
#include <hv/ctx.h>
#include <hv/panic.h>
#include <hv/sched.h>

/*
 * Whose state the registers of this CPU hold. dirty: memory is behind, which is so only of the VCPU whose world is loaded
 * here and of the thread that runs; any other is compared with, never looked into, as it may be gone.
 */
struct fp_owner {
    struct vcpu *vcpu;
    bool dirty;
};
DECLARE_PER_CPU(struct fp_owner, fp_owner);
DEFINE_PER_CPU(struct fp_owner, fp_owner);

/* Traps of this CPU. They belong to the VCPU that runs, or whose world is loaded. */
static void set_trap(struct vcpu *vcpu, bool trap)
{
    uint64_t cptr = sysreg_read(cptr_el2);

    cptr = trap ? cptr | CPTR_TFP : cptr & ~CPTR_TFP;
    if (vcpu->is_normal)
        vcpu->arch.cptr = cptr;
    sysreg_write(cptr_el2, cptr);
    vcpu->arch.fp_open = !trap;
}

/* What is still in the registers from the last time is not loaded again. */
void fp_load(struct vcpu *vcpu)
{
    struct fp_owner *owner = &this_cpu(fp_owner);
    uint8_t here = (uint8_t)(cpu_id() + 1);

    set_trap(vcpu, false);
    arch_barrier_context();
    if (owner->vcpu != vcpu || vcpu->arch.fp_cpu != here) {
        if (owner->dirty)
            fp_regs_save(&owner->vcpu->arch.fp);
        fp_regs_load(&vcpu->arch.fp);
        owner->vcpu = vcpu;
        vcpu->arch.fp_cpu = here;
    }
    owner->dirty = true;
}

static bool is_live(const struct vcpu *vcpu)
{
    return this_cpu(fp_owner).vcpu == vcpu && this_cpu(fp_owner).dirty;
}

void fp_save(struct vcpu *vcpu)
{
    if (!is_live(vcpu))
        return;
    set_trap(vcpu, false);
    arch_barrier_context();
    fp_regs_save(&vcpu->arch.fp);
    this_cpu(fp_owner).dirty = false;
    set_trap(vcpu, true);
}

void fp_forget(struct vcpu *vcpu)
{
    if (this_cpu(fp_owner).vcpu == vcpu)
        this_cpu(fp_owner) = (struct fp_owner){0};
    set_trap(vcpu, true);
}

void fp_resume(struct vcpu *vcpu)
{
    if (is_live(vcpu))
        set_trap(vcpu, false);
}

void fp_leave(struct vcpu *prev)
{
    if (!prev->is_normal && is_live(prev))
        fp_save(prev);
    else
        set_trap(prev, true);
    arch_barrier_context();
}

bool fp_trap_thread(void)
{
    struct vcpu *vcpu = sched_current();

    if (ctx_current() != CTX_ORPHAN || !vcpu->uses_fp)
        return false;
    fp_load(vcpu);
    return true;
}
