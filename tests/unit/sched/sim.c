// SPDX-License-Identifier: Apache-2.0
// A simulated CPU that runs tasks under a policy, exact to the nanosecond.

#include "sim.h"

#include <hv/clock.h>
#include <stdlib.h>
#include <string.h>

TABLE_DECLARE(sched_policies, struct sched_policy);

void sim_init(struct sim *sim, const char *policy)
{
    memset(sim, 0, sizeof(*sim));
    TABLE_FOREACH(sched_policies, struct sched_policy, it)
        if (!strcmp((*it)->name, policy))
            sim->policy = *it;
    if (sim->policy == NULL || sim->policy->queue_size > sizeof(sim->queue))
        abort();
    sim->policy->init(sim->queue);
    sim->until = SCHED_NEVER;
}

struct sim_task *sim_add(struct sim *sim, uint64_t work, uint64_t every, uint64_t limit)
{
    struct sim_task *task = &sim->tasks[sim->count++];

    list_init(&task->se.link);
    task->se.time_slice = 10 * NS_PER_MS;
    task->se.priority = SCHED_PRIORITY_DEFAULT;
    task->work = work;
    task->every = every;
    task->limit = limit;
    return task;
}

static void advance(struct sim *sim, uint64_t to)
{
    uint64_t ran = to - sim->now;
    struct sim_task *task = sim->running;

    sim->now = to;
    if (task == NULL) {
        sim->idle += ran;
        return;
    }
    task->used += ran;
    if (task->left != SIM_FOREVER)
        task->left -= ran;
    task->se.slice_left -= ran < task->se.slice_left ? ran : task->se.slice_left;
    task->se.last_start = to;
}

static void choose(struct sim *sim)
{
    struct sched_choice choice;

    if (sim->running != NULL)
        sim->policy->enqueue(sim->queue, &sim->running->se,
                             sim->running->se.slice_left == 0 ? SCHED_EXPIRED : SCHED_PREEMPTED,
                             sim->now);
    choice = sim->policy->pick(sim->queue, sim->now);
    sim->until = choice.until;
    sim->running = choice.se != NULL
                       ? (struct sim_task *)((char *)choice.se - offsetof(struct sim_task, se))
                       : NULL;
    if (sim->running == NULL)
        return;
    sim->running->se.last_start = sim->now;
    if (sim->running->waits_first && sim->now - sim->running->came > sim->running->latency)
        sim->running->latency = sim->now - sim->running->came;
    sim->running->waits_first = false;
}

/* A job is done: its task sleeps until the next. */
static bool finish(struct sim *sim)
{
    struct sim_task *task = sim->running;

    if (task == NULL || task->left != 0)
        return false;
    task->missed += task->limit != 0 && sim->now > task->due;
    task->ready = false;
    if (task->se.slice_left == 0)
        sim->policy->renew(sim->queue, &task->se, sim->now);
    sim->running = NULL;
    return true;
}

/* What sched.c does at a wake. True: the choice is to be made again. */
static bool wake(struct sim *sim, struct sim_task *task)
{
    struct sched_entity *running = sim->running != NULL ? &sim->running->se : NULL;

    if (running != NULL && running->slice_left == 0 && sim->until == SCHED_NEVER)
        sim->policy->renew(sim->queue, running, sim->now);
    sim->policy->enqueue(sim->queue, &task->se, task->jobs == 1 ? SCHED_STARTED : SCHED_WOKEN,
                         sim->now);
    if (running == NULL || sim->policy->preempts(sim->queue, running, &task->se))
        return true;
    sim->until = sim->policy->next_event(sim->queue, running, sim->now);
    return false;
}

static bool release(struct sim *sim, struct sim_task *task)
{
    if (task->next > sim->now)
        return false;
    /* The last one is not done yet. */
    task->missed += task->ready && task->limit != 0;
    task->jobs++;
    task->left = task->work;
    task->due = sim->now + task->limit;
    task->next = task->every != 0 ? sim->now + task->every : UINT64_MAX;
    if (task->ready)
        return false;
    task->ready = true;
    task->waits_first = true;
    task->came = sim->now;
    return wake(sim, task);
}

static uint64_t next_moment(const struct sim *sim, uint64_t end)
{
    uint64_t next = sim->until < end ? sim->until : end;

    for (unsigned i = 0; i < sim->count; i++)
        if (sim->tasks[i].next < next)
            next = sim->tasks[i].next;
    if (sim->running != NULL && sim->now + sim->running->left < next)
        next = sim->now + sim->running->left;
    return next > sim->now ? next : sim->now;
}

void sim_run(struct sim *sim, uint64_t ns)
{
    uint64_t end = sim->now + ns;

    while (sim->now < end) {
        bool again;

        advance(sim, next_moment(sim, end));
        again = finish(sim);
        for (unsigned i = 0; i < sim->count; i++)
            again |= release(sim, &sim->tasks[i]);
        if (again || sim->until <= sim->now)
            choose(sim);
    }
}
