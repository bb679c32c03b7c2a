// SPDX-License-Identifier: Apache-2.0
// Deferred work: items that run one after the other in a queue's own thread, at once or after a
// delay; for what may sleep but was asked for where that is not allowed. Room: thread.
#pragma once

#include <hv/hrtimer.h>
#include <lib/list.h>
#include <stdbool.h>
#include <stdint.h>

struct workqueue;

enum work_state {
    WORK_IDLE,    /**< it may be running all the same */
    WORK_DELAYED, /**< its timer is armed */
    WORK_QUEUED,
};

/** Part of what it is for. It belongs to one queue from work_init() on. */
struct work {
    struct list link;
    void (*fn)(struct work *work); /**< Orphan context, may sleep, and may free the item */
    struct workqueue *queue;
    uint8_t state;  /**< enum work_state; the queue's lock */
    bool unwelcome; /**< work_cancel_wait() is under way */
    bool has_timer; /**< part of a struct delayed_work */
};

struct delayed_work {
    struct work work;
    struct hrtimer timer;
};

/** For the queue that always exists, which serves what is short. */
void work_init(struct work *work, void (*fn)(struct work *work));
void work_init_on(struct work *work, void (*fn)(struct work *work), struct workqueue *queue);
void work_init_delayed(struct delayed_work *work, void (*fn)(struct work *work),
                       struct workqueue *queue);
/** The queue of work_init(), for work_init_delayed(). */
struct workqueue *workqueue_system(void);

/**
 * To the end of its queue; a delayed one comes there now. An item that runs can be queued again, also
 * by its own function: it runs once more after that. False, and nothing happens, when it is queued
 * already, while work_cancel_wait() waits for it, and once its queue is being destroyed. Any context.
 */
bool work_queue(struct work *work);
/** The same in delay ns. One that is delayed already gets the new time; false as above. */
bool work_queue_after(struct delayed_work *work, uint64_t delay);
/** Take it out when it is delayed or queued: true. It may be running. Any context. */
bool work_cancel(struct work *work);
/**
 * The same, and wait until it does not run; it is not queued again meanwhile, not even by its own
 * function. After this the item may be freed. Out of its own function it does not wait. Orphan.
 */
bool work_cancel_wait(struct work *work);
/**
 * Wait until what was queued of it before the call has been run; a delayed one is queued first. That
 * it is queued again does not matter. 0, or -EDEADLK in the queue's own thread. Orphan.
 */
int work_flush(struct work *work);
/** May change as soon as it is told. Any context. */
enum work_state work_state(const struct work *work);

/**
 * A queue with a thread of that name and priority. -ENOMEM, -EINVAL. Orphan or boot.
 */
int workqueue_create(const char *name, uint8_t priority, struct workqueue **out);
/**
 * Run what is queued, then free the queue. Delayed items have been cancelled before. Not in the
 * queue's own thread. Orphan.
 */
void workqueue_destroy(struct workqueue *queue);
/** Wait until all that was queued before the call has been run. 0, -EDEADLK as work_flush(). */
int workqueue_flush(struct workqueue *queue);

struct workqueue_stats {
    const char *name; /**< of a queue that is destroyed: no longer there */
    uint8_t priority;
    unsigned queued;                    /**< items that wait */
    uint64_t done;                      /**< items that have been run */
    void (*running)(struct work *work); /**< function of the item that runs, NULL: none */
};
/** Call fn with the figures of each queue; it must not sleep. Any context. */
void workqueue_for_each(void (*fn)(const struct workqueue_stats *stats, void *arg), void *arg);

/** Start the queue of work_init(). Boot; what was queued before runs then. -ENOMEM. */
int workqueue_start(void);
