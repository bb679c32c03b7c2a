// SPDX-License-Identifier: Apache-2.0
// Dispatch of guest exits by exception class; what no handler knows is UNDEFINED for that guest.
#include <arm64/esr.h>
#include <arm64/fp.h>
#include <arm64/sysreg.h>
#include <arm64/trap.h>

#include <hv/upcall.h>

#include <stddef.h>

#define ISS_WFX_TI(esr) ((esr)&3)
#define WFX_WFI 0
#define IMM16(esr) ((esr)&0xffff)

static void trap_undef(struct vcpu *vcpu, struct arm64_frame *frame, uint64_t esr)
{
    (void)vcpu;
    trap_inject_undef(frame, esr);
}

/* One whose condition fails may trap as well, and does nothing. */
static NOINLINE void wfx_aarch32(struct vcpu *vcpu, struct arm64_frame *frame, uint64_t esr)
{
    trap_skip_aarch32(frame, esr);
    if (ISS_WFX_TI(esr) == WFX_WFI && trap_condition_holds(esr, frame->spsr))
        hv_vcpu_wait(vcpu);
}

static void trap_wfx(struct vcpu *vcpu, struct arm64_frame *frame, uint64_t esr)
{
    if (unlikely(frame->spsr & SPSR_M_AARCH32)) {
        wfx_aarch32(vcpu, frame, esr);
        return;
    }
    trap_skip(frame, esr);
    if (ISS_WFX_TI(esr) == WFX_WFI)
        hv_vcpu_wait(vcpu);
}

/* SMCCC reserves all immediates but 0; they get the answer of an unknown function. */
static void trap_hvc(struct vcpu *vcpu, struct arm64_frame *frame, uint64_t esr)
{
    if (unlikely(IMM16(esr)))
        frame->x[0] = ~0UL;
    else
        hv_hypercall(vcpu, frame->x);
}

/* A trapped SMC, unlike HVC, leaves PC on the instruction. */
static void trap_smc(struct vcpu *vcpu, struct arm64_frame *frame, uint64_t esr)
{
    trap_skip(frame, esr);
    trap_hvc(vcpu, frame, esr);
}

static void trap_fp(struct vcpu *vcpu, struct arm64_frame *frame, uint64_t esr)
{
    (void)frame;
    (void)esr;
    fp_load(vcpu);
}

static_assert(sizeof(struct trap_class) == 16, "vectors.S indexes by a shift");

#define CLASS(fn, cause)                                                                           \
    {                                                                                              \
        .handler = (fn), .stat = offsetof(struct vcpu, exit_stats[cause])                          \
    }

/* What is not named is UNDEFINED for the guest. */
const struct trap_class trap_classes[EC_COUNT] = {
    [0x00] = CLASS(trap_undef, EXIT_OTHER),
    [EC_WFX] = CLASS(trap_wfx, EXIT_WAIT),
    [0x02] = CLASS(trap_undef, EXIT_OTHER),
    [EC_CP15_32] = CLASS(trap_aarch32, EXIT_REGISTER),
    [EC_CP15_64] = CLASS(trap_aarch32, EXIT_REGISTER),
    [EC_CP14_32] = CLASS(trap_aarch32, EXIT_REGISTER),
    [EC_CP14_LS] = CLASS(trap_aarch32, EXIT_REGISTER),
    [EC_FP] = CLASS(trap_fp, EXIT_FP),
    [EC_CP10_ID] = CLASS(trap_aarch32, EXIT_REGISTER),
    [0x09 ... 0x0b] = CLASS(trap_undef, EXIT_OTHER),
    [EC_CP14_64] = CLASS(trap_aarch32, EXIT_REGISTER),
    [0x0d ... 0x15] = CLASS(trap_undef, EXIT_OTHER),
    [EC_HVC64] = CLASS(trap_hvc, EXIT_HYPERCALL),
    [EC_SMC64] = CLASS(trap_smc, EXIT_HYPERCALL),
    [EC_SYSREG] = CLASS(trap_sysreg, EXIT_REGISTER),
    [0x19 ... 0x1f] = CLASS(trap_undef, EXIT_OTHER),
    [EC_IABT_LOW] = CLASS(trap_instruction_abort, EXIT_FETCH),
    [0x21 ... 0x23] = CLASS(trap_undef, EXIT_OTHER),
    [EC_DABT_LOW] = CLASS(trap_data_abort, EXIT_MEMORY),
    [0x25 ... 0x3f] = CLASS(trap_undef, EXIT_OTHER),
};

void trap_guest_serror(struct vcpu *vcpu, struct arm64_frame *frame)
{
    uint64_t esr = sysreg_read(esr_el2);

    trap_fault_record(frame, esr);
    hv_guest_fault(vcpu, "SError (asynchronous external abort)", esr);
}
