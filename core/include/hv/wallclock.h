// SPDX-License-Identifier: Apache-2.0
// Time of day: Unix time on top of the uptime clock, set from a real-time clock. Log lines and
// timer events keep to the uptime, which no setting changes. Room: time.
#pragma once

#include <hv/notifier.h>
#include <stdint.h>

/** What the hardware's 32-bit registers hold: to 2106-02-07T06:28:15. */
#define WALLCLOCK_MAX UINT32_MAX

struct wallclock_time {
    uint64_t seconds; /**< Unix time */
    uint32_t ns;
};

/** A real-time clock. Both functions: any context, at once, not reentered; 0 or error. */
struct rtc {
    const char *name;
    int (*get)(const struct rtc *rtc, uint64_t *seconds);
    int (*set)(const struct rtc *rtc, uint64_t seconds);
    void *priv;
};

/** What the chain's data points to. */
struct wallclock_step {
    uint64_t before, after; /**< ns since 1970 of the same instant */
};

/**
 * Called when the time of day was set, with a struct wallclock_step, in the setter's context with
 * no lock held.
 */
extern struct notifier_chain wallclock_chain;

/** Any context. */
void wallclock_get(struct wallclock_time *time);
uint64_t wallclock_seconds(void);
/** Uptime ns at which that Unix time is, as the clock is set now; 0 when it was before boot. */
uint64_t wallclock_to_uptime(uint64_t seconds);
/**
 * Set clock and RTC. -ERANGE: beyond WALLCLOCK_MAX, nothing is set; the RTC's error: only the clock
 * is set. Orphan.
 */
int wallclock_set(uint64_t seconds);
/** Where the time came from: an RTC's name, "operator", or NULL: it is only assumed. */
const char *wallclock_source(void);
/** Minutes east of UTC for showing times; -ERANGE. Any context. */
int wallclock_zone(void);
int wallclock_set_zone(int minutes);
/** A driver found a working clock: the time is read from it; the first one stays. Boot. -EBUSY. */
int wallclock_register_rtc(const struct rtc *rtc);
