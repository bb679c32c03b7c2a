// SPDX-License-Identifier: Apache-2.0
// Policy "rr": round-robin, blind to priorities.

#include <hv/sched.h>

struct rr_queue {
    struct list ready;
    unsigned count;
};

static void rr_init(void *queue)
{
    struct rr_queue *rr = queue;

    list_init(&rr->ready);
    rr->count = 0;
}

/* Who was preempted within its slice goes on first. */
static void rr_enqueue(void *queue, struct sched_entity *se, bool woken)
{
    struct rr_queue *rr = queue;

    if (!woken && se->slice_left != 0)
        list_add_head(&rr->ready, &se->link);
    else
        list_add_tail(&rr->ready, &se->link);
    rr->count++;
}

static void rr_dequeue(void *queue, struct sched_entity *se)
{
    struct rr_queue *rr = queue;

    list_remove(&se->link);
    rr->count--;
}

static struct sched_entity *rr_pick(void *queue)
{
    struct rr_queue *rr = queue;

    return LIST_FIRST(&rr->ready, struct sched_entity, link);
}

static bool rr_preempts(void *queue, const struct sched_entity *running,
                        const struct sched_entity *woken)
{
    (void)queue;
    (void)running;
    (void)woken;
    return false;
}

static bool rr_slice_expired(void *queue, struct sched_entity *running)
{
    struct rr_queue *rr = queue;

    (void)running;
    return rr->count != 0;
}

static unsigned rr_count(void *queue)
{
    struct rr_queue *rr = queue;

    return rr->count;
}

static const struct sched_policy rr = {
    .name = "rr",
    .queue_size = sizeof(struct rr_queue),
    .init = rr_init,
    .enqueue = rr_enqueue,
    .dequeue = rr_dequeue,
    .pick = rr_pick,
    .preempts = rr_preempts,
    .slice_expired = rr_slice_expired,
    .count = rr_count,
};
SCHED_POLICY(rr);
