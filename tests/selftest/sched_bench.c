// SPDX-License-Identifier: Apache-2.0
// Measurement: what switches, wakes and choices of the scheduler cost.
#include <hv/clock.h>
#include <hv/heap.h>
#include <hv/sched.h>
#include <hv/selftest.h>
#include <hv/thread.h>
#include <hv/waitqueue.h>
#include <lib/errno.h>
#include <lib/macros.h>

#define ROUNDS 1000
#define SLEEPERS 64
#define ENTITIES 1000
#define QUEUE_WORDS 128

TABLE_DECLARE(sched_policies, struct sched_policy);

typedef unsigned long long ull;

/* Threads above all others, on the CPU of the one that measures. */
static int start(const char *name, int (*fn)(void *arg), void *arg, uint8_t priority,
                 struct thread **out)
{
    struct thread_config config = {
        .name = name,
        .fn = fn,
        .arg = arg,
        .priority = priority,
        .affinity = CPU_MASK(0),
    };
    int err = thread_create_with(&config, out);

    return err != 0 ? err : thread_start(*out);
}

/* Switch: two threads that give way to each other. */

struct yielders {
    uint64_t rounds;
    uint64_t ns; /**< what the first one saw */
};

static int yield_first(void *arg)
{
    struct yielders *yielders = arg;
    uint64_t begin;

    sched_yield_cpu();
    begin = clock_now();
    for (uint64_t i = 0; i < yielders->rounds; i++)
        sched_yield_cpu();
    yielders->ns = clock_now() - begin;
    return 0;
}

static int yield_second(void *arg)
{
    const struct yielders *yielders = arg;

    for (uint64_t i = 0; i < yielders->rounds + 2; i++)
        sched_yield_cpu();
    return 0;
}

static int start_yielders(void *arg)
{
    struct thread *first, *second;
    int err = start("first", yield_first, arg, SCHED_PRIORITY_MAX - 1, &first);

    if (err != 0)
        return err;
    err = start("second", yield_second, arg, SCHED_PRIORITY_MAX - 1, &second);
    if (err == 0)
        thread_join(second, NULL);
    thread_join(first, NULL);
    return err;
}

/* Wake: sleepers below the one that wakes them, so that none of them runs meanwhile. */

struct sleeper {
    struct waitqueue wq;
    bool asleep, awake;
};

struct sleepers {
    struct sleeper each[SLEEPERS];
    uint64_t ns;
};

static bool is_awake(void *arg)
{
    struct sleeper *sleeper = arg;

    sleeper->asleep = true;
    return sleeper->awake;
}

static int sleep_once(void *arg)
{
    struct sleeper *sleeper = arg;

    return waitqueue_wait(&sleeper->wq, is_awake, sleeper, WAIT_FOREVER);
}

/* All sleep, as they ran while this one did. */
static void wake_them(struct sleepers *sleepers)
{
    uint64_t begin;

    for (unsigned i = 0; i < SLEEPERS; i++)
        sleepers->each[i].awake = true;
    begin = clock_now();
    for (unsigned i = 0; i < SLEEPERS; i++)
        waitqueue_wake_one(&sleepers->each[i].wq);
    sleepers->ns = clock_now() - begin;
}

static int start_sleepers(void *arg)
{
    struct sleepers *sleepers = arg;
    struct thread *threads[SLEEPERS];
    unsigned count = 0;
    int err = 0;

    while (count < SLEEPERS && err == 0) {
        struct sleeper *sleeper = &sleepers->each[count];

        waitqueue_init(&sleeper->wq);
        err = start("sleeper", sleep_once, sleeper, SCHED_PRIORITY_MAX - 1, &threads[count]);
        count += err == 0;
    }
    while (count != 0 && !sleepers->each[count - 1].asleep)
        thread_sleep(NS_PER_MS);
    wake_them(sleepers);
    while (count-- > 0)
        thread_join(threads[count], NULL);
    return err;
}

/* Choice: a queue of a policy with entities that nothing runs. */

static void fill(const struct sched_policy *policy, uint64_t *queue, struct sched_entity *entities,
                 unsigned count)
{
    policy->init(queue);
    for (unsigned i = 0; i < count; i++) {
        struct sched_entity *se = &entities[i];

        *se = (struct sched_entity){
            .priority = (uint8_t)(i % (SCHED_PRIORITY_MAX + 1)),
            .time_slice = NS_PER_MS,
            .period = NS_PER_SEC + i * 7919 % 1009 * NS_PER_MS,
            .deadline = NS_PER_SEC,
            .budget = SCHED_BUDGET_MIN,
        };
        list_init(&se->link);
        if (policy->admit != NULL)
            policy->admit(queue, se);
        policy->enqueue(queue, se, SCHED_STARTED, i);
    }
}

/* The best one is chosen, runs to the end of its slice, and comes back. */
static uint64_t measure_pick(const struct sched_policy *policy, uint64_t *queue, uint64_t rounds)
{
    uint64_t begin = clock_now();

    for (uint64_t i = 0; i < rounds; i++) {
        struct sched_entity *se = policy->pick(queue, i).se;

        policy->enqueue(queue, se, SCHED_PREEMPTED, i);
    }
    return (clock_now() - begin) / rounds;
}

static int print_picks(struct terminal *term, uint64_t rounds)
{
    struct sched_entity *entities = heap_calloc(ENTITIES, sizeof(*entities));
    uint64_t *queue = heap_calloc(QUEUE_WORDS, sizeof(*queue));

    TABLE_FOREACH(sched_policies, struct sched_policy, it) {
        const struct sched_policy *policy = *it;

        if (entities == NULL || queue == NULL || policy->queue_size > QUEUE_WORDS * 8)
            break;
        for (unsigned count = 10; count <= ENTITIES; count *= 100) {
            uint64_t ns;

            fill(policy, queue, entities, count);
            ns = measure_pick(policy, queue, rounds);
            if (policy == sched_policy())
                term_printf(term, "sched_pick_%u: %llu instructions\n", count, (ull)ns);
            term_printf(term, "sched_pick_%u_%s: %llu instructions\n", count, policy->name, (ull)ns);
        }
    }
    heap_free(entities);
    heap_free(queue);
    return entities == NULL || queue == NULL ? -ENOMEM : 0;
}

static int run_in_thread(int (*fn)(void *arg), void *arg)
{
    struct thread *thread;
    int code = 0;
    int err = start("measure", fn, arg, SCHED_PRIORITY_MAX, &thread);

    if (err != 0)
        return err;
    err = thread_join(thread, &code);
    return err != 0 ? err : code;
}

static int bench_sched(struct terminal *term, uint64_t amount)
{
    struct yielders yielders = {.rounds = amount != 0 ? amount : ROUNDS};
    struct sleepers *sleepers = heap_zalloc(sizeof(*sleepers));
    uint64_t wake_ns = 0;
    int err = sleepers == NULL ? -ENOMEM : run_in_thread(start_yielders, &yielders);

    if (err == 0)
        err = run_in_thread(start_sleepers, sleepers);
    if (err == 0)
        wake_ns = sleepers->ns / SLEEPERS;
    heap_free(sleepers);
    if (err != 0) {
        term_printf(term, "the threads can not be made: %s\n", error_name(err));
        return err;
    }
    term_printf(term, "thread_switch: %llu instructions\n",
                (ull)(yielders.ns / (2 * yielders.rounds)));
    term_printf(term, "thread_wake: %llu instructions\n", (ull)wake_ns);
    return print_picks(term, yielders.rounds);
}

static const struct selftest sched_bench = {
    .name = "bench-sched",
    .help = "switch, wake and choice of the next; AMOUNT: how many of each",
    .run = bench_sched,
};
SELFTEST(sched_bench);
