// SPDX-License-Identifier: Apache-2.0
// Masking of interrupts by PSTATE.DAIF: IRQ and FIQ together, as both vectors lead to the same handler.
#pragma once

#include <hv/latency.h>

#define ARM64_DAIF_IF 0xc0UL

static inline irqflags_t arch_irq_save(void)
{
    irqflags_t flags;

    __asm__ volatile("mrs %0, daif\n\tmsr daifset, #3" : "=r"(flags) : : "memory");
    latency_irqs_off();
    return flags;
}

static inline void arch_irq_restore(irqflags_t flags)
{
    if (!(flags & ARM64_DAIF_IF))
        latency_irqs_on();
    __asm__ volatile("msr daif, %0" : : "r"(flags) : "memory");
}

static inline void arch_irq_enable(void)
{
    latency_irqs_on();
    __asm__ volatile("msr daifclr, #3" : : : "memory");
}

static inline void arch_irq_disable(void)
{
    __asm__ volatile("msr daifset, #3" : : : "memory");
    latency_irqs_off();
}

static inline bool arch_irq_is_disabled(void)
{
    uint64_t daif;

    __asm__ volatile("mrs %0, daif" : "=r"(daif));
    return (daif & ARM64_DAIF_IF) != 0;
}
