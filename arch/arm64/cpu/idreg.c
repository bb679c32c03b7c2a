// SPDX-License-Identifier: Apache-2.0
// ID registers for guests: the host's values, cut down to what Bulkhead virtualises. What is hidden here traps to UNDEF.
#include <arm64/idreg.h>
#include <arm64/sysreg.h>

#include <arch/guest_mmu.h>

#define FIELD(lsb) (0xfUL << (lsb))
#define INDEX(crm, op2) (((crm) << 3) | (op2))

/* Fields by their Arm ARM names. */
#define PFR0_EL0 FIELD(0)
#define PFR0_FP FIELD(16)
#define PFR0_ADVSIMD FIELD(20)
#define PFR0_GIC FIELD(24)
#define PFR0_DIT FIELD(48)
#define PFR0_CSV2 FIELD(56)
#define PFR0_CSV3 FIELD(60)
#define PFR0_EL1_AARCH64 (1UL << 4)
#define PFR1_BT FIELD(0)
#define PFR1_SSBS FIELD(4)
#define DFR0_BRPS FIELD(12)
#define DFR0_WRPS FIELD(20)
#define DFR0_CTX_CMPS FIELD(28)
#define ISAR0_ALL 0xfffffffffffffff0UL
#define ISAR0_RNDR FIELD(60)
#define ISAR0_TME FIELD(24)
#define ISAR1_LS64 FIELD(60)
#define ISAR2_PAUTH (FIELD(8) | FIELD(12))
#define ISAR2_BC FIELD(20)
#define ISAR1_PAUTH (FIELD(4) | FIELD(8) | FIELD(24) | FIELD(28))
#define MMFR0_PARANGE FIELD(0)
#define MMFR0_ECV FIELD(60)
#define MMFR0_FGT FIELD(56)
#define MMFR1_VH FIELD(8)
#define MMFR1_LO FIELD(16)
#define MMFR1_XNX FIELD(28)
#define MMFR1_HCX FIELD(40)
#define MMFR1_TWED FIELD(32)
#define MMFR2_NV FIELD(24)
#define MMFR2_EVT FIELD(56)
#define MMFR2_BBM FIELD(52)
#define MMFR2_FWB FIELD(40)  /* of stage 2 */
#define MMFR2_IESB FIELD(12) /* of RAS */
#define MMFR2_HIDDEN (MMFR2_NV | MMFR2_EVT | MMFR2_BBM | MMFR2_FWB | MMFR2_IESB)

uint64_t idreg_values[64];
static uint64_t host_dfr0;

static uint64_t parange_limited(uint64_t mmfr0)
{
    static const uint8_t bits[] = {32, 36, 40, 42, 44, 48};
    unsigned range = 0;

    while (range + 1 < ARRAY_SIZE(bits) && range + 1 <= (mmfr0 & 0xf) &&
           bits[range + 1] <= arch_guest_mmu_ipa_bits())
        range++;
    return (mmfr0 & ~MMFR0_PARANGE) | range;
}

/* CSV2 above 1 promises SCXTNUM registers, which are not switched. */
static uint64_t csv2_limited(uint64_t host)
{
    return host & PFR0_CSV2 ? 1UL << 56 : 0;
}

/* Only AArch64 at EL1; AArch32 at EL0 as the host has it. No EL2, EL3, RAS, SVE, AMU, MPAM, SEL2, RME. */
static uint64_t pfr0(void)
{
    uint64_t host = sysreg_read(id_aa64pfr0_el1);

    return (host & (PFR0_EL0 | PFR0_FP | PFR0_ADVSIMD | PFR0_GIC | PFR0_DIT | PFR0_CSV3)) |
           csv2_limited(host) | PFR0_EL1_AARCH64;
}

void idreg_init(void)
{
    host_dfr0 = sysreg_read(id_aa64dfr0_el1);
    idreg_values[INDEX(0, 6)] = sysreg_read(revidr_el1);
    /* AArch32 ID registers: values for EL0 processes, no debug, no PMU, no security extensions. */
    idreg_values[INDEX(1, 0)] = sysreg_read(id_pfr0_el1) & 0xffff;
    idreg_values[INDEX(1, 1)] = sysreg_read(id_pfr1_el1) & 0xfUL;
    idreg_values[INDEX(1, 4)] = sysreg_read(id_mmfr0_el1);
    idreg_values[INDEX(1, 5)] = sysreg_read(id_mmfr1_el1);
    idreg_values[INDEX(1, 6)] = sysreg_read(id_mmfr2_el1);
    idreg_values[INDEX(1, 7)] = sysreg_read(id_mmfr3_el1);
    idreg_values[INDEX(2, 0)] = sysreg_read(id_isar0_el1);
    idreg_values[INDEX(2, 1)] = sysreg_read(id_isar1_el1);
    idreg_values[INDEX(2, 2)] = sysreg_read(id_isar2_el1);
    idreg_values[INDEX(2, 3)] = sysreg_read(id_isar3_el1);
    idreg_values[INDEX(2, 4)] = sysreg_read(id_isar4_el1);
    idreg_values[INDEX(2, 5)] = sysreg_read(id_isar5_el1);
    idreg_values[INDEX(2, 6)] = sysreg_read(id_mmfr4_el1);
    idreg_values[INDEX(2, 7)] = sysreg_read(S3_0_C0_C2_7); /* ID_ISAR6_EL1 */
    idreg_values[INDEX(3, 0)] = sysreg_read(mvfr0_el1);
    idreg_values[INDEX(3, 1)] = sysreg_read(mvfr1_el1);
    idreg_values[INDEX(3, 2)] = sysreg_read(mvfr2_el1);

    idreg_values[INDEX(4, 0)] = pfr0();
    idreg_values[INDEX(4, 1)] = sysreg_read(id_aa64pfr1_el1) & (PFR1_BT | PFR1_SSBS);
    idreg_values[INDEX(5, 0)] = host_dfr0 & (DFR0_BRPS | DFR0_WRPS | DFR0_CTX_CMPS);
    idreg_values[INDEX(5, 0)] |= 6; /* Armv8 debug */
    idreg_values[INDEX(6, 0)] = sysreg_read(id_aa64isar0_el1) & ISAR0_ALL & ~ISAR0_TME;
    idreg_values[INDEX(6, 1)] = sysreg_read(id_aa64isar1_el1) & ~ISAR1_LS64;
    idreg_values[INDEX(6, 2)] =
        sysreg_read(S3_0_C0_C6_2) & (FIELD(0) | FIELD(4) | ISAR2_PAUTH | ISAR2_BC);
    idreg_values[INDEX(7, 0)] =
        parange_limited(sysreg_read(id_aa64mmfr0_el1)) & ~(MMFR0_ECV | MMFR0_FGT);
    idreg_values[INDEX(7, 1)] =
        sysreg_read(id_aa64mmfr1_el1) & ~(MMFR1_VH | MMFR1_LO | MMFR1_XNX | MMFR1_HCX | MMFR1_TWED);
    idreg_values[INDEX(7, 2)] = sysreg_read(id_aa64mmfr2_el1) & ~MMFR2_HIDDEN;
}

bool idreg_has_pauth(void)
{
    return (sysreg_read(id_aa64isar1_el1) & ISAR1_PAUTH) ||
           (sysreg_read(S3_0_C0_C6_2) & ISAR2_PAUTH);
}

bool idreg_has_gic_sysregs(void)
{
    return sysreg_read(id_aa64pfr0_el1) & PFR0_GIC;
}

bool idreg_has_pmu(void)
{
    uint64_t version = (host_dfr0 >> 8) & 0xf;

    return version != 0 && version != 0xf;
}

bool idreg_has_idst(void)
{
    return idreg_values[INDEX(7, 2)] & FIELD(36);
}

bool idreg_has_sme(void)
{
    return sysreg_read(id_aa64pfr1_el1) & FIELD(24);
}

/* With registers, not only instructions. */
bool idreg_has_mte(void)
{
    return (sysreg_read(id_aa64pfr1_el1) & FIELD(8)) >= 2UL << 8;
}

bool idreg_has_fgt(void)
{
    return sysreg_read(id_aa64mmfr0_el1) & MMFR0_FGT;
}

bool idreg_has_hcx(void)
{
    return sysreg_read(id_aa64mmfr1_el1) & MMFR1_HCX;
}

bool idreg_has_ras(void)
{
    return sysreg_read(id_aa64pfr0_el1) & FIELD(28);
}

unsigned idreg_breakpoints(void)
{
    return ((host_dfr0 >> 12) & 0xf) + 1;
}

unsigned idreg_watchpoints(void)
{
    return ((host_dfr0 >> 20) & 0xf) + 1;
}

/* Built from what AArch64 says; version 6: Armv8 debug; RES1 as in Arm ARM "DBGDIDR". */
uint32_t idreg_dbgdidr(void)
{
    uint64_t dfr0 = idreg_values[INDEX(5, 0)];

    return (uint32_t)(((dfr0 >> 20) & 0xf) << 28 | ((dfr0 >> 12) & 0xf) << 24 |
                      ((dfr0 >> 28) & 0xf) << 20 | 6U << 16 | 0xd000U);
}
