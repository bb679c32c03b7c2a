// SPDX-License-Identifier: Apache-2.0
// Figures about run queues, for commands.

#include <hv/clock.h>
#include <lib/string.h>

#include "sched_internal.h"

struct copy {
    struct sched_waiter *rows;
    unsigned max, count;
    unsigned *ready;
};

void sched_get_cpu_stats(unsigned cpu, struct sched_cpu_stats *stats)
{
    struct run_queue *rq = &per_cpu(run_queue, cpu);
    const struct vcpu *idle = &per_cpu(idle_vcpu, cpu);
    irqflags_t flags = arch_irq_save();

    run_queue_lock(rq);
    stats->ready = rq->ready;
    stats->switches = rq->switches;
    stats->preemptions = rq->preemptions;
    stats->event_ns = rq->event;
    stats->load = __atomic_load_n(&rq->load, __ATOMIC_RELAXED);
    stats->running = run_queue_idles(rq) ? idle->id : rq->current->id;
    stats->now_ns = clock_now();
    stats->idle_ns = idle->se.time_in[VCPU_RUNNING] + rq->waited;
    if (rq->current == idle)
        stats->idle_ns += stats->now_ns - idle->se.state_since;
    else if (rq->waiting)
        stats->idle_ns += stats->now_ns - rq->wait_since;
    run_queue_unlock(rq);
    arch_irq_restore(flags);
}

static void copy_waiter(struct sched_entity *se, void *arg)
{
    const struct vcpu *vcpu = vcpu_of(se);
    struct copy *copy = arg;
    unsigned i = copy->count++;

    if (copy->ready != NULL)
        copy->ready[se->priority]++;
    if (i >= copy->max)
        return;
    copy->rows[i] = (struct sched_waiter){
        .id = vcpu->id,
        .priority = se->priority,
        .urgent = se->urgent,
        .claims = se->claims,
        .slice_left = se->slice_left,
    };
    (void)str_copy(copy->rows[i].name, vcpu->name, sizeof(copy->rows[i].name));
}

unsigned sched_get_queue(unsigned cpu, struct sched_waiter *rows, unsigned max,
                         unsigned ready[SCHED_PRIORITY_MAX + 1])
{
    struct run_queue *rq = &per_cpu(run_queue, cpu);
    struct copy copy = {.rows = rows, .max = max, .ready = ready};
    irqflags_t flags;

    if (ready != NULL)
        memset(ready, 0, (SCHED_PRIORITY_MAX + 1) * sizeof(*ready));
    flags = arch_irq_save();
    run_queue_lock(rq);
    LIST_FOR_EACH(se, &rq->urgent, struct sched_entity, link)
        copy_waiter(se, &copy);
    sched_policy()->walk(rq->queue, copy_waiter, &copy);
    run_queue_unlock(rq);
    arch_irq_restore(flags);
    return copy.count;
}
