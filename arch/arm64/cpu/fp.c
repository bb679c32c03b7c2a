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
    uint64_t cptr = vcpu->is_normal ? vcpu->arch.cptr : sysreg_read(cptr_el2);

    cptr = trap ? cptr | CPTR_TFP : cptr & ~CPTR_TFP;
    vcpu->arch.cptr = cptr;
    sysreg_write(cptr_el2, cptr);
    vcpu->arch.fp_open = !trap;
}

/* Those of the VCPU before are not in memory yet. */
static NOINLINE void exchange(struct vcpu *before, struct vcpu *vcpu)
{
    fp_regs_save(&before->arch.fp);
    fp_regs_load(&vcpu->arch.fp);
}

/* Make the registers of this CPU hold this VCPU's state. FP does not trap. */
static inline void take_registers(struct vcpu *vcpu, unsigned cpu)
{
    struct fp_owner *owner = &this_cpu(fp_owner);
    struct vcpu *before = owner->vcpu;
    uint8_t here = (uint8_t)(cpu + 1);
    bool there = before == vcpu && vcpu->arch.fp_cpu == here;
    bool behind = owner->dirty;

    owner->vcpu = vcpu;
    owner->dirty = true;
    vcpu->arch.fp_cpu = here;
    if (there)
        return;
    if (unlikely(behind))
        exchange(before, vcpu);
    else
        fp_regs_load(&vcpu->arch.fp);
}

/* What is still in the registers from the last time is not loaded again. */
void fp_load(struct vcpu *vcpu)
{
    set_trap(vcpu, false);
    arch_barrier_context();
    take_registers(vcpu, cpu_id());
    vcpu->arch.fp_turns = FP_EAGER_TURNS;
}

void fp_enter(struct vcpu *vcpu)
{
    take_registers(vcpu, (unsigned)vcpu->arch.world_cpu);
}

static bool is_live(const struct vcpu *vcpu)
{
    return this_cpu(fp_owner).vcpu == vcpu && this_cpu(fp_owner).dirty;
}

static NOINLINE void open_trap(void)
{
    sysreg_write(cptr_el2, sysreg_read(cptr_el2) & ~CPTR_TFP);
    arch_barrier_context();
}

void fp_save(struct vcpu *vcpu)
{
    struct fp_owner *owner = &this_cpu(fp_owner);

    vcpu->arch.cptr |= CPTR_TFP;
    vcpu->arch.fp_open = false;
    if (owner->vcpu != vcpu || !owner->dirty)
        return;
    if (unlikely(sysreg_read(cptr_el2) & CPTR_TFP))
        open_trap();
    owner->dirty = false;
    fp_regs_save(&vcpu->arch.fp);
}

void fp_close(void)
{
    sysreg_write(cptr_el2, sysreg_read(cptr_el2) | CPTR_TFP);
    arch_barrier_context();
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
    if (!prev->is_normal)
        fp_save(prev);
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
