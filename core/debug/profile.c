// SPDX-License-Identifier: Apache-2.0
// Samples by a periodic timer on each CPU; counters by function, and by VCPU for guests.

#include <arch/system.h>
#include <hv/clock.h>
#include <hv/heap.h>
#include <hv/hrtimer.h>
#include <hv/mutex.h>
#include <hv/percpu.h>
#include <hv/profile.h>
#include <hv/sched.h>
#include <hv/smp.h>
#include <hv/symbol.h>
#include <lib/errno.h>
#include <lib/string.h>

#define DEPTH_MAX 16
#define GUEST_VCPUS 64

struct function_count {
    uint32_t self;
    uint32_t total;
};

struct guest_count {
    const struct vcpu *vcpu; /* to tell them apart, never followed; NULL: free */
    uint32_t samples;
    char name[VCPU_NAME_MAX];
};

/* One run. Counters are atomic; the rest is set before the timers start. */
struct profile {
    bool running;
    unsigned hz;
    uint64_t period_ns;
    uint64_t start_ns, stop_ns;
    uint64_t hypervisor, guests, unknown;
    uint32_t function_count;
    struct spinlock guest_lock; /* entries of guest[] that are taken */
    struct guest_count guest[GUEST_VCPUS];
    struct function_count function[];
};

static struct mutex profile_lock = MUTEX_INIT(profile_lock);
/* Under profile_lock; the timers use it only between start and stop. */
static struct profile *profile;
static DEFINE_PER_CPU(struct hrtimer, profile_timer);

static void count_guest(struct profile *run, const struct vcpu *vcpu)
{
    struct guest_count *entry = run->guest, *end = run->guest + GUEST_VCPUS;

    spin_lock(&run->guest_lock);
    while (entry != end && entry->vcpu != NULL && entry->vcpu != vcpu)
        entry++;
    if (entry != end && entry->vcpu == NULL) {
        entry->vcpu = vcpu;
        str_copy(entry->name, vcpu->name, sizeof(entry->name));
    }
    if (entry != end)
        entry->samples++;
    spin_unlock(&run->guest_lock);
    __atomic_fetch_add(entry != end ? &run->guests : &run->unknown, 1, __ATOMIC_RELAXED);
}

/* A function that is there twice, by recursion, counts once. */
static bool seen_before(const uint32_t *functions, unsigned count, uint32_t function)
{
    for (unsigned i = 0; i < count; i++)
        if (functions[i] == function)
            return true;
    return false;
}

/* The first is the address that was interrupted; the others return from calls. */
static void count_functions(struct profile *run, const uintptr_t *pcs, unsigned depth)
{
    uint32_t functions[DEPTH_MAX];

    for (unsigned i = 0; i < depth; i++) {
        uint32_t function = symbol_index(pcs[i] - (i != 0));

        functions[i] = function;
        if (function >= run->function_count)
            continue;
        if (i == 0)
            __atomic_fetch_add(&run->function[function].self, 1, __ATOMIC_RELAXED);
        if (!seen_before(functions, i, function))
            __atomic_fetch_add(&run->function[function].total, 1, __ATOMIC_RELAXED);
    }
    __atomic_fetch_add(functions[0] < run->function_count ? &run->hypervisor : &run->unknown, 1,
                       __ATOMIC_RELAXED);
}

static void sample(struct hrtimer *timer)
{
    struct profile *run = timer->data;
    uintptr_t pcs[DEPTH_MAX];
    unsigned depth = arch_system_interrupted(pcs, DEPTH_MAX);
    uint64_t next = timer->expires + run->period_ns, now = clock_now();

    if (depth != 0)
        count_functions(run, pcs, depth);
    else
        count_guest(run, sched_current());
    /* What was missed is not made up for. */
    hrtimer_start(timer, next > now ? next : now + run->period_ns);
}

static void start_here(void *arg)
{
    struct profile *run = arg;
    struct hrtimer *timer = &this_cpu(profile_timer);

    hrtimer_init(timer, sample, run);
    hrtimer_start(timer, clock_now() + run->period_ns);
}

static int start_locked(unsigned hz)
{
    uint32_t functions = symbol_count();
    struct profile *run;

    if (profile != NULL && profile->running)
        return -EBUSY;
    run = heap_zalloc(sizeof(*run) + functions * sizeof(run->function[0]));
    if (run == NULL)
        return -ENOMEM;
    heap_free(profile);
    profile = run;
    spin_init(&run->guest_lock);
    run->running = true;
    run->hz = hz;
    run->period_ns = NS_PER_SEC / hz;
    run->function_count = functions;
    run->start_ns = clock_now();
    smp_call(cpu_online(), start_here, run);
    return 0;
}

int profile_start(unsigned hz)
{
    int err;

    if (hz == 0 || hz > PROFILE_HZ_MAX)
        return -EINVAL;
    mutex_lock(&profile_lock);
    err = start_locked(hz);
    mutex_unlock(&profile_lock);
    return err;
}

static int stop_locked(void)
{
    if (profile == NULL || !profile->running)
        return -EALREADY;
    for (unsigned cpu = 0; cpu < SMP_CPUS_MAX; cpu++)
        if (cpu_online() & CPU_MASK(cpu))
            hrtimer_cancel(&per_cpu(profile_timer, cpu));
    profile->running = false;
    profile->stop_ns = clock_now();
    return 0;
}

int profile_stop(void)
{
    int err;

    mutex_lock(&profile_lock);
    err = stop_locked();
    mutex_unlock(&profile_lock);
    return err;
}

/* Into the sorted rows if it is among the best. */
static unsigned rank(struct profile_row *rows, unsigned count, unsigned max,
                     const struct profile_row *row)
{
    unsigned at = count;

    while (at > 0 && (rows[at - 1].self < row->self ||
                      (rows[at - 1].self == row->self && rows[at - 1].total < row->total)))
        at--;
    if (at == max)
        return count;
    if (count < max)
        count++;
    for (unsigned i = count - 1; i > at; i--)
        rows[i] = rows[i - 1];
    rows[at] = *row;
    return count;
}

static unsigned rank_functions(struct profile_row *rows, unsigned max)
{
    unsigned count = 0;

    for (uint32_t i = 0; i < profile->function_count; i++) {
        struct profile_row row = {.self = profile->function[i].self,
                                  .total = profile->function[i].total};
        struct symbol symbol;

        if (row.total == 0 || !symbol_at(i, &symbol))
            continue;
        str_copy(row.name, symbol.name, sizeof(row.name));
        count = rank(rows, count, max, &row);
    }
    return count;
}

static unsigned rank_guests(struct profile_row *rows, unsigned count, unsigned max)
{
    irqflags_t flags = spin_lock_irqsave(&profile->guest_lock);

    for (unsigned i = 0; i < GUEST_VCPUS && profile->guest[i].vcpu != NULL; i++) {
        struct profile_row row = {.is_guest = true,
                                  .self = profile->guest[i].samples,
                                  .total = profile->guest[i].samples};

        str_copy(row.name, profile->guest[i].name, sizeof(row.name));
        count = rank(rows, count, max, &row);
    }
    spin_unlock_irqrestore(&profile->guest_lock, flags);
    return count;
}

static int report_locked(struct profile_row *rows, unsigned max, struct profile_totals *totals)
{
    const struct profile *run = profile;

    if (run == NULL)
        return -ENOENT;
    *totals = (struct profile_totals){
        .running = run->running,
        .hz = run->hz,
        .duration_ns = (run->running ? clock_now() : run->stop_ns) - run->start_ns,
        .samples = run->hypervisor + run->guests + run->unknown,
        .hypervisor = run->hypervisor,
        .guests = run->guests,
        .unknown = run->unknown,
    };
    return (int)rank_guests(rows, rank_functions(rows, max), max);
}

int profile_report(struct profile_row *rows, unsigned max, struct profile_totals *totals)
{
    int result;

    mutex_lock(&profile_lock);
    result = report_locked(rows, max, totals);
    mutex_unlock(&profile_lock);
    return result;
}
