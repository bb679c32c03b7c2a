// SPDX-License-Identifier: Apache-2.0
// VCPU: contents, state machine with pause reasons, requests. Normal VCPUs run guests, orphan VCPUs
// run threads. Room: sched.
#pragma once

#include <arch/vcpu.h>
#include <hv/cpu.h>
#include <hv/exit_stats.h>
#include <hv/hrtimer.h>
#include <hv/notifier.h>
#include <hv/spinlock.h>
#include <hv/vcpu_fault.h>
#include <lib/list.h>
#include <stdbool.h>
#include <stdint.h>

struct guest;
struct dt_node;
struct waitqueue;

#define VCPU_NAME_MAX 40

enum vcpu_state {
    VCPU_UNKNOWN, /**< not (or no more) an instance */
    VCPU_RESET,
    VCPU_READY,
    VCPU_RUNNING,
    VCPU_PAUSED,
    VCPU_HALTED,
    VCPU_STATES,
};

/**
 * Why a VCPU is PAUSED: a set; it leaves PAUSED only when the set is empty. Each actor adds and
 * removes only its own.
 */
enum vcpu_reason {
    VCPU_REASON_WFI = 1 << 0,      /**< guest waits for an interrupt */
    VCPU_REASON_SLEEP = 1 << 1,    /**< in a waitqueue */
    VCPU_REASON_OPERATOR = 1 << 2, /**< vcpu pause */
    VCPU_REASON_GUEST = 1 << 3,    /**< guest pause */
    VCPU_REASON_DEBUG = 1 << 4,
    VCPU_REASON_FAULT = 1 << 5, /**< waits for its guest's crash policy */
};

/**
 * Bits of exit_work: tested once on the way back to the guest (and after an interrupt of a thread).
 */
enum vcpu_work {
    VCPU_WORK_RESCHED = 1 << 0, /**< the scheduler wants this CPU */
    VCPU_WORK_REQUEST = 1 << 1, /**< pause/halt/reset requested */
    VCPU_WORK_IRQ = 1 << 2,     /**< virtual interrupts changed: refill list registers */
    VCPU_WORK_WORLD = 1 << 3,   /**< another world is (or may be) loaded */
    VCPU_WORK_IRQ_NEW = 1 << 4, /**< one virtual interrupt came, nothing else changed */
};

/** Requests that a VCPU obeys in hv_exit_to_guest(). */
enum vcpu_request {
    VCPU_REQUEST_PAUSE = 1 << 0,
    VCPU_REQUEST_HALT = 1 << 1,
    VCPU_REQUEST_RESET = 1 << 2,
    VCPU_REQUEST_STOP = 1 << 3, /**< threads: ends interruptible sleeps; obeyed as they like */
};

#define SCHED_PRIVATE_SIZE 72

/** Scheduler's part. Times in ns. */
struct sched_entity {
    struct list link;      /**< in a policy's queue */
    uint8_t priority;      /**< higher runs first, 0..SCHED_PRIORITY_MAX; constant while queued */
    uint8_t base_priority; /**< as configured; priority is higher while others wait for it */
    bool normal;           /**< of a normal VCPU */
    bool urgent;           /**< has a request to obey: runs before all others */
    bool claims;           /**< has a promise of CPU .cpu from create to destroy */
    uint64_t time_slice;
    uint64_t slice_left;
    uint64_t deadline; /**< reservation: .budget of CPU time by this much after a period's start */
    uint64_t period;   /**< reservation; 0: none */
    uint64_t budget;
    cpumask_t affinity;
    unsigned cpu;          /**< run queue it belongs to; changes while it is on no CPU */
    uint32_t load;         /**< what it counts for on that CPU; 0 while it is placed on none */
    struct list move_link; /**< in its run queue's list of those that are to leave */
    unsigned move_to;      /**< whereto, while it is in that list */
    uint32_t demand;       /**< share of a CPU that it wants, as the balancer knows it */
    uint64_t demand_seen;  /**< its time in READY and RUNNING when the balancer looked last */
    bool on_queue;
    bool on_cpu; /**< cleared (release) as the first act on the next stack */
    uint64_t last_start;
    uint64_t state_since;
    uint64_t time_in[VCPU_STATES];
    uint64_t switches;
    uint64_t policy[SCHED_PRIVATE_SIZE / 8]; /**< private data of the policy */
};

struct vcpu {
    struct arch_vcpu arch; /* first: assembly reaches it at offset 0 */
    uint32_t exit_work;    /**< enum vcpu_work; atomic or/and */
    uint64_t exit_start;   /**< counter at the vector, moved on by waits */
    struct exit_stat exit_stats[EXIT_CAUSES];
    uint32_t id;    /**< unique while it exists */
    uint32_t subid; /**< number in its guest */
    char name[VCPU_NAME_MAX];
    bool is_normal;
    bool is_idle;
    bool uses_fp;        /**< a thread that has declared it */
    struct guest *guest; /**< NULL for orphans */
    struct dt_node *node;
    void *stack; /**< lowest address, CONFIG_STACK_SIZE bytes */

    struct spinlock lock; /**< state, reasons, requests; taken before a run queue's lock; irqsave */
    enum vcpu_state state;
    uint32_t reasons;
    uint32_t requests;        /**< enum vcpu_request, pending */
    uint32_t pending_reasons; /**< reasons that a pending PAUSE request will add */
    bool interruptible;       /**< while waiting: requests end the wait with -EINTR */
    uint32_t reset_count;
    uint64_t start_pc;  /**< guest's entry point, or function of a thread */
    uint64_t start_arg; /**< x0 at entry */
    uint64_t start_sp;  /**< orphans: top of the stack */

    struct sched_entity se;
    struct list wait_link;        /**< in a waitqueue */
    struct waitqueue *wait_queue; /**< NULL when in none */
    struct hrtimer wait_timer;
    uint8_t inherited; /**< priority of the best that waits for what this one holds; vcpu->lock */
    struct list held_mutexes; /**< those that others wait for; room thread */
    void *mutex_wait;         /**< while it waits for one; room thread */
#ifdef CONFIG_DEBUG_LOCKS
    struct lockdep_task lockdep;
#endif

    void *irq;            /**< virtual interrupt controller's per-VCPU part (hv/vcpu_irq.h) */
    void *emu;            /**< per-VCPU emulation context: last-hit region cache */
    void *thread;         /**< struct thread of an orphan */
    struct list all_link; /**< in the list of all VCPUs */
    struct list guest_link;
    struct vcpu_fault fault;
};

/** What vcpu_create() needs. Names are copied. */
struct vcpu_config {
    const char *name;
    struct guest *guest; /**< NULL for an orphan */
    uint32_t subid;
    struct dt_node *node;
    uint8_t priority;
    uint64_t time_slice; /**< ns, 0 = default */
    /**
     * Reservation, ns, for policies that have deadlines; all 0: none. deadline 0: equal to period.
     * budget <= deadline, period; SCHED_PERIOD_MIN <= both <= SCHED_PERIOD_MAX; SCHED_BUDGET_MIN.
     */
    uint64_t deadline, period, budget;
    cpumask_t affinity; /**< 0 = all */
};

/**
 * UNKNOWN -> RESET. Orphan or boot context. -ENOMEM, -EINVAL (affinity has no online CPU, priority
 * out of range), -ERANGE (reservation outside its bounds), -ENOSPC (the policy admits it on no CPU
 * of its affinity: sched_policy()->refusal says why). Stack included.
 */
int vcpu_create(const struct vcpu_config *config, struct vcpu **out);
/**
 * RESET or HALTED -> UNKNOWN and freed. Waits until it is off its CPU. -EBUSY in any other state.
 * Orphan.
 */
int vcpu_destroy(struct vcpu *vcpu);

/*
 * Transitions. Each returns 0 (done), -EINPROGRESS (requested; the VCPU obeys at its next way out),
 * or an error that names why the state does not allow it: -EALREADY, -EINVAL. They never wait; any
 * context. The full table is docs/vcpu-states.md; it speaks of the logical state, in which requests
 * count as obeyed. Threads can only be kicked (once); the others return -EINVAL for them.
 */

/** RESET -> READY; -EBUSY while a requested reset is not obeyed yet. */
int vcpu_kick(struct vcpu *vcpu);
int vcpu_pause(struct vcpu *vcpu, enum vcpu_reason reason); /**< READY, RUNNING, PAUSED -> PAUSED */
int vcpu_resume(struct vcpu *vcpu, enum vcpu_reason reason);
int vcpu_halt(struct vcpu *vcpu);
/** Any but UNKNOWN -> RESET; registers are set at kick from start_pc/start_arg. */
int vcpu_reset(struct vcpu *vcpu);
/**
 * Let it run on these CPUs only; at once: when it is on, or on its way to, another one, it moves.
 * Any VCPU but UNKNOWN; a thread that is pinned for a reason had better be left alone. 0 (it is
 * where it may be), -EINPROGRESS (its CPU was asked to hand it over), -EINVAL (no CPU of the set is
 * online, or UNKNOWN), -EBUSY (the policy promised it a CPU outside the set). Any context.
 */
int vcpu_set_affinity(struct vcpu *vcpu, cpumask_t affinity);
/**
 * Hand it over to another CPU, whatever it is doing: it goes on there. 0 (done), -EINPROGRESS (its
 * CPU was asked), -EINVAL (RESET: it gets a CPU when it is kicked; UNKNOWN), -ENODEV (not online),
 * -EACCES (outside its affinity), -EBUSY (the policy promised it another). Any context.
 */
int vcpu_move(struct vcpu *vcpu, unsigned cpu);
/** Was its CPU asked to hand it over, and has not yet? Any context. */
bool vcpu_is_moving(struct vcpu *vcpu);
/**
 * Wait until no move is due any more. Orphan. 0 or -EINTR/-ETIMEDOUT. It is kept from being
 * destroyed by the caller. Implemented in room thread.
 */
int vcpu_wait_moved(struct vcpu *vcpu, uint64_t timeout_ns);
/**
 * Called with (event = its new CPU, data = NULL) after each move, IRQs masked, no lock held.
 */
extern struct notifier_chain vcpu_move_chain;
/**
 * Wait until the VCPU has obeyed all requests and, unless it is READY or RUNNING, has left its CPU.
 * Orphan. 0 or -EINTR/-ETIMEDOUT. It is kept from being destroyed by the caller. Implemented in
 * room thread.
 */
int vcpu_wait_settled(struct vcpu *vcpu, uint64_t timeout_ns);

/** Pure oracle of the state machine, tested against the documented table. */
enum vcpu_event {
    VCPU_EVENT_CREATE,
    VCPU_EVENT_KICK,
    VCPU_EVENT_RESET,
    VCPU_EVENT_HALT,
    VCPU_EVENT_PAUSE,
    VCPU_EVENT_RESUME,
    VCPU_EVENT_RUN,
    VCPU_EVENT_PREEMPT,
    VCPU_EVENT_DESTROY,
    VCPU_EVENTS
};
/**
 * state and reasons after event (reason: of PAUSE and RESUME). 0, or what the transition answers:
 * -EALREADY, -EINVAL; *next and *next_reasons are then as before. No state, no locks. Any context.
 */
int vcpu_fsm(enum vcpu_state state, uint32_t reasons, enum vcpu_event event, uint32_t reason,
             enum vcpu_state *next, uint32_t *next_reasons);

/** "running"; "invalid" for what is no state. Any context. */
const char *vcpu_state_name(enum vcpu_state state);
/** "wfi,operator" into buf. */
void vcpu_reasons_text(uint32_t reasons, char *buf, unsigned size);
/**
 * Called with (event = new state, data = vcpu) after each change that somebody asked for and after
 * the end of a thread, IRQs masked, vcpu->lock not held. The scheduler's own changes (READY <->
 * RUNNING, into and out of wfi and sleep) are too many to tell.
 */
extern struct notifier_chain vcpu_state_chain;

/**
 * fn for each VCPU, under a spinlock that creating and destroying take too: it
 * must neither sleep nor do either. Any context.
 */
void vcpu_for_each(void (*fn)(struct vcpu *vcpu, void *arg), void *arg);
unsigned vcpu_count(void);

/**
 * The state that the VCPU has once it has obeyed all requests, and its pause reasons; what the
 * table of states is about. Any context.
 */
enum vcpu_state vcpu_logical_state(struct vcpu *vcpu, uint32_t *reasons);

/** Ask a thread to stop: VCPU_REQUEST_STOP, ends interruptible sleeps. Any context. */
void vcpu_request_stop(struct vcpu *vcpu);

/**
 * Handed down by the emulated interrupt controllers: refill list registers (world loaded) for
 * VCPU_WORK_IRQ, VCPU_WORK_IRQ_NEW or both; would WFI fall through? vcpu == current, IRQs masked.
 */
extern void (*vcpu_irq_flush_hook)(struct vcpu *vcpu, uint32_t work);
extern bool (*vcpu_irq_deliverable_hook)(struct vcpu *vcpu);

/** Add work to the VCPU and make its CPU notice (kick when it runs elsewhere). Any context. */
void vcpu_add_work(struct vcpu *vcpu, uint32_t work);
/** Virtual interrupt became deliverable: adds the work and ends a WFI pause. Any context. */
void vcpu_interrupt_work(struct vcpu *vcpu, uint32_t work);
/** The same with IRQs masked, where the caller looks for preemption once it has unmasked them, or returns to a guest. */
void vcpu_interrupt_masked(struct vcpu *vcpu, uint32_t work);
static inline void vcpu_interrupt(struct vcpu *vcpu)
{
    vcpu_interrupt_work(vcpu, VCPU_WORK_IRQ);
}
/** End a WFI pause. True when it was paused for that. Any context. */
bool vcpu_end_wait(struct vcpu *vcpu);
/**
 * Virtual interrupt is in a list register of the loaded world already. Who waits says so first and looks for interrupts then,
 * with the lock of the interrupt controller that the caller has held: one of both sees the other. Any context.
 */
static inline void vcpu_interrupt_placed(struct vcpu *vcpu)
{
    if (unlikely(__atomic_load_n(&vcpu->state, __ATOMIC_SEQ_CST) == VCPU_PAUSED))
        vcpu_end_wait(vcpu);
}
