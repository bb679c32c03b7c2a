// SPDX-License-Identifier: Apache-2.0
// Completion: wait for an event that happens once (or n times). Room: thread.
#pragma once

#include <hv/waitqueue.h>

struct completion {
    struct waitqueue wq;
    uint32_t done;
};

void completion_init(struct completion *c);
/** 0, -ETIMEDOUT, -EINTR. Orphan or Normal. */
int completion_wait(struct completion *c, uint64_t timeout_ns);
int completion_wait_uninterruptible(struct completion *c, uint64_t timeout_ns);
/** Any context. */
void completion_signal(struct completion *c);
void completion_signal_all(struct completion *c);
