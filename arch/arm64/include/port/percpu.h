// SPDX-License-Identifier: Apache-2.0
// The per-CPU offset lives in TPIDR_EL2, which no guest can reach.
#pragma once

static inline uintptr_t arch_percpu_offset(void)
{
    uintptr_t offset;

    /* Volatile, so that no value read before a switch of stacks (and maybe of CPUs) is used after it. */
    __asm__ volatile("mrs %0, tpidr_el2" : "=r"(offset));
    return offset;
}

static inline void arch_percpu_set_offset(uintptr_t offset)
{
    __asm__ volatile("msr tpidr_el2, %0" : : "r"(offset) : "memory");
}
