// SPDX-License-Identifier: Apache-2.0
// The scheduler: run queues, time, preemption and switching. What runs next is the policy's choice.

#include <arch/barrier.h>
#include <arch/system.h>
#include <hv/clock.h>
#include <hv/ctx.h>
#include <hv/latency.h>
#include <hv/panic.h>
#include <hv/smp.h>

#include "sched_internal.h"

DEFINE_PER_CPU(struct run_queue, run_queue);

cpumask_t sched_idle_cpus;

struct vcpu *sched_current(void)
{
    irqflags_t flags = arch_irq_save();
    struct vcpu *vcpu = this_cpu(run_queue).current;

    arch_irq_restore(flags);
    return vcpu;
}

void sched_request_resched(struct run_queue *rq, unsigned cpu)
{
    uint32_t work = __atomic_fetch_or(&rq->current->exit_work, VCPU_WORK_RESCHED, __ATOMIC_SEQ_CST);

    __atomic_store_n(&per_cpu(ctx_state, cpu).resched, true, __ATOMIC_RELEASE);
    if (cpu != cpu_id() && !(work & VCPU_WORK_RESCHED))
        smp_kick(cpu);
}

static inline void clear_resched(struct ctx_state *ctx, struct vcpu *current)
{
    if (!ctx->resched)
        return;
    __atomic_store_n(&ctx->resched, false, __ATOMIC_RELAXED);
    __atomic_fetch_and(&current->exit_work, ~(uint32_t)VCPU_WORK_RESCHED, __ATOMIC_RELAXED);
}

/* Time */

/* Charge what a VCPU that runs has used of its slice. */
static void charge(struct sched_entity *se, uint64_t now)
{
    uint64_t used = now - se->last_start;

    se->slice_left = se->slice_left > used ? se->slice_left - used : 0;
    se->last_start = now;
}

static bool is_urgent(const struct vcpu *vcpu)
{
    return __atomic_load_n(&vcpu->se.urgent, __ATOMIC_RELAXED);
}

static inline uint64_t next_event(struct run_queue *rq, uint64_t now)
{
    const struct vcpu *running = rq->current;

    /* What obeys a request is not interrupted for others: it is about to give way. */
    if (is_urgent(running))
        return SCHED_NEVER;
    return sched_active->next_event(rq->queue, run_queue_idles(rq) ? NULL : &running->se, now);
}

/*
 * See to it that the timer fires when the policy's next choice is due. One that fires too early is
 * left as it is: it finds out. This CPU's run queue.
 */
static inline void arm(struct run_queue *rq, uint64_t event)
{
    if (event == rq->event || (event > rq->event && event != SCHED_NEVER && rq->event != SCHED_HELD))
        return;
    hrtimer_sched_set(event);
    rq->event = event;
}

/*
 * The policy chooses anew. It is not asked whether the time has really come: that is hardly ever not so, and then it
 * chooses the same. Where a switch follows at once, the timer is left for that to set.
 */
uint64_t sched_timer_expired(void)
{
    struct run_queue *rq = &this_cpu(run_queue);
    struct ctx_state *ctx = &this_cpu(ctx_state);
    uint64_t event = SCHED_NEVER;

    /* Without the lock: what runs here and what the timer is set to is changed by this CPU only. */
    if (likely(!is_urgent(rq->current))) {
        __atomic_fetch_or(&rq->current->exit_work, VCPU_WORK_RESCHED, __ATOMIC_RELAXED);
        ctx->resched = true;
        event = ctx->preempt_count == 0 ? SCHED_HELD : SCHED_NEVER;
    }
    __atomic_store_n(&rq->event, event, __ATOMIC_RELAXED);
    return event;
}

/* Run queues */

static inline void enqueue(struct run_queue *rq, struct vcpu *vcpu, enum sched_arrival how,
                           uint64_t now)
{
    struct sched_entity *se = &vcpu->se;

    if (likely(!is_urgent(vcpu)))
        sched_active->enqueue(rq->queue, se, how, now);
    else if (how == SCHED_PREEMPTED)
        list_add_head(&rq->urgent, &se->link);
    else
        list_add_tail(&rq->urgent, &se->link);
    se->on_queue = true;
    __atomic_store_n(&rq->ready, rq->ready + 1, __ATOMIC_RELAXED);
}

void sched_enqueue(struct run_queue *rq, struct vcpu *vcpu, enum sched_arrival how, uint64_t now)
{
    enqueue(rq, vcpu, how, now);
}

static inline void has_left(struct run_queue *rq, struct vcpu *vcpu)
{
    vcpu->se.on_queue = false;
    __atomic_store_n(&rq->ready, rq->ready - 1, __ATOMIC_RELAXED);
}

void sched_dequeue(struct run_queue *rq, struct vcpu *vcpu)
{
    if (likely(!is_urgent(vcpu)))
        sched_active->dequeue(rq->queue, &vcpu->se);
    else
        list_remove(&vcpu->se.link);
    has_left(rq, vcpu);
}

static bool preempts(struct run_queue *rq, const struct vcpu *queued)
{
    const struct vcpu *running = rq->current;

    if (run_queue_idles(rq))
        return true;
    if (is_urgent(running))
        return false;
    return is_urgent(queued) || sched_active->preempts(rq->queue, &running->se, &queued->se);
}

bool sched_check_preemption(struct run_queue *rq, const struct vcpu *queued, uint64_t now)
{
    unsigned cpu = queued->se.cpu;
    uint64_t event;

    if (!run_queue_idles(rq))
        balance_note_wait(cpu);
    if (preempts(rq, queued)) {
        sched_request_resched(rq, cpu);
        return true;
    }
    event = next_event(rq, now);
    if (cpu == cpu_id())
        arm(rq, event);
    else if (event < rq->event)
        sched_request_resched(rq, cpu);
    return false;
}

/*
 * Bring what runs up to date before another is judged by it. A slice that ended while nobody waited
 * for that was followed by the next one.
 */
static void update_running(struct run_queue *rq, uint64_t now)
{
    struct vcpu *running = rq->current;

    if (run_queue_idles(rq))
        return;
    charge(&running->se, now);
    if (running->se.slice_left == 0 && rq->event == SCHED_NEVER)
        sched_active->renew(rq->queue, &running->se, now);
}

static inline bool add(struct run_queue *rq, struct vcpu *vcpu, enum sched_arrival how, uint64_t now)
{
    update_running(rq, now);
    enqueue(rq, vcpu, how, now);
    return sched_check_preemption(rq, vcpu, now);
}

bool sched_add(struct run_queue *rq, struct vcpu *vcpu, enum sched_arrival how, uint64_t now)
{
    return add(rq, vcpu, how, now);
}

void sched_boost(struct vcpu *vcpu)
{
    vcpu->se.priority = sched_priority(vcpu);
    vcpu->se.urgent = vcpu->is_normal && vcpu->requests != 0;
}

/* Waiting where one runs */

/* IRQs masked. False: another wants the CPU, or it is over already. */
static bool wait_begin(struct run_queue *rq, struct vcpu *vcpu)
{
    bool begins;

    run_queue_lock(rq);
    begins = sched_active->stays && arch_system_idles_anywhere() && rq->ready == 0 &&
             vcpu->state == VCPU_PAUSED && list_is_empty(&rq->leaving) &&
             !this_cpu(ctx_state).resched;
    if (begins) {
        rq->wait_since = clock_now();
        charge(&vcpu->se, rq->wait_since);
        if (vcpu->se.slice_left == 0)
            sched_active->renew(rq->queue, &vcpu->se, rq->wait_since);
        rq->waiting = true;
        __atomic_fetch_or(&sched_idle_cpus, CPU_MASK(cpu_id()), __ATOMIC_RELAXED);
    }
    run_queue_unlock(rq);
    return begins;
}

/* It wakes, or gives way. Run queue's lock held. */
static void wait_end(struct run_queue *rq, uint64_t now)
{
    unsigned cpu = rq->current->se.cpu;

    rq->waiting = false;
    rq->waited += now - rq->wait_since;
    rq->current->se.last_start = now;
    __atomic_fetch_and(&sched_idle_cpus, ~CPU_MASK(cpu), __ATOMIC_RELAXED);
    if (cpu != cpu_id())
        smp_kick(cpu);
}

/* Interrupts are taken here as in the idle loop; one that makes another runnable switches to that, and back in the end. */
static void wait_here(struct vcpu *vcpu)
{
    while (__atomic_load_n(&vcpu->state, __ATOMIC_ACQUIRE) == VCPU_PAUSED) {
        if (!__atomic_load_n(&this_cpu(ctx_state).resched, __ATOMIC_ACQUIRE))
            arch_system_idle();
        arch_irq_enable();
        arch_barrier_context();
        arch_irq_disable();
        if (__atomic_load_n(&this_cpu(ctx_state).resched, __ATOMIC_ACQUIRE))
            sched_schedule_masked();
    }
    /* Who asked for its state may have taken its world off the CPU. */
    if (arch_vcpu_world_cpu(vcpu) != (int)cpu_id())
        __atomic_fetch_or(&vcpu->exit_work, VCPU_WORK_WORLD, __ATOMIC_RELAXED);
}

void sched_wait(struct vcpu *vcpu)
{
    if (wait_begin(&this_cpu(run_queue), vcpu))
        wait_here(vcpu);
    else
        sched_schedule_masked();
}

void sched_make_runnable(struct vcpu *vcpu)
{
    struct run_queue *rq = &per_cpu(run_queue, vcpu->se.cpu);
    uint64_t now = clock_now();

    run_queue_lock(rq);
    if (rq->current == vcpu) {
        vcpu_set_state(vcpu, VCPU_RUNNING, now);
        if (rq->waiting)
            wait_end(rq, now);
    } else {
        enum sched_arrival how = vcpu->state == VCPU_RESET ? SCHED_STARTED : SCHED_WOKEN;

        sched_boost(vcpu);
        vcpu_set_state(vcpu, VCPU_READY, now);
        if (!add(rq, vcpu, how, now) && __atomic_load_n(&sched_idle_cpus, __ATOMIC_RELAXED) != 0)
            rq = migrate_to_idle(rq, vcpu, how);
    }
    run_queue_unlock(rq);
}

void sched_expedite(struct vcpu *vcpu)
{
    struct run_queue *rq = &per_cpu(run_queue, vcpu->se.cpu);

    run_queue_lock(rq);
    if (vcpu->se.on_queue) {
        if (!is_urgent(vcpu)) {
            sched_dequeue(rq, vcpu);
            vcpu->se.urgent = true;
            sched_add(rq, vcpu, SCHED_WOKEN, clock_now());
        }
    } else if (vcpu->se.cpu != cpu_id()) {
        smp_kick(vcpu->se.cpu);
    }
    run_queue_unlock(rq);
}

/* Switching */

/* The best VCPU, out of the queue. */
static struct sched_choice take_best(struct run_queue *rq, uint64_t now)
{
    struct sched_choice choice = {.until = SCHED_NEVER};

    if (likely(list_is_empty(&rq->urgent))) {
        choice = sched_active->pick(rq->queue, now);
    } else {
        choice.se = LIST_FIRST(&rq->urgent, struct sched_entity, link);
        list_remove(&choice.se->link);
    }
    if (choice.se == NULL)
        return choice;
    has_left(rq, vcpu_of(choice.se));
    /* Who came while the CPU was idle waits now; who comes later is noted when it does. */
    if (rq->ready != 0)
        balance_note_wait(cpu_id());
    return choice;
}

/* prev goes back to its place in the queue, and the best is taken. */
static ALWAYS_INLINE struct sched_choice turn(struct run_queue *rq, struct vcpu *prev,
                                              enum sched_arrival how, uint64_t now)
{
    const struct sched_policy *policy = sched_active;
    struct sched_choice choice;

    if (unlikely(policy->turn == NULL || is_urgent(prev) || !list_is_empty(&rq->urgent))) {
        enqueue(rq, prev, how, now);
        return take_best(rq, now);
    }
    choice = policy->turn(rq->queue, &prev->se, how, now);
    prev->se.on_queue = true;
    choice.se->on_queue = false;
    return choice;
}

static ALWAYS_INLINE struct sched_choice choose(struct run_queue *rq, struct vcpu *prev, bool yield,
                                                uint64_t now)
{
    bool ended;

    if (prev->is_idle) {
        __atomic_fetch_and(&sched_idle_cpus, ~CPU_MASK(cpu_id()), __ATOMIC_RELAXED);
        vcpu_set_state(prev, VCPU_READY, now);
        return take_best(rq, now);
    }
    if (unlikely(rq->waiting)) {
        wait_end(rq, now);
        return take_best(rq, now);
    }
    if (yield)
        prev->se.slice_left = 0;
    else
        charge(&prev->se, now);
    ended = prev->se.slice_left == 0;
    if (likely(prev->state == VCPU_RUNNING)) {
        vcpu_set_state(prev, VCPU_READY, now);
        /* One that is to leave is queued where it goes, once it is off this CPU. */
        if (likely(!migrate_is_leaving(prev)))
            return turn(rq, prev, ended ? SCHED_EXPIRED : SCHED_PREEMPTED, now);
    } else if (ended) {
        sched_active->renew(rq->queue, &prev->se, now);
    }
    return take_best(rq, now);
}

/* RUNNING -> READY for what ran, unless it sleeps; READY -> RUNNING for what comes next. */
static ALWAYS_INLINE struct vcpu *choose_next(struct run_queue *rq, struct vcpu *prev, bool yield,
                                              uint64_t now)
{
    struct sched_choice choice = choose(rq, prev, yield, now);
    struct vcpu *next;

    if (likely(choice.se != NULL)) {
        next = vcpu_of(choice.se);
    } else {
        next = &this_cpu(idle_vcpu);
        __atomic_fetch_or(&sched_idle_cpus, CPU_MASK(cpu_id()), __ATOMIC_RELAXED);
    }
    vcpu_set_state(next, VCPU_RUNNING, now);
    next->se.last_start = now;
    rq->current = next;
    arm(rq, choice.until);
    return next;
}

static inline void switch_finish(struct vcpu *prev) NO_THREAD_SAFETY
{
    struct run_queue *rq = &this_cpu(run_queue);

    __atomic_store_n(&prev->se.on_cpu, false, __ATOMIC_RELEASE);
    run_queue_unlock(rq);
    if (unlikely(!list_is_empty(&rq->leaving)))
        migrate_push(rq);
}

void sched_switch_finish(struct vcpu *prev)
{
    switch_finish(prev);
}

static inline void switch_to(struct run_queue *rq, struct vcpu *prev, struct vcpu *next)
{
    bool normal = next->is_normal;
    uint64_t left;

    rq->switches++;
    rq->preemptions += prev->se.on_queue;
    next->se.switches++;
    /*
     * Before exit_work is looked at: who adds work after that finds the VCPU on a CPU and kicks it.
     */
    __atomic_store_n(&next->se.on_cpu, true, __ATOMIC_SEQ_CST);
    if (normal)
        __atomic_fetch_or(&next->exit_work, VCPU_WORK_WORLD, __ATOMIC_SEQ_CST);
    left = latency_leave();
    switch_finish(arch_vcpu_switch(prev, next));
    latency_return(prev, left);
}

/* IRQs masked. */
static ALWAYS_INLINE void schedule(bool yield) NO_THREAD_SAFETY
{
    struct ctx_state *ctx = &this_cpu(ctx_state);
    struct run_queue *rq = &this_cpu(run_queue);
    struct vcpu *prev = rq->current;
    struct vcpu *next;
    uint64_t now;

    ASSERT((ctx->preempt_count | ctx->irq_depth) == 0);
    if (unlikely(!list_is_empty(&rq->leaving)))
        migrate_push(rq);
    now = clock_now();
    run_queue_lock(rq);
    clear_resched(ctx, prev);
    next = choose_next(rq, prev, yield, now);
    ctx->normal = next->is_normal;
    if (next == prev)
        run_queue_unlock(rq);
    else
        switch_to(rq, prev, next);
}

void sched_schedule_masked(void)
{
    schedule(false);
}

void sched_schedule(void)
{
    irqflags_t flags = arch_irq_save();

    schedule(false);
    arch_irq_restore(flags);
}

void sched_yield_cpu(void)
{
    irqflags_t flags = arch_irq_save();

    schedule(true);
    arch_irq_restore(flags);
}

void sched_preempt_irq(void)
{
    const struct ctx_state *ctx = &this_cpu(ctx_state);

    if (ctx->resched && ctx->preempt_count == 0 && ctx->irq_depth == 0)
        sched_schedule_masked();
}

void sched_exit(void)
{
    struct vcpu *vcpu = sched_current();

    arch_irq_disable();
    ASSERT(!vcpu->is_normal && !vcpu->is_idle);
    spin_lock(&vcpu->lock);
    vcpu_set_state(vcpu, VCPU_HALTED, clock_now());
    sched_unplace(vcpu);
    spin_unlock(&vcpu->lock);
    notifier_call(&vcpu_state_chain, VCPU_HALTED, vcpu);
    sched_schedule_masked();
    panic("VCPU %s runs after its end", vcpu->name);
}

/* One that waits where it ran is to go to its stack's safe place. */
static void end_stay(struct vcpu *vcpu)
{
    irqflags_t flags = arch_irq_save();
    unsigned cpu = __atomic_load_n(&vcpu->se.cpu, __ATOMIC_RELAXED);
    struct run_queue *rq = &per_cpu(run_queue, cpu);

    run_queue_lock(rq);
    if (rq->current == vcpu && rq->waiting)
        sched_request_resched(rq, cpu);
    run_queue_unlock(rq);
    arch_irq_restore(flags);
}

void sched_wait_off_cpu(struct vcpu *vcpu)
{
    while (__atomic_load_n(&vcpu->se.on_cpu, __ATOMIC_ACQUIRE)) {
        if (__atomic_load_n(&vcpu->state, __ATOMIC_ACQUIRE) == VCPU_PAUSED)
            end_stay(vcpu);
        arch_cpu_relax();
    }
}
