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

/** Returned by a policy that need not be asked again. */
#define SCHED_NEVER UINT64_MAX

/** Bounds of a VCPU's reservation, ns: below them its timers would be the CPU's main business. */
#define SCHED_PERIOD_MIN 100000ULL
#define SCHED_PERIOD_MAX 4294967295000ULL
#define SCHED_BUDGET_MIN 10000ULL

/** How an entity comes to a run queue. */
enum sched_arrival {
    SCHED_STARTED,   /**< kicked: it comes from RESET */
    SCHED_WOKEN,     /**< its sleep or pause is over */
    SCHED_PREEMPTED, /**< it ran, and another comes first */
    SCHED_EXPIRED,   /**< it ran, and its slice is used up: slice_left is 0 */
    SCHED_MOVED,     /**< it comes from another CPU's queue */
};

/** Who is to run, and until when that holds if nothing else happens. */
struct sched_choice {
    struct sched_entity *se; /**< NULL: nobody may run now */
    uint64_t until;          /**< SCHED_NEVER: for good */
};

/**
 * A policy is small and pure: no locks, no heap, no clock and no timer of its own. All operations
 * run with the run queue's lock held and IRQs masked; times are uptime in ns. Before any operation
 * sched.c has brought slice_left of the running entity up to date as of now. The running entity is
 * in no queue. What a policy remembers of an entity it keeps in sched_entity.policy.
 */
struct sched_policy {
    const char *name;
    const char *help;    /**< one line */
    const char *refusal; /**< why admit() says no, as part of a sentence; NULL without admit() */
    unsigned queue_size; /**< bytes of run queue state */
    void (*init)(void *queue);
    /**
     * A VCPU that is being made asks for its place on this CPU. Positive: it has a promise that
     * lasts until withdraw(), and does not leave this CPU on its own; 0: it needs none; -ENOSPC: it
     * does not fit. NULL: nobody needs one. se's parameters have been checked.
     */
    int (*admit)(void *queue, struct sched_entity *se);
    void (*withdraw)(void *queue, struct sched_entity *se);
    void (*enqueue)(void *queue, struct sched_entity *se, enum sched_arrival how, uint64_t now);
    void (*dequeue)(void *queue, struct sched_entity *se);
    /** Take the best entity out of the queue: it runs from now on. */
    struct sched_choice (*pick)(void *queue, uint64_t now);
    /** enqueue(), then pick(), for one that has just run; NULL: the policy has no shorter way. */
    struct sched_choice (*turn)(void *queue, struct sched_entity *se, enum sched_arrival how,
                                uint64_t now);
    /** Should woken, which has just been enqueued, take the CPU from running? */
    bool (*preempts)(void *queue, const struct sched_entity *running,
                     const struct sched_entity *woken);
    /**
     * The slice of an entity is used up (slice_left is 0) and it goes to sleep, or runs on because
     * nobody waited: set the next slice, or leave it at 0 when there is none yet. enqueue() does
     * the same for one that comes with SCHED_EXPIRED.
     */
    void (*renew)(void *queue, struct sched_entity *se, uint64_t now);
    /**
     * The choice's end again, after others were enqueued. running: NULL when idle. A time in the
     * past means at once.
     */
    uint64_t (*next_event)(void *queue, const struct sched_entity *running, uint64_t now);
    /**
     * Who goes to sleep while nobody is queued may stay the one that runs: the policy does not see that sleep. Not for those
     * that reckon with when it wakes.
     */
    bool stays;
    /** Entities in the queue, runnable now or not. */
    unsigned (*count)(void *queue);
    /** fn for each in the order in which they would run if nothing else happened. */
    void (*walk)(void *queue, void (*fn)(struct sched_entity *se, void *arg), void *arg);
};
#define SCHED_POLICY(p) TABLE_ENTRY(sched_policies, struct sched_policy, p)

/**
 * Boot: hooks; the policy by /vmm "bulkhead,scheduler" or CONFIG_SCHED_DEFAULT, the default time
 * slice by /vmm "bulkhead,time-slice-us" or CONFIG_TIME_SLICE_US. What /vmm says wrong is logged
 * and the default taken: -ENOENT for an unknown policy, -ERANGE for a bad slice.
 */
int sched_init(void);
/**
 * Make the code that runs now the idle VCPU of this CPU. Boot CPU in hv_main, secondaries in
 * hv_secondary_main.
 */
int sched_init_cpu(void);
/** Idle loop of this CPU; never returns. */
NORETURN void sched_idle(void);
/** The one in use. Any context after sched_init(). */
const struct sched_policy *sched_policy(void);
/** Time slice of who asks for none, ns. Any context after sched_init(). */
uint64_t sched_default_slice(void);

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
void sched_wait_off_cpu(struct vcpu *vcpu);

/** Run queue figures for commands. */
struct sched_cpu_stats {
    unsigned ready;
    uint64_t now_ns;  /**< when they were taken */
    uint64_t idle_ns; /**< since boot */
    uint64_t switches;
    uint64_t preemptions;
    uint64_t event_ns; /**< when the scheduler's timer is set to fire; SCHED_NEVER */
    uint32_t load;     /**< weights of what is placed there */
    uint32_t running;  /**< id of the VCPU that runs; 0: idle */
};
/** Any context. cpu is online. */
void sched_get_cpu_stats(unsigned cpu, struct sched_cpu_stats *stats);

/** One who waits for a CPU; a copy. */
struct sched_waiter {
    uint32_t id;
    char name[VCPU_NAME_MAX];
    uint8_t priority;
    bool urgent;         /**< has a request to obey: goes before all others */
    bool claims;         /**< has a promise of this CPU */
    uint64_t slice_left; /**< ns */
};
/**
 * Copy who waits, in the order in which they would run: at most max of them. Returns how many wait.
 * ready, unless NULL, gets how many of them at each priority. Any context; takes the run queue's
 * lock for a time that grows with their number.
 */
unsigned sched_get_queue(unsigned cpu, struct sched_waiter *rows, unsigned max,
                         unsigned ready[SCHED_PRIORITY_MAX + 1]);
