// SPDX-License-Identifier: Apache-2.0
// Contract: bringing up CPUs and interrupting them.
#pragma once

#include <stdint.h>

struct dt_node;

/** Most CPUs this build supports. */
#define SMP_CPUS_MAX CONFIG_MAX_CPUS

/** Hardware id of the CPU that runs this (MPIDR affinity fields). */
uint64_t arch_smp_hwid(void);

/**
 * Start a secondary CPU; it will call hv_secondary_main(cpu). Boot context.
 * node: its /cpus node (enable-method). percpu_offset and stack_top are its own. -ENODEV, -EALREADY, -EIO by firmware's answer.
 */
int arch_smp_start(unsigned cpu, uint64_t hwid, const struct dt_node *node, uintptr_t percpu_offset,
                   uintptr_t stack_top);

/** Stop every other CPU for good (panic, shutdown). Any context. */
void arch_smp_stop_others(void);
