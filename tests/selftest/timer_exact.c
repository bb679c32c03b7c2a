// SPDX-License-Identifier: Apache-2.0
// Check: thousands of events on all CPUs; none early, none lost, all in order.
#include <arch/barrier.h>
#include <hv/clock.h>
#include <hv/cpu.h>
#include <hv/heap.h>
#include <hv/hrtimer.h>
#include <hv/selftest.h>
#include <hv/thread.h>
#include <lib/errno.h>
#include <lib/macros.h>

#define EVENTS 10000
#define EVENTS_MAX 100000
/** From the first event to the last. */
#define WINDOW_NS NS_PER_SEC
/** Between arming the last event and the first one's time; arming takes about as much. */
#define LEAD_NS (500 * NS_PER_MS)

struct event {
    struct hrtimer timer;
    struct check *check;
    unsigned cpu;
};

struct cpu_result {
    uint64_t last;    /**< expiry of the event that fired last */
    uint64_t latest;  /**< most that one was late */
    uint64_t latency; /**< sum of what they were late */
    unsigned fired;
    unsigned wrong; /**< early, out of order or on another CPU */
} __attribute__((aligned(64)));

struct check {
    struct event *events;
    uint64_t count;
    struct cpu_result results[SMP_CPUS_MAX]; /**< each written by its own CPU */
};

static void fired(struct hrtimer *timer)
{
    uint64_t now = clock_now();
    struct event *event = timer->data;
    unsigned cpu = cpu_id();
    struct cpu_result *result = &event->check->results[cpu];
    uint64_t late = now - timer->expires;

    if (now < timer->expires || timer->expires < result->last || cpu != event->cpu)
        result->wrong++;
    result->last = timer->expires;
    result->latest = MAX(result->latest, late);
    result->latency += late;
    __atomic_store_n(&result->fired, result->fired + 1, __ATOMIC_RELEASE);
}

static unsigned nth_online(unsigned n)
{
    unsigned cpu = 0;

    for (n %= cpu_online_count();; cpu++)
        if ((cpu_online() & CPU_MASK(cpu)) != 0 && n-- == 0)
            return cpu;
}

/* One CPU in four gets its events moved there from this one, the others start theirs there. */
static void arm(struct event *event, uint64_t expires, unsigned n)
{
    event->cpu = nth_online(n);
    hrtimer_init(&event->timer, fired, event);
    if (n % 4 == 3) {
        hrtimer_start(&event->timer, expires);
        hrtimer_migrate(&event->timer, event->cpu);
    } else {
        hrtimer_start_on(&event->timer, expires, event->cpu);
    }
}

static void arm_all(struct check *check)
{
    uint64_t first = clock_now() + LEAD_NS + check->count * 20 * NS_PER_US;
    uint64_t seed = 1;

    for (unsigned i = 0; i < check->count; i++) {
        seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
        check->events[i].check = check;
        arm(&check->events[i], first + (seed >> 20) % WINDOW_NS, i);
    }
}

static uint64_t fired_total(const struct check *check)
{
    uint64_t total = 0;

    for (unsigned cpu = 0; cpu < SMP_CPUS_MAX; cpu++)
        total += __atomic_load_n(&check->results[cpu].fired, __ATOMIC_ACQUIRE);
    return total;
}

static int wait_all(struct terminal *term, const struct check *check)
{
    uint64_t end = clock_now() + 60 * NS_PER_SEC;

    while (fired_total(check) < check->count) {
        if (term_interrupted(term) || thread_sleep(10 * NS_PER_MS) != 0)
            return -EINTR;
        if (clock_now() > end) {
            term_printf(term, "only %llu of %llu events fired\n",
                        (unsigned long long)fired_total(check), (unsigned long long)check->count);
            return -ETIMEDOUT;
        }
    }
    return 0;
}

static int report(struct terminal *term, const struct check *check)
{
    uint64_t latest = 0, latency = 0;
    unsigned wrong = 0;

    for (unsigned cpu = 0; cpu < SMP_CPUS_MAX; cpu++) {
        latest = MAX(latest, check->results[cpu].latest);
        latency += check->results[cpu].latency;
        wrong += check->results[cpu].wrong;
    }
    term_printf(term, "%llu events, %u early, out of order or on a wrong CPU\n",
                (unsigned long long)check->count, wrong);
    term_printf(term, "timer_late_mean: %llu instructions\n",
                (unsigned long long)(latency / check->count));
    term_printf(term, "timer_late_most: %llu instructions\n", (unsigned long long)latest);
    return wrong == 0 ? 0 : -EIO;
}

static int run(struct terminal *term, uint64_t amount)
{
    struct check *check;
    int err = -ENOMEM;

    if (amount > EVENTS_MAX)
        return -ERANGE;
    check = heap_zalloc(sizeof(*check));
    if (check == NULL)
        return -ENOMEM;
    check->count = amount != 0 ? amount : EVENTS;
    check->events = heap_calloc(check->count, sizeof(*check->events));
    if (check->events != NULL) {
        arm_all(check);
        err = wait_all(term, check);
        for (unsigned i = 0; i < check->count; i++)
            hrtimer_cancel(&check->events[i].timer);
    }
    if (err == 0)
        err = report(term, check);
    heap_free(check->events);
    heap_free(check);
    return err;
}

static const struct selftest timer_exact = {
    .name = "timer-exact",
    .help = "10,000 (AMOUNT) events on all CPUs: none early, none lost, all in order",
    .run = run,
};
SELFTEST(timer_exact);
