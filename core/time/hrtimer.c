// SPDX-License-Identifier: Apache-2.0
// Timer events: an ordered tree per CPU, whose first entry is what the clockevent is set to.

#include <arch/barrier.h>
#include <arch/time.h>
#include <hv/clock.h>
#include <hv/hrtimer.h>
#include <hv/percpu.h>
#include <hv/spinlock.h>
#include <hv/upcall.h>

/*
 * Rounds in one interrupt: each expires what was due when it began. What is left fires again at
 * once.
 */
#define ROUNDS_MAX 4

enum timer_state { TIMER_IDLE, TIMER_ARMED };

/** One per CPU. Callbacks run without the lock. */
struct timer_queue {
    struct spinlock lock;
    struct rb_tree tree;
    unsigned count;
    struct hrtimer *running; /**< whose callback runs */
    bool event_set;          /**< the clockevent is set to event_ns */
    uint64_t event_ns;
};

DECLARE_PER_CPU(struct timer_queue, timer_queue);
DEFINE_PER_CPU(struct timer_queue, timer_queue);

static bool expires_before(const struct rb_node *a, const struct rb_node *b)
{
    return RB_ENTRY(a, struct hrtimer, node)->expires < RB_ENTRY(b, struct hrtimer, node)->expires;
}

static struct hrtimer *first_timer(const struct timer_queue *queue)
{
    struct rb_node *node = rb_first(&queue->tree);

    return node != NULL ? RB_ENTRY(node, struct hrtimer, node) : NULL;
}

/* Bring the clockevent in line with the first timer. This CPU's queue, its lock held. */
static void program(struct timer_queue *queue)
{
    const struct hrtimer *first = first_timer(queue);

    if (first == NULL) {
        if (queue->event_set)
            arch_time_event_stop();
        queue->event_set = false;
        return;
    }
    if (queue->event_set && queue->event_ns == first->expires)
        return;
    queue->event_set = true;
    queue->event_ns = first->expires;
    arch_time_event_set(clock_ns_to_counter(first->expires));
}

static void take_out(struct timer_queue *queue, struct hrtimer *timer)
{
    rb_erase(&queue->tree, &timer->node);
    queue->count--;
    __atomic_store_n(&timer->state, TIMER_IDLE, __ATOMIC_RELEASE);
}

/* Lock the queue that the timer belongs to; it may be moved while we wait for the lock. */
static struct timer_queue *lock_queue_of(const struct hrtimer *timer,
                                         irqflags_t *flags) NO_THREAD_SAFETY
{
    for (;;) {
        unsigned cpu = __atomic_load_n(&timer->cpu, __ATOMIC_ACQUIRE);
        struct timer_queue *queue = &per_cpu(timer_queue, cpu);

        *flags = spin_lock_irqsave(&queue->lock);
        if (__atomic_load_n(&timer->cpu, __ATOMIC_RELAXED) == cpu)
            return queue;
        spin_unlock_irqrestore(&queue->lock, *flags);
    }
}

static void unlock_queue(struct timer_queue *queue, irqflags_t flags) NO_THREAD_SAFETY
{
    spin_unlock_irqrestore(&queue->lock, flags);
}

/* Lock this CPU's queue with the timer, disarmed, belonging to it. */
static struct timer_queue *lock_for_start(struct hrtimer *timer, irqflags_t *flags)
{
    for (;;) {
        struct timer_queue *queue = lock_queue_of(timer, flags);

        if (timer->state == TIMER_ARMED)
            take_out(queue, timer);
        if (queue == &this_cpu(timer_queue))
            return queue;
        __atomic_store_n(&timer->cpu, cpu_id(), __ATOMIC_RELEASE);
        unlock_queue(queue, *flags);
    }
}

void hrtimer_init(struct hrtimer *timer, void (*expired)(struct hrtimer *), void *data)
{
    rb_node_init(&timer->node);
    timer->expired = expired;
    timer->data = data;
    timer->cpu = 0;
    timer->state = TIMER_IDLE;
}

void hrtimer_start(struct hrtimer *timer, uint64_t expires_ns)
{
    irqflags_t flags;
    struct timer_queue *queue = lock_for_start(timer, &flags);

    timer->expires = expires_ns;
    timer->state = TIMER_ARMED;
    rb_insert(&queue->tree, &timer->node, expires_before);
    queue->count++;
    program(queue);
    unlock_queue(queue, flags);
}

bool hrtimer_stop(struct hrtimer *timer)
{
    irqflags_t flags;
    struct timer_queue *queue = lock_queue_of(timer, &flags);
    bool armed = timer->state == TIMER_ARMED;

    if (armed) {
        take_out(queue, timer);
        /* Another CPU's clockevent is left alone: it fires once for nothing. */
        if (queue == &this_cpu(timer_queue))
            program(queue);
    }
    unlock_queue(queue, flags);
    return armed;
}

static bool callback_runs(const struct hrtimer *timer)
{
    cpumask_t online = cpu_online();

    for (unsigned cpu = 0; cpu < SMP_CPUS_MAX; cpu++)
        if ((online & CPU_MASK(cpu)) &&
            __atomic_load_n(&per_cpu(timer_queue, cpu).running, __ATOMIC_ACQUIRE) == timer)
            return true;
    return false;
}

void hrtimer_cancel(struct hrtimer *timer)
{
    /* A callback that was under way may have armed it again. */
    do {
        hrtimer_stop(timer);
        while (callback_runs(timer))
            arch_cpu_relax();
    } while (hrtimer_is_armed(timer));
}

bool hrtimer_is_armed(const struct hrtimer *timer)
{
    return __atomic_load_n(&timer->state, __ATOMIC_ACQUIRE) == TIMER_ARMED;
}

unsigned hrtimer_count(unsigned cpu)
{
    return __atomic_load_n(&per_cpu(timer_queue, cpu).count, __ATOMIC_RELAXED);
}

/*
 * Expire what is due now, at most as many as there are, so that a callback that arms itself in the
 * past does not hold us.
 */
static void expire_round(struct timer_queue *queue) REQUIRES(queue->lock)
{
    uint64_t now = clock_now();
    unsigned limit = queue->count;
    struct hrtimer *timer;

    while (limit-- != 0 && (timer = first_timer(queue)) != NULL && timer->expires <= now) {
        take_out(queue, timer);
        __atomic_store_n(&queue->running, timer, __ATOMIC_RELEASE);
        spin_unlock(&queue->lock);
        timer->expired(timer);
        spin_lock(&queue->lock);
        __atomic_store_n(&queue->running, NULL, __ATOMIC_RELEASE);
    }
}

static bool is_due(const struct timer_queue *queue)
{
    const struct hrtimer *first = first_timer(queue);

    return first != NULL && first->expires <= clock_now();
}

void hv_timer_interrupt(void)
{
    struct timer_queue *queue = &this_cpu(timer_queue);

    spin_lock(&queue->lock);
    for (unsigned round = 0; round < ROUNDS_MAX && is_due(queue); round++)
        expire_round(queue);
    /* The event has fired: it must be set again, or stopped, whatever it was set to. */
    queue->event_set = false;
    program(queue);
    if (!queue->event_set)
        arch_time_event_stop();
    spin_unlock(&queue->lock);
}
