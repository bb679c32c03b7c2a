// SPDX-License-Identifier: Apache-2.0
// Execution contexts IRQ / Normal / Orphan, and preemption. Room: base.
#pragma once

#include <arch/irqflags.h>
#include <hv/percpu.h>
#include <lib/macros.h>
#include <stdbool.h>

enum ctx {
    CTX_IRQ,    /**< serving a host interrupt: must not sleep */
    CTX_NORMAL, /**< for a normal VCPU, on its own EL2 stack: may sleep at preempt count 0 */
    CTX_ORPHAN, /**< in a thread: may sleep at preempt count 0 */
};

struct ctx_state {
    uint32_t preempt_count; /**< locks held or preempt_disable() depth */
    uint32_t irq_depth;     /**< 1 inside hv_irq() */
    bool normal;            /**< current VCPU is normal; kept by the scheduler */
    bool resched;           /**< a reschedule is due on this CPU; kept by the scheduler */
#ifdef CONFIG_DEBUG_LOCKS
    bool lockdep_busy;    /**< the checker runs: locks that it needs itself are not checked */
    uint32_t locks_depth; /**< spinning locks held */
#endif
};
DECLARE_PER_CPU(struct ctx_state, ctx_state);

/** Where the caller is. Any context; it holds as long as the caller is not left. */
enum ctx ctx_current(void);
/** The beginning of hv_irq(). IRQs masked. Its end takes one off irq_depth of what is returned. */
static inline struct ctx_state *ctx_enter_irq(void)
{
    struct ctx_state *state = &this_cpu(ctx_state);

    state->irq_depth++;
    return state;
}
/** Its end. IRQs masked. */
static inline void ctx_leave_irq(void)
{
    this_cpu(ctx_state).irq_depth--;
}
/** Panics (a hypervisor bug) when called where sleeping is not allowed. */
void ctx_assert_may_sleep(void);
/** The same, and for a guest's VCPU: what may take that VCPU apart is for threads. */
void ctx_assert_orphan(void);
/**
 * For what sleeps only sometimes: debug builds find the wrong caller the first time, not the first
 * time it has to wait.
 */
#ifdef CONFIG_DEBUG_LOCKS
#define ctx_might_sleep() ctx_assert_may_sleep()
#else
#define ctx_might_sleep() ((void)0)
#endif

/**
 * Hook that the scheduler hands to base: called by preempt_enable() and spin_unlock*() at count 0
 * with interrupts enabled (which is never so in IRQ context) when ctx_state.resched is set.
 */
extern void (*ctx_preempt_hook)(void);
/** The slow part of preempt_enable(). */
void ctx_preempt_check(void);

/** Keeps the compiler from moving memory accesses across. */
#define ctx_compiler_barrier() __atomic_signal_fence(__ATOMIC_SEQ_CST)

/** Preemption off. Any context. */
static inline void preempt_disable(void)
{
    /*
     * Masked, or the caller could be moved to another CPU between finding the counter and adding to
     * it.
     */
    irqflags_t flags = arch_irq_save();

    this_cpu(ctx_state).preempt_count++;
    arch_irq_restore(flags);
    ctx_compiler_barrier();
}

/** Takes one off the count without looking for a due reschedule. True when one is due now. */
static inline bool ctx_preempt_drop(void)
{
    struct ctx_state *state = &this_cpu(ctx_state);

    ctx_compiler_barrier();
    state->preempt_count--;
    ctx_compiler_barrier();
    return unlikely(state->resched) && state->preempt_count == 0;
}

/**
 * Preemption on again; calls the scheduler when a reschedule became due meanwhile and IRQs are
 * enabled. Any context.
 */
static inline void preempt_enable(void)
{
    if (ctx_preempt_drop())
        ctx_preempt_check();
}

/** The end of every irqsave lock: preemption on, flags restored, then a due reschedule. */
static inline void ctx_irqrestore_enable(irqflags_t flags)
{
    bool due = ctx_preempt_drop();

    arch_irq_restore(flags);
    if (due)
        ctx_preempt_check();
}
