// SPDX-License-Identifier: Apache-2.0
// Policy "rr": round-robin, blind to priorities. Nobody takes the CPU from another before the end
// of the slice; each pass through the queue gives one slice, whoever slept meanwhile.

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

static void rr_renew(void *queue, struct sched_entity *se, uint64_t now)
{
    (void)queue;
    (void)now;
    se->slice_left = se->time_slice;
}

/* Who was preempted within its slice goes on first. */
static void rr_enqueue(void *queue, struct sched_entity *se, enum sched_arrival how, uint64_t now)
{
    struct rr_queue *rr = queue;

    if (how == SCHED_PREEMPTED) {
        list_add_head(&rr->ready, &se->link);
    } else {
        rr_renew(queue, se, now);
        list_add_tail(&rr->ready, &se->link);
    }
    rr->count++;
}

static void rr_dequeue(void *queue, struct sched_entity *se)
{
    struct rr_queue *rr = queue;

    list_remove(&se->link);
    rr->count--;
}

static uint64_t slice_end(const struct rr_queue *rr, const struct sched_entity *se, uint64_t start)
{
    return rr->count == 0 ? SCHED_NEVER : start + se->slice_left;
}

static struct sched_choice rr_pick(void *queue, uint64_t now)
{
    struct rr_queue *rr = queue;
    struct sched_entity *se = LIST_FIRST(&rr->ready, struct sched_entity, link);

    if (se == NULL)
        return (struct sched_choice){NULL, SCHED_NEVER};
    rr_dequeue(queue, se);
    return (struct sched_choice){se, slice_end(rr, se, now)};
}

static bool rr_preempts(void *queue, const struct sched_entity *running,
                        const struct sched_entity *woken)
{
    (void)queue;
    (void)running;
    (void)woken;
    return false;
}

static uint64_t rr_next_event(void *queue, const struct sched_entity *running, uint64_t now)
{
    (void)now;
    return running != NULL ? slice_end(queue, running, running->last_start) : SCHED_NEVER;
}

static unsigned rr_count(void *queue)
{
    const struct rr_queue *rr = queue;

    return rr->count;
}

static void rr_walk(void *queue, void (*fn)(struct sched_entity *se, void *arg), void *arg)
{
    struct rr_queue *rr = queue;

    LIST_FOR_EACH(se, &rr->ready, struct sched_entity, link)
        fn(se, arg);
}

static const struct sched_policy rr = {
    .name = "rr",
    .help = "round-robin, blind to priorities",
    .queue_size = sizeof(struct rr_queue),
    .init = rr_init,
    .enqueue = rr_enqueue,
    .dequeue = rr_dequeue,
    .pick = rr_pick,
    .preempts = rr_preempts,
    .renew = rr_renew,
    .stays = true,
    .next_event = rr_next_event,
    .count = rr_count,
    .walk = rr_walk,
};
SCHED_POLICY(rr);
