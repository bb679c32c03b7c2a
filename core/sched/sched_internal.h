// SPDX-License-Identifier: Apache-2.0
// What the files of room sched share: run queues and the steps of a state change.
#pragma once

#include <hv/percpu.h>
#include <hv/sched.h>
#include <hv/spinlock.h>

#define RUN_QUEUE_WORDS 80

/**
 * One per CPU. lock: after a vcpu's lock; guards all fields but load, and the change between READY
 * and RUNNING.
 */
struct run_queue {
    struct spinlock lock;
    struct vcpu *current;
    struct list urgent; /**< who has a request to obey: before what the policy says */
    uint64_t event; /**< when the scheduler's timer fires, never later than the policy's next event;
                               SCHED_NEVER: not; SCHED_HELD: schedule() sets it, which comes at once */
    bool waiting; /**< current is PAUSED and stays on the CPU, which idles, until it wakes or another comes */
    uint64_t wait_since;
    uint64_t waited;     /**< idle time in such waits, ns */
    struct list leaving; /**< VCPUs that are to go to another CPU, by se.move_link */
    unsigned ready;      /**< queued; may be read without the lock */
    uint32_t load;       /**< weights of the VCPUs placed here; atomic */
    uint64_t switches;
    uint64_t preemptions;
    uint64_t queue[RUN_QUEUE_WORDS]; /**< the policy's state */
};
DECLARE_PER_CPU(struct run_queue, run_queue);
DECLARE_PER_CPU(struct vcpu, idle_vcpu);

/** sched_policy() without the call. */
extern const struct sched_policy *sched_active;

static inline struct vcpu *vcpu_of(struct sched_entity *se)
{
    return container_of(se, struct vcpu, se);
}

/** With IRQs masked: nothing is preempted then, so that the preempt count need not say so. */
static inline void run_queue_lock(struct run_queue *rq) ACQUIRES(rq->lock) NO_THREAD_SAFETY
{
    lockdep_acquire(&rq->lock, 0);
    spin_take(&rq->lock);
}

static inline void run_queue_unlock(struct run_queue *rq) RELEASES(rq->lock) NO_THREAD_SAFETY
{
    lockdep_release(&rq->lock);
    spin_drop(&rq->lock);
}

/**
 * Set the state and account the time in the old one. vcpu->lock, or for READY <-> RUNNING the run
 * queue's lock.
 */
static inline void vcpu_set_state(struct vcpu *vcpu, enum vcpu_state state, uint64_t now)
{
    vcpu->se.time_in[vcpu->state] += now - vcpu->se.state_since;
    vcpu->se.state_since = now;
    __atomic_store_n(&vcpu->state, state, __ATOMIC_RELEASE);
}

/** Does nobody want the CPU? Its lock is held. */
static inline bool run_queue_idles(const struct run_queue *rq)
{
    return rq->current->is_idle || rq->waiting;
}

/**
 * PAUSED or RESET or HALTED -> READY (queued), or RUNNING when it has not left its CPU yet.
 * vcpu->lock held.
 */
void sched_make_runnable(struct vcpu *vcpu);
/**
 * A request was posted to a VCPU that is READY or RUNNING: run it soon, or make its CPU leave the
 * guest. vcpu->lock held.
 */
void sched_expedite(struct vcpu *vcpu);
/** sched_schedule() for who has IRQs masked. */
void sched_schedule_masked(void);
/** Until vcpu, which is current and PAUSED, wakes: on the CPU if nobody else wants it. IRQs masked. */
void sched_wait(struct vcpu *vcpu);
/** sched_block() for who has the CPU to itself: where nobody else wants it, it is not switched away. IRQs masked. */
int sched_block_here(void);
#define SCHED_HELD HRTIMER_HELD

/** hrtimer_sched_hook. */
uint64_t sched_timer_expired(void);
/** CPU with the least load among those allowed and online; -EINVAL when there is none. */
int sched_choose_cpu(cpumask_t affinity, unsigned *cpu);
/**
 * Choose a CPU for a VCPU that is off all CPUs and count it there, unless it has a promise of one;
 * the reverse. vcpu->lock held.
 */
void sched_place(struct vcpu *vcpu);
void sched_unplace(struct vcpu *vcpu);
/**
 * A VCPU that is being made gets its first CPU, with the policy's promise if it needs one: -EINVAL,
 * -ERANGE, -ENOSPC as vcpu_create(). sched_withdraw() when it is unmade.
 */
int sched_admit(struct vcpu *vcpu);
void sched_withdraw(struct vcpu *vcpu);

/** CPUs that a VCPU with that affinity may be put on; 0: none. Isolated ones only when it names no others. */
cpumask_t sched_allowed_cpus(cpumask_t affinity);
/** CPUs that are left to those whose affinity names them. */
cpumask_t sched_isolated_cpus(void);
/** Take /vmm "bulkhead,isolated-cpus"; absent numbers are harmless, as CPUs may come later. Boot. */
void sched_read_isolated_cpus(const struct dt_node *vmm);

/*
 * Run queues, for moves between them. The queue's lock is held; for the first two and the fourth
 * the VCPU's, too. now: clock_now().
 */
void sched_enqueue(struct run_queue *rq, struct vcpu *vcpu, enum sched_arrival how, uint64_t now);
void sched_dequeue(struct run_queue *rq, struct vcpu *vcpu);
/** Queue it, with what runs brought up to date first. False: it waits. */
bool sched_add(struct run_queue *rq, struct vcpu *vcpu, enum sched_arrival how, uint64_t now);
/** Ask the CPU of a run queue to choose again. */
void sched_request_resched(struct run_queue *rq, unsigned cpu);
/**
 * A VCPU was queued: does it take the CPU, or is a choice due earlier than it was? False: it waits.
 */
bool sched_check_preemption(struct run_queue *rq, const struct vcpu *queued, uint64_t now);
/**
 * What has a request to obey does so ahead of others, because it may hold what the requester waits
 * for. It is in no queue. vcpu->lock held.
 */
void sched_boost(struct vcpu *vcpu);

/** CPUs whose idle VCPU runs; may be out of date by the time it is read. */
extern cpumask_t sched_idle_cpus;
/** VCPUs that want a CPU now. Any context. */
unsigned sched_runnable_count(unsigned cpu);

/** The balancer sleeps until somebody waits for a CPU. */
extern bool balance_idle;
void balance_wake(unsigned cpu);
/** There is more than one for that CPU. Locks may be held. */
static inline void balance_note_wait(unsigned cpu)
{
    if (unlikely(__atomic_load_n(&balance_idle, __ATOMIC_RELAXED)))
        balance_wake(cpu);
}

/** Hand over what is to leave this CPU. IRQs masked, no lock held. */
void migrate_push(struct run_queue *rq);
/**
 * It was queued and has to wait. Where another CPU of its affinity idles it need not: it is queued
 * there instead, unless a CPU holds its world. Returns the queue it is in, which is locked instead
 * of rq. vcpu->lock and that of rq held.
 */
struct run_queue *migrate_to_idle(struct run_queue *rq, struct vcpu *vcpu, enum sched_arrival how);
/** A pending move means nothing any more. vcpu->lock held. */
void migrate_cancel(struct vcpu *vcpu);
/** Make cpu the one it belongs to. It is on no CPU and in no queue. vcpu->lock held. */
void migrate_assign(struct vcpu *vcpu, unsigned cpu);
static inline bool migrate_is_leaving(const struct vcpu *vcpu)
{
    return !list_is_empty(&vcpu->se.move_link);
}

/** Obey the requests of current, which is at its way out. IRQs masked. */
void vcpu_obey(struct vcpu *vcpu);
