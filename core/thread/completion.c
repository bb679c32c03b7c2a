// SPDX-License-Identifier: Apache-2.0
// Completion: a count of events that waiters consume.

#include <hv/completion.h>

/* completion_signal_all() was called: nobody waits any more. */
#define DONE_FOR_ALL UINT32_MAX

/* With the queue's lock held. */
static bool consume(void *arg)
{
    struct completion *c = arg;

    if (c->done == 0)
        return false;
    if (c->done != DONE_FOR_ALL)
        c->done--;
    return true;
}

int completion_wait(struct completion *c, uint64_t timeout_ns)
{
    return waitqueue_wait(&c->wq, consume, c, timeout_ns);
}

int completion_wait_uninterruptible(struct completion *c, uint64_t timeout_ns)
{
    return waitqueue_wait_uninterruptible(&c->wq, consume, c, timeout_ns);
}

void completion_signal(struct completion *c)
{
    irqflags_t flags = spin_lock_irqsave(&c->wq.lock);

    if (c->done < DONE_FOR_ALL - 1)
        c->done++;
    waitqueue_wake_locked(&c->wq, 1);
    spin_unlock_irqrestore(&c->wq.lock, flags);
}

void completion_signal_all(struct completion *c)
{
    irqflags_t flags = spin_lock_irqsave(&c->wq.lock);

    c->done = DONE_FOR_ALL;
    waitqueue_wake_locked(&c->wq, UINT32_MAX);
    spin_unlock_irqrestore(&c->wq.lock, flags);
}
