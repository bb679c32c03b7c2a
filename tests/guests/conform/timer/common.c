// SPDX-License-Identifier: Apache-2.0
// What the cases of the timers share.
#include "timer.h"

struct timer_log timer_log[BOOT_CPUS_MAX][2];

static void on_timer(uint32_t intid)
{
    bool physical = intid == TIMER_PHYS_INTID;
    struct timer_log *log = timer_log_of(physical);

    log->at = timer_now();
    log->fired++;
    if (log->keep)
        log->keep--;
    else
        timer_stop(physical);
}

void timer_begin(bool physical)
{
    irq_disable();
    timer_stop(physical);
    timer_log_of(physical)->fired = 0;
    timer_log_of(physical)->keep = 0;
    irq_set_handler(timer_intid(physical), on_timer);
    gic_enable(timer_intid(physical));
}

void timer_end(bool physical)
{
    irq_disable();
    timer_stop(physical);
    gic_disable(timer_intid(physical));
}

uint32_t timer_await(bool physical, uint32_t n, uint64_t us)
{
    struct timer_log *log = timer_log_of(physical);
    uint64_t end = timer_now() + timer_us(us);

    irq_enable();
    while (log->fired < n && timer_now() < end)
        relax();
    irq_disable();
    return log->fired;
}

void timer_spin(uint64_t us)
{
    uint64_t end = timer_now() + timer_us(us);

    while (timer_now() < end)
        relax();
}

bool timer_on_all(void (*fn)(void))
{
    bool ok = true;

    for (unsigned i = 1; i < boot_info.cpu_count; i++)
        ok &= smp_start(i, fn) == 0;
    fn();
    for (unsigned i = 1; i < boot_info.cpu_count; i++)
        ok &= smp_wait_off(i, 20000);
    return ok;
}

void timer_set_eoimode(bool split)
{
    if (gic_version == 3) {
        icc_write(ICC_CTLR, split ? 2 : 0);
        isb();
    } else {
        mmio_write32(GICC_BASE + GICC_CTLR, split ? GICC_CTLR_EOIMODE | 1 : 1);
    }
}

void timer_deactivate(uint32_t intid)
{
    if (gic_version == 3) {
        icc_write(ICC_DIR, intid);
        isb();
    } else {
        mmio_write32(GICC_BASE + GICC_DIR, intid);
    }
}
