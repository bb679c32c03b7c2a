// SPDX-License-Identifier: Apache-2.0
// Mutex that sleeps, with an owner that inherits the priority of those who wait for it. It is handed
// to the best waiter (by priority, then by order of arrival) when it is unlocked. Room: thread.
#pragma once

#include <hv/lock_annotations.h>
#include <hv/lockdep.h>
#include <lib/list.h>
#include <stdbool.h>
#include <stdint.h>

struct vcpu;

struct CAPABILITY("mutex") mutex {
    uintptr_t owner;       /**< struct vcpu *, or 0; bit 0: somebody waits. Atomic */
    struct list waiters;   /**< best first */
    struct list held_link; /**< in the owner's list while somebody waits */
    LOCKDEP_MAP
};

/** For static ones: struct mutex m = MUTEX_INIT(m). */
#define MUTEX_INIT(m)                                                                              \
    {                                                                                              \
        LOCKDEP_MAP_INIT.owner = 0, .waiters = LIST_INIT((m).waiters),                             \
        .held_link = LIST_INIT((m).held_link)                                                      \
    }

/** site: who initialises it, which names its class in the lock checker. */
static inline void mutex_init_at(struct mutex *m, const char *site)
{
    m->owner = 0;
    list_init(&m->waiters);
    list_init(&m->held_link);
    lockdep_init(m, site);
}
#define mutex_init(m) mutex_init_at(m, LOCKDEP_SITE)

/**
 * Uninterruptible. Orphan or Normal, preempt count 0. Panics when it could never return: the caller
 * has it already, or all of a circle of owners wait for each other like this.
 *
 * While somebody waits, the owner runs at his priority if that is higher, and so do those for whom
 * the owner waits in turn (chains of up to 16); it falls back when he has it or gives up.
 */
void mutex_lock(struct mutex *m) ACQUIRES(m);
/** The same for a time. 0; -ETIMEDOUT, -EINTR (stop or request), -EDEADLK at once in a circle. */
int mutex_lock_timeout(struct mutex *m, uint64_t timeout_ns) TRY_ACQUIRES(0, m);
/** Orphan or Normal. */
bool mutex_trylock(struct mutex *m) TRY_ACQUIRES(true, m);
/** By the owner only. */
void mutex_unlock(struct mutex *m) RELEASES(m);
/** Who has it, NULL for nobody; of use only to those who know that it can not change. */
struct vcpu *mutex_owner(const struct mutex *m);
