// SPDX-License-Identifier: Apache-2.0
// Workqueues: a list of items and a thread each. The lock of the queue decides every race between
// queueing, timers, cancelling and running.

#include <hv/clock.h>
#include <hv/completion.h>
#include <hv/ctx.h>
#include <hv/heap.h>
#include <hv/panic.h>
#include <hv/sched.h>
#include <hv/thread.h>
#include <hv/waitqueue.h>
#include <hv/workqueue.h>
#include <lib/errno.h>

struct workqueue {
    struct waitqueue changed; /* its thread waits here; its lock guards all that follows */
    struct waitqueue ended;   /* those wait here who wait for the end of an item */
    struct list items;
    struct work *running;
    void (*running_fn)(struct work *work); /* the item may be gone */
    struct thread *thread;
    uint64_t done;
    unsigned queued;
    bool ending;
    struct list all_link;
};

/* What a flush puts behind the items that it waits for. */
struct barrier {
    struct work work;
    struct completion passed;
};

static struct workqueue system_queue = {
    .changed = WAITQUEUE_INIT(system_queue.changed),
    .ended = WAITQUEUE_INIT(system_queue.ended),
    .items = LIST_INIT(system_queue.items),
    .all_link = LIST_INIT(system_queue.all_link),
};

static struct spinlock queues_lock = SPINLOCK_INIT;
static struct list queues = LIST_INIT(queues);

struct workqueue *workqueue_system(void)
{
    return &system_queue;
}

static irqflags_t queue_lock(struct workqueue *queue) NO_THREAD_SAFETY
{
    return spin_lock_irqsave(&queue->changed.lock);
}

static void queue_unlock(struct workqueue *queue, irqflags_t flags) NO_THREAD_SAFETY
{
    spin_unlock_irqrestore(&queue->changed.lock, flags);
}

/* Items */

void work_init_on(struct work *work, void (*fn)(struct work *work), struct workqueue *queue)
{
    *work = (struct work){.fn = fn, .queue = queue, .state = WORK_IDLE};
    list_init(&work->link);
}

void work_init(struct work *work, void (*fn)(struct work *work))
{
    work_init_on(work, fn, &system_queue);
}

static struct delayed_work *delayed(struct work *work)
{
    return container_of(work, struct delayed_work, work);
}

/* Before "place" in the list. Lock held. */
static void put(struct work *work, struct list *place) NO_THREAD_SAFETY
{
    struct workqueue *queue = work->queue;

    work->state = WORK_QUEUED;
    list_insert_before(place, &work->link);
    queue->queued++;
    waitqueue_wake_locked(&queue->changed, 1);
}

/*
 * Lock held. A timer that could not be stopped has fired: its callback finds the item no longer
 * delayed, or delayed anew.
 */
static void take_out(struct work *work)
{
    if (work->state == WORK_DELAYED)
        hrtimer_stop(&delayed(work)->timer);
    if (work->state == WORK_QUEUED) {
        list_remove(&work->link);
        work->queue->queued--;
    }
    work->state = WORK_IDLE;
}

static bool is_welcome(const struct work *work)
{
    return work->state != WORK_QUEUED && !work->unwelcome && !work->queue->ending;
}

bool work_queue(struct work *work)
{
    irqflags_t flags = queue_lock(work->queue);
    bool welcome = is_welcome(work);

    if (welcome) {
        take_out(work);
        put(work, &work->queue->items);
    }
    queue_unlock(work->queue, flags);
    return welcome;
}

/* The item was cancelled while this waited for the lock, and perhaps delayed again. */
static bool is_outdated(const struct delayed_work *work)
{
    return work->work.state != WORK_DELAYED || hrtimer_is_armed(&work->timer);
}

static void delay_over(struct hrtimer *timer)
{
    struct delayed_work *work = timer->data;
    struct workqueue *queue = work->work.queue;
    irqflags_t flags = queue_lock(queue);

    if (!is_outdated(work)) {
        work->work.state = WORK_IDLE;
        if (is_welcome(&work->work))
            put(&work->work, &queue->items);
    }
    queue_unlock(queue, flags);
}

void work_init_delayed(struct delayed_work *work, void (*fn)(struct work *work),
                       struct workqueue *queue)
{
    work_init_on(&work->work, fn, queue);
    work->work.has_timer = true;
    hrtimer_init(&work->timer, delay_over, work);
}

bool work_queue_after(struct delayed_work *work, uint64_t delay)
{
    struct workqueue *queue = work->work.queue;
    irqflags_t flags = queue_lock(queue);
    bool welcome = is_welcome(&work->work);

    if (welcome) {
        work->work.state = WORK_DELAYED;
        hrtimer_start(&work->timer, clock_now() + delay);
    }
    queue_unlock(queue, flags);
    return welcome;
}

bool work_cancel(struct work *work)
{
    irqflags_t flags = queue_lock(work->queue);
    bool pending = work->state != WORK_IDLE;

    take_out(work);
    queue_unlock(work->queue, flags);
    return pending;
}

static bool is_own_thread(const struct workqueue *queue)
{
    return queue->thread != NULL && queue->thread == thread_current();
}

/* Its address may be that of a later item by now, which is waited for in vain, but not for long. */
static bool is_not_running(void *arg)
{
    const struct work *work = arg;

    return __atomic_load_n(&work->queue->running, __ATOMIC_ACQUIRE) != work;
}

bool work_cancel_wait(struct work *work)
{
    struct workqueue *queue = work->queue;
    irqflags_t flags;
    bool pending;

    if (is_own_thread(queue) && !is_not_running(work))
        return work_cancel(work);
    ctx_assert_may_sleep();
    flags = queue_lock(queue);
    pending = work->state != WORK_IDLE;
    work->unwelcome = true;
    take_out(work);
    queue_unlock(queue, flags);
    if (work->has_timer)
        hrtimer_cancel(&delayed(work)->timer);
    waitqueue_wait_uninterruptible(&queue->ended, is_not_running, work, WAIT_FOREVER);
    flags = queue_lock(queue);
    work->unwelcome = false;
    queue_unlock(queue, flags);
    return pending;
}

static void pass(struct work *work)
{
    completion_signal(&container_of(work, struct barrier, work)->passed);
}

static void barrier_init(struct barrier *barrier, struct workqueue *queue)
{
    work_init_on(&barrier->work, pass, queue);
    completion_init(&barrier->passed);
}

int work_flush(struct work *work)
{
    struct workqueue *queue = work->queue;
    struct barrier barrier;
    irqflags_t flags;
    bool wait = true;

    ctx_assert_may_sleep();
    if (is_own_thread(queue))
        return -EDEADLK;
    barrier_init(&barrier, queue);
    flags = queue_lock(queue);
    if (work->state == WORK_DELAYED) {
        take_out(work);
        put(work, &queue->items);
    }
    if (work->state == WORK_QUEUED)
        put(&barrier.work, work->link.next);
    else if (queue->running == work)
        put(&barrier.work, queue->items.next);
    else
        wait = false;
    queue_unlock(queue, flags);
    if (wait)
        completion_wait_uninterruptible(&barrier.passed, WAIT_FOREVER);
    return 0;
}

enum work_state work_state(const struct work *work)
{
    return (enum work_state)__atomic_load_n(&work->state, __ATOMIC_RELAXED);
}

/* Queues */

int workqueue_flush(struct workqueue *queue)
{
    struct barrier barrier;
    irqflags_t flags;

    ctx_assert_may_sleep();
    if (is_own_thread(queue))
        return -EDEADLK;
    barrier_init(&barrier, queue);
    flags = queue_lock(queue);
    put(&barrier.work, &queue->items);
    queue_unlock(queue, flags);
    completion_wait_uninterruptible(&barrier.passed, WAIT_FOREVER);
    return 0;
}

/* Conditions of the thread, with the lock held: the first item becomes the running one. */
static bool has_news(void *arg)
{
    struct workqueue *queue = arg;
    struct work *work = LIST_FIRST(&queue->items, struct work, link);

    if (work == NULL)
        return queue->ending;
    take_out(work);
    queue->running_fn = work->fn;
    __atomic_store_n(&queue->running, work, __ATOMIC_RELEASE);
    return true;
}

static struct work *next_item(struct workqueue *queue)
{
    waitqueue_wait_uninterruptible(&queue->changed, has_news, queue, WAIT_FOREVER);
    return queue->running;
}

/* The item may be freed by its own function, so that it is not touched after that. */
static int work_off(void *arg)
{
    struct workqueue *queue = arg;
    struct work *work;

    while ((work = next_item(queue)) != NULL) {
        irqflags_t flags;

        work->fn(work);
        flags = queue_lock(queue);
        queue->done++;
        queue->running_fn = NULL;
        __atomic_store_n(&queue->running, NULL, __ATOMIC_RELEASE);
        queue_unlock(queue, flags);
        waitqueue_wake_all(&queue->ended);
    }
    return 0;
}

static void enter(struct workqueue *queue)
{
    irqflags_t flags = spin_lock_irqsave(&queues_lock);

    list_add_tail(&queues, &queue->all_link);
    spin_unlock_irqrestore(&queues_lock, flags);
}

static int start(struct workqueue *queue, const char *name, uint8_t priority)
{
    int error = thread_create(name, work_off, queue, priority, 0, &queue->thread);

    if (error == 0) {
        enter(queue);
        thread_start(queue->thread);
    }
    return error;
}

int workqueue_create(const char *name, uint8_t priority, struct workqueue **out)
{
    struct workqueue *queue = heap_zalloc(sizeof(*queue));
    int error;

    if (queue == NULL)
        return -ENOMEM;
    waitqueue_init(&queue->changed);
    waitqueue_init(&queue->ended);
    list_init(&queue->items);
    error = start(queue, name, priority);
    if (error != 0)
        heap_free(queue);
    else
        *out = queue;
    return error;
}

void workqueue_destroy(struct workqueue *queue)
{
    irqflags_t flags;

    ASSERT(!is_own_thread(queue));
    flags = spin_lock_irqsave(&queues_lock);
    list_remove(&queue->all_link);
    spin_unlock_irqrestore(&queues_lock, flags);
    flags = spin_lock_irqsave(&queue->changed.lock);
    queue->ending = true;
    waitqueue_wake_locked(&queue->changed, 1);
    spin_unlock_irqrestore(&queue->changed.lock, flags);
    thread_join(queue->thread, NULL);
    heap_free(queue);
}

void workqueue_for_each(void (*fn)(const struct workqueue_stats *stats, void *arg), void *arg)
{
    irqflags_t flags = spin_lock_irqsave(&queues_lock);

    LIST_FOR_EACH(queue, &queues, struct workqueue, all_link) {
        const struct workqueue_stats stats = {
            .name = thread_name(queue->thread),
            .priority = sched_priority(thread_vcpu(queue->thread)),
            .queued = __atomic_load_n(&queue->queued, __ATOMIC_RELAXED),
            .done = __atomic_load_n(&queue->done, __ATOMIC_RELAXED),
            .running = __atomic_load_n(&queue->running_fn, __ATOMIC_RELAXED),
        };

        fn(&stats, arg);
    }
    spin_unlock_irqrestore(&queues_lock, flags);
}

int workqueue_start(void)
{
    return start(&system_queue, "worker", SCHED_PRIORITY_DEFAULT);
}
