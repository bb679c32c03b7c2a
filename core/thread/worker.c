// SPDX-License-Identifier: Apache-2.0
// The worker: one thread that runs queued work in order.

#include <hv/sched.h>
#include <hv/thread.h>
#include <hv/waitqueue.h>
#include <hv/worker.h>

static struct waitqueue work_waiters = {.lock = SPINLOCK_INIT,
                                        .waiters = LIST_INIT(work_waiters.waiters)};
static struct waitqueue flush_waiters = {.lock = SPINLOCK_INIT,
                                         .waiters = LIST_INIT(flush_waiters.waiters)};

/* Under work_waiters.lock. */
static struct list queue = LIST_INIT(queue);
static const struct work *running;

void work_init(struct work *work, void (*fn)(struct work *work))
{
    list_init(&work->link);
    work->fn = fn;
    work->queued = false;
}

bool work_queue(struct work *work)
{
    irqflags_t flags = spin_lock_irqsave(&work_waiters.lock);
    bool added = !work->queued;

    if (added) {
        work->queued = true;
        list_add_tail(&queue, &work->link);
        waitqueue_wake_locked(&work_waiters, 1);
    }
    spin_unlock_irqrestore(&work_waiters.lock, flags);
    return added;
}

/* Condition of the worker, with work_waiters.lock held: the first work becomes the running one. */
static bool take_work(void *arg)
{
    struct work **out = arg;
    struct work *work = LIST_FIRST(&queue, struct work, link);

    if (work == NULL)
        return false;
    list_remove(&work->link);
    work->queued = false;
    running = work;
    *out = work;
    return true;
}

/* The work may be freed by its own function, so that it is not touched after that. */
static int worker_main(void *arg)
{
    struct work *work;

    (void)arg;
    while (waitqueue_wait(&work_waiters, take_work, &work, WAIT_FOREVER) == 0) {
        irqflags_t flags;

        work->fn(work);
        flags = spin_lock_irqsave(&work_waiters.lock);
        running = NULL;
        spin_unlock_irqrestore(&work_waiters.lock, flags);
        waitqueue_wake_all(&flush_waiters);
    }
    return 0;
}

static bool is_done(void *arg)
{
    const struct work *work = arg;
    irqflags_t flags = spin_lock_irqsave(&work_waiters.lock);
    bool done = !work->queued && running != work;

    spin_unlock_irqrestore(&work_waiters.lock, flags);
    return done;
}

void work_flush(struct work *work)
{
    waitqueue_wait_uninterruptible(&flush_waiters, is_done, work, WAIT_FOREVER);
}

int worker_start(void)
{
    struct thread *thread;
    int error = thread_create("worker", worker_main, NULL, SCHED_PRIORITY_DEFAULT, 0, &thread);

    return error != 0 ? error : thread_start(thread);
}
