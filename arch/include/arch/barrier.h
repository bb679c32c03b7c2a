// SPDX-License-Identifier: Apache-2.0
// Contract: barriers that C atomics do not give. Normal memory ordering uses __atomic builtins. Any context.
#pragma once

/** Orders and completes all earlier memory and device accesses before any later instruction (DSB SY). */
static inline void arch_barrier_complete(void);
/** Orders earlier writes to memory before later device writes (DMB/DSB ST): "publish, then ring the bell". */
static inline void arch_barrier_io_write(void);
/** Makes context changes (system registers, code) visible to the next instruction (ISB). */
static inline void arch_barrier_context(void);
/** To be called in every spin loop: lets an SMT sibling or an emulator run. */
static inline void arch_cpu_relax(void);

#include <port/barrier.h>
