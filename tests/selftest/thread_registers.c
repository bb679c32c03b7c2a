// SPDX-License-Identifier: Apache-2.0
// Self test: threads that have declared it keep their FP and SIMD registers, whatever guests and
// other threads do on the same CPU.

#include <hv/clock.h>
#include <hv/cpu.h>
#include <hv/heap.h>
#include <hv/sched.h>
#include <hv/selftest.h>
#include <hv/thread.h>
#include <lib/errno.h>

#include "thread_fp.h"

#define PER_CPU 3
#define THREADS (PER_CPU * SMP_CPUS_MAX)
#define DEFAULT_ROUNDS 10
#define SLICE (500 * NS_PER_US)

struct user {
    struct thread *thread;
    uint64_t rounds;
    uint64_t seed;
    unsigned wrong;
};

static int use_fp(void *arg)
{
    struct user *user = arg;

    for (uint64_t i = 0; i < user->rounds && !thread_should_stop(); i++) {
        user->wrong += thread_fp_exercise(user->seed + i);
        thread_sleep(100 * NS_PER_US * (user->seed % 8));
    }
    return 0;
}

static int start(struct user *user, unsigned i)
{
    const struct thread_config config = {.name = "fp",
                                         .fn = use_fp,
                                         .arg = user,
                                         .priority = SCHED_PRIORITY_DEFAULT,
                                         .time_slice = SLICE,
                                         .affinity = CPU_MASK(i / PER_CPU),
                                         .uses_fp = true};
    int error = thread_create_with(&config, &user->thread);

    return error != 0 ? error : thread_start(user->thread);
}

static int start_all(struct user *users, uint64_t rounds)
{
    int error = 0;

    for (unsigned i = 0; i < THREADS && error == 0; i++) {
        if (!(cpu_online() & CPU_MASK(i / PER_CPU)))
            continue;
        users[i].rounds = rounds;
        users[i].seed = 0x1234567890abcdefULL * (i + 1);
        error = start(&users[i], i);
    }
    return error;
}

static int fp_run(struct terminal *term, uint64_t amount)
{
    struct user *users = heap_zalloc(THREADS * sizeof(*users));
    unsigned wrong = 0, threads = 0;
    int error;

    if (users == NULL)
        return -ENOMEM;
    error = start_all(users, amount != 0 ? amount : DEFAULT_ROUNDS);
    for (unsigned i = 0; i < THREADS; i++) {
        if (users[i].thread == NULL)
            continue;
        if (error != 0)
            thread_request_stop(users[i].thread);
        thread_join(users[i].thread, NULL);
        wrong += users[i].wrong;
        threads++;
    }
    heap_free(users);
    term_printf(term, "%u threads, %u registers changed\n", threads, wrong);
    return error != 0 ? error : wrong != 0 ? -EIO : 0;
}

static const struct selftest fp_test = {
    .name = "thread-fp",
    .help = "threads with FP keep their registers; rounds (10)",
    .run = fp_run,
};
SELFTEST(fp_test);
