// SPDX-License-Identifier: Apache-2.0
// A simulated CPU that runs tasks under a policy, exact to the nanosecond: no threads, no stacks.
#pragma once

#include <hv/sched.h>

#define SIM_TASKS_MAX 32
#define SIM_FOREVER (UINT64_MAX / 2)

struct sim_task {
    struct sched_entity se;
    uint64_t work;    /**< CPU time of each job; SIM_FOREVER: computes without end */
    uint64_t every;   /**< jobs come that often */
    uint64_t limit;   /**< a job is to be done this long after it came; 0: whenever */
    uint64_t next;    /**< when the next one comes */
    uint64_t left;    /**< of the present job */
    uint64_t due;     /**< of the present job */
    uint64_t used;    /**< CPU time in all */
    uint64_t latency; /**< longest time from a job's coming to its first step */
    uint64_t came;
    bool ready, waits_first;
    unsigned missed, jobs;
};

struct sim {
    const struct sched_policy *policy;
    uint64_t queue[128];
    struct sim_task tasks[SIM_TASKS_MAX];
    unsigned count;
    struct sim_task *running;
    uint64_t now, until, idle;
};

/** With the policy of that name. */
void sim_init(struct sim *sim, const char *policy);
/** A task with the work, .every and .limit as given; what else it needs is set in its .se. */
struct sim_task *sim_add(struct sim *sim, uint64_t work, uint64_t every, uint64_t limit);
void sim_run(struct sim *sim, uint64_t ns);
