// SPDX-License-Identifier: Apache-2.0
// PSCI: versions, features, errors, standby.
#include "../conform.h"

static void expect(const char *name, int64_t got, int64_t want)
{
    report(name, (int32_t)got == want, "%ld, not %ld", got, want);
}

/* What PSCI_FEATURES calls absent must be absent, too. */
static void check_agreement(const char *name, uint32_t id)
{
    int64_t features = psci_call(PSCI_FEATURES, id, 0, 0);

    if ((int32_t)features == PSCI_NOT_SUPPORTED)
        expect(name, psci_call(id, ~0ul, ~0ul, ~0ul), PSCI_NOT_SUPPORTED);
}

static void check_cpu_on(void)
{
    uint64_t absent = 0x7f;

    expect("psci.on_self", psci_call(PSCI_CPU_ON, boot_info.mpidr[0], (uintptr_t)check_cpu_on, 0),
           PSCI_ALREADY_ON);
    expect("psci.on_absent", psci_call(PSCI_CPU_ON, absent, (uintptr_t)check_cpu_on, 0),
           PSCI_INVALID_PARAMETERS);
    expect("psci.on_garbage", psci_call(PSCI_CPU_ON, ~0ul, (uintptr_t)check_cpu_on, 0),
           PSCI_INVALID_PARAMETERS);
    expect("psci.affinity_self", psci_call(PSCI_AFFINITY_INFO, boot_info.mpidr[0], 0, 0), 0);
    expect("psci.affinity_absent", psci_call(PSCI_AFFINITY_INFO, absent, 0, 0),
           PSCI_INVALID_PARAMETERS);
    if (boot_info.cpu_count < 2)
        return;
    expect("psci.affinity_off", psci_call(PSCI_AFFINITY_INFO, boot_info.mpidr[1], 0, 0), 1);
    if (!boot_is_guest())
        return;
    expect("psci.on_hole", psci_call(PSCI_CPU_ON, boot_info.mpidr[1], HOLE, 0),
           PSCI_INVALID_ADDRESS);
    expect("psci.on_device", psci_call(PSCI_CPU_ON, boot_info.mpidr[1], UART_BASE, 0),
           PSCI_INVALID_ADDRESS);
    expect("psci.on_far", psci_call(PSCI_CPU_ON, boot_info.mpidr[1], ~3ul, 0), PSCI_INVALID_ADDRESS);
    expect("psci.affinity_still_off", psci_call(PSCI_AFFINITY_INFO, boot_info.mpidr[1], 0, 0), 1);
}

static void check_standby(void)
{
    uint64_t start = timer_now();

    timer_start(false, 10000);
    gic_enable(TIMER_VIRT_INTID);
    int64_t answer = psci_call(PSCI_CPU_SUSPEND, 0, 0, 0);
    uint64_t slept = timer_now() - start;
    timer_stop(false);
    gic_disable(TIMER_VIRT_INTID);
    report("psci.standby", answer == 0 && slept >= timer_us(9000), "%ld after %lu ticks", answer,
           slept);
}

static void case_psci(void)
{
    expect("psci.version", psci_call(PSCI_VERSION, 0, 0, 0), 0x10001);
    expect("psci.features_version", psci_call(PSCI_FEATURES, PSCI_VERSION, 0, 0), 0);
    expect("psci.features_on", psci_call(PSCI_FEATURES, PSCI_CPU_ON, 0, 0), 0);
    expect("psci.features_off", psci_call(PSCI_FEATURES, PSCI_CPU_OFF, 0, 0), 0);
    expect("psci.features_unknown", psci_call(PSCI_FEATURES, 0x8400ffff, 0, 0), PSCI_NOT_SUPPORTED);
    expect("psci.migrate_type", psci_call(PSCI_MIGRATE_INFO_TYPE, 0, 0, 0), 2);
    check_agreement("psci.migrate", PSCI_MIGRATE);
    check_agreement("psci.system_suspend", PSCI_SYSTEM_SUSPEND);
    check_agreement("psci.mem_protect", 0x84000013);
    check_agreement("psci.cpu_freeze", 0x8400000b);
    check_agreement("psci.set_suspend_mode", 0x8400000f);
    check_cpu_on();
    check_standby();
}

TEST_CASE("psci.calls", 1, case_psci);
