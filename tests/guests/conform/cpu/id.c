// SPDX-License-Identifier: Apache-2.0
// ID registers, and the features that they hide: UNDEFINED, as on a CPU that lacks them.
#include "user.h"

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
    expect_undefined("undef.pmu.pmuserenr", no_pmu, CODE_MRS(3, 3, 9, 14, 0));
    expect_undefined("undef.pmu.pmintenset", no_pmu, CODE_MSR(3, 0, 9, 14, 1));
    expect_undefined("undef.pmu.pmccfiltr", no_pmu, CODE_MRS(3, 3, 14, 15, 7));
    expect_undefined("undef.amu.amcr", !FIELD(pfr0, 44), CODE_MRS(3, 3, 13, 2, 0));
    expect_undefined("undef.amu.amevcntr00", !FIELD(pfr0, 44), CODE_MRS(3, 3, 13, 4, 0));
    expect_undefined("undef.ras.erridr", !FIELD(pfr0, 28), CODE_MRS(3, 0, 5, 3, 0));
    expect_undefined("undef.ras.errselr", !FIELD(pfr0, 28), CODE_MSR(3, 0, 5, 3, 1));
    expect_undefined("undef.ras.erxstatus", !FIELD(pfr0, 28), CODE_MRS(3, 0, 5, 4, 2));
    expect_undefined("undef.spe.pmscr", !FIELD(dfr0, 32), CODE_MRS(3, 0, 9, 9, 0));
    expect_undefined("undef.trbe", !FIELD(dfr0, 44), CODE_MRS(3, 0, 9, 11, 0));
    expect_undefined("undef.trace", !FIELD(dfr0, 4), CODE_MRS(2, 1, 0, 1, 0));
    expect_undefined("undef.trace.filter", !FIELD(dfr0, 40), CODE_MRS(3, 0, 1, 2, 1));
    expect_undefined("undef.lor.lorid", !FIELD(ID_READ(7, 1), 16), CODE_MRS(3, 0, 10, 4, 7));
    expect_undefined("undef.csv2.scxtnum", FIELD(pfr0, 56) < 2, CODE_MRS(3, 0, 13, 0, 7));
    expect_undefined("undef.csv2.scxtnum_el0", FIELD(pfr0, 56) < 2, CODE_MRS(3, 3, 13, 0, 7));
    expect_undefined("undef.rng.rndr", !FIELD(ID_READ(6, 0), 60), CODE_MRS(3, 3, 2, 4, 0));
    expect_undefined("undef.pan", !FIELD(ID_READ(7, 1), 20), 0xd500419f);
    expect_undefined("undef.uao", !FIELD(ID_READ(7, 2), 4), 0xd500417f);
    expect_undefined("undef.dit", !FIELD(pfr0, 48), 0xd503415f);
    expect_undefined("undef.ssbs", !FIELD(pfr1, 4), 0xd503413f);
    expect_undefined("undef.lse", FIELD(ID_READ(6, 0), 20) < 2, 0xb8210002);
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

/* Reads of absent registers among those that identify features: with FEAT_IDST they have a syndrome of their own. */
static void check_id_space(const char *name, bool hidden, unsigned op2)
{
    bool idst = FIELD(ID_READ(7, 2), 36);
    uint32_t code = CODE_MRS(3, 1, 0, 0, op2);
    uint64_t esr = idst ? 0x62304001ul | (uint64_t)op2 << 17 : ESR_UNDEF;
    struct trap trap = {0};

    if (!hidden)
        return;
    trap_try_code(&code, 1, 0, 0, NULL, &trap);
    report(name, trap.vector == 4 && trap.esr == esr && trap.elr == 0, "esr 0x%lx, not 0x%lx",
           trap.esr, esr);
}

/* What is hidden is hidden from processes too. */
static void check_user(const char *name, bool hidden, uint32_t code)
{
    struct el0_entry user = {.spsr = SPSR_EL0};
    struct trap trap = {0};

    if (!hidden)
        return;
    user_run(&code, 1, &user, &trap);
    report(name, trap.vector == 8 && trap.esr == ESR_UNDEF && trap.elr == 0,
           "vector %lu esr 0x%lx elr +0x%lx", trap.vector, trap.esr, trap.elr);
}

static void check_undefined_user(void)
{
    uint64_t pfr0 = ID_READ(4, 0), dfr0 = ID_READ(5, 0);
    bool no_pmu = !FIELD(dfr0, 8) || FIELD(dfr0, 8) == 15;

    check_user("undef.user.pmccntr", no_pmu, CODE_MRS(3, 3, 9, 13, 0));
    check_user("undef.user.pmcr", no_pmu, CODE_MSR(3, 3, 9, 12, 0));
    check_user("undef.user.amu", !FIELD(pfr0, 44), CODE_MRS(3, 3, 13, 4, 0));
    check_user("undef.user.trace", !FIELD(dfr0, 4), CODE_MRS(2, 1, 0, 1, 0));
}

/* Dependencies between features that the architecture states. */
static void check_sane(void)
{
    uint64_t pfr0 = ID_READ(4, 0), pfr1 = ID_READ(4, 1), dfr0 = ID_READ(5, 0);
    uint64_t isar0 = ID_READ(6, 0), isar1 = ID_READ(6, 1), isar2 = ID_READ(6, 2);
    uint64_t mmfr0 = ID_READ(7, 0), mmfr2 = ID_READ(7, 2);
    unsigned pauth = (FIELD(isar1, 4) != 0) + (FIELD(isar1, 8) != 0) + (FIELD(isar2, 12) != 0);
    unsigned generic = (FIELD(isar1, 24) != 0) + (FIELD(isar1, 28) != 0) + (FIELD(isar2, 8) != 0);

    report("id.sane.fp", FIELD(pfr0, 16) == FIELD(pfr0, 20), "PFR0 0x%lx", pfr0);
    report("id.sane.sha", !FIELD(isar0, 12) || FIELD(isar0, 8), "ISAR0 0x%lx", isar0);
    report("id.sane.atomic", FIELD(isar0, 20) != 1, "ISAR0 0x%lx", isar0);
    report("id.sane.pauth", pauth <= 1 && generic == pauth, "ISAR1 0x%lx ISAR2 0x%lx", isar1, isar2);
    report("id.sane.parange", FIELD(mmfr0, 0) <= 6, "MMFR0 0x%lx", mmfr0);
    report("id.sane.debug", FIELD(dfr0, 0) >= 6 && FIELD(dfr0, 28) <= FIELD(dfr0, 12), "DFR0 0x%lx",
           dfr0);
    report("id.sane.iesb", !FIELD(mmfr2, 12) || FIELD(pfr0, 28), "MMFR2 0x%lx", mmfr2);
    report("id.sane.sme", !FIELD(pfr1, 24) || FIELD(pfr0, 32), "PFR1 0x%lx", pfr1);
    report("id.sane.nested", !FIELD(mmfr2, 24) || FIELD(pfr0, 8), "MMFR2 0x%lx", mmfr2);
}

#define SPACE 64
#define OTHERS 7

static uint64_t all_values[BOOT_CPUS_MAX][SPACE + OTHERS];
static volatile uint32_t collected;

static void collect(void)
{
    uint64_t *to = all_values[this_cpu()->index];

    for (unsigned i = 0; i < SPACE; i++)
        to[i] = i == 5 ? 0 : id_read(CODE_MRS(3, 0, 0, i / 8, i % 8)); /* 5: MPIDR */
    to[SPACE] = sysreg_read(ctr_el0);
    to[SPACE + 1] = sysreg_read(dczid_el0);
    to[SPACE + 2] = sysreg_read(clidr_el1);
    to[SPACE + 3] = sysreg_read(aidr_el1);
    to[SPACE + 4] = sysreg_read(cntfrq_el0);
    to[SPACE + 5] = sysreg_read(revidr_el1);
    to[SPACE + 6] = sysreg_read(midr_el1);
    __atomic_fetch_add(&collected, 1, __ATOMIC_RELEASE);
}

static void check_all_cpus(void)
{
    unsigned differ = 0, last = 0;

    collected = 0;
    for (unsigned i = 1; i < boot_info.cpu_count; i++)
        smp_start(i, collect);
    collect();
    bool done = timer_wait(&collected, boot_info.cpu_count, 10000);
    for (unsigned i = 1; i < boot_info.cpu_count; i++) {
        for (unsigned k = 0; k < SPACE + OTHERS; k++) {
            bool same = all_values[i][k] == all_values[0][k];

            differ += !same;
            last = same ? last : k;
        }
        smp_wait_off(i, 5000);
    }
    report("id.all_cpus", done && !differ, "%u CPUs, %u differ, the last is %u", collected, differ,
           last);
}

static void case_id(void)
{
    check_space();
    check_values();
    check_sane();
    check_hidden();
    check_undefined();
    check_id_space("undef.mte.gmid", FIELD(ID_READ(4, 1), 8) < 2, 4);
    check_id_space("undef.sme.smidr", !FIELD(ID_READ(4, 1), 24), 6);
    check_undefined_user();
    check_all_cpus();
}

TEST_CASE("cpu.id", 1, case_id);
