// SPDX-License-Identifier: Apache-2.0
// PSCI: the version, and that FEATURES and the functions themselves agree about what there is.
#include "firmware.h"

/* Those that PSCI 1.1 wants (DEN 0022, 5.1). */
static const uint32_t mandatory[] = {
    PSCI_VERSION,    PSCI_CPU_SUSPEND,  PSCI_CPU_SUSPEND_32, PSCI_CPU_OFF,
    PSCI_CPU_ON,     PSCI_CPU_ON_32,    PSCI_AFFINITY_INFO,  PSCI_AFFINITY_INFO_32,
    PSCI_SYSTEM_OFF, PSCI_SYSTEM_RESET, PSCI_FEATURES,
};

/* Called for a try they would not come back; and FEATURES says "not supported" of what it is asked for. */
static bool is_untried(uint32_t id)
{
    return id == PSCI_CPU_OFF || id == PSCI_SYSTEM_OFF || id == PSCI_SYSTEM_RESET ||
           id == PSCI_FEATURES;
}

static void check_mandatory(void)
{
    unsigned missing = 0;

    for (unsigned i = 0; i < sizeof(mandatory) / sizeof(mandatory[0]); i++)
        missing += !psci_has(mandatory[i]);
    report("psci.mandatory", !missing, "%u missing", missing);
}

/* With arguments that are all wrong an existing function still says something else than "not supported". */
static void check_agreement(uint32_t convention)
{
    unsigned absent_answers = 0, present_refuses = 0;
    uint32_t first = 0;

    for (uint32_t id = PSCI_FIRST | convention; id < (PSCI_FIRST | convention) + PSCI_COUNT; id++) {
        bool has = psci_has(id);

        if (has && is_untried(id))
            continue;
        bool answers = (int32_t)psci_call(id, ~0ul, ~0ul, ~0ul) != PSCI_NOT_SUPPORTED;

        if (has != answers && !first)
            first = id;
        absent_answers += answers && !has;
        present_refuses += has && !answers;
    }
    report(convention ? "psci.agreement_64" : "psci.agreement_32", !first,
           "%u absent ones answer, %u present ones do not, first 0x%x", absent_answers,
           present_refuses, first);
}

/* Functions with 32-bit arguments only have no 64-bit ids. */
static void check_conventions(void)
{
    expect_answer("psci.version_64", psci_call(PSCI_VERSION | SMCCC_64, 0, 0, 0),
                  PSCI_NOT_SUPPORTED);
    expect_answer("psci.features_64", psci_call(PSCI_FEATURES | SMCCC_64, PSCI_VERSION, 0, 0),
                  PSCI_NOT_SUPPORTED);
    expect_answer("psci.off_64", psci_call(PSCI_CPU_OFF | SMCCC_64, 0, 0, 0), PSCI_NOT_SUPPORTED);
    expect_answer("psci.system_off_64", psci_call(PSCI_SYSTEM_OFF | SMCCC_64, 0, 0, 0),
                  PSCI_NOT_SUPPORTED);
    expect_answer("psci.reset_64", psci_call(PSCI_SYSTEM_RESET | SMCCC_64, 0, 0, 0),
                  PSCI_NOT_SUPPORTED);
    expect_answer("psci.migrate_type_64", psci_call(PSCI_MIGRATE_INFO_TYPE | SMCCC_64, 0, 0, 0),
                  PSCI_NOT_SUPPORTED);
}

/* No trusted OS: nothing can be migrated, and nobody asks where it is. */
static void check_migration(void)
{
    int64_t type = psci_call(PSCI_MIGRATE_INFO_TYPE, 0, 0, 0);

    report("psci.migrate_type", (int32_t)type == 2 || (int32_t)type == PSCI_NOT_SUPPORTED, "%ld",
           type);
    expect_answer("psci.migrate", psci_call(PSCI_MIGRATE, boot_info.mpidr[0], 0, 0),
                  PSCI_NOT_SUPPORTED);
    expect_answer("psci.migrate_up_cpu", psci_call(PSCI_MIGRATE_INFO_UP_CPU, 0, 0, 0),
                  PSCI_NOT_SUPPORTED);
}

static void check_reset2(void)
{
    static const uint64_t types[] = {1, 2, 0x7fffffff, 0x80000000, 0x80000001, 0xffffffff};
    unsigned wrong = 0;

    if (!psci_has(PSCI_SYSTEM_RESET2)) {
        report_skip("psci.reset2_types", "no SYSTEM_RESET2");
        return;
    }
    for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        wrong +=
            (int32_t)psci_call(PSCI_SYSTEM_RESET2, types[i], ~0ul, 0) != PSCI_INVALID_PARAMETERS;
        wrong +=
            (int32_t)psci_call(PSCI_SYSTEM_RESET2_32, types[i], ~0ul, 0) != PSCI_INVALID_PARAMETERS;
    }
    report("psci.reset2_types", !wrong, "%u accepted", wrong);
}

static void case_psci_calls(void)
{
    expect_answer("psci.version", psci_call(PSCI_VERSION, 0, 0, 0), 0x10001);
    expect_answer("psci.features_unknown", psci_call(PSCI_FEATURES, 0x8400ffff, 0, 0),
                  PSCI_NOT_SUPPORTED);
    expect_answer("psci.features_suspend", psci_call(PSCI_FEATURES, PSCI_CPU_SUSPEND, 0, 0), 0);
    check_mandatory();
    check_agreement(0);
    check_agreement(SMCCC_64);
    check_conventions();
    check_migration();
    check_reset2();
}

TEST_CASE("psci.calls", 1, case_psci_calls);
