// SPDX-License-Identifier: Apache-2.0
// Deferred work in a hypervisor thread: for what guests ask of the hypervisor and may sleep.
// Room: thread.
#pragma once

#include <lib/list.h>
#include <stdbool.h>

struct work {
    struct list link;
    void (*fn)(struct work *work); /**< Orphan context, may sleep */
    bool queued;
};

void work_init(struct work *work, void (*fn)(struct work *));
/** Queue it (no-op when queued already: false). Any context. */
bool work_queue(struct work *work);
/** Wait until it is neither queued nor running. Orphan, not from the worker. */
void work_flush(struct work *work);
int worker_start(void);
