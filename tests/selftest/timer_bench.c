// SPDX-License-Identifier: Apache-2.0
// Measurement: starting, restarting and stopping timer events among many live ones.
#include <arch/irqflags.h>
#include <hv/clock.h>
#include <hv/ctx.h>
#include <hv/heap.h>
#include <hv/hrtimer.h>
#include <hv/selftest.h>
#include <lib/errno.h>
#include <lib/macros.h>

/** Events that one round starts, on top of the live ones. */
#define BATCH 64
#define ROUNDS 32
/** The live events are this long away, far more than a round lasts. */
#define AWAY_NS (100 * NS_PER_SEC)

struct bench {
    struct hrtimer *timers; /**< live ones, then BATCH more */
    unsigned live;
    uint64_t seed;
    uint64_t times[BATCH];
    uint64_t start_ns, restart_ns, stop_ns;
};

static void never(struct hrtimer *timer UNUSED)
{
}

static uint64_t random_time(struct bench *bench)
{
    bench->seed = bench->seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return clock_now() + AWAY_NS + (bench->seed >> 20) % AWAY_NS;
}

static void draw_times(struct bench *bench)
{
    for (unsigned i = 0; i < BATCH; i++)
        bench->times[i] = random_time(bench);
}

static uint64_t start_batch(struct bench *bench)
{
    struct hrtimer *timer = bench->timers + bench->live;
    uint64_t begin = clock_now();

    for (unsigned i = 0; i < BATCH; i++)
        hrtimer_start(&timer[i], bench->times[i]);
    return clock_now() - begin;
}

static uint64_t stop_batch(struct bench *bench)
{
    struct hrtimer *timer = bench->timers + bench->live;
    uint64_t begin = clock_now();

    for (unsigned i = 0; i < BATCH; i++)
        hrtimer_stop(&timer[i]);
    return clock_now() - begin;
}

/* Masked: other events and other CPUs' work stay out of the figures. */
static void measure_round(struct bench *bench)
{
    irqflags_t flags = arch_irq_save();

    draw_times(bench);
    bench->start_ns += start_batch(bench);
    draw_times(bench);
    bench->restart_ns += start_batch(bench);
    bench->stop_ns += stop_batch(bench);
    arch_irq_restore(flags);
}

static void print(struct terminal *term, const char *what, unsigned live, uint64_t ns)
{
    term_printf(term, "timer_%s_%u: %llu instructions\n", what, live,
                (unsigned long long)ns / (BATCH * ROUNDS));
}

static int measure(struct terminal *term, unsigned live)
{
    struct bench bench = {.live = live, .seed = live};
    unsigned count = live + BATCH;

    bench.timers = heap_calloc(count, sizeof(*bench.timers));
    if (bench.timers == NULL)
        return -ENOMEM;
    /* On one CPU throughout: its own events are what is measured. */
    preempt_disable();
    for (unsigned i = 0; i < count; i++) {
        hrtimer_init(&bench.timers[i], never, NULL);
        hrtimer_start(&bench.timers[i], random_time(&bench));
    }
    stop_batch(&bench);
    for (unsigned i = 0; i < ROUNDS; i++)
        measure_round(&bench);
    for (unsigned i = 0; i < count; i++)
        hrtimer_cancel(&bench.timers[i]);
    preempt_enable();
    heap_free(bench.timers);
    print(term, "start", live, bench.start_ns);
    print(term, "restart", live, bench.restart_ns);
    print(term, "stop", live, bench.stop_ns);
    return term_interrupted(term) ? -EINTR : 0;
}

static int run(struct terminal *term, uint64_t amount)
{
    static const unsigned lives[] = {10, 1000, 10000};
    int err = 0;

    if (amount > 100000)
        return -ERANGE;
    if (amount != 0)
        return measure(term, (unsigned)amount);
    for (unsigned i = 0; i < ARRAY_SIZE(lives) && err == 0; i++)
        err = measure(term, lives[i]);
    return err;
}

static const struct selftest bench_timer = {
    .name = "bench-timer",
    .help = "start, restart and stop an event among 10, 1,000 and 10,000 live ones, or AMOUNT",
    .run = run,
};
SELFTEST(bench_timer);
