// SPDX-License-Identifier: Apache-2.0
// Execution contexts IRQ / Normal / Orphan, and preemption. Room: base.
#pragma once

#include <hv/percpu.h>
#include <lib/macros.h>
#include <stdbool.h>

enum ctx {
    CTX_IRQ,    /**< serving a host interrupt: must not sleep */
    CTX_NORMAL, /**< on behalf of a normal VCPU, on its own EL2 stack: may sleep at preempt count 0 */
    CTX_ORPHAN, /**< in a thread: may sleep at preempt count 0 */
};

struct ctx_state {
    uint32_t preempt_count; /**< locks held or preempt_disable() depth */
    uint32_t irq_depth;     /**< 1 inside hv_irq() */
    bool normal;            /**< current VCPU is normal; kept by the scheduler */
};
DECLARE_PER_CPU(struct ctx_state, ctx_state);

enum ctx ctx_current(void);
void ctx_enter_irq(void);
void ctx_leave_irq(void);
/** Panics (a hypervisor bug) when called where sleeping is not allowed. */
void ctx_assert_may_sleep(void);

/** Preemption off and on again. preempt_enable() calls the scheduler when a reschedule became due meanwhile and IRQs are enabled. Any context. */
void preempt_disable(void);
void preempt_enable(void);
/** Hook that the scheduler hands to base: called by preempt_enable() at count 0 outside IRQ context with interrupts enabled. */
extern void (*ctx_preempt_hook)(void);
