// SPDX-License-Identifier: Apache-2.0
// ID registers, and the features that they hide: UNDEFINED, as on a CPU that lacks them.
#include "../conform.h"

#define ID_READ(crm, op2) id_read(CODE_MRS(3, 0, 0, crm, op2))
#define FIELD(reg, bit) ((unsigned)((reg) >> (bit)) & 15)
#define CPACR_ALL (3u << 16 | 3u << 20 | 3u << 24) /* SVE, FP, SME open for EL1 */
#define RDVL_X0 0x04bf5020u

static uint64_t id_read(uint32_t code)
{
    uint64_t value = 0;

    trap_try_code(&code, 1, 0, 0, &value, NULL);
    return value;
}

static void check_space(void)
{
    unsigned traps = 0, changed = 0, writes = 0;

    for (unsigned i = 8; i < 64; i++) {
        uint32_t code = CODE_MRS(3, 0, 0, i / 8, i % 8);
        uint64_t first = 0, second = 0;

        traps += !trap_try_code(&code, 1, 0, 0, &first, NULL);
        trap_try_code(&code, 1, 0, 0, &second, NULL);
        changed += first != second;
    }
    report("id.read", !traps && !changed, "%u trapped, %u changed", traps, changed);
    for (unsigned i = 0; i < 64; i++) {
        uint32_t code = CODE_MSR(3, 0, 0, i / 8, i % 8);
        struct trap trap;

        writes += trap_try_code(&code, 1, 0, 0, NULL, &trap) || trap.esr != ESR_UNDEF;
    }
    report("id.write", !writes, "%u of 64 writes were not UNDEFINED", writes);
}

static void check_values(void)
{
    uint64_t pfr0 = ID_READ(4, 0);

    report("id.midr", sysreg_read(midr_el1) != 0, "0");
    report("id.mpidr", (sysreg_read(mpidr_el1) & 0xff00ffffff) == boot_info.mpidr[0],
           "0x%lx, device tree 0x%lx", sysreg_read(mpidr_el1), boot_info.mpidr[0]);
    report("id.gic", FIELD(pfr0, 24) == (boot_info.gic_version == 3 ? 1 : 0),
           "PFR0.GIC %u with GICv%u", FIELD(pfr0, 24), boot_info.gic_version);
    report("id.el", FIELD(pfr0, 0) && FIELD(pfr0, 4), "PFR0 0x%lx", pfr0);
}

static void check_hidden(void)
{
    uint64_t pfr0 = ID_READ(4, 0), pfr1 = ID_READ(4, 1), dfr0 = ID_READ(5, 0);
    uint64_t mmfr1 = ID_READ(7, 1), mmfr2 = ID_READ(7, 2);
    unsigned pmu = FIELD(dfr0, 8), aa32_pmu = FIELD(ID_READ(1, 2), 24);

    if (!boot_is_guest())
        return;
    report("id.hidden.pfr0",
           !FIELD(pfr0, 8) && !FIELD(pfr0, 32) && !FIELD(pfr0, 36) && !FIELD(pfr0, 40) &&
               !FIELD(pfr0, 44) && !FIELD(pfr0, 28),
           "EL2, RAS, SVE, SEL2, MPAM or AMU in 0x%lx", pfr0);
    report("id.hidden.pfr1", FIELD(pfr1, 8) < 2 && !FIELD(pfr1, 24) && !FIELD(pfr1, 16),
           "MTE, SME or MPAM in 0x%lx", pfr1);
    report("id.hidden.sve", !ID_READ(4, 4) && !ID_READ(4, 5), "ZFR0 0x%lx SMFR0 0x%lx",
           ID_READ(4, 4), ID_READ(4, 5));
    report("id.hidden.dfr0",
           (!pmu || pmu == 15) && !FIELD(dfr0, 4) && !FIELD(dfr0, 32) && !FIELD(dfr0, 44),
           "PMU, trace, SPE or TRBE in 0x%lx", dfr0);
    report("id.hidden.aa32pmu", !aa32_pmu || aa32_pmu == 15, "%u", aa32_pmu);
    report("id.hidden.mmfr", !FIELD(mmfr1, 16) && !FIELD(mmfr2, 24), "LOR or NV in 0x%lx 0x%lx",
           mmfr1, mmfr2);
}

static void expect_undefined(const char *name, bool hidden, uint32_t code)
{
    struct trap trap = {0};
    bool done;

    if (!hidden)
        return;
    done = trap_try_code(&code, 1, 0, 0, NULL, &trap);
    report(name, !done && trap.esr == ESR_UNDEF && trap.elr == 0,
           "executed %d esr 0x%lx elr +0x%lx", done, trap.esr, trap.elr);
}

static void check_undefined(void)
{
    uint64_t pfr0 = ID_READ(4, 0), pfr1 = ID_READ(4, 1), dfr0 = ID_READ(5, 0);
    uint64_t isar1 = ID_READ(6, 1);
    bool no_pmu = !FIELD(dfr0, 8) || FIELD(dfr0, 8) == 15;
    bool no_pauth = !FIELD(isar1, 4) && !FIELD(isar1, 8) && !FIELD(ID_READ(6, 2), 12);

    sysreg_write(cpacr_el1, CPACR_ALL);
    isb();
    expect_undefined("undef.sve.zcr", !FIELD(pfr0, 32), CODE_MRS(3, 0, 1, 2, 0));
    expect_undefined("undef.sve.rdvl", !FIELD(pfr0, 32), RDVL_X0);
    expect_undefined("undef.sme.smcr", !FIELD(pfr1, 24), CODE_MRS(3, 0, 1, 2, 6));
    expect_undefined("undef.sme.svcr", !FIELD(pfr1, 24), CODE_MRS(3, 3, 4, 2, 2));
    expect_undefined("undef.mte.gcr", FIELD(pfr1, 8) < 2, CODE_MRS(3, 0, 1, 0, 6));
    expect_undefined("undef.mte.rgsr", FIELD(pfr1, 8) < 2, CODE_MRS(3, 0, 1, 0, 5));
    expect_undefined("undef.pmu.pmcr", no_pmu, CODE_MRS(3, 3, 9, 12, 0));
    expect_undefined("undef.pmu.pmccntr", no_pmu, CODE_MRS(3, 3, 9, 13, 0));
    expect_undefined("undef.pmu.write", no_pmu, CODE_MSR(3, 3, 9, 12, 1));
    expect_undefined("undef.pmu.evcntr0", no_pmu, CODE_MRS(3, 3, 14, 8, 0));
    expect_undefined("undef.amu.amcr", !FIELD(pfr0, 44), CODE_MRS(3, 3, 13, 2, 0));
    expect_undefined("undef.amu.amevcntr00", !FIELD(pfr0, 44), CODE_MRS(3, 3, 13, 4, 0));
    expect_undefined("undef.ras.erridr", !FIELD(pfr0, 28), CODE_MRS(3, 0, 5, 3, 0));
    expect_undefined("undef.ras.errselr", !FIELD(pfr0, 28), CODE_MSR(3, 0, 5, 3, 1));
    expect_undefined("undef.spe.pmscr", !FIELD(dfr0, 32), CODE_MRS(3, 0, 9, 9, 0));
    expect_undefined("undef.trbe", !FIELD(dfr0, 44), CODE_MRS(3, 0, 9, 11, 0));
    expect_undefined("undef.trace", !FIELD(dfr0, 4), CODE_MRS(2, 1, 0, 1, 0));
    expect_undefined("undef.lor.lorc", !FIELD(ID_READ(7, 1), 16), CODE_MRS(3, 0, 10, 4, 3));
    expect_undefined("undef.mpam.mpam0", !FIELD(pfr0, 40) && !FIELD(pfr1, 16),
                     CODE_MRS(3, 0, 10, 5, 1));
    expect_undefined("undef.pauth.key", no_pauth, CODE_MRS(3, 0, 2, 1, 0));
    expect_undefined("undef.gic.sre", !FIELD(pfr0, 24), CODE_MRS(3, 0, 12, 12, 5));
    expect_undefined("undef.gic.pmr", !FIELD(pfr0, 24), CODE_MRS(3, 0, 4, 6, 0));
    expect_undefined("undef.gic.sgi1r", !FIELD(pfr0, 24), CODE_MSR(3, 0, 12, 11, 5));
    sysreg_write(cpacr_el1, 3 << 20);
    isb();
}

static void case_id(void)
{
    check_space();
    check_values();
    check_hidden();
    check_undefined();
}

TEST_CASE("cpu.id", 1, case_id);
