// SPDX-License-Identifier: Apache-2.0
// The scheduler: run queues, time slices, switching, and choosing a CPU. What runs next is the
// policy's choice.

#include <arch/barrier.h>
#include <arch/system.h>
#include <hv/clock.h>
#include <hv/ctx.h>
#include <hv/dt.h>
#include <hv/log.h>
#include <hv/panic.h>
#include <hv/smp.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

#include "sched_internal.h"

/* What counts when VCPUs are spread: threads mostly sleep. */
#define LOAD_NORMAL 16
#define LOAD_ORPHAN 1

TABLE_DECLARE(sched_policies, struct sched_policy);

DEFINE_PER_CPU(struct run_queue, run_queue);
DECLARE_PER_CPU(struct vcpu, idle_vcpu);
DEFINE_PER_CPU(struct vcpu, idle_vcpu);

static const struct sched_policy *policy;

struct vcpu *sched_current(void)
{
    irqflags_t flags = arch_irq_save();
    struct vcpu *vcpu = this_cpu(run_queue).current;

    arch_irq_restore(flags);
    return vcpu;
}

const struct sched_policy *sched_policy(void)
{
    return policy;
}

void sched_request_resched(struct run_queue *rq, unsigned cpu)
{
    uint32_t work = __atomic_fetch_or(&rq->current->exit_work, VCPU_WORK_RESCHED, __ATOMIC_SEQ_CST);

    __atomic_store_n(&per_cpu(ctx_state, cpu).resched, true, __ATOMIC_RELEASE);
    if (cpu != cpu_id() && !(work & VCPU_WORK_RESCHED))
        smp_kick(cpu);
}

static void clear_resched(struct run_queue *rq)
{
    __atomic_store_n(&this_cpu(ctx_state).resched, false, __ATOMIC_RELAXED);
    __atomic_fetch_and(&rq->current->exit_work, ~(uint32_t)VCPU_WORK_RESCHED, __ATOMIC_RELAXED);
}

/* Time slices */

static void slice_expired(struct hrtimer *timer)
{
    struct run_queue *rq = timer->data;

    spin_lock(&rq->lock);
    rq->slice_armed = false;
    if (!rq->current->is_idle)
        sched_request_resched(rq, cpu_id());
    spin_unlock(&rq->lock);
}

/* Charge what current has used of its slice. */
static void slice_charge(struct sched_entity *se, uint64_t now)
{
    uint64_t used = now - se->last_start;

    se->slice_left = se->slice_left > used ? se->slice_left - used : 0;
    se->last_start = now;
}

/* The timer runs only while somebody waits for the end of the slice. This CPU's run queue. */
static void slice_arm(struct run_queue *rq, struct vcpu *running)
{
    bool wanted = !running->is_idle && policy->slice_expired(rq->queue, &running->se);

    if (wanted)
        hrtimer_start(&rq->slice_timer, running->se.last_start + running->se.slice_left);
    else if (rq->slice_armed)
        hrtimer_stop(&rq->slice_timer);
    rq->slice_armed = wanted;
}

/* Run queues */

void sched_enqueue(struct run_queue *rq, struct vcpu *vcpu, bool woken)
{
    struct sched_entity *se = &vcpu->se;

    if (woken)
        se->slice_left = se->time_slice;
    policy->enqueue(rq->queue, se, woken);
    se->on_queue = true;
    __atomic_store_n(&rq->ready, rq->ready + 1, __ATOMIC_RELAXED);
}

void sched_dequeue(struct run_queue *rq, struct vcpu *vcpu)
{
    policy->dequeue(rq->queue, &vcpu->se);
    vcpu->se.on_queue = false;
    __atomic_store_n(&rq->ready, rq->ready - 1, __ATOMIC_RELAXED);
}

bool sched_check_preemption(struct run_queue *rq, const struct vcpu *queued)
{
    struct vcpu *running = rq->current;
    unsigned cpu = queued->se.cpu;

    if (running->is_idle || policy->preempts(rq->queue, &running->se, &queued->se)) {
        sched_request_resched(rq, cpu);
        return true;
    }
    if (rq->slice_armed)
        return false;
    if (cpu == cpu_id())
        slice_arm(rq, running);
    else if (policy->slice_expired(rq->queue, &running->se))
        sched_request_resched(rq, cpu);
    return false;
}

void sched_boost(struct vcpu *vcpu)
{
    /*
     * What has a request to obey does so ahead of others: it may hold what the requester waits for.
     */
    vcpu->se.priority =
        vcpu->is_normal && vcpu->requests != 0 ? SCHED_PRIORITY_MAX : sched_priority(vcpu);
}

void sched_make_runnable(struct vcpu *vcpu)
{
    struct run_queue *rq = &per_cpu(run_queue, vcpu->se.cpu);

    spin_lock(&rq->lock);
    if (rq->current == vcpu) {
        vcpu_set_state(vcpu, VCPU_RUNNING, clock_now());
    } else {
        sched_boost(vcpu);
        vcpu_set_state(vcpu, VCPU_READY, clock_now());
        sched_enqueue(rq, vcpu, true);
        sched_check_preemption(rq, vcpu);
    }
    spin_unlock(&rq->lock);
}

void sched_expedite(struct vcpu *vcpu)
{
    struct run_queue *rq = &per_cpu(run_queue, vcpu->se.cpu);

    spin_lock(&rq->lock);
    if (vcpu->se.on_queue) {
        sched_dequeue(rq, vcpu);
        vcpu->se.priority = SCHED_PRIORITY_MAX;
        sched_enqueue(rq, vcpu, true);
        sched_check_preemption(rq, vcpu);
    } else if (vcpu->se.cpu != cpu_id()) {
        smp_kick(vcpu->se.cpu);
    }
    spin_unlock(&rq->lock);
}

/* Switching */

/* READY -> RUNNING for the best VCPU. */
static struct vcpu *take_next(struct run_queue *rq, uint64_t now)
{
    struct sched_entity *se = policy->pick(rq->queue);
    struct vcpu *next = se != NULL ? vcpu_of(se) : &this_cpu(idle_vcpu);

    if (se != NULL)
        sched_dequeue(rq, next);
    vcpu_set_state(next, VCPU_RUNNING, now);
    return next;
}

static struct vcpu *choose_next(struct run_queue *rq, struct vcpu *prev)
{
    uint64_t now = clock_now();
    struct vcpu *next;

    clear_resched(rq);
    slice_charge(&prev->se, now);
    if (prev->state == VCPU_RUNNING) {
        vcpu_set_state(prev, VCPU_READY, now);
        /* One that is to leave is queued where it goes, once it is off this CPU. */
        if (!prev->is_idle && !migrate_is_leaving(prev))
            sched_enqueue(rq, prev, false);
    }
    next = take_next(rq, now);
    if (next->se.slice_left == 0)
        next->se.slice_left = next->se.time_slice;
    next->se.last_start = now;
    slice_arm(rq, next);
    return next;
}

static void switch_to(struct run_queue *rq, struct vcpu *prev, struct vcpu *next)
{
    rq->switches++;
    if (prev->se.on_queue)
        rq->preemptions++;
    next->se.switches++;
    /*
     * Before exit_work is looked at: who adds work after that finds the VCPU on a CPU and kicks it.
     */
    __atomic_store_n(&next->se.on_cpu, true, __ATOMIC_SEQ_CST);
    if (next->is_normal)
        __atomic_fetch_or(&next->exit_work, VCPU_WORK_WORLD, __ATOMIC_SEQ_CST);
    rq->current = next;
    this_cpu(ctx_state).normal = next->is_normal;
    sched_switch_finish(arch_vcpu_switch(prev, next));
}

void sched_switch_finish(struct vcpu *prev) NO_THREAD_SAFETY
{
    struct run_queue *rq = &this_cpu(run_queue);

    __atomic_store_n(&prev->se.on_cpu, false, __ATOMIC_RELEASE);
    spin_unlock(&rq->lock);
    if (unlikely(!list_is_empty(&rq->leaving)))
        migrate_push(rq);
}

void sched_schedule(void) NO_THREAD_SAFETY
{
    irqflags_t flags = arch_irq_save();
    struct run_queue *rq = &this_cpu(run_queue);
    struct vcpu *prev = rq->current;
    struct vcpu *next;

    ASSERT(this_cpu(ctx_state).preempt_count == 0);
    if (unlikely(!list_is_empty(&rq->leaving)))
        migrate_push(rq);
    spin_lock(&rq->lock);
    next = choose_next(rq, prev);
    if (next == prev)
        spin_unlock(&rq->lock);
    else
        switch_to(rq, prev, next);
    arch_irq_restore(flags);
}

void sched_yield_cpu(void)
{
    irqflags_t flags = arch_irq_save();

    this_cpu(run_queue).current->se.slice_left = 0;
    sched_schedule();
    arch_irq_restore(flags);
}

void sched_preempt_irq(void)
{
    const struct ctx_state *ctx = &this_cpu(ctx_state);

    if (ctx->resched && ctx->preempt_count == 0 && ctx->irq_depth == 0)
        sched_schedule();
}

void sched_exit(void)
{
    struct vcpu *vcpu = sched_current();

    arch_irq_disable();
    spin_lock(&vcpu->lock);
    vcpu_set_state(vcpu, VCPU_HALTED, clock_now());
    sched_unplace(vcpu);
    spin_unlock(&vcpu->lock);
    notifier_call(&vcpu_state_chain, VCPU_HALTED, vcpu);
    sched_schedule();
    panic("VCPU %s runs after its end", vcpu->name);
}

void sched_wait_off_cpu(const struct vcpu *vcpu)
{
    while (__atomic_load_n(&vcpu->se.on_cpu, __ATOMIC_ACQUIRE))
        arch_cpu_relax();
}

/* Placement */

cpumask_t sched_allowed_cpus(cpumask_t affinity)
{
    cpumask_t online = affinity & cpu_online();
    cpumask_t shared = online & ~sched_isolated_cpus();

    return shared != 0 ? shared : online;
}

/* VCPUs that want the CPU now. */
static unsigned runnable_count(unsigned cpu)
{
    const struct run_queue *rq = &per_cpu(run_queue, cpu);
    const struct vcpu *current = __atomic_load_n(&rq->current, __ATOMIC_RELAXED);

    return __atomic_load_n(&rq->ready, __ATOMIC_RELAXED) + (current != &per_cpu(idle_vcpu, cpu));
}

/* Few that run now, then few that may run later. */
int sched_choose_cpu(cpumask_t affinity, unsigned *cpu)
{
    uint64_t best = UINT64_MAX;

    for (cpumask_t left = sched_allowed_cpus(affinity); left != 0; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        uint64_t load = (uint64_t)runnable_count(i) << 32 |
                        __atomic_load_n(&per_cpu(run_queue, i).load, __ATOMIC_RELAXED);

        if (load >= best)
            continue;
        best = load;
        *cpu = i;
    }
    return best == UINT64_MAX ? -EINVAL : 0;
}

void sched_place(struct vcpu *vcpu)
{
    struct sched_entity *se = &vcpu->se;
    unsigned cpu = se->cpu;

    migrate_cancel(vcpu);
    /* CPUs do not go offline: one that was there at vcpu_create() still is. */
    sched_choose_cpu(se->affinity, &cpu);
    migrate_assign(vcpu, cpu);
    se->load = vcpu->is_normal ? LOAD_NORMAL : LOAD_ORPHAN;
    __atomic_fetch_add(&per_cpu(run_queue, se->cpu).load, se->load, __ATOMIC_RELAXED);
}

void sched_unplace(struct vcpu *vcpu)
{
    __atomic_fetch_sub(&per_cpu(run_queue, vcpu->se.cpu).load, vcpu->se.load, __ATOMIC_RELAXED);
    vcpu->se.load = 0;
}

/* Start-up, idle and figures */

static void describe_current(void (*print)(const char *fmt, ...))
{
    const struct vcpu *vcpu = this_cpu(run_queue).current;

    if (vcpu == NULL)
        print("no VCPU yet\n");
    else
        print("VCPU %s (id %u, %s)\n", vcpu->name, vcpu->id, vcpu_state_name(vcpu->state));
}

static const struct sched_policy *find_policy(const char *name)
{
    TABLE_FOREACH(sched_policies, struct sched_policy, it)
        if (str_equal((*it)->name, name))
            return *it;
    return NULL;
}

int sched_init(void)
{
    const struct dt_node *vmm = dt_find("/vmm");
    const char *name = CONFIG_SCHED_DEFAULT;
    const struct sched_policy *chosen;

    if (vmm != NULL) {
        dt_get_string(vmm, "bulkhead,scheduler", &name);
        sched_read_isolated_cpus(vmm);
    }
    chosen = find_policy(name);
    if (chosen == NULL) {
        log_error("/vmm: bulkhead,scheduler: no policy \"%s\"; using \"%s\"", name,
                  CONFIG_SCHED_DEFAULT);
        policy = find_policy(CONFIG_SCHED_DEFAULT);
    } else {
        policy = chosen;
    }
    ASSERT(policy != NULL && policy->queue_size <= sizeof(((struct run_queue *)NULL)->queue));
    panic_describe_hook = describe_current;
    ctx_preempt_hook = sched_schedule;
    return chosen != NULL ? 0 : -ENOENT;
}

int sched_init_cpu(void)
{
    struct run_queue *rq = &this_cpu(run_queue);
    struct vcpu *idle = &this_cpu(idle_vcpu);
    unsigned cpu = cpu_id();

    spin_init(&rq->lock);
    hrtimer_init(&rq->slice_timer, slice_expired, rq);
    list_init(&rq->leaving);
    rq->ready = 0;
    policy->init(rq->queue);
    spin_init(&idle->lock);
    fmt_snprintf(idle->name, sizeof(idle->name), "idle/%u", cpu);
    list_init(&idle->se.link);
    list_init(&idle->se.move_link);
    list_init(&idle->wait_link);
    list_init(&idle->held_mutexes);
    idle->is_idle = true;
    idle->state = VCPU_RUNNING;
    idle->se.state_since = clock_now();
    idle->se.cpu = cpu;
    idle->se.on_cpu = true;
    rq->current = idle;
    return 0;
}

void sched_idle(void)
{
    for (;;) {
        arch_irq_disable();
        if (!__atomic_load_n(&this_cpu(ctx_state).resched, __ATOMIC_ACQUIRE))
            arch_system_idle();
        /*
         * What woke it is taken here; a reschedule it asked for may have been done when this
         * returns.
         */
        arch_irq_enable();
        arch_barrier_context();
        if (__atomic_load_n(&this_cpu(ctx_state).resched, __ATOMIC_ACQUIRE))
            sched_schedule();
    }
}

void sched_get_cpu_stats(unsigned cpu, struct sched_cpu_stats *stats)
{
    struct run_queue *rq = &per_cpu(run_queue, cpu);
    const struct vcpu *idle = &per_cpu(idle_vcpu, cpu);
    irqflags_t flags = spin_lock_irqsave(&rq->lock);

    stats->ready = policy->count(rq->queue);
    stats->switches = rq->switches;
    stats->preemptions = rq->preemptions;
    stats->idle_ns = idle->se.time_in[VCPU_RUNNING];
    if (rq->current == idle)
        stats->idle_ns += clock_now() - idle->se.state_since;
    spin_unlock_irqrestore(&rq->lock, flags);
}
