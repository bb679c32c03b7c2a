// SPDX-License-Identifier: Apache-2.0
// Per-CPU variables: one template in section "percpu", one copy per CPU. Room: base.
#pragma once

#include <arch/percpu.h>
#include <hv/cpu.h>
#include <lib/macros.h>

#define DEFINE_PER_CPU(type, name) SECTION("percpu") __typeof__(type) name
#define DECLARE_PER_CPU(type, name) extern __typeof__(type) name

extern uintptr_t percpu_offsets[SMP_CPUS_MAX];

/** This CPU's copy. Preemption (or interrupts) must be off while the pointer is used. */
#define this_cpu(name) (*(__typeof__(&(name)))((uintptr_t)&(name) + arch_percpu_offset()))
/** Another CPU's copy; the owner of the variable says which lock that needs. */
#define per_cpu(name, cpu) (*(__typeof__(&(name)))((uintptr_t)&(name) + percpu_offsets[cpu]))

/** Bytes of one copy. */
uint64_t percpu_size(void);
/** Allocate and fill the copy of a secondary CPU from the pristine template. Boot CPU, before it starts. -ENOMEM. */
int percpu_create(unsigned cpu);
