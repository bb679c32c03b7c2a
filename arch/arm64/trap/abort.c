// SPDX-License-Identifier: Apache-2.0
// Stage-2 aborts: decode by the syndrome alone (guest code is never read), emulate, or give the guest its external abort.
#include <arm64/esr.h>
#include <arm64/guest_walk.h>
#include <arm64/sysreg.h>
#include <arm64/trap.h>

#include <arch/guest_mmu.h>
#include <arch/vcpu.h>
#include <hv/emu_access.h>
#include <hv/guest.h>
#include <hv/upcall.h>

#define HPFAR_FIPA(hpfar) (((hpfar)&0xfffffffff0UL) << 8)
#define PAGE_OFFSET(addr) ((addr) & (PAGE_SIZE - 1))
#define PAR_F BIT(0)
#define PAR_PA 0x0000fffffffff000UL

/*
 * HPFAR_EL2 is not valid for a permission fault outside a stage-1 walk (Arm ARM D19.2.60): translate the address again,
 * keeping the guest's own PAR_EL1.
 */
static bool translate_stage1(uint64_t far, uint64_t *ipa)
{
    uint64_t saved = sysreg_read(par_el1);
    uint64_t par;

    __asm__ volatile("at s1e1r, %0\n\tisb" : : "r"(far) : "memory");
    par = sysreg_read(par_el1);
    sysreg_write(par_el1, saved);
    *ipa = (par & PAR_PA) | PAGE_OFFSET(far);
    return !(par & PAR_F);
}

static bool fault_address(uint64_t esr, uint64_t far, uint64_t *ipa)
{
    if (FSC_TYPE(ISS_FSC(esr)) == FSC_PERMISSION && !(esr & ISS_S1PTW))
        return translate_stage1(far, ipa);
    *ipa = HPFAR_FIPA(sysreg_read(hpfar_el2)) | PAGE_OFFSET(far);
    return true;
}

/* A mapping may have appeared, or changed under break-before-make, since the fault: then the access is simply tried again. */
static bool is_mapped_now(struct vcpu *vcpu, uint64_t esr, uint64_t ipa, bool is_write)
{
    enum guest_mmu_attr attr;
    hpa_t pa;

    if (FSC_TYPE(ISS_FSC(esr)) != FSC_TRANSLATION && FSC_TYPE(ISS_FSC(esr)) != FSC_PERMISSION)
        return false;
    if (FSC_TYPE(ISS_FSC(esr)) == FSC_TRANSLATION &&
        hv_guest_touch(vcpu, gpa(ipa), ESR_EC(esr) == EC_IABT_LOW))
        return true;
    if (arch_guest_mmu_lookup(&vcpu->guest->arch.mmu, gpa(ipa), &pa, &attr))
        return false;
    return attr == GUEST_MMU_RAM || (attr == GUEST_MMU_ROM && !is_write);
}

/* On a walk where it was the guest's table that is not there. The guest's own address size is part of what it sees. */
static uint64_t fault_status(struct vcpu *vcpu, uint64_t esr, uint64_t far, uint64_t ipa)
{
    unsigned level;

    if (likely(!(esr & ISS_S1PTW) && !(ipa >> arch_guest_mmu_ipa_bits())))
        return FSC_SEA;
    level = guest_walk_last_level(vcpu, far);
    if (!(ipa >> arch_guest_mmu_ipa_bits()))
        return FSC_SEA_WALK | level;
    if (esr & ISS_S1PTW && level > 0)
        level--; /* it was the descriptor before that had the address */
    return FSC_ADDRESS_SIZE | level;
}

static void inject(struct vcpu *vcpu, struct arm64_frame *frame, uint64_t esr, uint64_t ipa)
{
    uint64_t far = sysreg_read(far_el2);
    bool instruction = ESR_EC(esr) == EC_IABT_LOW;
    uint64_t iss = instruction ? 0 : esr & (ISS_WNR | ISS_CM);

    trap_inject_abort(frame, instruction, iss | fault_status(vcpu, esr, far, ipa), far);
    vcpu->fault.ipa = ipa;
    vcpu->fault.has_ipa = true;
}

static uint64_t sign_extend(uint64_t value, unsigned bytes)
{
    unsigned shift = 64 - bytes * 8;

    return (uint64_t)((int64_t)(value << shift) >> shift);
}

static inline bool is_big_endian(const struct arm64_frame *frame)
{
    uint64_t sctlr = sysreg_read(sctlr_el1);

    if (unlikely(frame->spsr & SPSR_M_AARCH32))
        return frame->spsr & SPSR_E_AARCH32;
    if (likely(!(sctlr & (SCTLR_EE | SCTLR_E0E))))
        return false;
    return sctlr & ((frame->spsr & SPSR_M_MASK) == SPSR_M_EL0T ? SCTLR_E0E : SCTLR_EE);
}

static void write_back(uint64_t *reg, uint64_t esr, const struct emu_access *access)
{
    uint64_t value = access->value;

    if (unlikely(esr & ISS_SSE))
        value = sign_extend(value, access->size);
    *reg = esr & ISS_SF ? value : (uint32_t)value;
}

/* An access to an address that stage 2 does not map, by an instruction that the syndrome describes in full. */
#define EMULATED_MASK (ISS_ISV | ISS_S1PTW | ISS_CM | ISS_EA | FSC_TYPE(~0UL))
#define EMULATED (ISS_ISV | FSC_TRANSLATION)

static inline bool emulate(struct vcpu *vcpu, struct arm64_frame *frame, uint64_t esr)
{
    uint64_t *reg = trap_register(frame, ISS_SRT(esr));
    struct emu_access access;

    access.addr = gpa(HPFAR_FIPA(sysreg_read(hpfar_el2)) | PAGE_OFFSET(sysreg_read(far_el2)));
    access.value = esr & ISS_WNR ? *reg : 0;
    access.vcpu = vcpu;
    access.size = (uint8_t)(1U << ISS_SAS(esr));
    access.is_write = esr & ISS_WNR;
    access.swap = is_big_endian(frame);
    if (unlikely(hv_guest_mmio(&access) != 0))
        return false;
    if (!access.is_write)
        write_back(reg, esr, &access);
    trap_skip(frame, esr);
    return true;
}

static NOINLINE void abort_or_retry(struct vcpu *vcpu, struct arm64_frame *frame, uint64_t esr)
{
    uint64_t far = sysreg_read(far_el2);
    uint64_t ipa;

    if (!fault_address(esr, far, &ipa))
        return; /* stage 1 changed meanwhile: the guest faults or succeeds by itself */
    if (!is_mapped_now(vcpu, esr, ipa, esr & ISS_WNR))
        inject(vcpu, frame, esr, ipa);
}

NO_STACK_PROTECTOR void trap_data_abort(struct vcpu *vcpu, struct arm64_frame *frame, uint64_t esr)
{
    if (unlikely((esr & EMULATED_MASK) != EMULATED) || unlikely(!emulate(vcpu, frame, esr)))
        abort_or_retry(vcpu, frame, esr);
}

void trap_instruction_abort(struct vcpu *vcpu, struct arm64_frame *frame, uint64_t esr)
{
    uint64_t far = sysreg_read(far_el2);
    uint64_t ipa;

    if (!fault_address(esr, far, &ipa))
        return;
    if (!is_mapped_now(vcpu, esr, ipa, false))
        inject(vcpu, frame, esr, ipa);
}
