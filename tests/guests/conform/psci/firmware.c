// SPDX-License-Identifier: Apache-2.0
// Verdicts on the firmware's answers, and waiting for CPUs without holding up those that share one with this.
#include "firmware.h"

#define SPINS 2000
#define NAP_US 50
#define PATIENCE_MS 5000

bool expect_answer(const char *name, int64_t got, int64_t want)
{
    return report(name, (int32_t)got == want, "%ld, not %ld", got, want);
}

bool psci_has(uint32_t id)
{
    return (int32_t)psci_call(PSCI_FEATURES, id, 0, 0) >= 0;
}

void wait_a_little(unsigned spins)
{
    if (spins < SPINS) {
        relax();
        return;
    }
    gic_enable(TIMER_VIRT_INTID);
    timer_start(false, NAP_US);
    wfi();
    timer_stop(false);
    gic_disable(TIMER_VIRT_INTID);
}

bool wait_off(unsigned cpu)
{
    uint64_t end = timer_now() + timer_us(PATIENCE_MS * 1000);

    for (unsigned spins = 0;
         psci_call(PSCI_AFFINITY_INFO, boot_info.mpidr[cpu], 0, 0) != AFFINITY_OFF; spins += 20) {
        if (timer_now() >= end)
            return false;
        wait_a_little(spins);
    }
    return true;
}
