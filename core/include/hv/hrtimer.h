// SPDX-License-Identifier: Apache-2.0
// One-shot timer events, tickless, an ordered tree per CPU. Room: time.
#pragma once

#include <lib/rbtree.h>
#include <stdbool.h>
#include <stdint.h>

struct hrtimer {
    struct rb_node node;
    uint64_t expires; /**< uptime ns */
    /** IRQ context on the CPU that started it, IRQs masked; may re-arm itself. */
    void (*expired)(struct hrtimer *timer);
    void *data;
    unsigned cpu;
    uint32_t state; /**< private */
};

void hrtimer_init(struct hrtimer *timer, void (*expired)(struct hrtimer *), void *data);
/** (Re)arm on this CPU for an absolute uptime; past means at once. Any context. */
void hrtimer_start(struct hrtimer *timer, uint64_t expires_ns);
/** Disarm; true when it was armed. Does not wait for a running callback. Any context. */
bool hrtimer_stop(struct hrtimer *timer);
/**
 * Disarm and wait until no callback runs on another CPU: safe to free after. Not in IRQ context,
 * not with locks the callback takes.
 */
void hrtimer_cancel(struct hrtimer *timer);
bool hrtimer_is_armed(const struct hrtimer *timer);
/** Counts for 'host info': armed timers on a CPU. */
unsigned hrtimer_count(unsigned cpu);
