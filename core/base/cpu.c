// SPDX-License-Identifier: Apache-2.0
// Logical CPUs: this CPU's number, the set of those online, and what is known of each.

#include <hv/cpu.h>
#include <hv/panic.h>
#include <hv/percpu.h>

static cpumask_t online_mask;
static struct cpu_info infos[SMP_CPUS_MAX];
static unsigned info_count;

DEFINE_PER_CPU(unsigned, cpu_number);

cpumask_t cpu_online(void)
{
    return __atomic_load_n(&online_mask, __ATOMIC_ACQUIRE);
}

unsigned cpu_online_count(void)
{
    unsigned count = 0;

    /* Not popcount: without FP registers that would be a library call. */
    for (cpumask_t mask = cpu_online(); mask != 0; mask &= mask - 1)
        count++;
    return count;
}

void cpu_set_online(unsigned cpu)
{
    ASSERT(cpu < SMP_CPUS_MAX);
    infos[cpu].status = CPU_ONLINE;
    infos[cpu].error = 0;
    __atomic_fetch_or(&online_mask, CPU_MASK(cpu), __ATOMIC_RELEASE);
}

struct cpu_info *cpu_info(unsigned cpu)
{
    ASSERT(cpu < SMP_CPUS_MAX);
    return &infos[cpu];
}

unsigned cpu_count(void)
{
    return info_count;
}

void cpu_set_count(unsigned count)
{
    ASSERT(count <= SMP_CPUS_MAX);
    info_count = count;
}
