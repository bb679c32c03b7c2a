// SPDX-License-Identifier: Apache-2.0
// Barriers of the A64 instruction set.
#pragma once

static inline void arch_barrier_complete(void)
{
    __asm__ volatile("dsb sy" : : : "memory");
}

static inline void arch_barrier_io_write(void)
{
    __asm__ volatile("dmb oshst" : : : "memory");
}

static inline void arch_barrier_context(void)
{
    __asm__ volatile("isb" : : : "memory");
}

static inline void arch_cpu_relax(void)
{
    __asm__ volatile("yield" : : : "memory");
}
