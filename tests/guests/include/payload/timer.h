// SPDX-License-Identifier: Apache-2.0
// The generic timer: time, delays, and the virtual and physical timers as one-shot interrupts.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define TIMER_VIRT_INTID 27
#define TIMER_PHYS_INTID 30

#define TIMER_ENABLE 1u
#define TIMER_IMASK 2u
#define TIMER_ISTATUS 4u

uint64_t timer_now(void);
uint64_t timer_hz(void);
uint64_t timer_us(uint64_t us); /* in ticks */

/** Interrupt after us microseconds; timer_stop() disables. */
void timer_start(bool physical, uint64_t us);
void timer_stop(bool physical);
/** Spins until *flag >= value; false after ms milliseconds. */
bool timer_wait(volatile uint32_t *flag, uint32_t value, uint64_t ms);
