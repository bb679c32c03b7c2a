// SPDX-License-Identifier: Apache-2.0
// Counting semaphore that sleeps. Room: thread.
#pragma once

#include <hv/waitqueue.h>

struct semaphore {
    struct waitqueue wq;
    uint32_t count;
    uint32_t limit;
};

/** count <= limit. site: as that of waitqueue_init_at(). */
static inline void semaphore_init_at(struct semaphore *s, uint32_t count, uint32_t limit,
                                     const char *site)
{
    waitqueue_init_at(&s->wq, site);
    s->count = count;
    s->limit = limit;
}
#define semaphore_init(s, count, limit) semaphore_init_at(s, count, limit, LOCKDEP_SITE)
/** 0, -ETIMEDOUT, -EINTR. Orphan or Normal, preempt count 0. */
int semaphore_down(struct semaphore *s, uint64_t timeout_ns);
/** Any context. */
bool semaphore_try_down(struct semaphore *s);
/** -EOVERFLOW at the limit. Any context. */
int semaphore_up(struct semaphore *s);
