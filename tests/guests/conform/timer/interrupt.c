// SPDX-License-Identifier: Apache-2.0
// The two timers' interrupts: in time, again while the condition lasts, out of WFI.
#include "timer.h"

static void check_delivery(bool physical)
{
    struct timer_log *log = timer_log_of(physical);
    uint64_t due;

    timer_begin(physical);
    due = timer_count(physical) + timer_us(2000);
    timer_start(physical, 2000);
    timer_await(physical, 1, 1000000);
    report(WHICH(physical, "irq"), log->fired == 1 && log->at >= due, "%u times, %ld ticks late",
           log->fired, (int64_t)(log->at - due));

    timer_begin(physical);
    timer_start(physical, 100);
    while (!(timer_ctl(physical) & TIMER_ISTATUS))
        relax();
    uint32_t ack = gic_ack();
    timer_stop(physical);
    gic_eoi(ack);
    report(WHICH(physical, "ack"), gic_intid(ack) == timer_intid(physical), "INTID %u",
           gic_intid(ack));
    timer_end(physical);
}

/* Ended without the condition gone, it comes again; once it is gone, no more. */
static void check_level(bool physical)
{
    struct timer_log *log = timer_log_of(physical);

    timer_begin(physical);
    log->keep = 99;
    timer_start(physical, 10);
    timer_await(physical, 100, 1000000);
    timer_await(physical, 101, 500);
    report(WHICH(physical, "level"), log->fired == 100, "%u deliveries", log->fired);
    timer_end(physical);
}

/* With interrupts masked, too: what is pending ends it. */
static void check_wfi(bool physical)
{
    uint64_t start, slept;

    timer_begin(physical);
    start = timer_now();
    timer_start(physical, 10000);
    while (!(timer_ctl(physical) & TIMER_ISTATUS) && timer_now() - start < timer_us(1000000))
        wfi();
    slept = timer_now() - start;
    report(WHICH(physical, "wfi_masked"), slept >= timer_us(10000) && slept < timer_us(900000),
           "woke after %lu ticks", slept);
    report(WHICH(physical, "wfi_then_irq"), timer_await(physical, 1, 100000) == 1, "%u",
           timer_log_of(physical)->fired);

    timer_begin(physical);
    timer_start(physical, 0); /* due before it waits: WFI does not wait at all */
    start = timer_now();
    wfi();
    slept = timer_now() - start;
    report(WHICH(physical, "wfi_due"), slept < timer_us(500000), "%lu ticks", slept);
    timer_end(physical);
}

/* One that is masked at its output or in the GIC wakes nobody; the other one does. */
static void check_wfi_other(bool physical)
{
    uint64_t start, slept;

    for (unsigned i = 0; i < 2; i++) {
        timer_begin(physical);
        timer_begin(!physical);
        if (i)
            gic_disable(timer_intid(physical));
        start = timer_now();
        timer_set_cval(physical, timer_count(physical) + timer_us(1000));
        timer_set_ctl(physical, TIMER_ENABLE | (i ? 0 : TIMER_IMASK));
        timer_start(!physical, 5000);
        while (!(timer_ctl(!physical) & TIMER_ISTATUS) && timer_now() - start < timer_us(900000))
            wfi();
        slept = timer_now() - start;
        timer_await(!physical, 1, 100000);
        report(i ? WHICH(physical, "disabled_no_wake") : WHICH(physical, "imask_no_wake"),
               slept >= timer_us(5000) && slept < timer_us(900000) &&
                   timer_log_of(physical)->fired == 0 && timer_log_of(!physical)->fired == 1,
               "%lu ticks, fired %u, other %u", slept, timer_log_of(physical)->fired,
               timer_log_of(!physical)->fired);
    }
    timer_end(physical);
    timer_end(!physical);
}

static void check_ticks(bool physical)
{
    struct timer_log *log = timer_log_of(physical);
    uint64_t start = timer_now(), elapsed;

    timer_begin(physical);
    for (unsigned i = 0; i < 25; i++) {
        timer_start(physical, 1000);
        while (log->fired == i) {
            wfi();
            irq_enable();
            irq_disable();
        }
    }
    elapsed = timer_now() - start;
    report(WHICH(physical, "ticks"), log->fired == 25 && elapsed >= timer_us(25000),
           "%u in %lu ticks", log->fired, elapsed);
    timer_end(physical);
}

static void case_timer_interrupt(void)
{
    for (unsigned physical = 0; physical < 2; physical++) {
        check_delivery(physical);
        check_level(physical);
        check_wfi(physical);
        check_wfi_other(physical);
        check_ticks(physical);
    }
}

TEST_CASE("timer.interrupt", 1, case_timer_interrupt);
