// SPDX-License-Identifier: Apache-2.0
// Reservations of CPU time, which policies edf and rm share; they differ in whose turn it is and in
// who is admitted.
#pragma once

#include <lib/rbtree.h>

#include "policy_prr.h"

/** All of a CPU, in the unit of weights. */
#define RESERVE_WHOLE (1U << 20)

/** The data of an entity. */
struct reserve_entity {
    struct prr_entity prr; /**< of those without a reservation */
    struct rb_node node;   /**< in ready or spent, by key */
    uint64_t key;
    uint64_t deadline;   /**< of this period, uptime */
    uint64_t period_end; /**< when there is a budget again */
    uint32_t weight;     /**< what the policy counts for it; 0: no reservation */
    uint32_t share;      /**< budget / shorter of deadline and period, of RESERVE_WHOLE */
};

struct reserve_kind {
    /** Of those with budget left the lowest key runs. */
    uint64_t (*key)(const struct sched_entity *se);
    /** What it takes of RESERVE_WHOLE, given its share. */
    uint32_t (*weigh)(uint32_t share);
};

struct reserve_queue {
    struct prr_queue background; /**< those without a reservation */
    const struct reserve_kind *kind;
    struct rb_tree ready; /**< have budget left, the next one first */
    struct rb_tree spent; /**< wait for their next period, the earliest first */
    unsigned count;       /**< in both */
    uint32_t claimed;     /**< sum of the weights that were admitted */
};

static inline struct reserve_entity *reserve_entity(const struct sched_entity *se)
{
    return (struct reserve_entity *)se->policy;
}

struct sched_entity *reserve_of(const struct rb_node *node);
/** The shorter of deadline and period. */
uint64_t reserve_window(const struct sched_entity *se);

/* Operations of the policy; queue is a struct reserve_queue. */
void reserve_init(struct reserve_queue *queue, const struct reserve_kind *kind);
int reserve_admit(void *queue, struct sched_entity *se);
void reserve_withdraw(void *queue, struct sched_entity *se);
void reserve_enqueue(void *queue, struct sched_entity *se, enum sched_arrival how, uint64_t now);
void reserve_dequeue(void *queue, struct sched_entity *se);
struct sched_choice reserve_pick(void *queue, uint64_t now);
bool reserve_preempts(void *queue, const struct sched_entity *running,
                      const struct sched_entity *woken);
void reserve_renew(void *queue, struct sched_entity *se, uint64_t now);
uint64_t reserve_next_event(void *queue, const struct sched_entity *running, uint64_t now);
unsigned reserve_count(void *queue);
void reserve_walk(void *queue, void (*fn)(struct sched_entity *se, void *arg), void *arg);
