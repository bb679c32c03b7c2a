// SPDX-License-Identifier: Apache-2.0
// Priority round-robin as a part of other policies: a queue of it at the head of their own.
#pragma once

#include <hv/sched.h>

/** Who is in current has slice left in this round, who is in next has used it up. */
struct prr_level {
    struct list current; /**< wait for their turn; those who come from sleep before the others */
    struct list next;    /**< wait for the next round */
    struct list *woken;  /**< the last of those who came from sleep; the head of current: none */
    uint64_t round;      /**< times PRR_ROUND, plus priority + 1: no two levels have the same */
    uint64_t bit;        /**< of this level in prr_queue.ready */
    uint64_t count;      /**< in both */
};

static_assert(sizeof(struct prr_level) == 64, "found by a shift");

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
void policy_prr_init(void *queue);
void policy_prr_enqueue(void *queue, struct sched_entity *se, enum sched_arrival how, uint64_t now);
void policy_prr_dequeue(void *queue, struct sched_entity *se);
struct sched_choice policy_prr_pick(void *queue, uint64_t now);
bool policy_prr_preempts(void *queue, const struct sched_entity *running,
                         const struct sched_entity *woken);
void policy_prr_renew(void *queue, struct sched_entity *se, uint64_t now);
uint64_t policy_prr_next_event(void *queue, const struct sched_entity *running, uint64_t now);
struct sched_choice policy_prr_turn(void *queue, struct sched_entity *se, enum sched_arrival how,
                                    uint64_t now);
unsigned policy_prr_count(void *queue);
void policy_prr_walk(void *queue, void (*fn)(struct sched_entity *se, void *arg), void *arg);
