// SPDX-License-Identifier: Apache-2.0
// Uptime clock. Room: time.
#pragma once

#include <stdint.h>

#define NS_PER_US 1000ULL
#define NS_PER_MS 1000000ULL
#define NS_PER_SEC 1000000000ULL

/** Nanoseconds since boot, monotonic, the same on all CPUs. Any context. */
uint64_t clock_now(void);
/** Counter ticks -> ns, rounded down; ns -> ticks, rounded up. Saturating. Any context. */
uint64_t clock_ticks_to_ns(uint64_t ticks);
uint64_t clock_ns_to_ticks(uint64_t ns);
/** Uptime ns -> absolute counter value (saturates at UINT64_MAX), and back. */
uint64_t clock_ns_to_counter(uint64_t uptime_ns);
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
