// SPDX-License-Identifier: Apache-2.0
// One-shot timer events, tickless: a priority queue per CPU, exact to the counter tick. Room: time.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct timer_queue;

/**
 * One event. Starting, stopping and moving it may race with each other on any CPUs: what comes last
 * holds. Events of one CPU expire in the order of their times, those of the same time in the order
 * of their starts, never early. Its callback never runs on two CPUs at a time. Memory that is all
 * zero is an event that may be stopped and cancelled.
 */
struct hrtimer {
    uint64_t expires; /**< uptime ns; of the last start */
    /**
     * IRQ context on the CPU that it was started on or for, IRQs masked, no locks held; may re-arm,
     * stop, cancel or free its own event.
     */
    void (*expired)(struct hrtimer *timer);
    void *data;
    unsigned cpu; /**< where it is armed, or was last */
    /* Private: where it is armed or was last, its place there, its number among equals. */
    struct timer_queue *queue;
    struct hrtimer *above, *left, *right;
    uint64_t start;
    uint32_t rank; /* 0: not armed */
};

/** Any context; not on an event that is armed or whose callback runs. */
void hrtimer_init(struct hrtimer *timer, void (*expired)(struct hrtimer *), void *data);
/** (Re)arm on this CPU for an absolute uptime; past means at once. Any context. */
void hrtimer_start(struct hrtimer *timer, uint64_t expires_ns);
/**
 * The same on the given online CPU, which is told when its next event changes. While the callback
 * runs on another CPU the event waits for its end. Any context.
 */
void hrtimer_start_on(struct hrtimer *timer, uint64_t expires_ns, unsigned cpu);
/** Move an armed event to an online CPU, its time unchanged; true when it was armed. Any context. */
bool hrtimer_migrate(struct hrtimer *timer, unsigned cpu);
/**
 * Periodic events without drift: re-arm for the first expires + n * period_ns (period_ns not 0)
 * that is not past, on the CPU where it expired. Returns n: 1, and one more for each period missed.
 * 0 when it is armed already: that start holds. Any context, the callback above all.
 */
uint64_t hrtimer_forward(struct hrtimer *timer, uint64_t period_ns);
/** Disarm; true when it was armed. Does not wait for a running callback. Any context. */
bool hrtimer_stop(struct hrtimer *timer);
/**
 * Disarm and wait until its callback runs on no other CPU: safe to free after. Any context but
 * other callbacks, not with locks the callback takes. Whoever else starts the event has stopped
 * doing so.
 */
void hrtimer_cancel(struct hrtimer *timer);
/** May change as soon as it is told, unless the caller keeps others from it. Any context. */
static inline bool hrtimer_is_armed(const struct hrtimer *timer)
{
    return __atomic_load_n(&timer->rank, __ATOMIC_ACQUIRE) != 0;
}
/** Armed events of a CPU, for statistics. Any context. */
unsigned hrtimer_count(unsigned cpu);
/*
 * The scheduler's event: one for each CPU, set and changed at every switch, and therefore outside of the queue.
 */
#define HRTIMER_NEVER UINT64_MAX
/** Answer of hrtimer_sched_hook(): hrtimer_sched_set() follows before anything else waits for time. */
#define HRTIMER_HELD 0
/**
 * Set this CPU's one for an uptime, or HRTIMER_NEVER. IRQs masked.
 */
void hrtimer_sched_set(uint64_t expires_ns);
/**
 * What to call when it has expired; handed down by the scheduler. It returns the next time,
 * HRTIMER_NEVER or HRTIMER_HELD. IRQ context, IRQs masked, no locks held.
 */
extern uint64_t (*hrtimer_sched_hook)(void);
/** Boot: prepare this CPU's events. IRQs masked, interrupts of this CPU work. 0 or error. */
int hrtimer_init_cpu(void);
