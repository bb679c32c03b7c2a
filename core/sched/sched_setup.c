// SPDX-License-Identifier: Apache-2.0
// Setting the scheduler up: policy and time slice by the device tree, the idle VCPU of each CPU.

#include <arch/barrier.h>
#include <arch/system.h>
#include <hv/clock.h>
#include <hv/ctx.h>
#include <hv/dt.h>
#include <hv/log.h>
#include <hv/panic.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

#include "sched_internal.h"

#define SLICE_US_MIN 100
#define SLICE_US_MAX 1000000

TABLE_DECLARE(sched_policies, struct sched_policy);

DEFINE_PER_CPU(struct vcpu, idle_vcpu);

const struct sched_policy *sched_active;
static uint64_t default_slice = CONFIG_TIME_SLICE_US * NS_PER_US;

const struct sched_policy *sched_policy(void)
{
    return sched_active;
}

uint64_t sched_default_slice(void)
{
    return default_slice;
}

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

static int choose_policy(const struct dt_node *vmm)
{
    const char *name = CONFIG_SCHED_DEFAULT;

    if (vmm != NULL)
        dt_get_string(vmm, "bulkhead,scheduler", &name);
    sched_active = find_policy(name);
    if (sched_active != NULL)
        return 0;
    log_error("/vmm: bulkhead,scheduler: no policy \"%s\"; using \"%s\"", name,
              CONFIG_SCHED_DEFAULT);
    sched_active = find_policy(CONFIG_SCHED_DEFAULT);
    return -ENOENT;
}

static int choose_slice(const struct dt_node *vmm)
{
    uint32_t us = CONFIG_TIME_SLICE_US;

    if (vmm != NULL)
        dt_get_u32(vmm, "bulkhead,time-slice-us", &us);
    if (us >= SLICE_US_MIN && us <= SLICE_US_MAX) {
        default_slice = us * NS_PER_US;
        return 0;
    }
    log_error("/vmm: bulkhead,time-slice-us: %u is not in %u..%u; using %u", us, SLICE_US_MIN,
              SLICE_US_MAX, CONFIG_TIME_SLICE_US);
    default_slice = CONFIG_TIME_SLICE_US * NS_PER_US;
    return -ERANGE;
}

int sched_init(void)
{
    const struct dt_node *vmm = dt_find("/vmm");
    int error = choose_policy(vmm);
    int slice_error = choose_slice(vmm);

    if (vmm != NULL)
        sched_read_isolated_cpus(vmm);
    ASSERT(sched_active != NULL &&
           sched_active->queue_size <= sizeof(((struct run_queue *)NULL)->queue));
    panic_describe_hook = describe_current;
    hrtimer_sched_hook = sched_timer_expired;
    ctx_preempt_hook = sched_schedule;
    return error != 0 ? error : slice_error;
}

static void make_idle(struct vcpu *idle, unsigned cpu)
{
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
}

int sched_init_cpu(void)
{
    struct run_queue *rq = &this_cpu(run_queue);
    unsigned cpu = cpu_id();

    spin_init(&rq->lock);
    rq->event = SCHED_NEVER;
    list_init(&rq->urgent);
    list_init(&rq->leaving);
    rq->ready = 0;
    sched_active->init(rq->queue);
    make_idle(&this_cpu(idle_vcpu), cpu);
    rq->current = &this_cpu(idle_vcpu);
    __atomic_fetch_or(&sched_idle_cpus, CPU_MASK(cpu), __ATOMIC_RELAXED);
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
