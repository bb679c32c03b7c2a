// SPDX-License-Identifier: Apache-2.0
// SMCCC: both conduits, unknown functions, which registers survive, immediates.
#include "../conform.h"

typedef void (*conduit)(struct smccc *);

static struct smccc filled(uint64_t id)
{
    struct smccc regs;

    for (unsigned i = 0; i < 18; i++)
        regs.x[i] = 0x1000000000000000ul + i;
    regs.x[0] = id;
    return regs;
}

static void check_conduit(const char *name, conduit call)
{
    struct smccc regs = filled(SMCCC_UNKNOWN), before = regs;
    bool kept = true, clean = true;

    call(&regs);
    for (unsigned i = 4; i < 18; i++)
        kept &= regs.x[i] == before.x[i];
    for (unsigned i = 1; i < 4; i++)
        clean &= regs.x[i] == before.x[i] || regs.x[i] == 0;
    report(name, regs.x[0] == ~0ul && kept && clean, "x0 0x%lx, x4..x17 %s, x1..x3 %s", regs.x[0],
           kept ? "kept" : "changed", clean ? "clean" : "leak");
    if (!boot_is_guest()) /* QEMU's own PSCI compares all 64 bits */
        return;
    regs = filled(PSCI_VERSION | 0xdeadbeef00000000ul);
    call(&regs);
    report("smccc.upper_half", (int32_t)regs.x[0] == 0x10001, "0x%lx", regs.x[0]);
}

/* A defined error or UNDEFINED; never a silent action. */
static void check_immediates(const char *name, uint32_t base)
{
    unsigned wrong = 0;

    for (unsigned imm = 1; imm < 0x10000; imm = imm * 3 + 1) {
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

static void case_smccc(void)
{
    struct smccc regs = {.x = {SMCCC_VERSION}};

    check_conduit("smccc.hvc", smccc_hvc);
    if (!boot_is_guest())
        return;
    check_conduit("smccc.smc", smccc_smc);
    check_immediates("smccc.hvc_imm", 0xd4000002);
    check_immediates("smccc.smc_imm", 0xd4000003);
    smccc_hvc(&regs);
    report("smccc.version", regs.x[0] >= 0x10001 && regs.x[0] < 0x20000, "0x%lx", regs.x[0]);
    regs = (struct smccc){.x = {SMCCC_ARCH_FEATURES, SMCCC_VERSION}};
    smccc_hvc(&regs);
    report("smccc.features", regs.x[0] == 0, "0x%lx", regs.x[0]);
    regs = (struct smccc){.x = {SMCCC_ARCH_FEATURES, 0x8000ffff}};
    smccc_hvc(&regs);
    report("smccc.features_unknown", (int32_t)regs.x[0] == PSCI_NOT_SUPPORTED, "0x%lx", regs.x[0]);
}

TEST_CASE("psci.smccc", 1, case_smccc);
