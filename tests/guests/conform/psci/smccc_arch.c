// SPDX-License-Identifier: Apache-2.0
// SMCCC: what the calls of the Arm architecture range say of each other, and who the hypervisor is.
#include "firmware.h"

#define SMCCC_SOC_ID 0x80000002u
#define SMCCC_WORKAROUND_1 0x80008000u
#define SMCCC_WORKAROUND_2 0x80007fffu
#define SMCCC_WORKAROUND_3 0x80003fffu
#define TRNG_VERSION 0x84000050u
#define TRNG_COUNT 4
#define PV_TIME_FEATURES 0xc5000020u
#define PV_TIME_ST 0xc5000021u
#define FFA_VERSION 0x84000063u
#define HYP_UID 0x8600ff01u
#define HYP_REVISION 0x8600ff03u
#define HYP_COUNT 0x8600ff00u
#define WORKAROUND_CALLS 1000

static int32_t arch_features(uint32_t id)
{
    return (int32_t)psci_call(SMCCC_ARCH_FEATURES, id, 0, 0);
}

/* DEN 0028: by way of PSCI_FEATURES one learns that there is an SMCCC_VERSION. */
static bool has_smccc(void)
{
    return psci_has(SMCCC_VERSION);
}

static void check_versions(void)
{
    int64_t version = psci_call(SMCCC_VERSION, 0, 0, 0);

    report("smccc.version", version >= 0x10001 && version < 0x20000, "0x%lx", version);
    expect_answer("smccc.features_version", arch_features(SMCCC_VERSION), 0);
    expect_answer("smccc.features_features", arch_features(SMCCC_ARCH_FEATURES), 0);
    expect_answer("smccc.features_unknown", arch_features(0x8000ffff), PSCI_NOT_SUPPORTED);
    expect_answer("smccc.features_psci", arch_features(PSCI_VERSION), PSCI_NOT_SUPPORTED);
    expect_answer("smccc.version_64", psci_call(SMCCC_VERSION | SMCCC_64, 0, 0, 0),
                  PSCI_NOT_SUPPORTED);
}

/* Offered or not, a workaround that is called comes back and holds no state; absent ones answer as unknown. */
static void check_workarounds(void)
{
    static const uint32_t ids[] = {SMCCC_WORKAROUND_1, SMCCC_WORKAROUND_2, SMCCC_WORKAROUND_3};
    unsigned wrong = 0;

    for (unsigned i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        int32_t offered = arch_features(ids[i]);

        for (unsigned n = 0; n < WORKAROUND_CALLS; n++) {
            int64_t answer = psci_call(ids[i], 0, 0, 0);

            wrong += offered < 0 && (int32_t)answer != PSCI_NOT_SUPPORTED;
        }
        wrong += offered != arch_features(ids[i]);
    }
    report("smccc.workarounds", !wrong, "%u wrong answers", wrong);
}

static void check_soc_id(void)
{
    bool offered = arch_features(SMCCC_SOC_ID) >= 0, answers = true;

    for (uint64_t type = 0; type < 2; type++)
        answers &= (int32_t)psci_call(SMCCC_SOC_ID, type, 0, 0) != PSCI_NOT_SUPPORTED;
    report("smccc.soc_id", offered == answers, "offered %d, answers %d", offered, answers);
}

/* Services that a machine may lack altogether: then none of their functions answers. */
static void check_services(void)
{
    unsigned wrong = 0;

    if ((int32_t)psci_call(TRNG_VERSION, 0, 0, 0) < 0) {
        for (uint32_t id = TRNG_VERSION; id < TRNG_VERSION + TRNG_COUNT; id++)
            wrong += (int32_t)psci_call(id, 64, 0, 0) != PSCI_NOT_SUPPORTED;
        wrong += psci_call(0xc4000053, 64, 0, 0) != PSCI_NOT_SUPPORTED;
    }
    report("smccc.trng", !wrong, "%u functions without a version", wrong);
    bool pv_time = arch_features(PV_TIME_FEATURES) >= 0;
    report("smccc.pv_time", pv_time == ((int32_t)psci_call(PV_TIME_FEATURES, PV_TIME_ST, 0, 0) >= 0),
           "offered %d", pv_time);
    expect_answer("smccc.ffa", psci_call(FFA_VERSION, 0x10000, 0, 0), PSCI_NOT_SUPPORTED);
}

static void check_identity(void)
{
    struct smccc uid = {.x = {HYP_UID}}, again = {.x = {HYP_UID}};
    struct smccc revision = {.x = {HYP_REVISION}};

    smccc_hvc(&uid);
    smccc_smc(&again);
    report("smccc.uid",
           (uint32_t)uid.x[0] != ~0u && !memcmp(uid.x, again.x, sizeof(uid.x)) &&
               !((uid.x[0] | uid.x[1] | uid.x[2] | uid.x[3]) >> 32),
           "0x%lx 0x%lx 0x%lx 0x%lx", uid.x[0], uid.x[1], uid.x[2], uid.x[3]);
    smccc_hvc(&revision);
    report("smccc.revision", (int32_t)revision.x[0] >= 1 && !(revision.x[1] >> 32), "%ld.%ld",
           revision.x[0], revision.x[1]);
    expect_answer("smccc.hyp_count", psci_call(HYP_COUNT, 0, 0, 0), PSCI_NOT_SUPPORTED);
}

static void case_smccc_arch(void)
{
    if (!has_smccc()) {
        report_skip("smccc.arch", "no SMCCC_VERSION");
        return;
    }
    check_versions();
    check_workarounds();
    check_soc_id();
    check_services();
    if (boot_is_guest())
        check_identity();
}

TEST_CASE("psci.smccc_arch", 1, case_smccc_arch);
