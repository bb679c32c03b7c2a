// SPDX-License-Identifier: Apache-2.0
// Which CPU a VCPU is put on, and who is admitted to it.

#include <hv/clock.h>
#include <lib/errno.h>

#include "sched_internal.h"

/* What counts when VCPUs are spread: threads mostly sleep. */
#define LOAD_NORMAL 16
#define LOAD_ORPHAN 1

cpumask_t sched_allowed_cpus(cpumask_t affinity)
{
    cpumask_t online = affinity & cpu_online();
    cpumask_t shared = online & ~sched_isolated_cpus();

    return shared != 0 ? shared : online;
}

unsigned sched_runnable_count(unsigned cpu)
{
    const struct run_queue *rq = &per_cpu(run_queue, cpu);
    const struct vcpu *current = __atomic_load_n(&rq->current, __ATOMIC_RELAXED);

    return __atomic_load_n(&rq->ready, __ATOMIC_RELAXED) +
           (current != &per_cpu(idle_vcpu, cpu) && !__atomic_load_n(&rq->waiting, __ATOMIC_RELAXED));
}

/* Few that run now, then few that may run later. */
int sched_choose_cpu(cpumask_t affinity, unsigned *cpu)
{
    uint64_t best = UINT64_MAX;

    for (cpumask_t left = sched_allowed_cpus(affinity); left != 0; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        uint64_t load = (uint64_t)sched_runnable_count(i) << 32 |
                        __atomic_load_n(&per_cpu(run_queue, i).load, __ATOMIC_RELAXED);

        if (load >= best)
            continue;
        best = load;
        *cpu = i;
    }
    return best == UINT64_MAX ? -EINVAL : 0;
}

static void count_in(struct vcpu *vcpu)
{
    struct sched_entity *se = &vcpu->se;

    se->load = vcpu->is_normal ? LOAD_NORMAL : LOAD_ORPHAN;
    __atomic_fetch_add(&per_cpu(run_queue, se->cpu).load, se->load, __ATOMIC_RELAXED);
}

static void count_out(struct vcpu *vcpu)
{
    __atomic_fetch_sub(&per_cpu(run_queue, vcpu->se.cpu).load, vcpu->se.load, __ATOMIC_RELAXED);
    vcpu->se.load = 0;
}

void sched_place(struct vcpu *vcpu)
{
    unsigned cpu = vcpu->se.cpu;

    migrate_cancel(vcpu);
    if (vcpu->se.claims)
        return;
    /* CPUs do not go offline: one that was there at vcpu_create() still is. */
    sched_choose_cpu(vcpu->se.affinity, &cpu);
    migrate_assign(vcpu, cpu);
    count_in(vcpu);
}

void sched_unplace(struct vcpu *vcpu)
{
    if (!vcpu->se.claims)
        count_out(vcpu);
}

/* Admission */

static int check_reservation(struct sched_entity *se)
{
    if (se->deadline == 0 && se->period == 0 && se->budget == 0)
        return 0;
    if (se->deadline == 0)
        se->deadline = se->period;
    if (MIN(se->deadline, se->period) < SCHED_PERIOD_MIN ||
        MAX(se->deadline, se->period) > SCHED_PERIOD_MAX)
        return -ERANGE;
    if (se->budget < SCHED_BUDGET_MIN || se->budget > MIN(se->deadline, se->period))
        return -ERANGE;
    return 0;
}

static int admit_on(struct sched_entity *se, unsigned cpu)
{
    struct run_queue *rq = &per_cpu(run_queue, cpu);
    irqflags_t flags = arch_irq_save();
    int result;

    run_queue_lock(rq);
    result = sched_policy()->admit(rq->queue, se);
    run_queue_unlock(rq);
    arch_irq_restore(flags);
    return result;
}

int sched_admit(struct vcpu *vcpu)
{
    struct sched_entity *se = &vcpu->se;
    cpumask_t left = sched_allowed_cpus(se->affinity);
    int result = check_reservation(se);

    if (result == 0)
        result = sched_choose_cpu(left, &se->cpu);
    if (result != 0 || sched_policy()->admit == NULL)
        return result;
    /* The least busy one that takes it. */
    do {
        result = admit_on(se, se->cpu);
        left &= ~CPU_MASK(se->cpu);
    } while (result == -ENOSPC && left != 0 && sched_choose_cpu(left, &se->cpu) == 0);
    if (result < 0)
        return result;
    se->claims = result > 0;
    if (se->claims)
        count_in(vcpu);
    return 0;
}

void sched_withdraw(struct vcpu *vcpu)
{
    struct run_queue *rq = &per_cpu(run_queue, vcpu->se.cpu);
    irqflags_t flags;

    if (!vcpu->se.claims)
        return;
    flags = arch_irq_save();
    run_queue_lock(rq);
    sched_policy()->withdraw(rq->queue, &vcpu->se);
    run_queue_unlock(rq);
    arch_irq_restore(flags);
    vcpu->se.claims = false;
    count_out(vcpu);
}
