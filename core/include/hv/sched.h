// SPDX-License-Identifier: Apache-2.0
// Scheduler: per-CPU run queues, pluggable policies, time slices by a per-CPU timer event.
// Room: sched.
#pragma once

#include <hv/vcpu.h>
#include <lib/macros.h>
#include <lib/table.h>

#define SCHED_PRIORITY_MAX 7
#define SCHED_PRIORITY_DEFAULT 3
#define SCHED_PRIORITY_SHELL 5

/** The VCPU that runs on this CPU (idle VCPU when nothing else). Any context. */
struct vcpu *sched_current(void);

/**
 * A policy is small and pure: no locks, no heap, no clock of its own. All operations run with the
 * run queue's lock held.
 */
struct sched_policy {
    const char *name;
    unsigned queue_size; /**< bytes of run queue state */
    void (*init)(void *queue);
    /**
     * Bring a READY entity in. woken: it comes from PAUSED/RESET; else it was preempted or used up
     * its slice.
     */
    void (*enqueue)(void *queue, struct sched_entity *se, bool woken);
    void (*dequeue)(void *queue, struct sched_entity *se);
    /** Best entity or NULL; stays queued. */
    struct sched_entity *(*pick)(void *queue);
    /** Should woken take the CPU from running? */
    bool (*preempts)(void *queue, const struct sched_entity *running,
                     const struct sched_entity *woken);
    /** Slice used up: true when another should run. */
    bool (*slice_expired)(void *queue, struct sched_entity *running);
    unsigned (*count)(void *queue);
};
#define SCHED_POLICY(p) TABLE_ENTRY(sched_policies, struct sched_policy, p)

/**
 * Boot: hooks, and choose the policy by /vmm "bulkhead,scheduler" or CONFIG_SCHED_DEFAULT; -ENOENT
 * for an unknown name.
 */
int sched_init(void);
/**
 * Make the code that runs now the idle VCPU of this CPU. Boot CPU in hv_main, secondaries in
 * hv_secondary_main.
 */
int sched_init_cpu(void);
/** Idle loop of this CPU; never returns. */
NORETURN void sched_idle(void);
const struct sched_policy *sched_policy(void);

/**
 * Give up the CPU if a better VCPU is ready, or because current is not READY/RUNNING any more. IRQs
 * may be on or off; preempt count 0.
 */
void sched_schedule(void);
/**
 * To the end of the queue of its priority (the C library has taken the name sched_yield).
 * Orphan/Normal.
 */
void sched_yield_cpu(void);
/**
 * First act on a new stack: finishes the switch (on_cpu of prev, lock). Called by arch trampolines.
 * IRQs masked.
 */
void sched_switch_finish(struct vcpu *prev);
/**
 * After an interrupt of hypervisor code with IRQs on: reschedules if due and preempt count is 0.
 * IRQs masked on entry and return.
 */
void sched_preempt_irq(void);

/**
 * Waiting without lost wake-ups, for waitqueues and hv_vcpu_wait(). IRQs masked throughout.
 * sched_block_prepare() publishes PAUSED{reason} (wfi or sleep); then the caller checks its
 * condition once more and calls either sched_block_cancel() or sched_block(). sched_block()
 * switches away and returns when no reason is left: 0, or -EINTR when the wait is interruptible and
 * a request is pending (at once when it was pending before). The caller loops.
 */
void sched_block_prepare(enum vcpu_reason reason, bool interruptible);
int sched_block(void);
void sched_block_cancel(void);
/** Remove a block reason from another VCPU (wake). True when it was blocked by it. Any context. */
bool sched_wake(struct vcpu *vcpu, enum vcpu_reason reason);

/**
 * End of an orphan: HALTED, off the CPU for good. Its state change is notified; vcpu_destroy()
 * frees it.
 */
NORETURN void sched_exit(void);

/**
 * Change the configured priority (0..SCHED_PRIORITY_MAX) of a VCPU in any state, or the one that it
 * inherits from those who wait for it (0: none): the higher one counts. What should run then runs at
 * once, also on another CPU. Any context.
 */
void sched_set_priority(struct vcpu *vcpu, uint8_t priority);
void sched_set_inherited(struct vcpu *vcpu, uint8_t priority);
/** The higher of the two. Any context. */
uint8_t sched_priority(const struct vcpu *vcpu);
/** Called after sched_set_priority(), for those who pass a priority on. No locks held. */
extern void (*sched_priority_hook)(struct vcpu *vcpu);

/** Spin until a VCPU that is neither READY nor RUNNING has left its CPU: a moment. Any context. */
void sched_wait_off_cpu(const struct vcpu *vcpu);

/** Run queue figures for commands. */
struct sched_cpu_stats {
    unsigned ready;
    uint64_t idle_ns;
    uint64_t switches;
    uint64_t preemptions;
};
void sched_get_cpu_stats(unsigned cpu, struct sched_cpu_stats *stats);
