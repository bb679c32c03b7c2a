// SPDX-License-Identifier: Apache-2.0
// Contract: the per-CPU base. Any context with preemption off.
#pragma once

#include <stdint.h>

/** Byte offset from the template in section "percpu" to this CPU's copy. 0 on the boot CPU. */
static inline uintptr_t arch_percpu_offset(void);
/** Set once per CPU before any per-CPU variable is touched. */
static inline void arch_percpu_set_offset(uintptr_t offset);

#include <port/percpu.h>
