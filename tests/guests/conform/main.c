// SPDX-License-Identifier: Apache-2.0
// Conformance: what a guest sees is what the architecture says. Runs on the bare machine and as a guest.
#include "conform.h"

#include <payload/main.h>

void payload_main(void)
{
    print("conform: %u cpu(s), GICv%u, %s, args \"%s\"\n", boot_info.cpu_count,
          boot_info.gic_version, boot_is_guest() ? "guest" : "bare", boot_info.args);
    gic_init();
    gic_cpu_init();
    cases_run();
    report("interrupts.unexpected", irq_unexpected == 0, "%u", irq_unexpected);
}
