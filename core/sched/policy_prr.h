// SPDX-License-Identifier: Apache-2.0
// Priority round-robin as a part of other policies: a queue of it at the head of their own.
#pragma once

#include <hv/sched.h>

/** Who is in the lists of a level has slice left in this round, except in next. */
struct prr_level {
    struct list woken;   /**< came from sleep: before the others, in the order they came */
    struct list current; /**< wait for their turn in this round */
    struct list next;    /**< have used up their slice: wait for the next round */
    uint64_t round;      /**< times PRR_ROUND, plus priority + 1: no two levels have the same */
    unsigned count;      /**< in all three */
};

#define PRR_ROUND 16

struct prr_queue {
    uint64_t ready; /**< bit n: somebody waits at priority n */
    struct prr_level level[SCHED_PRIORITY_MAX + 1];
};

/** At the head of the policy's data of an entity. */
struct prr_entity {
    uint64_t round; /**< the one that its slice is for; 0: none yet */
};

/* The operations of the policy; queue is a struct prr_queue. */
void prr_init(void *queue);
void prr_enqueue(void *queue, struct sched_entity *se, enum sched_arrival how, uint64_t now);
void prr_dequeue(void *queue, struct sched_entity *se);
struct sched_entity *prr_pick(void *queue, uint64_t now);
bool prr_preempts(void *queue, const struct sched_entity *running, const struct sched_entity *woken);
void prr_renew(void *queue, struct sched_entity *se, uint64_t now);
uint64_t prr_next_event(void *queue, const struct sched_entity *running, uint64_t now);
unsigned prr_count(void *queue);
void prr_walk(void *queue, void (*fn)(struct sched_entity *se, void *arg), void *arg);
