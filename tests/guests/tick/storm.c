// SPDX-License-Identifier: Apache-2.0
// Timers as load. storm: every CPU one of 1 to 50 us by CVAL += period, which it can not keep up with. sleep: every CPU asleep on
// timers that are far away, some that are near.
#include "tick.h"

#define PERIODS_US 50

static uint64_t periods[BOOT_CPUS_MAX];
static uint64_t next[BOOT_CPUS_MAX];
static bool physical;

static void on_storm(uint32_t intid)
{
    unsigned cpu = this_cpu()->index;

    (void)intid;
    next[cpu] += periods[cpu];
    tick_set_cval(physical, next[cpu]);
}

static void storm(void)
{
    unsigned cpu = this_cpu()->index;

    periods[cpu] = timer_us(1 + (boot_number("seed", 0) * BOOT_CPUS_MAX + cpu) * 7 % PERIODS_US);
    next[cpu] = timer_now() + periods[cpu];
    tick_set_cval(physical, next[cpu]);
    gic_enable(physical ? TIMER_PHYS_INTID : TIMER_VIRT_INTID);
    tick_set_ctl(physical, TIMER_ENABLE);
    if (cpu == 0)
        print("STORM\n");
    while (true) {
        wfi();
        irq_enable();
        isb();
        irq_disable();
    }
}

static void case_tick_storm(void)
{
    physical = boot_flag("physical");
    irq_set_handler(TIMER_VIRT_INTID, on_storm);
    irq_set_handler(TIMER_PHYS_INTID, on_storm);
    tick_on_all(storm, 0);
}

TEST_CASE_BY_NAME("tick.storm", 1, case_tick_storm);

static void on_near(uint32_t intid)
{
    timer_stop(intid == TIMER_PHYS_INTID);
}

static void sleep_far(void)
{
    unsigned cpu = this_cpu()->index;

    gic_enable(TIMER_VIRT_INTID);
    gic_enable(TIMER_PHYS_INTID);
    for (unsigned round = 0;; round++) {
        timer_start(false, cpu & 1 ? 3600000000 : 1000 + round % 7 * 300);
        timer_start(true, cpu & 2 ? 1500 + round % 5 * 400 : 600000000);
        if (cpu == 0 && round % 64 == 0)
            print("ASLEEP round %u\n", round);
        wfi();
        irq_enable();
        isb();
        irq_disable();
    }
}

static void case_tick_sleep(void)
{
    irq_set_handler(TIMER_VIRT_INTID, on_near);
    irq_set_handler(TIMER_PHYS_INTID, on_near);
    tick_on_all(sleep_far, 0);
}

TEST_CASE_BY_NAME("tick.sleep", 1, case_tick_sleep);
