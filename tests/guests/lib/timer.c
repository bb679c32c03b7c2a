// SPDX-License-Identifier: Apache-2.0
// The generic timer: time, delays, one-shot interrupts.
#include <payload/arch.h>
#include <payload/timer.h>

uint64_t timer_now(void)
{
    isb();
    return sysreg_read(cntvct_el0);
}

uint64_t timer_hz(void)
{
    return sysreg_read(cntfrq_el0);
}

uint64_t timer_us(uint64_t us)
{
    return us * timer_hz() / 1000000;
}

void timer_start(bool physical, uint64_t us)
{
    if (physical) {
        sysreg_write(cntp_cval_el0, sysreg_read(cntpct_el0) + timer_us(us));
        sysreg_write(cntp_ctl_el0, TIMER_ENABLE);
    } else {
        sysreg_write(cntv_cval_el0, timer_now() + timer_us(us));
        sysreg_write(cntv_ctl_el0, TIMER_ENABLE);
    }
    isb();
}

void timer_stop(bool physical)
{
    if (physical)
        sysreg_write(cntp_ctl_el0, 0);
    else
        sysreg_write(cntv_ctl_el0, 0);
    isb();
}

bool timer_wait(volatile uint32_t *flag, uint32_t value, uint64_t ms)
{
    uint64_t end = timer_now() + timer_us(ms * 1000);

    while (__atomic_load_n(flag, __ATOMIC_ACQUIRE) < value) {
        if (timer_now() >= end)
            return false;
        relax();
    }
    return true;
}
