// SPDX-License-Identifier: Apache-2.0
// Isolated CPUs: left to the VCPUs whose affinity names them and no others.

#include <hv/dt.h>
#include <hv/irq.h>
#include <hv/log.h>

#include "sched_internal.h"

static cpumask_t isolated;

cpumask_t sched_isolated_cpus(void)
{
    return __atomic_load_n(&isolated, __ATOMIC_RELAXED);
}

void sched_read_isolated_cpus(const struct dt_node *vmm)
{
    cpumask_t mask = 0;
    uint32_t cpu;

    for (unsigned i = 0; dt_get_u32_at(vmm, "bulkhead,isolated-cpus", i, &cpu) == 0; i++) {
        if (cpu < SMP_CPUS_MAX)
            mask |= CPU_MASK(cpu);
        else
            log_error("/vmm: bulkhead,isolated-cpus: there can be no CPU %u", cpu);
    }
    __atomic_store_n(&isolated, mask, __ATOMIC_RELAXED);
    irq_set_isolated(mask);
}
