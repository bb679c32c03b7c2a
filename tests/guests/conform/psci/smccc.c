// SPDX-License-Identifier: Apache-2.0
// SMCCC: both conduits, unknown functions of all owners, which registers survive, immediates, calls from EL0.
#include "firmware.h"

#define CODE_HVC 0xd4000002u
#define CODE_SMC 0xd4000003u
#define CODE_HVC_A32 0xe1400070u
#define CODE_SMC_A32 0xe1600070u
#define SMCCC_HYP_UID 0x8600ff01u
#define SMCCC_HYP_REVISION 0x8600ff03u
#define RANDOM_CALLS 2000

typedef void (*conduit)(struct smccc *);

static struct smccc filled(uint64_t id)
{
    struct smccc regs;

    for (unsigned i = 0; i < 18; i++)
        regs.x[i] = 0x1000000000000000ul + i;
    regs.x[0] = id;
    return regs;
}

static bool kept(const struct smccc *regs, unsigned from)
{
    for (unsigned i = from; i < 18; i++) {
        if (regs->x[i] != 0x1000000000000000ul + i)
            return false;
    }
    return true;
}

/* x1 to x3 are results; where there is none, they have what they had or nothing, but never the host's numbers. */
static bool clean(const struct smccc *regs)
{
    for (unsigned i = 1; i < 4; i++) {
        if (regs->x[i] && regs->x[i] != 0x1000000000000000ul + i)
            return false;
    }
    return true;
}

static bool answers_unknown(conduit call, uint64_t id)
{
    struct smccc regs = filled(id);

    call(&regs);
    return regs.x[0] == ~0ul && kept(&regs, 4) && clean(&regs);
}

static void check_conduit(const char *name, conduit call)
{
    struct smccc regs = filled(SMCCC_UNKNOWN);

    call(&regs);
    report(name, regs.x[0] == ~0ul && kept(&regs, 4) && clean(&regs),
           "x0 0x%lx, x4..x17 %s, x1..x3 %s", regs.x[0], kept(&regs, 4) ? "kept" : "changed",
           clean(&regs) ? "clean" : "leak");
}

/* Calls that exist, and would do something or answer with more than x0. */
static bool is_known(uint32_t id)
{
    return (id & ~SMCCC_64) - PSCI_FIRST < PSCI_COUNT || id == SMCCC_VERSION ||
           id == SMCCC_ARCH_FEATURES || id == SMCCC_HYP_UID || id == SMCCC_HYP_REVISION;
}

/* Fast and yielding calls of each owner, both conventions, with and without the bits that must be zero. */
static void check_owners(const char *name, conduit call)
{
    static const uint16_t functions[] = {
        0, 1, 2, 8, 9, 0x12, 0x20, 0x50, 0x3fff, 0x7fff, 0x8000, 0xff00, 0xff01, 0xff03, 0xffff};
    unsigned wrong = 0;
    uint32_t first = 0;

    for (uint32_t top = 0; top < 0x100; top++) {
        for (unsigned i = 0; i < 2 * sizeof(functions) / sizeof(functions[0]); i++) {
            uint32_t id = top << 24 | (i & 1) << 16 | functions[i / 2];

            if (is_known(id) || answers_unknown(call, id))
                continue;
            if (!wrong++)
                first = id;
        }
    }
    report(name, !wrong, "%u wrong, first 0x%x", wrong, first);
}

static void check_random(const char *name, conduit call)
{
    uint64_t seed = boot_number("seed", 0x9e3779b97f4a7c15ul), calls = boot_number("rounds", 0);
    uint32_t wrong = 0, first = 0;

    for (uint64_t i = 0; i < (calls ? calls : RANDOM_CALLS); i++) {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        if (is_known((uint32_t)seed) || answers_unknown(call, seed))
            continue;
        if (!wrong++)
            first = (uint32_t)seed;
    }
    report(name, !wrong, "%u wrong, first 0x%x", wrong, first);
}

/* Calls that exist leave all but their results alone, FP registers too; unknown upper halves do not matter. */
static void check_registers(const char *name, conduit call)
{
    static const uint32_t ids[] = {PSCI_VERSION, PSCI_FEATURES, PSCI_MIGRATE_INFO_TYPE,
                                   PSCI_AFFINITY_INFO_32};
    unsigned wrong = 0;

    fp_fill(0x5eed);
    for (unsigned i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        struct smccc regs = filled(ids[i]);

        call(&regs);
        wrong += !kept(&regs, 4) || !clean(&regs);
    }
    uint64_t fp = fp_mismatches(0x5eed);
    report(name, !wrong && !fp, "%u calls changed registers, %lu FP registers changed", wrong, fp);
}

/* A defined error or UNDEFINED; never a silent action. */
static void check_immediates(const char *name, uint32_t base)
{
    uint32_t step = boot_flag("long") ? 1 : 61;
    unsigned wrong = 0;

    for (unsigned imm = 1; imm < 0x10000; imm += step) {
        uint32_t code = base | imm << 5;
        uint64_t value = 0;
        struct trap trap;

        if (trap_try_code(&code, 1, PSCI_SYSTEM_OFF, 0, &value, &trap))
            wrong += value != ~0ul;
        else
            wrong += trap.esr != ESR_UNDEF;
    }
    report(name, !wrong, "%u wrong answers", wrong);
}

static bool el0_undefined(uint32_t code, bool aarch32)
{
    struct trap trap = {.x = {PSCI_SYSTEM_OFF}};

    return !trap_try_el0(&code, 1, aarch32, &trap) && trap.elr == 0 && TRAP_EC(trap) == EC_UNKNOWN;
}

/* No call is made for a process: it gets the exception of an instruction that does not exist. */
static void case_smccc_el0(void)
{
    report("smccc.el0_hvc",
           el0_undefined(CODE_HVC, false) && el0_undefined(CODE_HVC | 1 << 5, false), "executed");
    report("smccc.el0_smc",
           el0_undefined(CODE_SMC, false) && el0_undefined(CODE_SMC | 1 << 5, false), "executed");
    if ((sysreg_read(id_aa64pfr0_el1) & 15) != 2) {
        report_skip("smccc.el0_a32", "no AArch32 at EL0");
        return;
    }
    report("smccc.el0_a32", el0_undefined(CODE_HVC_A32, true) && el0_undefined(CODE_SMC_A32, true),
           "executed");
}

TEST_CASE("psci.smccc_el0", 1, case_smccc_el0);

static void check_upper_half(const char *name, conduit call)
{
    struct smccc regs = filled(PSCI_VERSION | 0xdeadbeef00000000ul);

    call(&regs);
    report(name, (int32_t)regs.x[0] == 0x10001, "0x%lx", regs.x[0]);
    regs = filled(PSCI_AFFINITY_INFO_32);
    regs.x[1] = boot_info.mpidr[0] | 0xdeadbeef00000000ul;
    regs.x[2] = 0xdeadbeef00000000ul;
    call(&regs);
    report("smccc.upper_half_args", (int32_t)regs.x[0] == AFFINITY_ON, "0x%lx", regs.x[0]);
}

static void check_all(conduit call, const char *const names[5])
{
    check_conduit(names[0], call);
    check_owners(names[1], call);
    check_random(names[2], call);
    check_registers(names[3], call);
    if (boot_is_guest())
        check_upper_half(names[4], call);
    else
        report_skip(names[4], "QEMU compares all 64 bits of an id");
}

static void case_smccc(void)
{
    static const char *const hvc[] = {"smccc.hvc", "smccc.hvc_owners", "smccc.hvc_random",
                                      "smccc.hvc_registers", "smccc.hvc_upper_half"};
    static const char *const smc[] = {"smccc.smc", "smccc.smc_owners", "smccc.smc_random",
                                      "smccc.smc_registers", "smccc.smc_upper_half"};

    check_all(smccc_hvc, hvc);
    if (!boot_is_guest()) { /* no EL3 there: SMC is UNDEFINED, and any HVC is a call */
        report_skip("smccc.smc", "the bare machine has one conduit");
        return;
    }
    check_all(smccc_smc, smc);
    check_immediates("smccc.hvc_imm", CODE_HVC);
    check_immediates("smccc.smc_imm", CODE_SMC);
}

TEST_CASE("psci.smccc", 1, case_smccc);
