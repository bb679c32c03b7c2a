// SPDX-License-Identifier: Apache-2.0
// One time for all CPUs, for ever: each compares both counters with what was last read anywhere, and the first tells.
#include "tick.h"

#define TELL_MS 100

static volatile uint64_t stamp;
static volatile uint32_t lock, backwards;

static void compare(bool physical)
{
    uint64_t now;

    while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE))
        relax();
    isb();
    now = physical ? sysreg_read(cntpct_el0) : sysreg_read(cntvct_el0);
    if (now < stamp)
        backwards++;
    stamp = now;
    __atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
}

static void clock(void)
{
    uint64_t told = 0;

    for (unsigned round = 0;; round++) {
        compare(round & 1);
        if (round % 8 == 0)
            tick_sleep(1000);
        if (this_cpu()->index || timer_now() - told < timer_us(TELL_MS * 1000))
            continue;
        told = timer_now();
        print("CLOCK us %lu backwards %u\n", told * 1000000 / timer_hz(), backwards);
    }
}

static void case_tick_clock(void)
{
    print("CLOCK starts us %lu\n", boot_info.counter * 1000000 / timer_hz());
    tick_on_all(clock, 0);
}

TEST_CASE_BY_NAME("tick.clock", 1, case_tick_clock);
