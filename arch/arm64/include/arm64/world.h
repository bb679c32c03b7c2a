// SPDX-License-Identifier: Apache-2.0
// The world of a normal VCPU: EL1 state that stays in the CPU's registers until a different normal VCPU needs them.
#pragma once

#include <hv/percpu.h>
#include <hv/vcpu.h>

/* name, reset value. ARM64_WORLD_COUNT entries; the position is the index in arch_vcpu.world. */
#define ARM64_WORLD_REGS(X)                                                                        \
    X(sctlr_el1, SCTLR_EL1_RESET)                                                                  \
    X(cpacr_el1, 0)                                                                                \
    X(ttbr0_el1, 0)                                                                                \
    X(ttbr1_el1, 0)                                                                                \
    X(tcr_el1, 0)                                                                                  \
    X(mair_el1, 0)                                                                                 \
    X(vbar_el1, 0)                                                                                 \
    X(contextidr_el1, 0)                                                                           \
    X(tpidr_el1, 0)                                                                                \
    X(tpidr_el0, 0)                                                                                \
    X(tpidrro_el0, 0)                                                                              \
    X(sp_el0, 0)                                                                                   \
    X(sp_el1, 0)                                                                                   \
    X(elr_el1, 0)                                                                                  \
    X(spsr_el1, 0)                                                                                 \
    X(esr_el1, 0)                                                                                  \
    X(far_el1, 0)                                                                                  \
    X(par_el1, 0)                                                                                  \
    X(cntkctl_el1, 0)                                                                              \
    X(csselr_el1, 0)                                                                               \
    X(mdscr_el1, 0)                                                                                \
    X(amair_el1, 0)                                                                                \
    X(afsr0_el1, 0)                                                                                \
    X(afsr1_el1, 0)

/* The same in fours, which move in pairs; IMPLEMENTATION DEFINED ones, which most CPUs do not have, by themselves. */
#define ARM64_WORLD_QUADS(Q)                                                                       \
    Q(sctlr_el1, cpacr_el1, ttbr0_el1, ttbr1_el1)                                                  \
    Q(tcr_el1, mair_el1, vbar_el1, contextidr_el1)                                                 \
    Q(tpidr_el1, tpidr_el0, tpidrro_el0, sp_el0)                                                   \
    Q(sp_el1, elr_el1, spsr_el1, esr_el1)                                                          \
    Q(far_el1, par_el1, cntkctl_el1, csselr_el1)
#define ARM64_WORLD_SINGLE(X) X(mdscr_el1)
#define ARM64_WORLD_IMPDEF(X) X(amair_el1) X(afsr0_el1) X(afsr1_el1)

enum arm64_world_index {
#define X(name, reset) WORLD_##name,
    ARM64_WORLD_REGS(X)
#undef X
        WORLD_REGS_END
};
static_assert(WORLD_REGS_END == ARM64_WORLD_COUNT, "ARM64_WORLD_COUNT in <port/vcpu.h>");

/** Whose world this CPU's registers hold; NULL: nobody's. IRQs masked. */
DECLARE_PER_CPU(struct vcpu *, world_owner);

/** Which IMPLEMENTATION DEFINED registers there are. Each CPU, before it loads a world. */
void world_init_cpu(void);
/** Own none, without saving. IRQs masked. */
void world_forget(void);
/** HCR, CPTR, MDCR, CNTHCTL of the VCPU changed while it is loaded: write them. IRQs masked. */
void world_write_controls(struct vcpu *vcpu);
