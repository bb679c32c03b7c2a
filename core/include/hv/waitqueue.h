// SPDX-License-Identifier: Apache-2.0
// Waitqueue: VCPUs (normal or orphan) that sleep until woken. Room: thread.
#pragma once

#include <hv/spinlock.h>
#include <lib/list.h>
#include <stdbool.h>
#include <stdint.h>

struct waitqueue {
    struct spinlock lock;
    struct list waiters;
};

#define WAIT_FOREVER UINT64_MAX

/** site: who initialises it, which names its lock's class in the lock checker. */
static inline void waitqueue_init_at(struct waitqueue *wq, const char *site)
{
    spin_init_at(&wq->lock, site);
    list_init(&wq->waiters);
}
#define waitqueue_init(wq) waitqueue_init_at(wq, LOCKDEP_SITE)
/** For static ones: struct waitqueue q = WAITQUEUE_INIT(q). */
#define WAITQUEUE_INIT(wq)                                                                         \
    {                                                                                              \
        .lock = SPINLOCK_INIT, .waiters = LIST_INIT((wq).waiters)                                  \
    }
/**
 * Sleep until cond(arg) holds; cond is evaluated with wq->lock held. 0, -ETIMEDOUT, or -EINTR (stop
 * or request pending). Orphan or Normal, preempt count 0.
 */
int waitqueue_wait(struct waitqueue *wq, bool (*cond)(void *arg), void *arg, uint64_t timeout_ns);
/** The same, but stop and VCPU requests do not end it: for what must finish. 0 or -ETIMEDOUT. */
int waitqueue_wait_uninterruptible(struct waitqueue *wq, bool (*cond)(void *arg), void *arg,
                                   uint64_t timeout_ns);
/**
 * Change what cond looks at with wq->lock held (spin_lock_irqsave) or with atomics, then wake.
 * First come, first woken. Any context.
 */
void waitqueue_wake_all(struct waitqueue *wq);
void waitqueue_wake_one(struct waitqueue *wq);
/**
 * The same with wq->lock held: at most max of them. What a waiter may free once woken is to be
 * changed and woken under one hold of the lock.
 */
void waitqueue_wake_locked(struct waitqueue *wq, unsigned max) REQUIRES(wq->lock);
