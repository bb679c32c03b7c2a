// SPDX-License-Identifier: Apache-2.0
// Corners of CVAL and TVAL: all of it is unsigned 64-bit arithmetic, a compare value beyond the counter's reach never comes.
#include "timer.h"

#define NEVER_TOP (1ul << 63)

/*
 * QEMU 7.2 adds CNTVOFF_EL2 to CNTV_CVAL without looking for overflow, and then hangs as a whole, whatever an EL2 does. So
 * what is this near to the end is for the virtual timer only where the offset is 0.
 */
static bool may_overflow(bool physical)
{
    return !physical && boot_is_guest() && !boot_flag("host-counter");
}

static void check_compare(const char *name, bool physical, uint64_t compare, bool want)
{
    struct timer_log *log = timer_log_of(physical);
    uint64_t back;
    bool met;

    timer_begin(physical);
    timer_set_cval(physical, compare);
    timer_set_ctl(physical, TIMER_ENABLE);
    met = timer_ctl(physical) & TIMER_ISTATUS;
    back = timer_cval(physical);
    timer_await(physical, want, want ? 1000000 : 200);
    timer_await(physical, want + 1, 100);
    report(name, met == want && back == compare && log->fired == want,
           "ISTATUS %d CVAL 0x%lx, %u deliveries", met, back, log->fired);
    timer_end(physical);
}

static void check_compares(bool physical)
{
    check_compare(WHICH(physical, "cval_zero"), physical, 0, true);
    check_compare(WHICH(physical, "cval_one"), physical, 1, true);
    check_compare(WHICH(physical, "cval_now"), physical, timer_count(physical), true);
    check_compare(WHICH(physical, "cval_past"), physical, timer_count(physical) - 1, true);
    check_compare(WHICH(physical, "cval_far"), physical,
                  timer_count(physical) + timer_us(3600000000), false);
    check_compare(WHICH(physical, "cval_bit_40"), physical, 1ul << 48, false);
    check_compare(WHICH(physical, "cval_signed_max"), physical, NEVER_TOP - 1, false);
    check_compare(WHICH(physical, "cval_top_bit"), physical, NEVER_TOP, false);
    check_compare(WHICH(physical, "cval_top_and_now"), physical, NEVER_TOP | timer_count(physical),
                  false);
    check_compare(WHICH(physical, "cval_near_end"), physical, ~0ul - (1ul << 48), false);
    if (may_overflow(physical)) {
        report_skip("timer.virt_cval_end", "QEMU hangs when CVAL and CNTVOFF overflow");
        return;
    }
    check_compare(WHICH(physical, "cval_end"), physical, ~0ul, false);
    check_compare(WHICH(physical, "cval_end_1"), physical, ~0ul - 1, false);
}

/* The value is sign-extended, its upper half ignored; what is below 0 is far beyond the end. */
static void check_tval(const char *name, bool physical, uint64_t value)
{
    int64_t ticks = (int32_t)value;
    uint64_t before, after, compare, back;
    bool met, want;

    timer_set_ctl(physical, TIMER_ENABLE | TIMER_IMASK);
    before = timer_count(physical);
    timer_set_tval(physical, value);
    after = timer_count(physical);
    compare = timer_cval(physical);
    met = timer_ctl(physical) & TIMER_ISTATUS;
    want = timer_count(physical) >= compare;
    back = timer_tval(physical);
    uint64_t low = compare - timer_count(physical);
    report(name,
           compare - (before + (uint64_t)ticks) <= after - before && met == want &&
               back >> 32 == 0 && (uint32_t)(back - low) <= timer_us(1000000),
           "CVAL 0x%lx of 0x%lx ISTATUS %d TVAL 0x%lx", compare, before + (uint64_t)ticks, met,
           back);
    timer_set_ctl(physical, 0);
    timer_set_cval(physical, 0);
}

/* TVAL shows the lower half of the distance, whatever the upper one is. */
static void check_tval_view(bool physical)
{
    uint64_t seen;

    timer_set_ctl(physical, TIMER_ENABLE | TIMER_IMASK);
    timer_set_cval(physical, timer_count(physical) + (5ul << 32) + 0x70000000);
    seen = timer_tval(physical);
    report(WHICH(physical, "tval_low_half"), seen <= 0x70000000 && seen > 0x60000000, "0x%lx", seen);
    timer_set_cval(physical, timer_count(physical) - 1000);
    seen = timer_tval(physical);
    report(WHICH(physical, "tval_negative"), seen >> 32 == 0 && (int32_t)seen <= -1000, "0x%lx",
           seen);
    timer_set_ctl(physical, 0);
}

static void check_tvals(bool physical)
{
    check_tval(WHICH(physical, "tval_zero"), physical, 0);
    check_tval(WHICH(physical, "tval_max"), physical, 0x7fffffff);
    check_tval(WHICH(physical, "tval_minus_one"), physical, 0xffffffff);
    check_tval(WHICH(physical, "tval_upper_half"), physical, 0x1234567800100000);
    if (may_overflow(physical) && timer_count(physical) < 1ul << 31)
        report_skip("timer.virt_tval_min", "QEMU hangs when CVAL and CNTVOFF overflow");
    else
        check_tval(WHICH(physical, "tval_min"), physical, 0x80000000);
    check_tval_view(physical);
}

/* By TVAL: one that is past is delivered once, one that is not yet is delivered then. */
static void check_tval_delivery(bool physical)
{
    struct timer_log *log = timer_log_of(physical);
    uint64_t due;

    timer_begin(physical);
    timer_set_ctl(physical, TIMER_ENABLE);
    timer_set_tval(physical, (uint64_t)-10);
    report(WHICH(physical, "tval_past_fires"), timer_await(physical, 1, 1000000) == 1, "%u",
           log->fired);
    timer_begin(physical);
    due = timer_count(physical) + timer_us(1000);
    timer_set_tval(physical, timer_us(1000));
    timer_set_ctl(physical, TIMER_ENABLE);
    timer_await(physical, 1, 1000000);
    report(WHICH(physical, "tval_fires"), log->fired == 1 && log->at >= due, "%u, %ld late",
           log->fired, (int64_t)(log->at - due));
    timer_end(physical);
}

static void case_timer_compare(void)
{
    for (unsigned physical = 0; physical < 2; physical++) {
        check_compares(physical);
        check_tvals(physical);
        check_tval_delivery(physical);
    }
}

TEST_CASE("timer.compare", 1, case_timer_compare);
