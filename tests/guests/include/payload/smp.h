// SPDX-License-Identifier: Apache-2.0
// CPUs: per-CPU data, starting others with a function, stopping them.
#pragma once

#include <payload/boot.h>
#include <payload/trap.h>

struct cpu {
    uint64_t stack_top; /* at offset 0: start.S loads it */
    uint64_t mpidr;
    struct trap_context *trap;
    void (*fn)(void);
    unsigned index;
    volatile uint32_t online;
    volatile uint32_t starting; /* from a CPU_ON that succeeded to the CPU's first step in C */
};
extern struct cpu cpus[BOOT_CPUS_MAX];

static inline struct cpu *this_cpu(void)
{
    struct cpu *cpu;
    __asm__("mrs %0, tpidr_el1" : "=r"(cpu));
    return cpu;
}

/** CPU_ON for cpu; it sets up its GIC part, then runs fn with interrupts masked, then CPU_OFF. PSCI's answer. */
int64_t smp_start(unsigned cpu, void (*fn)(void));
/** Waits until a CPU that smp_start() started has begun, then until AFFINITY_INFO says OFF; false after ms milliseconds. */
bool smp_wait_off(unsigned cpu, uint64_t ms);
