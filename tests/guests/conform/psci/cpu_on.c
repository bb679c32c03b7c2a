// SPDX-License-Identifier: Apache-2.0
// CPU_ON: its errors, the state a CPU starts in, context and entry by both conventions.
#include "firmware.h"

#include "entry.h"

#define CURRENT_EL1 4
#define DAIF_ALL 0x3c0
#define SCTLR_OFF_BITS 0x1005 /* I, C, M */
#define MPIDR_AFFINITY 0xff00fffffful
#define CONTEXT 0x8badf00dfeedc0deul

static int64_t cpu_on(uint64_t mpidr, uint64_t entry, uint64_t context)
{
    return (int32_t)psci_call(PSCI_CPU_ON, mpidr, entry, context);
}

static void check_targets(void)
{
    static const uint64_t absent[] = {0x7f, 0x0100, 0x010000, 0x0100000000, 0xff00ffffff, ~0ul};
    unsigned wrong = 0;

    for (unsigned i = 0; i < sizeof(absent) / sizeof(absent[0]); i++)
        wrong += cpu_on(absent[i], entry_address(0), 0) != PSCI_INVALID_PARAMETERS;
    report("psci.on_absent", !wrong, "%u wrong answers", wrong);
    wrong = 0;
    for (unsigned bit = 24; bit < 64; bit++)
        wrong +=
            cpu_on(boot_info.mpidr[0] | 1ul << bit, entry_address(0), 0) != PSCI_INVALID_PARAMETERS;
    report("psci.on_reserved", !wrong, "%u wrong answers", wrong);
    expect_answer("psci.on_self", cpu_on(boot_info.mpidr[0], entry_address(0), 0), PSCI_ALREADY_ON);
    /* Which of two errors is told is the firmware's choice; that nothing is started is not. */
    int64_t answer = cpu_on(boot_info.mpidr[0], HOLE, 0);
    report("psci.on_self_hole", answer == PSCI_ALREADY_ON || answer == PSCI_INVALID_ADDRESS, "%ld",
           answer);
}

static void case_on_errors(void)
{
    check_targets();
}

TEST_CASE("psci.on_errors", 1, case_on_errors);

/* Entries that no CPU could fetch from: refused, and the CPU stays off. */
static void case_on_entries(void)
{
    const uint64_t code = entry_address(0);
    const uint64_t bad[] = {code + 1,  code + 2, code + 3, ~0ul,      ~3ul,      UART_BASE,
                            GICD_BASE, HOLE,     0,        1ul << 40, 1ul << 47, 1ul << 63};
    unsigned wrong = 0, first = 0;

    if (!boot_is_guest()) {
        report_skip("psci.on_entries", "QEMU's firmware starts CPUs anywhere");
        return;
    }
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        bool good = cpu_on(boot_info.mpidr[1], bad[i], 0) == PSCI_INVALID_ADDRESS &&
                    psci_call(PSCI_AFFINITY_INFO, boot_info.mpidr[1], 0, 0) == AFFINITY_OFF;

        if (!good && !wrong)
            first = i;
        wrong += !good;
    }
    report("psci.on_entries", !wrong, "%u wrong, first 0x%lx", wrong, bad[first]);
    /* The 32-bit call ignores the upper half: it is memory again. */
    expect_answer("psci.on_entry_32",
                  psci_call(PSCI_CPU_ON_32, boot_info.mpidr[1], HOLE | 0xffffffff00000000ul, 0),
                  PSCI_INVALID_ADDRESS);
}

TEST_CASE("psci.on_entries", 2, case_on_entries);

static void check_state(const struct entry_record *seen, unsigned cpu)
{
    report("psci.on_state",
           seen->el == CURRENT_EL1 && seen->daif == DAIF_ALL && seen->spsel == 1 &&
               !(seen->sctlr & SCTLR_OFF_BITS),
           "EL 0x%lx DAIF 0x%lx SPSel %lu SCTLR 0x%lx", seen->el, seen->daif, seen->spsel,
           seen->sctlr);
    report("psci.on_identity", (seen->mpidr & MPIDR_AFFINITY) == boot_info.mpidr[cpu], "0x%lx",
           seen->mpidr);
}

/* One that was told to start is refused, wherever it is on its way. */
static void check_again(unsigned cpu)
{
    if (!boot_is_guest()) {
        report_skip("psci.on_twice", "QEMU's CPU_ON succeeds until the target runs");
        return;
    }
    int64_t answer = cpu_on(boot_info.mpidr[cpu], entry_address(1), 0);

    report("psci.on_twice", answer == PSCI_ALREADY_ON || answer == PSCI_ON_PENDING, "%ld", answer);
}

static void check_running(unsigned cpu)
{
    expect_answer("psci.on_running", cpu_on(boot_info.mpidr[cpu], entry_address(1), 0),
                  PSCI_ALREADY_ON);
    expect_answer("psci.on_running_32",
                  psci_call(PSCI_CPU_ON_32, boot_info.mpidr[cpu], entry_address(1), 0),
                  PSCI_ALREADY_ON);
    expect_answer("psci.affinity_running",
                  psci_call(PSCI_AFFINITY_INFO, boot_info.mpidr[cpu], 0, 0), AFFINITY_ON);
}

static void case_on_start(void)
{
    unsigned cpu = boot_info.cpu_count - 1;
    struct entry_record seen = {0};

    entry_prepare();
    expect_answer("psci.on", cpu_on(boot_info.mpidr[cpu], entry_address(3), CONTEXT), PSCI_SUCCESS);
    check_again(cpu);
    if (!report("psci.on_arrives", entry_wait(1, &seen), "nothing came"))
        return;
    report("psci.on_context", seen.context == CONTEXT && seen.slot == 3, "0x%lx in slot %lu",
           seen.context, seen.slot);
    check_state(&seen, cpu);
    check_running(cpu);
    report("psci.on_off", entry_release(1, cpu), "not off");
    expect_answer("psci.on_32",
                  psci_call(PSCI_CPU_ON_32, boot_info.mpidr[cpu], entry_address(5), CONTEXT), 0);
    if (!report("psci.on_32_arrives", entry_wait(2, &seen), "nothing came"))
        return;
    if (!boot_is_guest() && seen.context == CONTEXT)
        report_skip("psci.on_32_context", "QEMU takes 64-bit arguments with 32-bit calls");
    else
        report("psci.on_32_context", seen.context == (uint32_t)CONTEXT && seen.slot == 5,
               "0x%lx in slot %lu", seen.context, seen.slot);
    report("psci.on_32_off", entry_release(2, cpu), "not off");
}

TEST_CASE("psci.on_start", 2, case_on_start);
