// SPDX-License-Identifier: Apache-2.0
// Host port: barriers of the C memory model; a spin lets simulated time and other CPUs go on.
#pragma once

void host_relax(void);

static inline void arch_barrier_complete(void)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static inline void arch_barrier_io_write(void)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static inline void arch_barrier_context(void)
{
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static inline void arch_cpu_relax(void)
{
    host_relax();
}
