// SPDX-License-Identifier: Apache-2.0
// Counting semaphore that sleeps. Room: thread.
#pragma once

#include <hv/waitqueue.h>

struct semaphore {
    struct waitqueue wq;
    uint32_t count;
    uint32_t limit;
};

void semaphore_init(struct semaphore *s, uint32_t count, uint32_t limit);
/** 0, -ETIMEDOUT, -EINTR. Orphan or Normal. */
int semaphore_down(struct semaphore *s, uint64_t timeout_ns);
bool semaphore_try_down(struct semaphore *s);
/** -EOVERFLOW at the limit. Any context. */
int semaphore_up(struct semaphore *s);
