// SPDX-License-Identifier: Apache-2.0
// Policy "prr": the highest priority that is ready runs; round-robin in rounds among equals.
//
// A round of a priority gives one time slice to each entity of that priority that wants it. It ends
// when all that are ready have used up theirs. Who sleeps keeps what is left of its slice until the
// round is over; who wakes in a later round has that round's slice. So whatever the order of sleeps
// and wakes, nobody gets more than one slice a round, and no share is gained by a storm of them.
//
// Who wakes with slice left takes the CPU from an equal at once. The preempted one keeps its
// remainder and stands at the head of the queue.

#include "policy_prr.h"

static_assert(sizeof(struct prr_entity) <= SCHED_PRIVATE_SIZE, "private data of prr");
static_assert(SCHED_PRIORITY_MAX + 1 < PRR_ROUND, "levels in the number of a round");

void policy_prr_init(void *queue)
{
    struct prr_queue *prr = queue;

    prr->ready = 0;
    for (unsigned i = 0; i <= SCHED_PRIORITY_MAX; i++) {
        list_init(&prr->level[i].current);
        list_init(&prr->level[i].next);
        prr->level[i].woken = &prr->level[i].current;
        prr->level[i].round = i + 1;
        prr->level[i].bit = BIT(i);
        prr->level[i].count = 0;
    }
}

static uint64_t *round_of(struct sched_entity *se)
{
    return &((struct prr_entity *)se->policy)->round;
}

static unsigned highest(const struct prr_queue *prr)
{
    return 63 - (unsigned)__builtin_clzll(prr->ready);
}

/*
 * Its slice is of a round that is over: it has this round's. Who comes from another priority brings
 * what it has left.
 */
static void catch_up(const struct prr_level *level, struct sched_entity *se)
{
    uint64_t *round = round_of(se);
    bool same_level = *round == 0 || (*round ^ level->round) % PRR_ROUND == 0;

    *round = level->round;
    if (same_level || se->slice_left == 0)
        se->slice_left = se->time_slice;
}

static bool is_behind(const struct prr_level *level, struct sched_entity *se)
{
    uint64_t round = *round_of(se);

    return round != level->round && round != level->round + PRR_ROUND;
}

/* Its next slice; with nobody else about, the round is over: who comes later is in the new one. */
static void renew(struct prr_level *level, struct sched_entity *se)
{
    if (level->count == 0)
        level->round += PRR_ROUND;
    *round_of(se) = is_behind(level, se) ? level->round : level->round + PRR_ROUND;
    se->slice_left = se->time_slice;
}

static inline void insert(struct prr_level *level, struct sched_entity *se, enum sched_arrival how)
{
    if (se->slice_left == 0)
        renew(level, se);
    else if (unlikely(is_behind(level, se)))
        catch_up(level, se);
    if (*round_of(se) != level->round) {
        list_add_tail(&level->next, &se->link);
    } else if (how == SCHED_WOKEN || how == SCHED_PREEMPTED) {
        list_add_head(level->woken, &se->link);
        if (how == SCHED_WOKEN)
            level->woken = &se->link;
    } else {
        list_add_tail(&level->current, &se->link);
    }
}

void policy_prr_enqueue(void *queue, struct sched_entity *se, enum sched_arrival how, uint64_t now)
{
    struct prr_queue *prr = queue;
    struct prr_level *level = &prr->level[se->priority];

    (void)now;
    insert(level, se, how);
    prr->ready |= level->bit;
    level->count++;
}

static inline void unlink(struct prr_level *level, struct sched_entity *se)
{
    if (level->woken == &se->link)
        level->woken = se->link.prev;
    list_remove(&se->link);
}

void policy_prr_dequeue(void *queue, struct sched_entity *se)
{
    struct prr_queue *prr = queue;
    struct prr_level *level = &prr->level[se->priority];

    unlink(level, se);
    if (--level->count == 0)
        prr->ready &= ~level->bit;
}

/* The first of a level that is not empty, out of its list. */
static inline struct sched_entity *take_first(struct prr_level *level)
{
    struct sched_entity *se;

    if (list_is_empty(&level->current)) {
        list_splice(&level->current, &level->next);
        level->round += PRR_ROUND;
    }
    se = LIST_ENTRY(level->current.next, struct sched_entity, link);
    unlink(level, se);
    return se;
}

static inline uint64_t slice_end(const struct prr_queue *prr, const struct sched_entity *se,
                                 uint64_t start)
{
    return prr->ready >> se->priority == 0 ? SCHED_NEVER : start + se->slice_left;
}

struct sched_choice policy_prr_pick(void *queue, uint64_t now)
{
    struct prr_queue *prr = queue;
    struct prr_level *level;
    struct sched_entity *se;

    if (prr->ready == 0)
        return (struct sched_choice){NULL, SCHED_NEVER};
    level = &prr->level[highest(prr)];
    se = take_first(level);
    if (--level->count == 0)
        prr->ready &= ~level->bit;
    return (struct sched_choice){se, slice_end(prr, se, now)};
}

/*
 * insert() and take_first() for two that take turns: the slice of this round is used up, and one waits. Where that one
 * has a slice of this round left, se waits for the next; else the next is this one, for both.
 */
static inline struct sched_entity *change_places(struct prr_level *level, struct sched_entity *se)
{
    struct list *from = &level->current, *to = &level->next, *first = from->next;
    uint64_t next_round = level->round + PRR_ROUND;

    if (first == from) {
        from = &level->next;
        to = &level->current;
        first = from->next;
        level->round = next_round;
    }
    *round_of(se) = next_round;
    se->slice_left = se->time_slice;
    level->woken = &level->current;
    list_init(from);
    list_init(first);
    to->next = to->prev = &se->link;
    se->link.next = se->link.prev = to;
    return LIST_ENTRY(first, struct sched_entity, link);
}

static NOINLINE struct sched_choice turn_others(struct prr_queue *prr, struct sched_entity *se,
                                                enum sched_arrival how, uint64_t now)
{
    struct prr_level *level = &prr->level[se->priority];

    if (level->count == 0 || prr->ready >= 2 * level->bit) {
        policy_prr_enqueue(prr, se, how, now);
        return policy_prr_pick(prr, now);
    }
    insert(level, se, how);
    se = take_first(level);
    return (struct sched_choice){se, now + se->slice_left};
}

/* Among equals one comes and one goes: all that changes is their order. */
struct sched_choice policy_prr_turn(void *queue, struct sched_entity *se, enum sched_arrival how,
                                    uint64_t now)
{
    struct prr_queue *prr = queue;
    struct prr_level *level = &prr->level[se->priority];

    if (unlikely(level->count != 1 || prr->ready >= 2 * level->bit || se->slice_left != 0 ||
                 *round_of(se) != level->round))
        return turn_others(prr, se, how, now);
    se = change_places(level, se);
    return (struct sched_choice){se, now + se->slice_left};
}

bool policy_prr_preempts(void *queue, const struct sched_entity *running,
                         const struct sched_entity *woken)
{
    struct prr_queue *prr = queue;

    if (woken->priority != running->priority)
        return woken->priority > running->priority;
    return prr->level[woken->priority].woken != &prr->level[woken->priority].current;
}

void policy_prr_renew(void *queue, struct sched_entity *se, uint64_t now)
{
    struct prr_queue *prr = queue;

    (void)now;
    renew(&prr->level[se->priority], se);
}

uint64_t policy_prr_next_event(void *queue, const struct sched_entity *running, uint64_t now)
{
    (void)now;
    return running != NULL ? slice_end(queue, running, running->last_start) : SCHED_NEVER;
}

unsigned policy_prr_count(void *queue)
{
    const struct prr_queue *prr = queue;
    unsigned count = 0;

    for (unsigned i = 0; i <= SCHED_PRIORITY_MAX; i++)
        count += prr->level[i].count;
    return count;
}

static void walk_list(struct list *list, void (*fn)(struct sched_entity *se, void *arg), void *arg)
{
    LIST_FOR_EACH(se, list, struct sched_entity, link)
        fn(se, arg);
}

void policy_prr_walk(void *queue, void (*fn)(struct sched_entity *se, void *arg), void *arg)
{
    struct prr_queue *prr = queue;

    for (unsigned i = SCHED_PRIORITY_MAX + 1; i-- > 0;) {
        walk_list(&prr->level[i].current, fn, arg);
        walk_list(&prr->level[i].next, fn, arg);
    }
}

static const struct sched_policy prr = {
    .name = "prr",
    .help = "the highest priority runs; round-robin among equals, who wakes first",
    .queue_size = sizeof(struct prr_queue),
    .init = policy_prr_init,
    .enqueue = policy_prr_enqueue,
    .dequeue = policy_prr_dequeue,
    .pick = policy_prr_pick,
    .turn = policy_prr_turn,
    .preempts = policy_prr_preempts,
    .renew = policy_prr_renew,
    .stays = true,
    .next_event = policy_prr_next_event,
    .count = policy_prr_count,
    .walk = policy_prr_walk,
};
SCHED_POLICY(prr);
