// SPDX-License-Identifier: Apache-2.0
// AFFINITY_INFO: every CPU, every level, and what is no affinity.
#include "firmware.h"

static int64_t affinity_info(uint64_t mpidr, uint64_t level)
{
    return (int32_t)psci_call(PSCI_AFFINITY_INFO, mpidr, level, 0);
}

/* All other CPUs are off, as every case leaves them. */
static void check_each(void)
{
    unsigned wrong = 0;

    for (unsigned i = 0; i < boot_info.cpu_count; i++) {
        int64_t want = i ? AFFINITY_OFF : AFFINITY_ON;

        wrong += affinity_info(boot_info.mpidr[i], 0) != want;
        wrong += (int32_t)psci_call(PSCI_AFFINITY_INFO_32, boot_info.mpidr[i], 0, 0) != want;
    }
    report("psci.affinity_each", !wrong, "%u wrong answers", wrong);
}

/* PSCI 1.0 needs no level but 0; one that is there is on, because this CPU is below it. */
static void check_levels(void)
{
    unsigned wrong = 0;

    for (uint64_t level = 1; level < 4; level++) {
        int64_t answer = affinity_info(boot_info.mpidr[boot_info.cpu_count - 1], level);

        wrong += answer != AFFINITY_ON && answer != PSCI_INVALID_PARAMETERS;
    }
    report("psci.affinity_levels", !wrong, "%u wrong answers", wrong);
}

static void check_absent(void)
{
    /* Bits 31:24 and 63:40 are no affinity, even beside one that exists. */
    static const uint64_t absent[] = {0x7f, 0x0100, 0x010000, 0x0100000000, 0xff00ffffff, ~0ul};
    unsigned wrong = 0;

    for (unsigned i = 0; i < sizeof(absent) / sizeof(absent[0]); i++)
        wrong += affinity_info(absent[i], 0) != PSCI_INVALID_PARAMETERS;
    for (unsigned bit = 24; bit < 64; bit++)
        wrong += affinity_info(boot_info.mpidr[0] | 1ul << bit, 0) != PSCI_INVALID_PARAMETERS;
    report("psci.affinity_absent", !wrong, "%u wrong answers", wrong);
}

static void check_bad_levels(void)
{
    static const uint64_t levels[] = {4, 5, 0x80000000, 0xffffffff, 0x100000000, ~0ul};
    unsigned wrong = 0;

    if (!boot_is_guest() && affinity_info(boot_info.mpidr[0], 4) == AFFINITY_ON) {
        report_skip("psci.affinity_bad_levels", "QEMU calls every level above 0 on");
        return;
    }
    for (unsigned i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
        wrong += affinity_info(boot_info.mpidr[0], levels[i]) != PSCI_INVALID_PARAMETERS;
    report("psci.affinity_bad_levels", !wrong, "%u wrong answers", wrong);
}

static void case_psci_affinity(void)
{
    check_each();
    check_levels();
    check_absent();
    check_bad_levels();
}

TEST_CASE("psci.affinity", 1, case_psci_affinity);
