// SPDX-License-Identifier: Apache-2.0
// Exceptions delivered into a guest, bit for bit as hardware would take them to EL1.
#include <arm64/esr.h>
#include <arm64/sysreg.h>
#include <arm64/trap.h>

#include <arch/time.h>
#include <arch/vcpu.h>
#include <hv/vcpu.h>

#define VECTOR_SP0 0x000
#define VECTOR_SPX 0x200
#define VECTOR_LOWER_64 0x400
#define VECTOR_LOWER_32 0x600

#define SCTLR_EL1_SPAN BIT(23)
#define SCTLR_EL1_DSSBS BIT(44)
#define MMFR1_PAN(mmfr1) (((mmfr1) >> 20) & 0xf)
#define PFR1_SSBS(pfr1) (((pfr1) >> 4) & 0xf)

#define EC_SHIFT 26
#define T32_IT_MASK 0x0600fc00UL

static uint64_t vector_offset(uint64_t spsr)
{
    if (spsr & SPSR_M_AARCH32)
        return VECTOR_LOWER_32;
    switch (spsr & SPSR_M_MASK) {
    case SPSR_M_EL1H:
        return VECTOR_SPX;
    case SPSR_M_EL1T:
        return VECTOR_SP0;
    default:
        return VECTOR_LOWER_64;
    }
}

/* PSTATE on entry to EL1: DAIF set, SS, IL, BTYPE and UAO clear, PAN set unless SPAN, SSBS as SCTLR says, DIT kept. */
static uint64_t entry_pstate(uint64_t spsr)
{
    uint64_t pstate = (spsr & (SPSR_NZCV | SPSR_PAN | SPSR_DIT)) | SPSR_DAIF | SPSR_M_EL1H;
    uint64_t sctlr = sysreg_read(sctlr_el1);

    if (MMFR1_PAN(sysreg_read(id_aa64mmfr1_el1)) && !(sctlr & SCTLR_EL1_SPAN))
        pstate |= SPSR_PAN;
    if (PFR1_SSBS(sysreg_read(id_aa64pfr1_el1)) && sctlr & SCTLR_EL1_DSSBS)
        pstate |= SPSR_SSBS;
    return pstate;
}

void trap_fault_record(struct arm64_frame *frame, uint64_t esr)
{
    struct vcpu_fault *fault = &frame->vcpu->fault;

    *fault = (struct vcpu_fault){
        .count = fault->count + 1,
        .syndrome = esr,
        .pc = frame->elr,
        .when = arch_time_counter(),
    };
}

void trap_inject(struct arm64_frame *frame, uint64_t esr, uint64_t far, bool set_far)
{
    struct vcpu_fault *fault = &frame->vcpu->fault;

    trap_fault_record(frame, esr);
    fault->va = far;
    fault->has_address = set_far;
    /* A handler that slept may be on another CPU by now, or another guest's registers be loaded here. */
    arch_vcpu_world_load(frame->vcpu);
    sysreg_write(elr_el1, frame->elr);
    sysreg_write(spsr_el1, frame->spsr);
    sysreg_write(esr_el1, esr);
    if (set_far)
        sysreg_write(far_el1, far);
    frame->elr = sysreg_read(vbar_el1) + vector_offset(frame->spsr);
    frame->spsr = entry_pstate(frame->spsr);
}

void trap_inject_undef(struct arm64_frame *frame, uint64_t esr)
{
    trap_inject(frame, ((uint64_t)EC_UNKNOWN << EC_SHIFT) | (esr & ESR_IL), 0, false);
}

void arch_vcpu_inject_undef(struct vcpu *vcpu)
{
    trap_inject_undef(vcpu->arch.frame, ESR_IL);
}

void trap_inject_abort(struct arm64_frame *frame, bool instruction, uint64_t iss, uint64_t far)
{
    uint64_t mode = frame->spsr & SPSR_M_MASK;
    bool same = mode == SPSR_M_EL1H || mode == SPSR_M_EL1T;
    uint64_t ec =
        instruction ? (same ? EC_IABT_SAME : EC_IABT_LOW) : (same ? EC_DABT_SAME : EC_DABT_LOW);

    trap_inject(frame, (ec << EC_SHIFT) | ESR_IL | iss, far, true);
}

void arch_vcpu_inject_abort(struct vcpu *vcpu, bool instruction, uint64_t far)
{
    trap_inject_abort(vcpu->arch.frame, instruction, FSC_SEA, far);
}

/* T32 instructions in an IT block: the state moves on as after any instruction (Arm ARM "ITAdvance"). */
static uint64_t advance_it(uint64_t spsr)
{
    uint64_t it = ((spsr >> 25) & 3) | ((spsr >> 8) & 0xfc);

    it = (it & 7) ? (it & 0xe0) | ((it << 1) & 0x1f) : 0;
    return (spsr & ~T32_IT_MASK) | ((it & 3) << 25) | ((it & 0xfc) << 8);
}

void trap_skip_aarch32(struct arm64_frame *frame, uint64_t esr)
{
    frame->elr += esr & ESR_IL ? 4 : 2;
    if (frame->spsr & T32_IT_MASK)
        frame->spsr = advance_it(frame->spsr);
    frame->spsr &= ~SPSR_SS;
}
