// SPDX-License-Identifier: Apache-2.0
// What the files of room sched share: run queues and the steps of a state change.
#pragma once

#include <hv/percpu.h>
#include <hv/sched.h>
#include <hv/spinlock.h>

#define RUN_QUEUE_WORDS 32

/**
 * One per CPU. lock: after a vcpu's lock; guards all fields but load, and the change between READY
 * and RUNNING.
 */
struct run_queue {
    struct spinlock lock;
    struct vcpu *current;
    struct hrtimer slice_timer; /**< armed only when another VCPU waits for its end */
    bool slice_armed;
    uint32_t load; /**< weights of the VCPUs placed here; atomic */
    uint64_t switches;
    uint64_t preemptions;
    uint64_t queue[RUN_QUEUE_WORDS]; /**< the policy's state */
};
DECLARE_PER_CPU(struct run_queue, run_queue);

static inline struct vcpu *vcpu_of(struct sched_entity *se)
{
    return container_of(se, struct vcpu, se);
}

/**
 * Set the state and account the time in the old one. vcpu->lock, or for READY <-> RUNNING the run
 * queue's lock.
 */
void vcpu_set_state(struct vcpu *vcpu, enum vcpu_state state, uint64_t now);

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
/** CPU with the least load among those allowed and online; -EINVAL when there is none. */
int sched_choose_cpu(cpumask_t affinity, unsigned *cpu);
/**
 * Choose a CPU for a VCPU that is off all CPUs and count it there; the reverse. vcpu->lock held.
 */
void sched_place(struct vcpu *vcpu);
void sched_unplace(struct vcpu *vcpu);

/** Obey the requests of current, which is at its way out. IRQs masked. */
void vcpu_obey(struct vcpu *vcpu);
