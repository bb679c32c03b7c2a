// SPDX-License-Identifier: Apache-2.0
// The machine part of VCPUs: creation, reset values, register access.
#include <arm64/debug.h>
#include <arm64/gic.h>
#include <arm64/guest_timer.h>
#include <arm64/idreg.h>
#include <arm64/stage2.h>
#include <arm64/sysreg.h>
#include <arm64/world.h>

#include <arch/barrier.h>
#include <arch/cpu.h>
#include <arch/fdt_guest.h>
#include <arch/system.h>
#include <arch/vcpu.h>
#include <hv/cpu.h>
#include <hv/guest.h>
#include <hv/vcpu.h>
#include <lib/string.h>

#define HCR_TLOR BIT(35)
#define HCR_TERR BIT(36)
#define CNTHCTL_EL1PCTEN BIT(0)
#define MPIDR_RES1 BIT(31)
#define PMUSERENR_EN BIT(0)
#define AFF0_PER_AFF1 16
#define SRE_EL1_SYSREGS 7

void switch_start_orphan(void);
void switch_start_normal(void);

/* Firmware may have opened what guests do not have: 0 traps it (what guests do have, these never trap by 0). */
static void init_fine_traps(void)
{
    if (idreg_has_hcx())
        sysreg_write_named(HCRX_EL2, 0);
    if (!idreg_has_fgt())
        return;
    sysreg_write_named(HFGRTR_EL2, 0);
    sysreg_write_named(HFGWTR_EL2, 0);
    sysreg_write_named(HFGITR_EL2, 0);
    sysreg_write_named(HDFGRTR_EL2, 0);
    sysreg_write_named(HDFGWTR_EL2, 0);
}

void arch_cpu_init(void)
{
    if (cpu_id() == 0) {
        idreg_init();
        vmid_init();
    }
    init_fine_traps();
    sysreg_write(vpidr_el2, sysreg_read(midr_el1));
    sysreg_write(oslar_el1, 0);
    sysreg_write(mdscr_el1, 0);
    sysreg_write(cntv_ctl_el0, 0);
    if (idreg_has_pmu())
        sysreg_write(pmuserenr_el0, PMUSERENR_EN); /* EL0 of guests: to the traps of EL2, as EL1 */
    if (idreg_has_gic_sysregs()) {
        sysreg_write_named(ICC_SRE_EL2, 0xf);
        arch_barrier_context();
        sysreg_write(S3_0_C12_C12_5, SRE_EL1_SYSREGS); /* ICC_SRE_EL1 */
    }
    debug_init_cpu();
    world_init_cpu();
    stage2_init_cpu();
}

static uintptr_t stack_top(const struct vcpu *vcpu)
{
    return (uintptr_t)vcpu->stack + CONFIG_STACK_SIZE;
}

void arch_vcpu_init_orphan(struct vcpu *vcpu, void (*entry)(void *), void *arg)
{
    memset(&vcpu->arch, 0, sizeof(vcpu->arch));
    vcpu->arch.world_cpu = -1;
    vcpu->arch.sw.first[0] = (uintptr_t)entry;
    vcpu->arch.sw.first[1] = (uintptr_t)arg;
    vcpu->arch.sw.lr = (uintptr_t)switch_start_orphan;
    vcpu->arch.sw.sp = stack_top(vcpu);
}

/* What is virtualised runs natively; what is hidden in the ID registers traps. */
static void init_controls(struct vcpu *vcpu)
{
    vcpu->arch.hcr = HCR_VM | HCR_SWIO | HCR_PTW | HCR_FMO | HCR_IMO | HCR_AMO | HCR_FB |
                     HCR_BSU_IS | HCR_TWI | HCR_TID3 | HCR_TSC | HCR_TIDCP | HCR_TACR | HCR_RW |
                     HCR_TLOR | HCR_TERR | HCR_TID1;
    if (idreg_has_pauth())
        vcpu->arch.hcr |= HCR_API | HCR_APK;
    if (idreg_has_mte())
        vcpu->arch.hcr |= HCR_TID5;
    vcpu->arch.cptr = CPTR_RES1 | CPTR_TFP | CPTR_TZ | CPTR_TSM | CPTR_TTA | CPTR_TAM;
    vcpu->arch.mdcr = (sysreg_read(mdcr_el2) & MDCR_HPMN) | MDCR_TPMCR | MDCR_TPM | MDCR_TDA |
                      MDCR_TDOSA | MDCR_TDRA | MDCR_TPMS | MDCR_TTRF;
    /* The physical timer traps; so does the physical counter where the guest has an offset. */
    vcpu->arch.cnthctl = vcpu->guest->host_counter ? CNTHCTL_EL1PCTEN : 0;
}

int arch_vcpu_init_normal(struct vcpu *vcpu)
{
    memset(&vcpu->arch, 0, sizeof(vcpu->arch));
    vcpu->arch.world_cpu = -1;
    vcpu->arch.frame = (struct arm64_frame *)stack_top(vcpu) - 1;
    vcpu->arch.vmpidr = arch_vcpu_affinity(vcpu->subid) | MPIDR_RES1;
    guest_timer_init(vcpu);
    arch_vcpu_reset(vcpu, 0, 0);
    return 0;
}

void arch_vcpu_destroy(struct vcpu *vcpu)
{
    guest_timer_cancel(vcpu);
}

static const uint64_t world_reset[ARM64_WORLD_COUNT] = {
#define X(name, reset) [WORLD_##name] = reset,
    ARM64_WORLD_REGS(X)
#undef X
};

void arch_vcpu_reset(struct vcpu *vcpu, uint64_t pc, uint64_t arg)
{
    struct arch_vcpu *arch = &vcpu->arch;

    init_controls(vcpu);
    memset(arch->frame, 0, sizeof(*arch->frame));
    arch->frame->vcpu = vcpu;
    arch->frame->elr = pc;
    arch->frame->x[0] = arg;
    arch->frame->spsr = SPSR_DAIF | SPSR_M_EL1H;
    memcpy(arch->world, world_reset, sizeof(arch->world));
    memset(&arch->fp, 0, sizeof(arch->fp));
    memset(&arch->debug, 0, sizeof(arch->debug));
    memset(arch->pauth, 0, sizeof(arch->pauth));
    arch->debug_used = false;
    arch->os_lock = true;
    arch->fp_open = false;
    arch->fp_cpu = 0;
    arch->cntv_ctl = arch->cntv_cval = arch->cntp_ctl = arch->cntp_cval = 0;
    gic_guest_reset(&arch->gic);
    memset(&arch->sw, 0, sizeof(arch->sw));
    arch->sw.lr = (uintptr_t)switch_start_normal;
    arch->sw.sp = (uintptr_t)arch->frame;
}

unsigned arch_vcpu_backtrace(const struct vcpu *vcpu, uintptr_t *pcs, unsigned max)
{
    const struct arm64_switch *sw = &vcpu->arch.sw;

    if (max == 0)
        return 0;
    pcs[0] = sw->lr;
    return 1 + arch_system_backtrace(sw->fp, pcs + 1, max - 1);
}

void arch_vcpu_guest_frame(struct vcpu *vcpu, struct arch_vcpu_frame *frame)
{
    frame->pc = vcpu->arch.frame->elr;
    frame->fp = vcpu->arch.frame->x[29];
}

uint64_t arch_vcpu_affinity(unsigned subid)
{
    return ((uint64_t)(subid / AFF0_PER_AFF1) << 8) | subid % AFF0_PER_AFF1;
}

uint64_t arch_vcpu_get_gpr(struct vcpu *vcpu, unsigned n)
{
    return n < 31 ? vcpu->arch.frame->x[n] : 0;
}

void arch_vcpu_set_gpr(struct vcpu *vcpu, unsigned n, uint64_t value)
{
    if (n < 31)
        vcpu->arch.frame->x[n] = value;
}

const char *arch_guest_cpu_compatible(void)
{
    return "arm,armv8";
}

void arch_guest_timer_ppis(uint32_t ppi[4])
{
    static const uint32_t numbers[4] = {13, 14, 11, 10};

    memcpy(ppi, numbers, sizeof(numbers));
}
