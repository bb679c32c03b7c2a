// SPDX-License-Identifier: Apache-2.0
// Dispatch of guest exits by exception class; what no handler knows is UNDEFINED for that guest.
#include <arm64/esr.h>
#include <arm64/fp.h>
#include <arm64/sysreg.h>
#include <arm64/trap.h>

#include <hv/upcall.h>

#define ISS_WFX_TI(esr) ((esr)&3)
#define WFX_WFI 0
#define IMM16(esr) ((esr)&0xffff)

static void trap_undef(struct vcpu *vcpu, struct arm64_frame *frame, uint64_t esr)
{
    (void)vcpu;
    trap_inject_undef(frame, esr);
}

static void trap_wfx(struct vcpu *vcpu, struct arm64_frame *frame, uint64_t esr)
{
    trap_skip(frame, esr);
    if (ISS_WFX_TI(esr) == WFX_WFI)
        hv_vcpu_wait(vcpu);
}

/* SMCCC reserves all immediates but 0; they get the answer of an unknown function. */
static void hypercall(struct vcpu *vcpu, struct arm64_frame *frame, uint64_t esr, bool is_smc)
{
    if (unlikely(IMM16(esr)))
        frame->x[0] = ~0UL;
    else
        hv_hypercall(vcpu, frame->x, is_smc);
}

static void trap_hvc(struct vcpu *vcpu, struct arm64_frame *frame, uint64_t esr)
{
    hypercall(vcpu, frame, esr, false);
}

/* A trapped SMC, unlike HVC, leaves PC on the instruction. */
static void trap_smc(struct vcpu *vcpu, struct arm64_frame *frame, uint64_t esr)
{
    trap_skip(frame, esr);
    hypercall(vcpu, frame, esr, true);
}

static void trap_fp(struct vcpu *vcpu, struct arm64_frame *frame, uint64_t esr)
{
    (void)frame;
    (void)esr;
    fp_load(vcpu);
}

static const trap_handler handlers[EC_COUNT] = {
    [EC_WFX] = trap_wfx,
    [EC_CP15_32] = trap_aarch32,
    [EC_CP15_64] = trap_aarch32,
    [EC_CP14_32] = trap_aarch32,
    [EC_CP14_LS] = trap_aarch32,
    [EC_CP10_ID] = trap_aarch32,
    [EC_CP14_64] = trap_aarch32,
    [EC_FP] = trap_fp,
    [EC_HVC64] = trap_hvc,
    [EC_SMC64] = trap_smc,
    [EC_SYSREG] = trap_sysreg,
    [EC_IABT_LOW] = trap_instruction_abort,
    [EC_DABT_LOW] = trap_data_abort,
};

void trap_guest_sync(struct vcpu *vcpu, struct arm64_frame *frame)
{
    uint64_t esr = sysreg_read(esr_el2);
    trap_handler handler = handlers[ESR_EC(esr)];

    vcpu->exits++;
    if (unlikely(!handler))
        handler = trap_undef;
    handler(vcpu, frame, esr);
}

void trap_guest_irq(struct vcpu *vcpu, struct arm64_frame *frame)
{
    (void)frame;
    vcpu->exits++;
    hv_irq();
}

void trap_guest_serror(struct vcpu *vcpu, struct arm64_frame *frame)
{
    (void)frame;
    vcpu->exits++;
    hv_guest_fault(vcpu, "SError (asynchronous external abort)", sysreg_read(esr_el2));
}
