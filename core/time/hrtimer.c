// SPDX-License-Identifier: Apache-2.0
// Timer events: a priority queue per CPU, whose first event is what the clockevent is set to.

#include "timer_heap.h"

#include <arch/barrier.h>
#include <arch/time.h>
#include <hv/clock.h>
#include <hv/hrtimer.h>
#include <hv/irq.h>
#include <hv/panic.h>
#include <hv/percpu.h>
#include <hv/smp.h>
#include <hv/spinlock.h>
#include <hv/upcall.h>

/*
 * Rounds in one interrupt: each expires what was due when it began. What is left fires again at
 * once.
 */
#define ROUNDS_MAX 4
/** No event, or one that never comes. */
#define EVENT_NONE UINT64_MAX

/**
 * One per CPU. Callbacks run without the lock. Of two queues' locks the one at the lower address is
 * taken first. While a callback runs its event belongs to this queue, and stays in it when it is
 * started for another CPU: so it can not run there at the same time.
 */
struct timer_queue {
    struct spinlock lock;
    unsigned cpu;
    struct timer_heap heap;
    uint64_t ends;               /**< of what was started: by stops and by expiring */
    struct hrtimer *running;     /**< whose callback runs */
    struct timer_queue *move_to; /**< where the running event goes after its callback, or NULL */
    uint64_t event_ns;           /**< what the clockevent is set to, EVENT_NONE: stopped */
};

DECLARE_PER_CPU(struct timer_queue, timer_queue);
DEFINE_PER_CPU(struct timer_queue, timer_queue);

/* When the clockevent has to fire. */
static inline uint64_t first_expires(const struct timer_queue *queue)
{
    return queue->heap.root != NULL ? queue->heap.root->expires : EVENT_NONE;
}

/* Set the clockevent to that. This CPU's queue, its lock held. */
static void program(struct timer_queue *queue, uint64_t expires)
{
    queue->event_ns = expires;
    if (expires == EVENT_NONE)
        arch_time_event_stop();
    else
        arch_time_event_set(clock_ns_to_counter(expires));
}

/* Bring the clockevent in line with the first event. This CPU's queue, its lock held. */
static inline void event_update(struct timer_queue *queue)
{
    uint64_t expires = first_expires(queue);

    if (expires != queue->event_ns)
        program(queue, expires);
}

/* The queue's first event is a new one. Its lock held; another CPU sets its clockevent itself. */
static void first_changed(struct timer_queue *queue)
{
    if (queue == &this_cpu(timer_queue))
        event_update(queue);
    else
        smp_send(SMP_SGI_TIMER, queue->cpu);
}

static unsigned count_of(const struct timer_queue *queue)
{
    return (unsigned)(queue->heap.starts - queue->ends);
}

/* Arm. True when it became the first. */
static inline bool put_in(struct timer_queue *queue, struct hrtimer *timer, uint64_t expires)
{
    return timer_heap_insert(&queue->heap, timer, expires);
}

/* Disarm. */
static void take_out(struct timer_queue *queue, struct hrtimer *timer)
{
    timer_heap_remove(&queue->heap, timer);
    queue->ends++;
    if (queue->running == timer)
        queue->move_to = NULL;
}

/* Its queue's lock held. */
static inline bool is_armed(const struct hrtimer *timer)
{
    return timer->rank != 0;
}

static inline struct timer_queue *queue_of(const struct hrtimer *timer)
{
    return __atomic_load_n(&timer->queue, __ATOMIC_RELAXED);
}

static void set_queue(struct hrtimer *timer, struct timer_queue *queue)
{
    __atomic_store_n(&timer->cpu, queue->cpu, __ATOMIC_RELAXED);
    __atomic_store_n(&timer->queue, queue, __ATOMIC_RELAXED);
}

/* Lock the queue that the event belongs to; it may be moved while we wait for the lock. */
static inline struct timer_queue *lock_queue_of(const struct hrtimer *timer,
                                                irqflags_t *flags) NO_THREAD_SAFETY
{
    for (;;) {
        struct timer_queue *queue = queue_of(timer);

        *flags = spin_lock_irqsave(&queue->lock);
        if (likely(queue_of(timer) == queue))
            return queue;
        spin_unlock_irqrestore(&queue->lock, *flags);
    }
}

static inline void unlock_queue(struct timer_queue *queue, irqflags_t flags) NO_THREAD_SAFETY
{
    spin_unlock_irqrestore(&queue->lock, flags);
}

static void unlock_pair(struct timer_queue *from, struct timer_queue *to,
                        irqflags_t flags) NO_THREAD_SAFETY
{
    if (from != to)
        spin_unlock(from < to ? &to->lock : &from->lock);
    spin_unlock_irqrestore(from < to ? &from->lock : &to->lock, flags);
}

/* Lock the queue that the event belongs to and the one that it shall belong to. */
static struct timer_queue *lock_pair(const struct hrtimer *timer, struct timer_queue *to,
                                     irqflags_t *flags) NO_THREAD_SAFETY
{
    for (;;) {
        struct timer_queue *from = queue_of(timer);

        *flags = spin_lock_irqsave(from < to ? &from->lock : &to->lock);
        if (from != to)
            spin_lock_nested(from < to ? &to->lock : &from->lock);
        if (queue_of(timer) == from)
            return from;
        unlock_pair(from, to, *flags);
    }
}

/*
 * Both queues locked, event disarmed: arm it in the second one, or, while its callback runs in the
 * first one, there, until it may go.
 */
static void arm_in(struct hrtimer *timer, uint64_t expires, struct timer_queue *from,
                   struct timer_queue *to)
{
    if (from != to && from->running == timer) {
        if (put_in(from, timer, expires))
            first_changed(from);
        from->move_to = to;
        return;
    }
    set_queue(timer, to);
    if (put_in(to, timer, expires))
        first_changed(to);
}

/*
 * The queue's lock held. When another CPU's first event leaves it, its clockevent fires once for
 * nothing.
 */
static void disarm(struct timer_queue *queue, struct hrtimer *timer)
{
    take_out(queue, timer);
    if (queue == &this_cpu(timer_queue))
        event_update(queue);
}

static void start_in(struct hrtimer *timer, uint64_t expires, struct timer_queue *to)
{
    irqflags_t flags;
    struct timer_queue *from = lock_pair(timer, to, &flags);

    if (is_armed(timer))
        disarm(from, timer);
    arm_in(timer, expires, from, to);
    unlock_pair(from, to, flags);
}

void hrtimer_init(struct hrtimer *timer, void (*expired)(struct hrtimer *), void *data)
{
    timer->expired = expired;
    timer->data = data;
    timer->cpu = 0;
    timer->queue = &per_cpu(timer_queue, 0);
    timer->rank = 0;
}

/* The bare lock, as nothing preempts us with interrupts masked: this is the way of most starts. */
void hrtimer_start(struct hrtimer *timer, uint64_t expires_ns) NO_THREAD_SAFETY
{
    irqflags_t flags = arch_irq_save();
    struct timer_queue *queue = &this_cpu(timer_queue);

    spin_take(&queue->lock);
    if (likely(queue_of(timer) == queue)) {
        if (is_armed(timer))
            take_out(queue, timer);
        put_in(queue, timer, expires_ns);
        event_update(queue);
        spin_drop(&queue->lock);
    } else {
        spin_drop(&queue->lock);
        start_in(timer, expires_ns, queue);
    }
    arch_irq_restore(flags);
}

void hrtimer_start_on(struct hrtimer *timer, uint64_t expires_ns, unsigned cpu)
{
    ASSERT((cpu_online() & CPU_MASK(cpu)) != 0);
    start_in(timer, expires_ns, &per_cpu(timer_queue, cpu));
}

bool hrtimer_migrate(struct hrtimer *timer, unsigned cpu)
{
    struct timer_queue *to = &per_cpu(timer_queue, cpu);
    irqflags_t flags;
    struct timer_queue *from = lock_pair(timer, to, &flags);
    bool armed = is_armed(timer);

    ASSERT((cpu_online() & CPU_MASK(cpu)) != 0);
    if (armed) {
        disarm(from, timer);
        arm_in(timer, timer->expires, from, to);
    }
    unlock_pair(from, to, flags);
    return armed;
}

/* The first expires + n * period that is not past, and n. Saturates. */
static uint64_t periods_until(uint64_t *expires, uint64_t period)
{
    uint64_t now = clock_now();
    uint64_t periods = now > *expires ? (now - *expires - 1) / period + 1 : 1;
    uint64_t next;

    if (__builtin_mul_overflow(periods, period, &next) ||
        __builtin_add_overflow(*expires, next, &next))
        next = UINT64_MAX;
    *expires = next;
    return periods;
}

uint64_t hrtimer_forward(struct hrtimer *timer, uint64_t period_ns)
{
    irqflags_t flags;
    struct timer_queue *queue = lock_queue_of(timer, &flags);
    uint64_t expires = timer->expires;
    uint64_t periods = 0;

    if (!is_armed(timer)) {
        periods = periods_until(&expires, period_ns);
        if (put_in(queue, timer, expires))
            first_changed(queue);
    }
    unlock_queue(queue, flags);
    return periods;
}

bool hrtimer_stop(struct hrtimer *timer)
{
    struct timer_queue *queue;
    irqflags_t flags;
    bool armed;

    if (queue_of(timer) == NULL)
        return false;
    queue = lock_queue_of(timer, &flags);
    armed = is_armed(timer);
    if (armed)
        disarm(queue, timer);
    unlock_queue(queue, flags);
    return armed;
}

/*
 * On this CPU only our own callers can be inside it: then it is the callback itself that asks, and
 * it does not wait for its own end.
 */
static bool callback_runs_elsewhere(const struct hrtimer *timer)
{
    cpumask_t online = cpu_online();

    for (unsigned cpu = 0; cpu < SMP_CPUS_MAX; cpu++)
        if ((online & CPU_MASK(cpu)) != 0 &&
            __atomic_load_n(&per_cpu(timer_queue, cpu).running, __ATOMIC_ACQUIRE) == timer &&
            cpu != cpu_id())
            return true;
    return false;
}

void hrtimer_cancel(struct hrtimer *timer)
{
    /* A callback that was under way may have armed it again. */
    do {
        hrtimer_stop(timer);
        while (callback_runs_elsewhere(timer))
            arch_cpu_relax();
    } while (hrtimer_is_armed(timer));
}

bool hrtimer_is_armed(const struct hrtimer *timer)
{
    return __atomic_load_n(&timer->rank, __ATOMIC_ACQUIRE) != 0;
}

unsigned hrtimer_count(unsigned cpu)
{
    struct timer_queue *queue = &per_cpu(timer_queue, cpu);
    irqflags_t flags = spin_lock_irqsave(&queue->lock);
    unsigned count = count_of(queue);

    spin_unlock_irqrestore(&queue->lock, flags);
    return count;
}

/*
 * The callback is over, and the event was started for another CPU meanwhile. It counts as running
 * still, so that who cancels it waits for us.
 */
static void move_on(struct timer_queue *queue, struct hrtimer *timer) NO_THREAD_SAFETY
{
    struct timer_queue *to;

    while ((to = queue->move_to) != NULL) {
        irqflags_t flags;
        struct timer_queue *from;

        spin_unlock(&queue->lock);
        from = lock_pair(timer, to, &flags);
        if (is_armed(timer) && queue->move_to == to) {
            uint64_t expires = timer->expires;

            take_out(from, timer);
            set_queue(timer, to);
            if (put_in(to, timer, expires))
                first_changed(to);
        }
        unlock_pair(from, to, flags);
        spin_lock(&queue->lock);
    }
}

static void call(struct timer_queue *queue, struct hrtimer *timer) REQUIRES(queue->lock)
{
    take_out(queue, timer);
    __atomic_store_n(&queue->running, timer, __ATOMIC_RELEASE);
    spin_unlock(&queue->lock);
    timer->expired(timer);
    spin_lock(&queue->lock);
    if (unlikely(queue->move_to != NULL))
        move_on(queue, timer);
    __atomic_store_n(&queue->running, NULL, __ATOMIC_RELEASE);
}

/*
 * Expire what is due now, at most as many as there are, so that a callback that arms itself in the
 * past does not hold us.
 */
static void expire_round(struct timer_queue *queue) REQUIRES(queue->lock)
{
    uint64_t now = clock_now();
    unsigned limit = count_of(queue);
    struct hrtimer *timer;

    while (limit-- != 0 && (timer = queue->heap.root) != NULL && timer->expires <= now)
        call(queue, timer);
}

static bool is_due(const struct timer_queue *queue)
{
    const struct hrtimer *first = queue->heap.root;

    return first != NULL && first->expires <= clock_now();
}

void hv_timer_interrupt(void)
{
    struct timer_queue *queue = &this_cpu(timer_queue);

    spin_lock(&queue->lock);
    for (unsigned round = 0; round < ROUNDS_MAX && is_due(queue); round++)
        expire_round(queue);
    /* The event has fired: it must be set again, or stopped, whatever it was set to. */
    program(queue, first_expires(queue));
    spin_unlock(&queue->lock);
}

/* Another CPU has started what is now this one's first event. */
static enum irq_result reprogram(uint32_t irq, void *arg)
{
    struct timer_queue *queue = &this_cpu(timer_queue);

    (void)irq;
    (void)arg;
    spin_lock(&queue->lock);
    event_update(queue);
    spin_unlock(&queue->lock);
    return IRQ_HANDLED;
}

int hrtimer_init_cpu(void)
{
    /* One handler for all CPUs; the boot CPU comes first. */
    int err = irq_owner(SMP_SGI_TIMER) == NULL
                  ? irq_request(SMP_SGI_TIMER, "timer of another CPU", reprogram, NULL)
                  : 0;

    this_cpu(timer_queue).cpu = cpu_id();
    this_cpu(timer_queue).event_ns = EVENT_NONE;
    if (err == 0)
        irq_enable(SMP_SGI_TIMER);
    return err;
}
