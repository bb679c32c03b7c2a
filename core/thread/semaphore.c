// SPDX-License-Identifier: Apache-2.0
// Counting semaphore over a waitqueue.

#include <hv/semaphore.h>
#include <lib/errno.h>

/* With the queue's lock held. */
static bool take(void *arg)
{
    struct semaphore *s = arg;

    if (s->count == 0)
        return false;
    s->count--;
    return true;
}

int semaphore_down(struct semaphore *s, uint64_t timeout_ns)
{
    return waitqueue_wait(&s->wq, take, s, timeout_ns);
}

bool semaphore_try_down(struct semaphore *s)
{
    irqflags_t flags = spin_lock_irqsave(&s->wq.lock);
    bool taken = take(s);

    spin_unlock_irqrestore(&s->wq.lock, flags);
    return taken;
}

int semaphore_up(struct semaphore *s)
{
    irqflags_t flags = spin_lock_irqsave(&s->wq.lock);
    int result = s->count < s->limit ? 0 : -EOVERFLOW;

    if (result == 0) {
        s->count++;
        waitqueue_wake_locked(&s->wq, 1);
    }
    spin_unlock_irqrestore(&s->wq.lock, flags);
    return result;
}
