// SPDX-License-Identifier: Apache-2.0
// Logical CPUs: numbers, masks, who is online. Room: base.
#pragma once

#include <arch/percpu.h>
#include <arch/smp.h>
#include <stdbool.h>
#include <stdint.h>

/** Bit n = logical CPU n. */
typedef uint64_t cpumask_t;

#define CPU_MASK(cpu) (1ULL << (cpu))
#define CPU_MASK_ALL (~0ULL)

/** This CPU's copy holds its number; for cpu_id() only. */
extern unsigned cpu_number;

/** Logical number of this CPU (0 = boot CPU). Preemption off. */
static inline unsigned cpu_id(void)
{
    return *(const unsigned *)((uintptr_t)&cpu_number + arch_percpu_offset());
}

/** CPUs that run the scheduler. Any context. */
cpumask_t cpu_online(void);
unsigned cpu_online_count(void);
/** This CPU runs the scheduler from now on; there is no way back. Boot, on the CPU itself. */
void cpu_set_online(unsigned cpu);

enum cpu_status {
    CPU_ABSENT,
    CPU_ONLINE,
    CPU_FAILED,    /**< firmware refused */
    CPU_TIMED_OUT, /**< firmware accepted, CPU never arrived */
    CPU_DISABLED,  /**< device tree says so, or beyond CONFIG_MAX_CPUS, or duplicate hardware id */
};

/** One per CPU that the device tree lists (bounded by SMP_CPUS_MAX). */
struct cpu_info {
    uint64_t hwid;
    enum cpu_status status;
    int error; /**< negative code when not online */
};
/** cpu < cpu_count(). Written at boot by room smp, constant afterwards. Any context. */
struct cpu_info *cpu_info(unsigned cpu);
/** CPUs the device tree lists, online or not, at most SMP_CPUS_MAX. */
unsigned cpu_count(void);
/** count <= SMP_CPUS_MAX. Boot CPU, once. */
void cpu_set_count(unsigned count);
