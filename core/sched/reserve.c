// SPDX-License-Identifier: Apache-2.0
// Reservations: a budget of CPU time in each period, and no more (a constant bandwidth server).
//
// A period begins when its entity becomes ready with the last period over. It then has its budget,
// to be used by the deadline. Who has used it up waits for the end of the period, even if the CPU
// is idle meanwhile. Who wakes within a period goes on with what is left, but with no more than its
// share of the time to the deadline: otherwise a late burst would break what others were promised.
//
// Entities without a reservation share what time remains, by the rules of prr.

#include <lib/errno.h>

#include "reserve.h"

static_assert(sizeof(struct reserve_entity) <= SCHED_PRIVATE_SIZE, "private data of reservations");
/* share * any time up to the longest deadline, in 64 bits */
static_assert(SCHED_PERIOD_MAX < UINT64_MAX / RESERVE_WHOLE, "period too long");

struct sched_entity *reserve_of(const struct rb_node *node)
{
    return (struct sched_entity *)((uintptr_t)node - offsetof(struct reserve_entity, node) -
                                   offsetof(struct sched_entity, policy));
}

uint64_t reserve_window(const struct sched_entity *se)
{
    return MIN(se->deadline, se->period);
}

static bool is_reserved(const struct sched_entity *se)
{
    return reserve_entity(se)->weight != 0;
}

static bool comes_before(const struct rb_node *a, const struct rb_node *b)
{
    return RB_ENTRY(a, struct reserve_entity, node)->key <
           RB_ENTRY(b, struct reserve_entity, node)->key;
}

void reserve_init(struct reserve_queue *queue, const struct reserve_kind *kind)
{
    policy_prr_init(&queue->background);
    queue->kind = kind;
    rb_init(&queue->ready);
    rb_init(&queue->spent);
    queue->count = 0;
    queue->claimed = 0;
}

int reserve_admit(void *queue, struct sched_entity *se)
{
    struct reserve_queue *reserve = queue;
    uint32_t share, weight;

    if (se->budget == 0)
        return 0;
    share = (uint32_t)(se->budget * RESERVE_WHOLE / reserve_window(se));
    share = MAX(share, 1U);
    weight = reserve->kind->weigh(share);
    if (weight > RESERVE_WHOLE - reserve->claimed)
        return -ENOSPC;
    reserve->claimed += weight;
    reserve_entity(se)->weight = weight;
    reserve_entity(se)->share = share;
    reserve_entity(se)->period_end = 0;
    return 1;
}

void reserve_withdraw(void *queue, struct sched_entity *se)
{
    struct reserve_queue *reserve = queue;

    reserve->claimed -= reserve_entity(se)->weight;
    reserve_entity(se)->weight = 0;
}

static void begin_period(struct sched_entity *se, uint64_t start)
{
    struct reserve_entity *own = reserve_entity(se);

    own->deadline = start + se->deadline;
    own->period_end = start + se->period;
    se->slice_left = se->budget;
}

/* The next period follows the last, unless it would be over by now. */
static void begin_next_period(struct sched_entity *se, uint64_t now)
{
    uint64_t start = reserve_entity(se)->period_end;

    begin_period(se, now - start < se->period ? start : now);
}

static void limit_budget(struct sched_entity *se, uint64_t now)
{
    const struct reserve_entity *own = reserve_entity(se);
    uint64_t left = own->deadline > now ? own->deadline - now : 0;
    uint64_t most = left * own->share / RESERVE_WHOLE;

    se->slice_left = MIN(se->slice_left, most);
}

static void insert(struct reserve_queue *reserve, struct sched_entity *se)
{
    struct reserve_entity *own = reserve_entity(se);
    bool ready = se->slice_left != 0;

    own->key = ready ? reserve->kind->key(se) : own->period_end;
    rb_insert(ready ? &reserve->ready : &reserve->spent, &own->node, comes_before);
}

void reserve_enqueue(void *queue, struct sched_entity *se, enum sched_arrival how, uint64_t now)
{
    struct reserve_queue *reserve = queue;

    if (!is_reserved(se)) {
        policy_prr_enqueue(queue, se, how, now);
        return;
    }
    if (how == SCHED_STARTED || how == SCHED_WOKEN) {
        if (now >= reserve_entity(se)->period_end)
            begin_period(se, now);
        else
            limit_budget(se, now);
    } else if (se->slice_left == 0 && now >= reserve_entity(se)->period_end) {
        begin_next_period(se, now);
    }
    insert(reserve, se);
    reserve->count++;
}

void reserve_dequeue(void *queue, struct sched_entity *se)
{
    struct reserve_queue *reserve = queue;

    if (!is_reserved(se)) {
        policy_prr_dequeue(queue, se);
        return;
    }
    rb_erase(se->slice_left != 0 ? &reserve->ready : &reserve->spent, &reserve_entity(se)->node);
    reserve->count--;
}

static struct sched_entity *first_spent(const struct reserve_queue *reserve)
{
    struct rb_node *node = rb_first(&reserve->spent);

    return node != NULL ? reserve_of(node) : NULL;
}

/* Give those a budget whose next period has begun. */
static void replenish(struct reserve_queue *reserve, uint64_t now)
{
    struct sched_entity *se;

    while ((se = first_spent(reserve)) != NULL && reserve_entity(se)->period_end <= now) {
        rb_erase(&reserve->spent, &reserve_entity(se)->node);
        begin_next_period(se, now);
        insert(reserve, se);
    }
}

static uint64_t sooner(const struct reserve_queue *reserve, uint64_t until)
{
    const struct sched_entity *spent = first_spent(reserve);

    return spent != NULL ? MIN(until, reserve_entity(spent)->period_end) : until;
}

struct sched_choice reserve_pick(void *queue, uint64_t now)
{
    struct reserve_queue *reserve = queue;
    struct sched_choice choice;

    replenish(reserve, now);
    if (rb_is_empty(&reserve->ready)) {
        choice = policy_prr_pick(queue, now);
    } else {
        choice.se = reserve_of(rb_first(&reserve->ready));
        choice.until = now + choice.se->slice_left;
        rb_erase(&reserve->ready, &reserve_entity(choice.se)->node);
        reserve->count--;
    }
    choice.until = sooner(reserve, choice.until);
    return choice;
}

bool reserve_preempts(void *queue, const struct sched_entity *running,
                      const struct sched_entity *woken)
{
    const struct reserve_queue *reserve = queue;

    if (!is_reserved(woken))
        return !is_reserved(running) && policy_prr_preempts(queue, running, woken);
    if (woken->slice_left == 0)
        return false;
    return !is_reserved(running) || reserve->kind->key(woken) < reserve->kind->key(running);
}

void reserve_renew(void *queue, struct sched_entity *se, uint64_t now)
{
    if (!is_reserved(se))
        policy_prr_renew(queue, se, now);
}

uint64_t reserve_next_event(void *queue, const struct sched_entity *running, uint64_t now)
{
    if (running != NULL && is_reserved(running))
        return sooner(queue, running->last_start + running->slice_left);
    return sooner(queue, policy_prr_next_event(queue, running, now));
}

unsigned reserve_count(void *queue)
{
    const struct reserve_queue *reserve = queue;

    return reserve->count + policy_prr_count(queue);
}

static void walk_tree(const struct rb_tree *tree, void (*fn)(struct sched_entity *se, void *arg),
                      void *arg)
{
    for (struct rb_node *node = rb_first(tree); node != NULL; node = rb_next(node))
        fn(reserve_of(node), arg);
}

void reserve_walk(void *queue, void (*fn)(struct sched_entity *se, void *arg), void *arg)
{
    struct reserve_queue *reserve = queue;

    walk_tree(&reserve->ready, fn, arg);
    policy_prr_walk(queue, fn, arg);
    walk_tree(&reserve->spent, fn, arg);
}
