// SPDX-License-Identifier: Apache-2.0
// ENABLE, IMASK and ISTATUS, and what the GIC sees of them: a level that follows.
#include "timer.h"

static bool is_pending(bool physical)
{
    dsb();
    return gic_is_pending(timer_intid(physical));
}

static void check_bits(bool physical)
{
    uint32_t seen[5];

    irq_disable();
    timer_set_ctl(physical, TIMER_IMASK);
    timer_set_cval(physical, 0);
    timer_set_ctl(physical, TIMER_ENABLE | TIMER_IMASK);
    seen[0] = timer_ctl(physical);
    timer_set_ctl(physical, TIMER_ENABLE);
    seen[1] = timer_ctl(physical);
    timer_set_ctl(physical, ~0ul); /* ISTATUS can not be written, the rest is not there */
    timer_set_cval(physical, ~0ul >> 1);
    seen[2] = timer_ctl(physical);
    timer_set_ctl(physical, ~0ul & ~(uint64_t)TIMER_IMASK);
    seen[3] = timer_ctl(physical);
    timer_set_ctl(physical, 0);
    seen[4] = timer_ctl(physical) & ~TIMER_ISTATUS; /* UNKNOWN while disabled */
    report(WHICH(physical, "ctl"),
           seen[0] == 7 && seen[1] == 5 && seen[2] == 3 && seen[3] == 1 && seen[4] == 0,
           "%u %u %u %u %u", seen[0], seen[1], seen[2], seen[3], seen[4]);
}

/* IMASK holds it back for as long as it is set, and only that. */
static void check_imask(bool physical)
{
    uint32_t masked, shown;

    timer_begin(physical);
    timer_set_cval(physical, 0);
    timer_set_ctl(physical, TIMER_ENABLE | TIMER_IMASK);
    masked = timer_await(physical, 1, 1000);
    shown = timer_ctl(physical);
    timer_set_ctl(physical, TIMER_ENABLE);
    timer_await(physical, 1, 1000000);
    report(WHICH(physical, "imask"), !masked && shown == 7 && timer_log_of(physical)->fired == 1,
           "masked %u CTL %u then %u", masked, shown, timer_log_of(physical)->fired);
    timer_end(physical);
}

static void to_past(bool physical)
{
    timer_set_cval(physical, 0);
    timer_set_ctl(physical, TIMER_ENABLE);
}

static void by_enable(bool physical)
{
    timer_set_ctl(physical, 0);
}

static void by_imask(bool physical)
{
    timer_set_ctl(physical, TIMER_ENABLE | TIMER_IMASK);
}

static void by_cval(bool physical)
{
    timer_set_cval(physical, timer_count(physical) + timer_us(3600000000));
}

static void by_tval(bool physical)
{
    timer_set_tval(physical, 0x7fffffff);
}

static void (*const withdraw[])(bool) = {by_enable, by_imask, by_cval, by_tval};
#define WITHDRAWALS (sizeof(withdraw) / sizeof(withdraw[0]))

/* The GIC's pending bit is the level, with the interrupt enabled or not. */
static void check_pending(bool physical, bool enabled)
{
    uint32_t high = 0, low = 0;

    timer_begin(physical);
    if (!enabled)
        gic_disable(timer_intid(physical));
    for (unsigned i = 0; i < WITHDRAWALS; i++) {
        to_past(physical);
        high |= (uint32_t)is_pending(physical) << i;
        withdraw[i](physical);
        low |= (uint32_t)is_pending(physical) << i;
    }
    report(enabled ? WHICH(physical, "pending_level") : WHICH(physical, "pending_level_disabled"),
           high == (1u << WITHDRAWALS) - 1 && low == 0, "due 0x%x withdrawn 0x%x", high, low);
    timer_end(physical);
}

/*
 * Withdrawn before it was acknowledged, it does not come. A GIC has finite time to notice; a hypervisor, which sees no write to
 * CNTV, notices at the next exit: one delivery that finds nothing due is allowed, of the virtual timer of a guest.
 */
static void check_withdrawn(bool physical)
{
    struct timer_log *log = timer_log_of(physical);
    uint32_t limit = boot_is_guest() && !physical, worst = 0, after = 0;

    for (unsigned i = 0; i < WITHDRAWALS; i++) {
        timer_begin(physical);
        to_past(physical);
        timer_spin(20);
        withdraw[i](physical);
        timer_await(physical, 2, 200);
        worst = log->fired > worst ? log->fired : worst;
        timer_begin(physical);
        to_past(physical);
        after += timer_await(physical, 1, 1000000);
    }
    report(WHICH(physical, "withdrawn"), worst <= limit, "%u deliveries", worst);
    report(WHICH(physical, "after_withdrawn"), after == WITHDRAWALS, "%u of %u", after,
           (unsigned)WITHDRAWALS);
    timer_end(physical);
}

/* Toggled a thousand times, then due: once. */
static void check_toggle(bool physical)
{
    struct timer_log *log = timer_log_of(physical);

    timer_begin(physical);
    timer_set_cval(physical, 0);
    for (unsigned i = 0; i < 1000; i++) {
        timer_set_ctl(physical, TIMER_ENABLE);
        timer_set_ctl(physical, i & 1 ? 0 : TIMER_ENABLE | TIMER_IMASK);
    }
    timer_set_ctl(physical, TIMER_ENABLE);
    timer_await(physical, 1, 1000000);
    timer_await(physical, 2, 200);
    report(WHICH(physical, "toggled"), log->fired == 1, "%u deliveries", log->fired);
    timer_end(physical);
}

static void case_timer_control(void)
{
    for (unsigned physical = 0; physical < 2; physical++) {
        check_bits(physical);
        check_imask(physical);
        check_pending(physical, true);
        check_pending(physical, false);
        check_withdrawn(physical);
        check_toggle(physical);
    }
}

TEST_CASE("timer.control", 1, case_timer_control);
