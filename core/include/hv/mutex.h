// SPDX-License-Identifier: Apache-2.0
// Mutex that sleeps; has an owner. Room: thread.
#pragma once

#include <hv/lock_annotations.h>
#include <hv/waitqueue.h>

struct vcpu;

struct CAPABILITY("mutex") mutex {
    struct waitqueue wq;
    struct vcpu *owner;
};

void mutex_init(struct mutex *m);
/** Uninterruptible. Orphan or Normal, preempt count 0. */
void mutex_lock(struct mutex *m) ACQUIRES(m);
bool mutex_trylock(struct mutex *m) TRY_ACQUIRES(true, m);
void mutex_unlock(struct mutex *m) RELEASES(m);
