// SPDX-License-Identifier: Apache-2.0
// Saving and loading worlds. A world stays loaded while threads run; only another normal VCPU displaces it.
#include <arm64/debug.h>
#include <arm64/fp.h>
#include <arm64/gic.h>
#include <arm64/guest_timer.h>
#include <arm64/idreg.h>
#include <arm64/pauth.h>
#include <arm64/stage2.h>
#include <arm64/sysreg.h>
#include <arm64/world.h>

#include <arch/barrier.h>
#include <arch/irqflags.h>
#include <arch/vcpu.h>
#include <hv/guest.h>
#include <hv/panic.h>
#include <hv/smp.h>

DEFINE_PER_CPU(struct vcpu *, world_owner);

/* On any CPU: those that read as zero whatever is written hold nothing of a guest's. */
static bool has_impdef;
/* Registers of features that guests do not have, and that can not be trapped either: zero for the next one. */
static bool has_tpidr2, has_vdisr;
/* Any of these. */
static bool has_rare;

static inline void save_registers(uint64_t *world)
{
#define Q(a, b, c, d)                                                                              \
    {                                                                                              \
        uint64_t ra = sysreg_read(a), rb = sysreg_read(b);                                         \
        uint64_t rc = sysreg_read(c), rd = sysreg_read(d);                                         \
                                                                                                   \
        world[WORLD_##a] = ra;                                                                     \
        world[WORLD_##b] = rb;                                                                     \
        world[WORLD_##c] = rc;                                                                     \
        world[WORLD_##d] = rd;                                                                     \
    }
    ARM64_WORLD_QUADS(Q)
#undef Q
#define X(name) world[WORLD_##name] = sysreg_read(name);
    ARM64_WORLD_SINGLE(X)
    if (unlikely(has_impdef)) {
        ARM64_WORLD_IMPDEF(X)
    }
#undef X
}

static NOINLINE void load_rare(const uint64_t *world)
{
#define X(name) sysreg_write(name, world[WORLD_##name]);
    if (has_impdef) {
        ARM64_WORLD_IMPDEF(X)
    }
#undef X
    if (has_tpidr2)
        sysreg_write_named(TPIDR2_EL0, 0);
    if (has_vdisr)
        sysreg_write_named(VDISR_EL2, 0);
}

static inline void load_registers(const uint64_t *world)
{
#define Q(a, b, c, d)                                                                              \
    {                                                                                              \
        uint64_t ra = world[WORLD_##a], rb = world[WORLD_##b];                                     \
        uint64_t rc = world[WORLD_##c], rd = world[WORLD_##d];                                     \
                                                                                                   \
        sysreg_write(a, ra);                                                                       \
        sysreg_write(b, rb);                                                                       \
        sysreg_write(c, rc);                                                                       \
        sysreg_write(d, rd);                                                                       \
    }
    ARM64_WORLD_QUADS(Q)
#undef Q
#define X(name) sysreg_write(name, world[WORLD_##name]);
    ARM64_WORLD_SINGLE(X)
#undef X
    if (unlikely(has_rare))
        load_rare(world);
}

void world_init_cpu(void)
{
#define X(name)                                                                                    \
    sysreg_write(name, ~0UL);                                                                      \
    has_impdef |= sysreg_read(name) != 0;                                                          \
    sysreg_write(name, 0);
    ARM64_WORLD_IMPDEF(X)
#undef X
    has_tpidr2 |= idreg_has_sme();
    has_vdisr |= idreg_has_ras();
    has_rare = has_impdef || has_tpidr2 || has_vdisr;
}

void world_write_controls(struct vcpu *vcpu)
{
    sysreg_write(hcr_el2, vcpu->arch.hcr);
    sysreg_write(cptr_el2, vcpu->arch.cptr);
    sysreg_write(mdcr_el2, vcpu->arch.mdcr);
    sysreg_write(cnthctl_el2, vcpu->arch.cnthctl);
}

static inline void save_world_of(struct vcpu *owner)
{
    save_registers(owner->arch.world);
    guest_timer_save(owner);
    gic_guest_save(&owner->arch.gic);
    fp_save(owner);
    pauth_save(owner);
    debug_save(owner);
    __atomic_store_n(&owner->arch.world_cpu, -1, __ATOMIC_RELEASE);
}

void world_forget(void)
{
    struct vcpu *owner = this_cpu(world_owner);

    if (!owner)
        return;
    guest_timer_forget(owner);
    gic_guest_forget();
    fp_forget(owner);
    debug_forget(owner);
    stage2_unload();
    __atomic_store_n(&owner->arch.world_cpu, -1, __ATOMIC_RELEASE);
    this_cpu(world_owner) = NULL;
}

void arch_vcpu_world_load(struct vcpu *vcpu)
{
    struct vcpu **slot = &this_cpu(world_owner);
    bool eager_fp;

    if (*slot == vcpu) {
        fp_resume(vcpu);
        return;
    }
    if (likely(*slot != NULL))
        save_world_of(*slot);
    ASSERT(vcpu->arch.world_cpu < 0);
    *slot = vcpu;
    vcpu->arch.world_cpu = (int)cpu_id();
    eager_fp = fp_expect(vcpu);
    world_write_controls(vcpu);
    sysreg_write(vmpidr_el2, vcpu->arch.vmpidr);
    stage2_load(vcpu);
    load_registers(vcpu->arch.world);
    pauth_load(vcpu);
    debug_load(vcpu);
    gic_guest_load(&vcpu->arch.gic);
    guest_timer_load(vcpu);
    arch_barrier_context();
    if (eager_fp)
        fp_enter(vcpu);
}

void arch_vcpu_world_unload(struct vcpu *vcpu)
{
    if (this_cpu(world_owner) != vcpu)
        return;
    save_world_of(vcpu);
    this_cpu(world_owner) = NULL;
    fp_close();
    stage2_unload();
}

bool arch_vcpu_world_is_loaded(const struct vcpu *vcpu)
{
    return __atomic_load_n(&vcpu->arch.world_cpu, __ATOMIC_ACQUIRE) >= 0;
}

int arch_vcpu_world_cpu(const struct vcpu *vcpu)
{
    return __atomic_load_n(&vcpu->arch.world_cpu, __ATOMIC_ACQUIRE);
}

static void sync_here(void *arg)
{
    arch_vcpu_world_unload(arg);
}

static void drop_here(void *arg)
{
    if (this_cpu(world_owner) == arg)
        world_forget();
}

static void call_holder(struct vcpu *vcpu, void (*fn)(void *))
{
    int cpu = __atomic_load_n(&vcpu->arch.world_cpu, __ATOMIC_ACQUIRE);

    if (cpu >= 0)
        smp_call(CPU_MASK(cpu), fn, vcpu);
}

void arch_vcpu_sync(struct vcpu *vcpu)
{
    call_holder(vcpu, sync_here);
}

void arch_vcpu_drop(struct vcpu *vcpu)
{
    call_holder(vcpu, drop_here);
    guest_timer_cancel(vcpu);
}
