// SPDX-License-Identifier: Apache-2.0
// Per-CPU variables: one template in section "percpu", one copy per CPU. Room: base.
#pragma once

#include <arch/percpu.h>
#include <hv/cpu.h>
#include <lib/macros.h>
#include <stdbool.h>

/**
 * Per-CPU variables start as all zero on every CPU: no initialisers. The boot CPU uses the template
 * itself (offset 0), so that per-CPU variables work from its first instruction in C on.
 */
#define DEFINE_PER_CPU(type, name) SECTION("percpu") __typeof__(type) name
#define DECLARE_PER_CPU(type, name) extern __typeof__(type) name

extern uintptr_t percpu_offsets[SMP_CPUS_MAX];

/** This CPU's copy. Preemption (or interrupts) must be off while the pointer is used. */
#define this_cpu(name) (*(__typeof__(&(name)))((uintptr_t) & (name) + arch_percpu_offset()))
/** Has it a copy? CPU 0 is the boot CPU. */
static inline bool percpu_is_there(unsigned cpu)
{
    return cpu == 0 || percpu_offsets[cpu] != 0;
}

/**
 * Another CPU's copy; the owner of the variable says which lock that needs. The CPU has a copy (it
 * is or was being started).
 */
#define per_cpu(name, cpu) (*(__typeof__(&(name)))((uintptr_t) & (name) + percpu_offsets[cpu]))

/** Bytes of one copy. */
uint64_t percpu_size(void);
/**
 * Make memory (percpu_size() bytes, page aligned) the zeroed copy of a secondary CPU. Boot CPU,
 * before it starts the other.
 */
void percpu_create(unsigned cpu, void *memory);
