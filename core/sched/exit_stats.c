// SPDX-License-Identifier: Apache-2.0
// Reading the exit statistics that the port keeps.

#include <hv/exit_stats.h>
#include <hv/vcpu.h>

uint64_t exit_stats_count(const struct vcpu *vcpu)
{
    uint64_t count = 0;

    for (unsigned i = 0; i < EXIT_CAUSES; i++)
        count += vcpu->exit_stats[i].count;
    return count;
}

const char *exit_cause_name(enum exit_cause cause)
{
    static const char *const names[EXIT_CAUSES] = {
        [EXIT_WAIT] = "wait",           [EXIT_HYPERCALL] = "hypercall",
        [EXIT_REGISTER] = "register",   [EXIT_MEMORY] = "memory",
        [EXIT_FETCH] = "fetch",         [EXIT_FP] = "fp",
        [EXIT_INTERRUPT] = "interrupt", [EXIT_OTHER] = "other",
    };

    return cause < EXIT_CAUSES ? names[cause] : "";
}
