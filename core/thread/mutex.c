// SPDX-License-Identifier: Apache-2.0
// Mutex: one atomic word while nobody waits; with waiters, a list by priority, and inheritance along
// the chain of owners.

#include <hv/ctx.h>
#include <hv/mutex.h>
#include <hv/panic.h>
#include <hv/sched.h>
#include <hv/waitqueue.h>
#include <lib/errno.h>

#include "thread_internal.h"

#define WAITED_FOR 1UL
#define CHAIN_MAX 16

/* On the stack of whoever waits. */
struct waiter {
    struct list link;
    struct mutex *mutex;
    struct vcpu *vcpu;
    uint8_t priority; /* as it stands in the list */
    bool can_give_up;
    bool granted;
};

enum circle { NO_CIRCLE, CIRCLE_ENDS, CIRCLE_FOR_EVER };

/*
 * All who wait for any mutex. Its lock guards everything about mutexes that are waited for: chains
 * of owners lead from one mutex to the next, so that one lock makes them safe to follow. What nobody
 * waits for never takes it.
 */
static struct waitqueue contended = WAITQUEUE_INIT(contended);

static struct vcpu *owner_of(uintptr_t word)
{
    return (struct vcpu *)(word & ~WAITED_FOR);
}

struct vcpu *mutex_owner(const struct mutex *m)
{
    return owner_of(__atomic_load_n(&m->owner, __ATOMIC_RELAXED));
}

static bool try_own(struct mutex *m, struct vcpu *self)
{
    uintptr_t nobody = 0;

    return __atomic_compare_exchange_n(&m->owner, &nobody, (uintptr_t)self, false, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED);
}

/* Inheritance; contended.lock held in all of it. */

/* Behind all that are not worse. */
static void insert(struct waiter *waiter)
{
    struct list *head = &waiter->mutex->waiters;
    struct list *place = head->prev;

    waiter->priority = sched_priority(waiter->vcpu);
    while (place != head && LIST_ENTRY(place, struct waiter, link)->priority < waiter->priority)
        place = place->prev;
    list_add_head(place, &waiter->link);
}

static uint8_t best_waiting_for(const struct vcpu *vcpu)
{
    uint8_t best = 0;

    LIST_FOR_EACH(m, &vcpu->held_mutexes, struct mutex, held_link) {
        const struct waiter *first = LIST_FIRST(&m->waiters, struct waiter, link);

        if (first->priority > best)
            best = first->priority;
    }
    return best;
}

/* Who waits for the VCPU changed: so may its priority, and that of the one it waits for, and so on. */
static void inherit(struct vcpu *vcpu)
{
    for (unsigned depth = 0; depth < CHAIN_MAX; depth++) {
        uint8_t best = best_waiting_for(vcpu);
        struct waiter *waiter = vcpu->mutex_wait;

        if (best != vcpu->inherited)
            sched_set_inherited(vcpu, best);
        if (waiter == NULL || waiter->priority == sched_priority(vcpu))
            return;
        list_remove(&waiter->link);
        insert(waiter);
        vcpu = mutex_owner(waiter->mutex);
    }
}

static void priority_changed(struct vcpu *vcpu)
{
    irqflags_t flags = spin_lock_irqsave(&contended.lock);

    inherit(vcpu);
    spin_unlock_irqrestore(&contended.lock, flags);
}

void mutex_start(void)
{
    sched_priority_hook = priority_changed;
}

/* Waiting; contended.lock held. */

/* Would the chain of owners lead back to the one who is about to wait? */
static enum circle find_circle(const struct waiter *waiter)
{
    const struct waiter *at = waiter;
    bool ends = waiter->can_give_up;

    for (unsigned depth = 0; depth < CHAIN_MAX; depth++) {
        const struct vcpu *owner = mutex_owner(at->mutex);

        if (owner == waiter->vcpu)
            return ends ? CIRCLE_ENDS : CIRCLE_FOR_EVER;
        at = owner->mutex_wait;
        if (at == NULL)
            return NO_CIRCLE;
        ends |= at->can_give_up;
    }
    return NO_CIRCLE;
}

/* False: it was free and is ours now. Else the owner knows that he is waited for. */
static bool mark_waited_for(struct mutex *m, struct vcpu *self)
{
    uintptr_t word = __atomic_load_n(&m->owner, __ATOMIC_RELAXED);

    while (!(word & WAITED_FOR)) {
        if (word == 0 && try_own(m, self))
            return false;
        if (word == 0)
            word = __atomic_load_n(&m->owner, __ATOMIC_RELAXED);
        else if (__atomic_compare_exchange_n(&m->owner, &word, word | WAITED_FOR, false,
                                             __ATOMIC_RELAXED, __ATOMIC_RELAXED))
            break;
    }
    return true;
}

static void join(struct waiter *waiter)
{
    struct mutex *m = waiter->mutex;
    struct vcpu *owner = mutex_owner(m);

    if (list_is_empty(&m->held_link))
        list_add_tail(&owner->held_mutexes, &m->held_link);
    insert(waiter);
    waiter->vcpu->mutex_wait = waiter;
    inherit(owner);
}

/* Nobody may wait any more. */
static void unmark(struct mutex *m)
{
    if (!list_is_empty(&m->waiters))
        return;
    list_remove(&m->held_link);
    __atomic_fetch_and(&m->owner, ~WAITED_FOR, __ATOMIC_RELAXED);
}

static void give_up(struct waiter *waiter)
{
    struct mutex *m = waiter->mutex;

    list_remove(&waiter->link);
    waiter->vcpu->mutex_wait = NULL;
    unmark(m);
    inherit(mutex_owner(m));
}

/* 0: waits. -EALREADY: it is ours. -EDEADLK. */
static int begin_wait(struct waiter *waiter)
{
    irqflags_t flags = spin_lock_irqsave(&contended.lock);
    int result = -EALREADY;

    if (mark_waited_for(waiter->mutex, waiter->vcpu)) {
        enum circle circle = find_circle(waiter);

        /* With others in the circle giving up some time, only he who can not refuses to wait. */
        if (circle == CIRCLE_FOR_EVER || (circle == CIRCLE_ENDS && waiter->can_give_up)) {
            unmark(waiter->mutex);
            result = -EDEADLK;
        } else {
            join(waiter);
            result = 0;
        }
    }
    spin_unlock_irqrestore(&contended.lock, flags);
    return result;
}

static bool is_granted(void *arg)
{
    const struct waiter *waiter = arg;

    return waiter->granted;
}

static int end_wait(struct waiter *waiter, int result)
{
    irqflags_t flags;

    if (result == 0)
        return 0;
    flags = spin_lock_irqsave(&contended.lock);
    if (waiter->granted)
        result = 0;
    else
        give_up(waiter);
    spin_unlock_irqrestore(&contended.lock, flags);
    return result;
}

static int lock_slowly(struct mutex *m, struct vcpu *self, uint64_t timeout_ns, bool can_give_up)
{
    struct waiter waiter = {.mutex = m, .vcpu = self, .can_give_up = can_give_up};
    int result = begin_wait(&waiter);

    if (result != 0)
        return result == -EALREADY ? 0 : result;
    result = can_give_up
                 ? waitqueue_wait(&contended, is_granted, &waiter, timeout_ns)
                 : waitqueue_wait_uninterruptible(&contended, is_granted, &waiter, WAIT_FOREVER);
    return end_wait(&waiter, result);
}

void mutex_lock(struct mutex *m) NO_THREAD_SAFETY
{
    struct vcpu *self = sched_current();

    ctx_might_sleep();
    lockdep_acquire_sleeping(m, LOCKDEP_SLEEPING, &self->lockdep);
    if (likely(try_own(m, self)) || lock_slowly(m, self, WAIT_FOREVER, false) == 0)
        return;
    panic("deadlock: %s waits for a mutex that %s holds, who waits for it", self->name,
          mutex_owner(m)->name);
}

int mutex_lock_timeout(struct mutex *m, uint64_t timeout_ns) NO_THREAD_SAFETY
{
    struct vcpu *self = sched_current();
    int result;

    ctx_might_sleep();
    if (try_own(m, self))
        result = 0;
    else
        result = lock_slowly(m, self, timeout_ns, true);
    if (result == 0)
        lockdep_acquire_sleeping(m, LOCKDEP_SLEEPING | LOCKDEP_TRY, &self->lockdep);
    return result;
}

bool mutex_trylock(struct mutex *m) NO_THREAD_SAFETY
{
    struct vcpu *self = sched_current();

    if (!try_own(m, self))
        return false;
    lockdep_acquire_sleeping(m, LOCKDEP_SLEEPING | LOCKDEP_TRY, &self->lockdep);
    return true;
}

/* To the best waiter, who inherits from those behind him. */
static void hand_over(struct mutex *m, struct vcpu *self)
{
    irqflags_t flags = spin_lock_irqsave(&contended.lock);
    struct waiter *waiter = LIST_FIRST(&m->waiters, struct waiter, link);
    struct vcpu *next;

    /* The last waiter may have given up meanwhile. */
    if (waiter == NULL) {
        __atomic_store_n(&m->owner, 0, __ATOMIC_RELEASE);
        spin_unlock_irqrestore(&contended.lock, flags);
        return;
    }
    next = waiter->vcpu;
    list_remove(&waiter->link);
    list_remove(&m->held_link);
    next->mutex_wait = NULL;
    waiter->granted = true;
    if (list_is_empty(&m->waiters)) {
        __atomic_store_n(&m->owner, (uintptr_t)next, __ATOMIC_RELEASE);
    } else {
        list_add_tail(&next->held_mutexes, &m->held_link);
        __atomic_store_n(&m->owner, (uintptr_t)next | WAITED_FOR, __ATOMIC_RELEASE);
    }
    inherit(self);
    inherit(next);
    sched_wake(next, VCPU_REASON_SLEEP);
    spin_unlock_irqrestore(&contended.lock, flags);
}

void mutex_unlock(struct mutex *m) NO_THREAD_SAFETY
{
    struct vcpu *self = sched_current();
    uintptr_t word = (uintptr_t)self;

    ASSERT(mutex_owner(m) == self);
    lockdep_release_sleeping(m, &self->lockdep);
    if (unlikely(!__atomic_compare_exchange_n(&m->owner, &word, 0, false, __ATOMIC_RELEASE,
                                              __ATOMIC_RELAXED)))
        hand_over(m, self);
}
