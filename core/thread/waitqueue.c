// SPDX-License-Identifier: Apache-2.0
// Waitqueue: publish that we sleep, look at the condition once more under the queue's lock, then
// switch away.

#include <hv/clock.h>
#include <hv/ctx.h>
#include <hv/panic.h>
#include <hv/sched.h>
#include <hv/waitqueue.h>
#include <lib/errno.h>

struct wait {
    bool (*cond)(void *arg);
    void *arg;
    uint64_t deadline; /**< WAIT_FOREVER or uptime ns */
    bool interruptible;
};

static void timed_out(struct hrtimer *timer)
{
    sched_wake(timer->data, VCPU_REASON_SLEEP);
}

/* IRQs masked, wq->lock held on entry and return. */
static void sleep_once(struct waitqueue *wq, const struct wait *wait, struct vcpu *vcpu)
    REQUIRES(wq->lock)
{
    sched_block_prepare(VCPU_REASON_SLEEP, wait->interruptible);
    if (wait->deadline != WAIT_FOREVER)
        hrtimer_start(&vcpu->wait_timer, wait->deadline);
    spin_unlock(&wq->lock);
    sched_block();
    if (wait->deadline != WAIT_FOREVER)
        hrtimer_cancel(&vcpu->wait_timer);
    spin_lock(&wq->lock);
}

/* In the queue from the first sleep to the last: who is woken in vain keeps its place. */
static int wait_locked(struct waitqueue *wq, const struct wait *wait, struct vcpu *vcpu)
    REQUIRES(wq->lock)
{
    while (!wait->cond(wait->arg)) {
        if (wait->deadline != WAIT_FOREVER && clock_now() >= wait->deadline)
            return -ETIMEDOUT;
        if (wait->interruptible && __atomic_load_n(&vcpu->requests, __ATOMIC_RELAXED) != 0)
            return -EINTR;
        if (vcpu->wait_queue == NULL) {
            ASSERT(!vcpu->is_idle);
            hrtimer_init(&vcpu->wait_timer, timed_out, vcpu);
            list_add_tail(&wq->waiters, &vcpu->wait_link);
            vcpu->wait_queue = wq;
        }
        sleep_once(wq, wait, vcpu);
    }
    return 0;
}

static int wait_for(struct waitqueue *wq, const struct wait *wait)
{
    struct vcpu *vcpu = sched_current();
    irqflags_t flags;
    int result;

    ctx_assert_may_sleep();
    flags = spin_lock_irqsave(&wq->lock);
    result = wait_locked(wq, wait, vcpu);
    list_remove(&vcpu->wait_link);
    vcpu->wait_queue = NULL;
    spin_unlock_irqrestore(&wq->lock, flags);
    return result;
}

static uint64_t deadline_of(uint64_t timeout_ns)
{
    uint64_t now = clock_now();

    return timeout_ns > WAIT_FOREVER - now ? WAIT_FOREVER : now + timeout_ns;
}

int waitqueue_wait(struct waitqueue *wq, bool (*cond)(void *arg), void *arg, uint64_t timeout_ns)
{
    struct wait wait = {
        .cond = cond, .arg = arg, .deadline = deadline_of(timeout_ns), .interruptible = true};

    return wait_for(wq, &wait);
}

int waitqueue_wait_uninterruptible(struct waitqueue *wq, bool (*cond)(void *arg), void *arg,
                                   uint64_t timeout_ns)
{
    struct wait wait = {
        .cond = cond, .arg = arg, .deadline = deadline_of(timeout_ns), .interruptible = false};

    return wait_for(wq, &wait);
}

void waitqueue_wake_locked(struct waitqueue *wq, unsigned max)
{
    LIST_FOR_EACH(vcpu, &wq->waiters, struct vcpu, wait_link) {
        if (max == 0)
            break;
        /* One that is awake already, on its way to look at the condition, does not count. */
        if (sched_wake(vcpu, VCPU_REASON_SLEEP))
            max--;
    }
}

static void wake(struct waitqueue *wq, unsigned max)
{
    irqflags_t flags = spin_lock_irqsave(&wq->lock);

    waitqueue_wake_locked(wq, max);
    spin_unlock_irqrestore(&wq->lock, flags);
}

void waitqueue_wake_all(struct waitqueue *wq)
{
    wake(wq, UINT32_MAX);
}

void waitqueue_wake_one(struct waitqueue *wq)
{
    wake(wq, 1);
}
