// SPDX-License-Identifier: Apache-2.0
// Each CPU counts n periods of us microseconds by CVAL += period, asleep between them; with "busy" every 16th time it is not. So
// nothing is lost by being late: one that is missing shows in the end. A histogram tells how late they were.
#include "tick.h"

#define BUCKETS 16 /* late by less than 1, 2, 4, ... microseconds */
#define BUSY_EVERY 16
#define LEAD_US 50000 /* for all CPUs to start */

struct periods {
    uint64_t next, late_max;
    volatile uint32_t count;
    uint32_t early, late[BUCKETS];
};

static struct periods periods[BOOT_CPUS_MAX];
static uint64_t period, start;
static uint32_t wanted;
static bool physical, busy;

static uint64_t now(void)
{
    isb();
    return physical ? sysreg_read(cntpct_el0) : sysreg_read(cntvct_el0);
}

static unsigned bucket_of(uint64_t ticks)
{
    uint64_t us = ticks * 1000000 / timer_hz();
    unsigned bucket = 0;

    while (us && bucket < BUCKETS - 1) {
        us >>= 1;
        bucket++;
    }
    return bucket;
}

static void on_period(uint32_t intid)
{
    struct periods *own = &periods[this_cpu()->index];
    uint64_t at = now();

    (void)intid;
    if (at < own->next) {
        own->early++;
        return;
    }
    own->late[bucket_of(at - own->next)]++;
    if (at - own->next > own->late_max)
        own->late_max = at - own->next;
    own->count++;
    own->next += period;
    if (own->count == wanted)
        tick_set_ctl(physical, 0);
    else
        tick_set_cval(physical, own->next);
}

static void count_periods(void)
{
    struct periods *own = &periods[this_cpu()->index];

    own->next = start + period;
    tick_set_cval(physical, own->next);
    gic_enable(physical ? TIMER_PHYS_INTID : TIMER_VIRT_INTID);
    tick_set_ctl(physical, TIMER_ENABLE);
    while (own->count < wanted) {
        if (!busy || own->count % BUSY_EVERY)
            wfi();
        irq_enable();
        isb();
        irq_disable();
    }
}

static void print_periods(unsigned cpu)
{
    struct periods *own = &periods[cpu];

    print("PERIODS cpu %u count %u early %u late-max-ns %lu\n", cpu, own->count, own->early,
          own->late_max * 1000000000 / timer_hz());
    print("LATE cpu %u", cpu);
    for (unsigned i = 0; i < BUCKETS; i++)
        print(" %u", own->late[i]);
    print("\n");
}

static void case_tick_periodic(void)
{
    uint64_t elapsed, due;
    bool ok, right = true;

    period = timer_us(boot_number("us", 1000));
    wanted = (uint32_t)boot_number("n", 10000);
    physical = boot_flag("physical");
    busy = boot_flag("busy");
    irq_set_handler(TIMER_VIRT_INTID, on_period);
    irq_set_handler(TIMER_PHYS_INTID, on_period);
    start = now() + timer_us(LEAD_US);
    ok = tick_on_all(count_periods, 10000000);
    elapsed = now() - start;
    due = wanted * period;
    for (unsigned i = 0; i < boot_info.cpu_count; i++) {
        print_periods(i);
        right &= periods[i].count == wanted && !periods[i].early;
    }
    report("tick.periodic", ok && right && elapsed >= due && elapsed - due < timer_us(1000000),
           "%lu ticks for %lu", elapsed, due);
}

TEST_CASE_BY_NAME("tick.periodic", 1, case_tick_periodic);
