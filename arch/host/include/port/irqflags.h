// SPDX-License-Identifier: Apache-2.0
// Host port: interrupt mask of the simulated CPU; unmasking takes what is pending.
#pragma once

void host_irq_mask(bool masked);
bool host_irq_masked(void);

static inline irqflags_t arch_irq_save(void)
{
    irqflags_t flags = host_irq_masked();

    host_irq_mask(true);
    return flags;
}

static inline void arch_irq_restore(irqflags_t flags)
{
    host_irq_mask(flags != 0);
}

static inline void arch_irq_enable(void)
{
    host_irq_mask(false);
}

static inline void arch_irq_disable(void)
{
    host_irq_mask(true);
}

static inline bool arch_irq_is_disabled(void)
{
    return host_irq_masked();
}
