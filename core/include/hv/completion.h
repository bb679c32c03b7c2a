// SPDX-License-Identifier: Apache-2.0
// Completion: wait for an event that happens once, or n times. Room: thread.
#pragma once

#include <hv/waitqueue.h>

struct completion {
    struct waitqueue wq;
    uint32_t done;
};

/** site: as that of waitqueue_init_at(). */
static inline void completion_init_at(struct completion *c, const char *site)
{
    waitqueue_init_at(&c->wq, site);
    c->done = 0;
}
#define completion_init(c) completion_init_at(c, LOCKDEP_SITE)
/** Each wait consumes one signal. 0, -ETIMEDOUT, -EINTR. Orphan or Normal, preempt count 0. */
int completion_wait(struct completion *c, uint64_t timeout_ns);
int completion_wait_uninterruptible(struct completion *c, uint64_t timeout_ns);
/**
 * One event more; or so many that nobody will ever wait again. A waiter may free the completion once
 * it is woken. Any context.
 */
void completion_signal(struct completion *c);
void completion_signal_all(struct completion *c);
