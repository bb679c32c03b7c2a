// SPDX-License-Identifier: Apache-2.0
// Uptime clock. Room: time.
#pragma once

#include <arch/time.h>
#include <lib/macros.h>
#include <stdint.h>

#define NS_PER_US 1000ULL
#define NS_PER_MS 1000000ULL
#define NS_PER_SEC 1000000000ULL

/**
 * Uptime is counter - base ticks. Where a tick is a power of two in nanoseconds, as with the 1 GHz
 * that the architecture asks for since Armv8.6, shift says which; else it is CLOCK_NO_SHIFT.
 */
#define CLOCK_NO_SHIFT 64
extern struct clock_base {
    uint64_t base;
    uint64_t shift;
} clock_base;
/** clock_now() for all other ticks. Any context. */
uint64_t clock_scale_now(void);

/** Nanoseconds since boot, monotonic, the same on all CPUs. Any context. */
static inline uint64_t clock_now(void)
{
    uint64_t base = clock_base.base, shift = clock_base.shift;

    if (likely(shift != CLOCK_NO_SHIFT))
        return (arch_time_counter() - base) << shift;
    return clock_scale_now();
}
/** Counter ticks -> ns, rounded down; ns -> ticks, rounded up. Saturating. Any context. */
uint64_t clock_ticks_to_ns(uint64_t ticks);
uint64_t clock_ns_to_ticks(uint64_t ns);
/** clock_ns_to_counter() for all other ticks. Any context. */
uint64_t clock_scale_to_counter(uint64_t uptime_ns);
/** Uptime ns -> absolute counter value, rounded up (saturates at UINT64_MAX). Any context. */
static inline uint64_t clock_ns_to_counter(uint64_t uptime_ns)
{
    uint64_t base = clock_base.base, shift = clock_base.shift;

    if (unlikely(shift == CLOCK_NO_SHIFT || uptime_ns > UINT64_MAX / 2))
        return clock_scale_to_counter(uptime_ns);
    /* A negative number's shift rounds away from zero. */
    return base - (uint64_t)(-(int64_t)uptime_ns >> shift);
}
/** Absolute counter value -> uptime ns, rounded down; 0 before boot. Any context. */
uint64_t clock_counter_to_ns(uint64_t counter);
/**
 * Boot: probe the table "timers" and set up clocksource and this CPU's clockevent. -ENODEV and other
 * errors of the timer's driver, -ERANGE (a frequency that can not be).
 */
int clock_init(void);
/** A secondary's clockevent, on itself, IRQs masked. Errors of the port. */
int clock_init_cpu(void);
/** Busy wait; any context; at most 10 ms. */
void clock_delay_us(uint32_t us);
