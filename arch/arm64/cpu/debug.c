// SPDX-License-Identifier: Apache-2.0
// Breakpoint and watchpoint registers, switched only for VCPUs that have touched them (Arm ARM D2).
#include <arm64/debug.h>
#include <arm64/idreg.h>
#include <arm64/sysreg.h>
#include <arm64/world.h>

#include <lib/string.h>

/* System register names carry their number, so that each access is an instruction of its own. */
#define FOR_EACH_DEBUG_REG(X)                                                                      \
    X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)

static void save_breakpoints(struct arm64_debug *d, unsigned count)
{
#define X(n)                                                                                       \
    if (n < count) {                                                                               \
        d->bvr[n] = sysreg_read(dbgbvr##n##_el1);                                                  \
        d->bcr[n] = sysreg_read(dbgbcr##n##_el1);                                                  \
    }
    FOR_EACH_DEBUG_REG(X)
#undef X
}

static void save_watchpoints(struct arm64_debug *d, unsigned count)
{
#define X(n)                                                                                       \
    if (n < count) {                                                                               \
        d->wvr[n] = sysreg_read(dbgwvr##n##_el1);                                                  \
        d->wcr[n] = sysreg_read(dbgwcr##n##_el1);                                                  \
    }
    FOR_EACH_DEBUG_REG(X)
#undef X
}

static void load_breakpoints(const struct arm64_debug *d, unsigned count)
{
#define X(n)                                                                                       \
    if (n < count) {                                                                               \
        sysreg_write(dbgbvr##n##_el1, d->bvr[n]);                                                  \
        sysreg_write(dbgbcr##n##_el1, d->bcr[n]);                                                  \
    }
    FOR_EACH_DEBUG_REG(X)
#undef X
}

static void load_watchpoints(const struct arm64_debug *d, unsigned count)
{
#define X(n)                                                                                       \
    if (n < count) {                                                                               \
        sysreg_write(dbgwvr##n##_el1, d->wvr[n]);                                                  \
        sysreg_write(dbgwcr##n##_el1, d->wcr[n]);                                                  \
    }
    FOR_EACH_DEBUG_REG(X)
#undef X
}

static void load_all(const struct arm64_debug *d)
{
    load_breakpoints(d, idreg_breakpoints());
    load_watchpoints(d, idreg_watchpoints());
}

static const struct arm64_debug all_off;

void debug_init_cpu(void)
{
    load_all(&all_off);
}

void debug_save_used(struct vcpu *vcpu)
{
    save_breakpoints(&vcpu->arch.debug, idreg_breakpoints());
    save_watchpoints(&vcpu->arch.debug, idreg_watchpoints());
    load_all(&all_off); /* they must not fire in the next guest */
}

void debug_load_used(struct vcpu *vcpu)
{
    load_all(&vcpu->arch.debug);
}

void debug_forget(struct vcpu *vcpu)
{
    if (vcpu->arch.debug_used)
        load_all(&all_off);
}

uint64_t *debug_register(struct vcpu *vcpu, unsigned number, unsigned which)
{
    struct arm64_debug *d = &vcpu->arch.debug;
    uint64_t *of[] = {d->bvr, d->bcr, d->wvr, d->wcr};

    if (number >= (which < 2 ? idreg_breakpoints() : idreg_watchpoints()))
        return NULL;
    return &of[which][number];
}

static bool is_all_off(const struct arm64_debug *d)
{
    return memcmp(d, &all_off, sizeof(*d)) == 0;
}

/*
 * With the OS lock set nothing fires, and MDSCR_EL1 would take bits that belong to an external debugger: all of it traps,
 * and the registers are in memory.
 */
void debug_set_lock(struct vcpu *vcpu, bool lock)
{
    vcpu->arch.os_lock = lock;
    if (lock && vcpu->arch.debug_used) {
        debug_save_used(vcpu);
        vcpu->arch.debug_used = false;
        vcpu->arch.mdcr |= MDCR_TDA;
        world_write_controls(vcpu);
    } else if (!lock && !vcpu->arch.debug_used && !is_all_off(&vcpu->arch.debug)) {
        debug_grant(vcpu);
    }
    sysreg_write(oslar_el1, lock);
}

void debug_grant(struct vcpu *vcpu)
{
    vcpu->arch.debug_used = true;
    vcpu->arch.mdcr &= ~MDCR_TDA;
    world_write_controls(vcpu);
    load_all(&vcpu->arch.debug);
}
