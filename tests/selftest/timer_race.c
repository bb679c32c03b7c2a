// SPDX-License-Identifier: Apache-2.0
// Check: all CPUs start, stop and move the same events at once.
#include <hv/clock.h>
#include <hv/cpu.h>
#include <hv/heap.h>
#include <hv/hrtimer.h>
#include <hv/sched.h>
#include <hv/selftest.h>
#include <hv/thread.h>
#include <lib/errno.h>
#include <lib/macros.h>

#define EVENTS 32
#define STEPS 100000
/** Far enough for stops to come in time and for emulated CPUs to keep up, near enough to fire. */
#define SPAN_NS (500 * NS_PER_US)

struct event {
    struct hrtimer timer;
    struct race *race;
    unsigned inside; /**< callbacks of this event that run */
    uint64_t seed;
};

struct race {
    struct event events[EVENTS];
    uint64_t steps; /**< of each thread */
    uint64_t fired;
    unsigned faults;
    bool stop;
};

static uint64_t next_random(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return *seed >> 24;
}

static void fault_when(struct race *race, bool wrong)
{
    if (wrong)
        __atomic_fetch_add(&race->faults, 1, __ATOMIC_RELAXED);
}

static unsigned any_cpu(uint64_t random)
{
    unsigned cpu = (unsigned)(random % SMP_CPUS_MAX);

    return (cpu_online() & CPU_MASK(cpu)) != 0 ? cpu : 0;
}

static void fired(struct hrtimer *timer)
{
    struct event *event = timer->data;
    struct race *race = event->race;
    uint64_t random;

    fault_when(race, __atomic_fetch_add(&event->inside, 1, __ATOMIC_ACQ_REL) != 0);
    __atomic_fetch_add(&race->fired, 1, __ATOMIC_RELAXED);
    random = next_random(&event->seed);
    if (!__atomic_load_n(&race->stop, __ATOMIC_RELAXED)) {
        if (random % 4 == 0)
            hrtimer_start_on(timer, clock_now() + random % SPAN_NS, any_cpu(random >> 8));
        else if (random % 4 == 1)
            hrtimer_forward(timer, SPAN_NS);
        else if (random % 4 == 2)
            hrtimer_stop(timer);
    }
    fault_when(race, __atomic_fetch_sub(&event->inside, 1, __ATOMIC_ACQ_REL) != 1);
}

static void step(struct race *race, uint64_t random)
{
    struct event *event = &race->events[random % EVENTS];
    struct hrtimer *timer = &event->timer;
    uint64_t expires = clock_now() + (random >> 12) % SPAN_NS;

    switch (random >> 8 & 7) {
    case 0:
        hrtimer_stop(timer);
        break;
    case 1:
        hrtimer_migrate(timer, any_cpu(random >> 32));
        break;
    case 2:
        hrtimer_start_on(timer, expires, any_cpu(random >> 32));
        break;
    default:
        hrtimer_start(timer, expires);
        break;
    }
}

static int racer(void *arg)
{
    struct race *race = arg;
    uint64_t seed = clock_now();

    for (uint64_t i = 0; i < race->steps && !thread_should_stop(); i++)
        step(race, next_random(&seed));
    return 0;
}

/* One for each CPU; the balancer spreads them. */
static int run_threads(struct terminal *term, struct race *race)
{
    struct thread *threads[SMP_CPUS_MAX];
    unsigned count, wanted = cpu_online_count();
    int err = 0;

    for (count = 0; count < wanted && err == 0; count++)
        err = thread_create("timer-race", racer, race, SCHED_PRIORITY_DEFAULT, 0, &threads[count]);
    if (err != 0)
        count--;
    for (unsigned i = 0; i < count; i++)
        thread_start(threads[i]);
    for (unsigned i = 0; i < count; i++) {
        while (thread_state(threads[i]) != THREAD_STOPPED && err == 0)
            err = term_interrupted(term) || thread_sleep(10 * NS_PER_MS) != 0 ? -EINTR : 0;
        thread_request_stop(threads[i]);
        thread_join(threads[i], NULL);
    }
    return err;
}

/* What is cancelled does not fire, and nothing is left. */
static void finish(struct race *race)
{
    __atomic_store_n(&race->stop, true, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < EVENTS; i++)
        hrtimer_cancel(&race->events[i].timer);
    for (unsigned i = 0; i < EVENTS; i++)
        fault_when(race, hrtimer_is_armed(&race->events[i].timer) || race->events[i].inside != 0);
}

static int run(struct terminal *term, uint64_t amount)
{
    struct race *race = heap_zalloc(sizeof(*race));
    unsigned faults;
    int err;

    if (race == NULL)
        return -ENOMEM;
    race->steps = amount != 0 ? amount : STEPS;
    for (unsigned i = 0; i < EVENTS; i++) {
        race->events[i].race = race;
        race->events[i].seed = i;
        hrtimer_init(&race->events[i].timer, fired, &race->events[i]);
    }
    err = run_threads(term, race);
    finish(race);
    faults = race->faults;
    term_printf(term, "%llu events fired, %u faults\n", (unsigned long long)race->fired, faults);
    heap_free(race);
    return err != 0 ? err : (faults == 0 ? 0 : -EIO);
}

static const struct selftest timer_race = {
    .name = "timer-race",
    .help = "a thread on each CPU starts, stops and moves the same events, 100,000 (AMOUNT) times",
    .run = run,
};
SELFTEST(timer_race);
