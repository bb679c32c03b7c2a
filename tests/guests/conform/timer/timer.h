// SPDX-License-Identifier: Apache-2.0
// Both EL1 timers by one argument, and a handler that counts. Registers are written with ISB behind them.
#pragma once

#include "../conform.h"

/* Name of a verdict about one of the two timers. */
#define WHICH(physical, name) ((physical) ? "timer.phys_" name : "timer.virt_" name)

#define GICD_ENABLE (gic_version == 3 ? 0x13u : 1u)
#define GICD_DISABLE (gic_version == 3 ? 0x10u : 0u)
#define PMR_NONE 0x00
#define PMR_ALL 0xff

/* Deliveries on this CPU since timer_begin(), and what the handler does about them. */
struct timer_log {
    volatile uint32_t fired;
    volatile uint64_t at;   /* counter at the last delivery */
    volatile uint32_t keep; /* deliveries that leave the condition as it is */
};
extern struct timer_log timer_log[BOOT_CPUS_MAX][2];

static inline struct timer_log *timer_log_of(bool physical)
{
    return &timer_log[this_cpu()->index][physical];
}

static inline uint32_t timer_intid(bool physical)
{
    return physical ? TIMER_PHYS_INTID : TIMER_VIRT_INTID;
}

static inline uint64_t timer_count(bool physical)
{
    isb();
    return physical ? sysreg_read(cntpct_el0) : sysreg_read(cntvct_el0);
}

static inline uint32_t timer_ctl(bool physical)
{
    return (uint32_t)(physical ? sysreg_read(cntp_ctl_el0) : sysreg_read(cntv_ctl_el0));
}

static inline uint64_t timer_cval(bool physical)
{
    return physical ? sysreg_read(cntp_cval_el0) : sysreg_read(cntv_cval_el0);
}

static inline uint64_t timer_tval(bool physical)
{
    return physical ? sysreg_read(cntp_tval_el0) : sysreg_read(cntv_tval_el0);
}

static inline void timer_set_ctl(bool physical, uint64_t value)
{
    if (physical)
        sysreg_write(cntp_ctl_el0, value);
    else
        sysreg_write(cntv_ctl_el0, value);
    isb();
}

static inline void timer_set_cval(bool physical, uint64_t value)
{
    if (physical)
        sysreg_write(cntp_cval_el0, value);
    else
        sysreg_write(cntv_cval_el0, value);
    isb();
}

static inline void timer_set_tval(bool physical, uint64_t value)
{
    if (physical)
        sysreg_write(cntp_tval_el0, value);
    else
        sysreg_write(cntv_tval_el0, value);
    isb();
}

/* Forget earlier deliveries; the timer is off, its interrupt enabled and counted from now on, the CPU's mask is closed. */
void timer_begin(bool physical);
/* Off and disabled. */
void timer_end(bool physical);
/* Let interrupts in until n deliveries were counted or us microseconds are over; the count. */
uint32_t timer_await(bool physical, uint32_t n, uint64_t us);
/* Spin for a time, interrupts as they are. */
void timer_spin(uint64_t us);
/* Runs fn on all CPUs at once, this one included; false: one did not start or end. */
bool timer_on_all(void (*fn)(void));
void timer_set_eoimode(bool split);
void timer_deactivate(uint32_t intid);
