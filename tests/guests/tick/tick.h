// SPDX-License-Identifier: Apache-2.0
// Periodic timers: what the cases share.
#pragma once

#include <payload/arch.h>
#include <payload/boot.h>
#include <payload/cases.h>
#include <payload/console.h>
#include <payload/gic.h>
#include <payload/report.h>
#include <payload/smp.h>
#include <payload/timer.h>
#include <payload/trap.h>

/* Runs fn on all CPUs at once, this one included; false: one did not start, or not end in us microseconds after this one. */
bool tick_on_all(void (*fn)(void), uint64_t us);
void tick_set_cval(bool physical, uint64_t value);
void tick_set_ctl(bool physical, uint32_t value);
/* Interrupts stay masked: it is the pending one of the virtual timer that ends WFI. */
void tick_sleep(uint64_t us);
