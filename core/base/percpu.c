// SPDX-License-Identifier: Apache-2.0
// Per-CPU copies of the variables in section "percpu".

#include <hv/panic.h>
#include <hv/percpu.h>
#include <lib/string.h>

extern char __start_percpu[] __attribute__((visibility("hidden")));
extern char __stop_percpu[] __attribute__((visibility("hidden")));

/* The boot CPU's offset is 0; those of CPUs without a copy are never used. */
uintptr_t percpu_offsets[SMP_CPUS_MAX];

uint64_t percpu_size(void)
{
    return (uintptr_t)__stop_percpu - (uintptr_t)__start_percpu;
}

void percpu_create(unsigned cpu, void *memory)
{
    ASSERT(cpu > 0 && cpu < SMP_CPUS_MAX);
    memset(memory, 0, percpu_size());
    percpu_offsets[cpu] = (uintptr_t)memory - (uintptr_t)__start_percpu;
    per_cpu(cpu_number, cpu) = cpu;
}
