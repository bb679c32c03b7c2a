// SPDX-License-Identifier: Apache-2.0
// Policy "prr": the highest priority that is ready runs; round-robin among equals.

#include <hv/sched.h>

struct prr_queue {
    uint64_t ready; /**< bit n: somebody waits at priority n */
    unsigned count;
    struct list level[SCHED_PRIORITY_MAX + 1];
};

static void prr_init(void *queue)
{
    struct prr_queue *prr = queue;

    prr->ready = 0;
    prr->count = 0;
    for (unsigned i = 0; i <= SCHED_PRIORITY_MAX; i++)
        list_init(&prr->level[i]);
}

static unsigned highest(const struct prr_queue *prr)
{
    return 63 - (unsigned)__builtin_clzll(prr->ready);
}

/* Who was preempted within its slice goes on first among its equals. */
static void prr_enqueue(void *queue, struct sched_entity *se, bool woken)
{
    struct prr_queue *prr = queue;
    struct list *level = &prr->level[se->priority];

    if (!woken && se->slice_left != 0)
        list_add_head(level, &se->link);
    else
        list_add_tail(level, &se->link);
    prr->ready |= BIT(se->priority);
    prr->count++;
}

static void prr_dequeue(void *queue, struct sched_entity *se)
{
    struct prr_queue *prr = queue;

    list_remove(&se->link);
    if (list_is_empty(&prr->level[se->priority]))
        prr->ready &= ~BIT(se->priority);
    prr->count--;
}

static struct sched_entity *prr_pick(void *queue)
{
    struct prr_queue *prr = queue;

    if (prr->ready == 0)
        return NULL;
    return LIST_FIRST(&prr->level[highest(prr)], struct sched_entity, link);
}

static bool prr_preempts(void *queue, const struct sched_entity *running,
                         const struct sched_entity *woken)
{
    (void)queue;
    return woken->priority > running->priority;
}

static bool prr_slice_expired(void *queue, struct sched_entity *running)
{
    struct prr_queue *prr = queue;

    return prr->ready != 0 && highest(prr) >= running->priority;
}

static unsigned prr_count(void *queue)
{
    struct prr_queue *prr = queue;

    return prr->count;
}

static const struct sched_policy prr = {
    .name = "prr",
    .queue_size = sizeof(struct prr_queue),
    .init = prr_init,
    .enqueue = prr_enqueue,
    .dequeue = prr_dequeue,
    .pick = prr_pick,
    .preempts = prr_preempts,
    .slice_expired = prr_slice_expired,
    .count = prr_count,
};
SCHED_POLICY(prr);
