// SPDX-License-Identifier: Apache-2.0
// Mutex over a waitqueue.

#include <hv/mutex.h>
#include <hv/panic.h>
#include <hv/sched.h>

void mutex_init(struct mutex *m)
{
    waitqueue_init(&m->wq);
    m->owner = NULL;
}

/* With the queue's lock held. */
static bool own(void *arg)
{
    struct mutex *m = arg;

    if (m->owner != NULL)
        return false;
    m->owner = sched_current();
    return true;
}

void mutex_lock(struct mutex *m) NO_THREAD_SAFETY
{
    ASSERT(m->owner == NULL || m->owner != sched_current());
    waitqueue_wait_uninterruptible(&m->wq, own, m, WAIT_FOREVER);
}

bool mutex_trylock(struct mutex *m) NO_THREAD_SAFETY
{
    irqflags_t flags = spin_lock_irqsave(&m->wq.lock);
    bool owned = own(m);

    spin_unlock_irqrestore(&m->wq.lock, flags);
    return owned;
}

void mutex_unlock(struct mutex *m) NO_THREAD_SAFETY
{
    irqflags_t flags = spin_lock_irqsave(&m->wq.lock);

    ASSERT(m->owner == sched_current());
    m->owner = NULL;
    waitqueue_wake_locked(&m->wq, 1);
    spin_unlock_irqrestore(&m->wq.lock, flags);
}
