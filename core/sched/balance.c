// SPDX-License-Identifier: Apache-2.0
// The load balancer: looks at all VCPUs while some CPU has more to do than it can, and asks for the
// moves that the strategy chooses. Else it sleeps without a timer.

#include <hv/balancer.h>
#include <hv/clock.h>
#include <hv/dt.h>
#include <hv/heap.h>
#include <hv/initcall.h>
#include <hv/log.h>
#include <lib/errno.h>
#include <lib/string.h>

#include "sched_internal.h"

/* A round each; weights are known to a quarter after two of them. */
#define PERIOD_NS (100 * NS_PER_MS)
/* What was learnt longer ago says little about now. */
#define STALE_NS (3 * PERIOD_NS)
/* VCPUs that may come to be between counting and looking. */
#define SPARE 8
#define ROOM_STEP 128u

TABLE_DECLARE(balancers, struct balancer);

bool balance_idle;

static struct {
    const struct balancer *strategy;
    struct vcpu *vcpu;
    struct hrtimer timer;
    bool due;            /**< the timer has fired; atomic */
    uint64_t sampled_at; /**< when all VCPUs were looked at last */
    struct balance_cpu cpus[SMP_CPUS_MAX];
    struct balance_vcpu *vcpus;
    unsigned size; /**< of vcpus */
} balance;

const struct balancer *balancer_current(void)
{
    return balance.strategy;
}

static cpumask_t usable_cpus(void)
{
    return cpu_online() & ~sched_isolated_cpus();
}

/* When to look */

static bool is_contended(void)
{
    for (cpumask_t left = usable_cpus(); left != 0; left &= left - 1)
        if (sched_runnable_count((unsigned)__builtin_ctzll(left)) > 1)
            return true;
    return false;
}

static void arm(void)
{
    hrtimer_start(&balance.timer, clock_now() + PERIOD_NS);
}

void balance_wake(unsigned cpu)
{
    if (!(sched_isolated_cpus() & CPU_MASK(cpu)) &&
        __atomic_exchange_n(&balance_idle, false, __ATOMIC_SEQ_CST))
        arm();
}

static void period_over(struct hrtimer *timer)
{
    (void)timer;
    __atomic_store_n(&balance.due, true, __ATOMIC_RELEASE);
    sched_wake(balance.vcpu, VCPU_REASON_SLEEP);
}

/* The next round comes when it is due, if anybody waits for a CPU; else when somebody does. */
static void plan_next(void)
{
    if (is_contended()) {
        arm();
        return;
    }
    __atomic_store_n(&balance_idle, true, __ATOMIC_SEQ_CST);
    /* Who began to wait just before that has not told. */
    if (is_contended() && __atomic_exchange_n(&balance_idle, false, __ATOMIC_SEQ_CST))
        arm();
}

static void wait_until_due(void)
{
    irqflags_t flags = arch_irq_save();

    while (!__atomic_exchange_n(&balance.due, false, __ATOMIC_ACQUIRE)) {
        sched_block_prepare(VCPU_REASON_SLEEP, false);
        if (__atomic_load_n(&balance.due, __ATOMIC_ACQUIRE))
            sched_block_cancel();
        else
            sched_block();
    }
    arch_irq_restore(flags);
}

/* Looking */

struct look {
    struct balance_view view;
    uint64_t elapsed; /**< since the last one */
};

/*
 * Time in which it had, or wanted, a CPU. Without its locks, which are wanted elsewhere: a change of
 * state in just this moment may be counted twice or not at all; that is bounded, and soon forgotten.
 */
static uint64_t demand_ns(const struct vcpu *vcpu)
{
    const struct sched_entity *se = &vcpu->se;
    enum vcpu_state state = __atomic_load_n(&vcpu->state, __ATOMIC_ACQUIRE);
    uint64_t since = __atomic_load_n(&se->state_since, __ATOMIC_RELAXED);
    uint64_t total = __atomic_load_n(&se->time_in[VCPU_RUNNING], __ATOMIC_RELAXED) +
                     __atomic_load_n(&se->time_in[VCPU_READY], __ATOMIC_RELAXED);
    uint64_t now = clock_now();

    if ((state == VCPU_RUNNING || state == VCPU_READY) && now > since)
        total += now - since;
    return total;
}

/* Learns the weight: half of it is the last time's, half what was known before. */
static void look_at(struct vcpu *vcpu, struct balance_vcpu *out, const struct look *look)
{
    struct sched_entity *se = &vcpu->se;
    uint64_t total = demand_ns(vcpu);
    uint64_t used = total > se->demand_seen ? MIN(total - se->demand_seen, look->elapsed) : 0;

    se->demand_seen = total;
    se->demand = (se->demand + (uint32_t)(used * BALANCE_FULL / look->elapsed)) / 2;
    *out = (struct balance_vcpu){
        .id = vcpu->id,
        .weight = se->demand,
        .cpu = __atomic_load_n(&se->cpu, __ATOMIC_RELAXED),
    };
    if (!se->claims)
        out->allowed = sched_allowed_cpus(__atomic_load_n(&se->affinity, __ATOMIC_RELAXED));
}

static void look_at_each(struct vcpu *vcpu, void *arg)
{
    struct look *look = arg;
    struct balance_vcpu *out = &look->view.vcpus[look->view.vcpu_count];

    if (look->view.vcpu_count == balance.size)
        return;
    look_at(vcpu, out, look);
    balance.cpus[out->cpu].load += out->weight;
    look->view.vcpu_count++;
}

/*
 * Room for all VCPUs, in steps, so that what is taken says nothing about what was there once; what
 * there is stays when there is no memory.
 */
static void make_room(void)
{
    unsigned wanted = ALIGN_UP(vcpu_count() + SPARE, ROOM_STEP);
    struct balance_vcpu *vcpus;

    if (wanted == balance.size)
        return;
    vcpus = heap_calloc(wanted, sizeof(*vcpus));
    if (vcpus == NULL)
        return;
    heap_free(balance.vcpus);
    balance.vcpus = vcpus;
    balance.size = wanted;
}

/* Moving */

static void move_one(struct balance_view *view, const struct balance_move *move)
{
    struct balance_vcpu *vcpu = &view->vcpus[move->vcpu];

    view->cpus[vcpu->cpu].load -= vcpu->weight;
    view->cpus[move->to].load += vcpu->weight;
    vcpu->cpu = move->to;
    vcpu->allowed = 0;
}

struct wishes {
    const struct balance_view *view;
    unsigned next;
};

/* Both in order of ids. Who went away, or may not be there any more, is left alone. */
static void ask_each(struct vcpu *vcpu, void *arg)
{
    struct wishes *wishes = arg;
    const struct balance_view *view = wishes->view;
    const struct balance_vcpu *wish;

    while (wishes->next < view->vcpu_count && view->vcpus[wishes->next].id < vcpu->id)
        wishes->next++;
    wish = &view->vcpus[wishes->next];
    if (wishes->next < view->vcpu_count && wish->id == vcpu->id &&
        wish->cpu != __atomic_load_n(&vcpu->se.cpu, __ATOMIC_RELAXED))
        vcpu_move(vcpu, wish->cpu);
}

static void choose_all(struct balance_view *view)
{
    struct wishes wishes = {.view = view};
    struct balance_move move;
    unsigned moves = 0;

    while (moves < view->vcpu_count && balance.strategy->choose(view, &move)) {
        move_one(view, &move);
        moves++;
    }
    if (moves > 0)
        vcpu_for_each(ask_each, &wishes);
}

static void look_and_move(void)
{
    uint64_t now = clock_now();
    cpumask_t usable = usable_cpus();
    struct look look = {
        .view = {.cpus = balance.cpus, .cpu_count = SMP_CPUS_MAX},
        .elapsed = MAX(now - balance.sampled_at, (uint64_t)1),
    };

    make_room();
    look.view.vcpus = balance.vcpus;
    for (unsigned cpu = 0; cpu < SMP_CPUS_MAX; cpu++)
        balance.cpus[cpu] = (struct balance_cpu){.usable = usable & CPU_MASK(cpu)};
    vcpu_for_each(look_at_each, &look);
    balance.sampled_at = now;
    if (look.elapsed < STALE_NS)
        choose_all(&look.view);
}

static void balance_main(void *arg)
{
    (void)arg;
    make_room();
    for (;;) {
        plan_next();
        wait_until_due();
        look_and_move();
    }
}

/* Start */

static const struct balancer *find(const char *name)
{
    TABLE_FOREACH(balancers, struct balancer, it)
        if (str_equal((*it)->name, name))
            return *it;
    return NULL;
}

static int choose_strategy(void)
{
    const struct dt_node *vmm = dt_find("/vmm");
    const char *name = CONFIG_BALANCER_DEFAULT;

    if (vmm != NULL)
        dt_get_string(vmm, "bulkhead,balancer", &name);
    balance.strategy = find(name);
    if (balance.strategy != NULL)
        return 0;
    log_error("/vmm: bulkhead,balancer: no strategy \"%s\"; using \"%s\"", name,
              CONFIG_BALANCER_DEFAULT);
    balance.strategy = find(CONFIG_BALANCER_DEFAULT);
    return -ENOENT;
}

int balance_start(void)
{
    struct vcpu_config config = {.name = "balancer", .priority = SCHED_PRIORITY_SHELL};
    cpumask_t usable = usable_cpus();
    int error = choose_strategy();
    int failure;

    if (balance.strategy->choose == NULL || (usable & (usable - 1)) == 0)
        return error;
    failure = vcpu_create(&config, &balance.vcpu);
    if (failure != 0)
        return failure;
    hrtimer_init(&balance.timer, period_over, NULL);
    arch_vcpu_init_orphan(balance.vcpu, balance_main, NULL);
    failure = vcpu_kick(balance.vcpu);
    return failure != 0 ? failure : error;
}
INITCALL(INITCALL_CORE, balance_start);
