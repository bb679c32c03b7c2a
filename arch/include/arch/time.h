// SPDX-License-Identifier: Apache-2.0
// Contract: clocksource and clockevent of this CPU, and the time that guests see.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct vcpu;

/** Free-running counter, the same on all CPUs, never backwards. Any context. */
static inline uint64_t arch_time_counter(void);
/** Counter frequency in Hz, not 0 after boot. */
uint64_t arch_time_frequency(void);

/** Call hrtimer's interrupt upcall (hv_timer_interrupt) on this CPU when the counter reaches deadline (at once when past). IRQs masked. */
void arch_time_event_set(uint64_t deadline);
void arch_time_event_stop(void);
/** Per-CPU set-up, IRQs masked, after host interrupts work on this CPU. 0 or error. */
int arch_time_init_cpu(void);

#include <port/time.h>
