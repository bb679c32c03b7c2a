// SPDX-License-Identifier: Apache-2.0
// Conformance: what a guest sees is what the architecture says. Runs on the bare machine and as a guest.
#include "conform.h"

#include <payload/main.h>

static const struct {
    const char *name;
    unsigned cpus; /* needed */
    void (*run)(void);
} cases[] = {
    {"id", 1, case_id},
    {"sysreg", 1, case_sysreg},
    {"exception", 1, case_exception},
    {"abort", 1, case_abort},
    {"mmio", 1, case_mmio},
    {"pl011", 1, case_pl011},
    {"psci", 1, case_psci},
    {"smccc", 1, case_smccc},
    {"gic", 1, case_gic},
    {"gic_order", 1, case_gic_order},
    {"gic_many", 1, case_gic_many},
    {"sgi", 1, case_sgi},
    {"timer", 1, case_timer},
    {"timer_edges", 1, case_timer_edges},
    {"fp", 1, case_fp},
    {"smp", 2, case_smp},
    {"smp_sgi", 2, case_smp_sgi},
    {"smp_cycle", 2, case_smp_cycle},
};

void payload_main(void)
{
    print("conform: %u cpu(s), GICv%u, %s, args \"%s\"\n", boot_info.cpu_count,
          boot_info.gic_version, boot_is_guest() ? "guest" : "bare", boot_info.args);
    gic_init();
    gic_cpu_init();
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (!boot_selects("case", cases[i].name))
            continue;
        if (boot_info.cpu_count < cases[i].cpus)
            report_skip(cases[i].name, "needs more CPUs");
        else
            cases[i].run();
    }
    report("interrupts.unexpected", irq_unexpected == 0, "%u", irq_unexpected);
}
