// SPDX-License-Identifier: Apache-2.0
// The counters: one time for both, on all CPUs, that never goes back and began with the machine.
#include "timer.h"

#define ROUNDS 500

static volatile uint64_t stamp;
static volatile uint32_t lock, backwards, arrived, parts;

static void check_frequency(void)
{
    uint64_t hz = timer_hz();

    report("timer.frequency", hz >= 1000000 && hz <= 1000000000, "%lu", hz);
    if (boot_flag("host-counter"))
        report_skip("timer.starts_near_zero", "the counter is the host's");
    else
        report("timer.starts_near_zero", boot_info.counter < timer_us(3000000),
               "%lu ticks at start", boot_info.counter);
}

/* Between two readings of the one there is a reading of the other. */
static void check_same_time(void)
{
    uint64_t wrong = 0, last = timer_count(false);

    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t a = timer_count(false), b = timer_count(true), c = timer_count(false);

        wrong += a < last || b < a || c < b;
        last = c;
    }
    report("timer.same_time", !wrong, "%lu of %u", wrong, ROUNDS);
}

static void case_timer_counter(void)
{
    check_frequency();
    check_same_time();
}

TEST_CASE("timer.counter", 1, case_timer_counter);

static void lock_take(void)
{
    while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE))
        relax();
}

static void lock_drop(void)
{
    __atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
}

/* Whoever reads later reads no less: not even by one tick, whichever counter and CPU. */
static void stamp_together(void)
{
    __atomic_fetch_add(&arrived, 1, __ATOMIC_ACQ_REL);
    while (arrived < boot_info.cpu_count)
        relax();
    for (unsigned i = 0; i < ROUNDS; i++) {
        lock_take();
        uint64_t now = timer_count(i & 1);

        backwards += now < stamp;
        stamp = now;
        lock_drop();
        relax();
    }
    __atomic_fetch_add(&parts, 1, __ATOMIC_ACQ_REL);
}

static void case_timer_counter_smp(void)
{
    bool ok = timer_on_all(stamp_together);

    report("timer.one_time_for_all", ok && !backwards && parts == boot_info.cpu_count,
           "%u backwards, %u of %u CPUs", backwards, parts, boot_info.cpu_count);
}

TEST_CASE("timer.counter_smp", 2, case_timer_counter_smp);
