// SPDX-License-Identifier: Apache-2.0
// Contract: masking of host interrupts on this CPU. Any context. Inline in <port/irqflags.h>.
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef uint64_t irqflags_t;

/** Mask interrupts and return what was set before, for arch_irq_restore(). */
static inline irqflags_t arch_irq_save(void);
/** Put the mask back to what arch_irq_save() returned. */
static inline void arch_irq_restore(irqflags_t flags);
static inline void arch_irq_enable(void);
static inline void arch_irq_disable(void);
static inline bool arch_irq_is_disabled(void);

#include <port/irqflags.h>
