// SPDX-License-Identifier: Apache-2.0
// Changing the effective priority of a VCPU, whatever it is doing.

#include <hv/clock.h>

#include "sched_internal.h"

void (*sched_priority_hook)(struct vcpu *vcpu);

uint8_t sched_priority(const struct vcpu *vcpu)
{
    return vcpu->inherited > vcpu->se.base_priority ? vcpu->inherited : vcpu->se.base_priority;
}

/* To its new place in the queue, its slice as it was. Run queue's lock held. */
static void requeue(struct run_queue *rq, struct vcpu *vcpu)
{
    uint64_t now = clock_now();

    sched_dequeue(rq, vcpu);
    vcpu->se.priority = sched_priority(vcpu);
    sched_enqueue(rq, vcpu, SCHED_PREEMPTED, now);
    sched_check_preemption(rq, vcpu, now);
}

/* vcpu->lock held. Where it is in no queue, its priority counts when it comes into one. */
static void apply(struct vcpu *vcpu)
{
    struct run_queue *rq = &per_cpu(run_queue, vcpu->se.cpu);
    uint8_t before;

    spin_lock(&rq->lock);
    before = vcpu->se.priority;
    if (vcpu->se.on_queue) {
        requeue(rq, vcpu);
    } else {
        vcpu->se.priority = sched_priority(vcpu);
        /* Who waits may be better now. */
        if (rq->current == vcpu && !vcpu->is_idle && vcpu->se.priority < before)
            sched_request_resched(rq, vcpu->se.cpu);
    }
    spin_unlock(&rq->lock);
}

void sched_set_inherited(struct vcpu *vcpu, uint8_t priority)
{
    irqflags_t flags = spin_lock_irqsave(&vcpu->lock);

    vcpu->inherited = priority;
    apply(vcpu);
    spin_unlock_irqrestore(&vcpu->lock, flags);
}

void sched_set_priority(struct vcpu *vcpu, uint8_t priority)
{
    irqflags_t flags = spin_lock_irqsave(&vcpu->lock);

    vcpu->se.base_priority = priority;
    apply(vcpu);
    spin_unlock_irqrestore(&vcpu->lock, flags);
    if (sched_priority_hook != NULL)
        sched_priority_hook(vcpu);
}
