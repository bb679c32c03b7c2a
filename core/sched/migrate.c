// SPDX-License-Identifier: Apache-2.0
// Migration by push: who wants a VCPU on another CPU asks; the CPU that runs it or holds its world
// switches it away, saves the world, and only then hands it over. What no CPU holds is handed over
// by who asks.

#include <arch/barrier.h>
#include <hv/clock.h>
#include <hv/hrtimer.h>
#include <lib/errno.h>

#include "sched_internal.h"

#define HANDED_OVER 1

struct notifier_chain vcpu_move_chain;

/* Two run queues, which may be the same, by CPU number. */
static void lock_pair(unsigned a, unsigned b) NO_THREAD_SAFETY
{
    spin_lock(&per_cpu(run_queue, a < b ? a : b).lock);
    if (a != b)
        spin_lock_nested(&per_cpu(run_queue, a < b ? b : a).lock);
}

static void unlock_pair(unsigned a, unsigned b) NO_THREAD_SAFETY
{
    if (a != b)
        spin_unlock(&per_cpu(run_queue, b).lock);
    spin_unlock(&per_cpu(run_queue, a).lock);
}

void migrate_assign(struct vcpu *vcpu, unsigned cpu)
{
    struct sched_entity *se = &vcpu->se;

    __atomic_fetch_sub(&per_cpu(run_queue, se->cpu).load, se->load, __ATOMIC_RELAXED);
    __atomic_store_n(&se->cpu, cpu, __ATOMIC_RELEASE);
    __atomic_fetch_add(&per_cpu(run_queue, cpu).load, se->load, __ATOMIC_RELAXED);
}

/* Does a CPU run it or have its world? Else only queues know of it. Its run queue's lock is held. */
static bool is_held(const struct run_queue *rq, const struct vcpu *vcpu)
{
    return rq->current == vcpu || (vcpu->is_normal && arch_vcpu_world_is_loaded(vcpu));
}

/* No CPU holds it. vcpu->lock and both run queues' are held. */
static void hand_over(struct vcpu *vcpu, unsigned to)
{
    struct sched_entity *se = &vcpu->se;
    struct run_queue *rq = &per_cpu(run_queue, to);

    list_remove(&se->move_link);
    if (se->on_queue)
        sched_dequeue(&per_cpu(run_queue, se->cpu), vcpu);
    migrate_assign(vcpu, to);
    if (hrtimer_is_armed(&vcpu->wait_timer))
        hrtimer_migrate(&vcpu->wait_timer, to);
    if (vcpu->is_normal)
        arch_vcpu_timers_move(vcpu, to);
    if (vcpu->state != VCPU_READY)
        return;
    /* Last of its equals there, with a slice of its own: moving about gains no time. */
    se->slice_left = 0;
    sched_boost(vcpu);
    sched_add(rq, vcpu, SCHED_MOVED, clock_now());
}

/* Hand it over (HANDED_OVER), or ask its CPU to; 0: it is there. vcpu->lock held. */
static int move_locked(struct vcpu *vcpu, unsigned to)
{
    struct sched_entity *se = &vcpu->se;
    unsigned from = se->cpu;
    struct run_queue *rq = &per_cpu(run_queue, from);
    int result = 0;

    lock_pair(from, to);
    if (!is_held(rq, vcpu)) {
        if (from != to || migrate_is_leaving(vcpu)) {
            hand_over(vcpu, to);
            result = HANDED_OVER;
        }
    } else if (from != to || migrate_is_leaving(vcpu)) {
        se->move_to = to;
        if (!migrate_is_leaving(vcpu))
            list_add_tail(&rq->leaving, &se->move_link);
        sched_request_resched(rq, from);
        result = -EINPROGRESS;
    }
    unlock_pair(from, to);
    return result;
}

/* The result for the caller; others are told when it has moved. */
static int conclude(int result, unsigned cpu)
{
    irqflags_t flags;

    if (result != HANDED_OVER)
        return result;
    flags = arch_irq_save();
    notifier_call(&vcpu_move_chain, cpu, NULL);
    arch_irq_restore(flags);
    return 0;
}

int vcpu_move(struct vcpu *vcpu, unsigned cpu)
{
    irqflags_t flags;
    int result;

    if (cpu >= SMP_CPUS_MAX || !(cpu_online() & CPU_MASK(cpu)))
        return -ENODEV;
    flags = spin_lock_irqsave(&vcpu->lock);
    if (vcpu->state == VCPU_RESET || vcpu->state == VCPU_UNKNOWN || vcpu->is_idle)
        result = -EINVAL;
    else if (!(vcpu->se.affinity & CPU_MASK(cpu)))
        result = -EACCES;
    else if (vcpu->se.claims && cpu != vcpu->se.cpu)
        result = -EBUSY;
    else
        result = move_locked(vcpu, cpu);
    spin_unlock_irqrestore(&vcpu->lock, flags);
    return conclude(result, cpu);
}

int vcpu_set_affinity(struct vcpu *vcpu, cpumask_t affinity)
{
    struct sched_entity *se = &vcpu->se;
    irqflags_t flags = spin_lock_irqsave(&vcpu->lock);
    unsigned cpu = se->cpu;
    int result = sched_choose_cpu(affinity, &cpu);

    if (vcpu->state == VCPU_UNKNOWN || vcpu->is_idle)
        result = -EINVAL;
    else if (se->claims && !(affinity & CPU_MASK(se->cpu)))
        result = -EBUSY;
    if (result == 0) {
        unsigned there = migrate_is_leaving(vcpu) ? se->move_to : se->cpu;

        se->affinity = affinity;
        /* One in RESET gets a CPU when it is kicked. */
        if (!(affinity & CPU_MASK(there)) && vcpu->state != VCPU_RESET)
            result = move_locked(vcpu, cpu);
    }
    spin_unlock_irqrestore(&vcpu->lock, flags);
    return conclude(result, cpu);
}

static bool find_idle(const struct sched_entity *se, unsigned *cpu)
{
    cpumask_t left =
        __atomic_load_n(&sched_idle_cpus, __ATOMIC_RELAXED) & se->affinity & ~CPU_MASK(se->cpu);

    if (left == 0 || (sched_isolated_cpus() & CPU_MASK(se->cpu)))
        return false;
    for (left &= ~sched_isolated_cpus(); left != 0; left &= left - 1) {
        *cpu = (unsigned)__builtin_ctzll(left);
        if (sched_runnable_count(*cpu) == 0)
            return true;
    }
    return false;
}

struct run_queue *migrate_to_idle(struct run_queue *rq, struct vcpu *vcpu,
                                  enum sched_arrival how) NO_THREAD_SAFETY
{
    unsigned cpu;

    if (vcpu->se.claims || migrate_is_leaving(vcpu) || is_held(rq, vcpu) ||
        !find_idle(&vcpu->se, &cpu))
        return rq;
    sched_dequeue(rq, vcpu);
    run_queue_unlock(rq);
    migrate_assign(vcpu, cpu);
    rq = &per_cpu(run_queue, cpu);
    run_queue_lock(rq);
    sched_add(rq, vcpu, how, clock_now());
    return rq;
}

bool vcpu_is_moving(struct vcpu *vcpu)
{
    irqflags_t flags = spin_lock_irqsave(&vcpu->lock);
    bool moving = migrate_is_leaving(vcpu);

    spin_unlock_irqrestore(&vcpu->lock, flags);
    return moving;
}

void migrate_cancel(struct vcpu *vcpu)
{
    struct run_queue *rq = &per_cpu(run_queue, vcpu->se.cpu);

    if (!migrate_is_leaving(vcpu))
        return;
    spin_lock(&rq->lock);
    list_remove(&vcpu->se.move_link);
    spin_unlock(&rq->lock);
}

/* The holder's part */

/*
 * The first one that wants to leave this CPU and does not run on it, with its lock taken. That is
 * against the order of locks, so it is only tried; and while it is in the list and the queue is
 * locked, nobody can destroy it.
 */
static struct vcpu *take_leaver(struct run_queue *rq) NO_THREAD_SAFETY
{
    for (;;) {
        struct vcpu *found = NULL;

        spin_lock(&rq->lock);
        LIST_FOR_EACH(vcpu, &rq->leaving, struct vcpu, se.move_link) {
            if (vcpu != rq->current) {
                found = vcpu;
                break;
            }
        }
        /* The one that runs follows when it is switched away. */
        if (found == NULL && !list_is_empty(&rq->leaving))
            sched_request_resched(rq, cpu_id());
        if (found == NULL || spin_trylock(&found->lock)) {
            spin_unlock(&rq->lock);
            return found;
        }
        spin_unlock(&rq->lock);
        arch_cpu_relax();
    }
}

void migrate_push(struct run_queue *rq) NO_THREAD_SAFETY
{
    unsigned from = cpu_id();
    struct vcpu *vcpu;

    while ((vcpu = take_leaver(rq)) != NULL) {
        unsigned to = vcpu->se.move_to;

        if (vcpu->is_normal)
            arch_vcpu_world_unload(vcpu);
        lock_pair(from, to);
        hand_over(vcpu, to);
        unlock_pair(from, to);
        spin_unlock(&vcpu->lock);
        notifier_call(&vcpu_move_chain, to, NULL);
    }
}
