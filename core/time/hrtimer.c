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
    uint64_t first_ns; /**< when its first one expires, EVENT_NONE: none; may be read without the lock */
    uint64_t ends;               /**< of what was started: by stops and by expiring */
    struct hrtimer *running;     /**< whose callback runs */
    struct timer_queue *move_to; /**< where the running event goes after its callback, or NULL */
    uint64_t sched_ns;           /**< the scheduler's event, EVENT_NONE: not set */
    uint64_t event_ns;           /**< what the clockevent is set to, EVENT_NONE: stopped */
};

uint64_t (*hrtimer_sched_hook)(void);

DECLARE_PER_CPU(struct timer_queue, timer_queue);
DEFINE_PER_CPU(struct timer_queue, timer_queue);

/* When the clockevent has to fire. */
static inline uint64_t first_expires(const struct timer_queue *queue)
{
    return MIN(__atomic_load_n(&queue->first_ns, __ATOMIC_RELAXED), queue->sched_ns);
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
    return (unsigned)(queue->heap.starts - queue->ends) + (queue->sched_ns != EVENT_NONE);
}

/* Arm. True when it became the first. */
static inline bool put_in(struct timer_queue *queue, struct hrtimer *timer, uint64_t expires)
{
    bool first = timer_heap_insert(&queue->heap, timer, expires);

    if (first)
        __atomic_store_n(&queue->first_ns, expires, __ATOMIC_RELAXED);
    return first;
}

/* Disarm. */
static void take_out(struct timer_queue *queue, struct hrtimer *timer)
{
    bool was_first = queue->heap.root == timer;

    timer_heap_remove(&queue->heap, timer);
    if (was_first)
        __atomic_store_n(&queue->first_ns,
                         queue->heap.root != NULL ? queue->heap.root->expires : EVENT_NONE,
                         __ATOMIC_RELAXED);
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

        spin_drop(&queue->lock);
        from = lock_pair(timer, to, &flags);
        if (is_armed(timer) && queue->move_to == to) {
            uint64_t expires = timer->expires;

            take_out(from, timer);
            set_queue(timer, to);
            if (put_in(to, timer, expires))
                first_changed(to);
        }
        unlock_pair(from, to, flags);
        spin_take(&queue->lock);
    }
}

static inline void call(struct timer_queue *queue, struct hrtimer *timer) NO_THREAD_SAFETY
{
    take_out(queue, timer);
    __atomic_store_n(&queue->running, timer, __ATOMIC_RELEASE);
    spin_drop(&queue->lock);
    timer->expired(timer);
    spin_take(&queue->lock);
    if (unlikely(queue->move_to != NULL))
        move_on(queue, timer);
    __atomic_store_n(&queue->running, NULL, __ATOMIC_RELEASE);
}

/* Without the lock: should another CPU start an earlier one at this moment, it tells us by an interrupt. */
void hrtimer_sched_set(uint64_t expires_ns)
{
    struct timer_queue *queue = &this_cpu(timer_queue);

    queue->sched_ns = expires_ns;
    event_update(queue);
}

/*
 * Expire what was due when the interrupt came. What became due meanwhile fires anew at once, and so
 * does what a callback starts in the past: that can not hold us.
 */
static NOINLINE void expire(struct timer_queue *queue, uint64_t now) NO_THREAD_SAFETY
{
    uint64_t started = queue->heap.starts;
    struct hrtimer *timer;

    while ((timer = queue->heap.root) != NULL && timer->expires <= now && timer->start < started)
        call(queue, timer);
}

/* The clockevent has fired: it must be set again, or stopped, whatever it was set to. */
static NOINLINE void serve(struct timer_queue *queue, uint64_t now) NO_THREAD_SAFETY
{
    spin_take(&queue->lock);
    if (queue->heap.root != NULL && queue->heap.root->expires <= now)
        expire(queue, now);
    program(queue, first_expires(queue));
    spin_drop(&queue->lock);
}

void hv_timer_interrupt(void)
{
    struct timer_queue *queue = &this_cpu(timer_queue);
    uint64_t now = clock_now();

    /* Only this CPU looks at the time of its scheduler's event and at what its clockevent is set to. */
    if (queue->sched_ns <= now) {
        uint64_t next = hrtimer_sched_hook();

        if (likely(next == HRTIMER_HELD)) {
            queue->sched_ns = EVENT_NONE;
            queue->event_ns = EVENT_NONE;
            arch_time_event_stop();
            return;
        }
        queue->sched_ns = next;
    }
    serve(queue, now);
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
    this_cpu(timer_queue).sched_ns = EVENT_NONE;
    this_cpu(timer_queue).first_ns = EVENT_NONE;
    if (err == 0)
        irq_enable(SMP_SGI_TIMER);
    return err;
}
