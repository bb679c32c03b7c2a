// SPDX-License-Identifier: Apache-2.0
// PL031: the counter and its load, the match interrupt, masks, identification.
#include "../conform.h"

#define RTC_BASE 0x09010000ul
#define RTC_INTID 34
#define RTC_DR 0x000
#define RTC_MR 0x004
#define RTC_LR 0x008
#define RTC_CR 0x00c
#define RTC_IMSC 0x010
#define RTC_RIS 0x014
#define RTC_MIS 0x018
#define RTC_ICR 0x01c
#define RTC_PERIPHID 0xfe0
#define RTC_CELLID 0xff0
#define FAR_AWAY 1000000u
#define PATIENCE_MS 5000

static volatile uint32_t taken, seen_mis, seen_time;

static uint32_t rtc_read(uint32_t offset)
{
    return mmio_read32(RTC_BASE + offset);
}

static void rtc_write(uint32_t offset, uint32_t value)
{
    mmio_write32(RTC_BASE + offset, value);
}

static void on_rtc(uint32_t intid)
{
    (void)intid;
    seen_mis = rtc_read(RTC_MIS);
    seen_time = rtc_read(RTC_DR);
    rtc_write(RTC_ICR, 1);
    taken++;
}

/* No match near, nothing raised, nothing enabled. */
static void quiet(void)
{
    rtc_write(RTC_IMSC, 0);
    rtc_write(RTC_MR, rtc_read(RTC_DR) + FAR_AWAY);
    rtc_write(RTC_ICR, 1);
}

static uint32_t id_word(uint32_t offset)
{
    uint32_t word = 0;

    for (unsigned i = 0; i < 4; i++)
        word |= (rtc_read(offset + 4 * i) & 0xff) << 8 * i;
    return word;
}

static void check_registers(void)
{
    static const uint32_t patterns[] = {0xffffffff, 0xaaaaaaaa, 0x55555555, 0x12345678};
    uint32_t time = rtc_read(RTC_DR);
    unsigned wrong = 0;

    for (unsigned i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        rtc_write(RTC_MR, time + FAR_AWAY + (patterns[i] >> 4));
        wrong += rtc_read(RTC_MR) != time + FAR_AWAY + (patterns[i] >> 4);
        rtc_write(RTC_IMSC, patterns[i]);
        wrong += rtc_read(RTC_IMSC) != (patterns[i] & 1);
        rtc_write(RTC_RIS, patterns[i]);
        rtc_write(RTC_MIS, patterns[i]);
        rtc_write(RTC_DR, patterns[i]);
        wrong += rtc_read(RTC_RIS) || rtc_read(RTC_MIS) || rtc_read(RTC_DR) - time > 60;
    }
    quiet();
    report("rtc.registers", !wrong, "%u wrong", wrong);
    rtc_write(RTC_CR, 1);
    uint32_t on = rtc_read(RTC_CR);
    rtc_write(RTC_CR, 0); /* once it runs it can not be stopped */
    report("rtc.enabled", on == 1 && rtc_read(RTC_CR) == 1, "CR 0x%x then 0x%x", on,
           rtc_read(RTC_CR));
    report("rtc.cellid", id_word(RTC_CELLID) == 0xb105f00d, "0x%x", id_word(RTC_CELLID));
    report("rtc.periphid", (id_word(RTC_PERIPHID) & 0xff0fffff) == 0x00041031, "0x%x",
           id_word(RTC_PERIPHID));
}

static void check_load(void)
{
    static const uint32_t times[] = {0, 1, 0x7fffffff, 0x80000000, 0xfffffff0};
    uint32_t before = rtc_read(RTC_DR);
    unsigned wrong = 0;

    for (unsigned i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        rtc_write(RTC_LR, times[i]);
        wrong += rtc_read(RTC_LR) != times[i] || rtc_read(RTC_DR) - times[i] > 10;
    }
    rtc_write(RTC_LR, before);
    quiet();
    report("rtc.load", !wrong, "%u wrong", wrong);
}

/* Seconds by the counter are seconds by the timer, within one; it never goes back. */
static void check_pace(void)
{
    uint64_t end = timer_now() + timer_us(2200000);
    uint32_t start = rtc_read(RTC_DR), last = start;
    bool back = false;

    while (timer_now() < end) {
        uint32_t now = rtc_read(RTC_DR);

        back |= now < last;
        last = now;
        relax();
    }
    report("rtc.pace", !back && last - start >= 2 && last - start <= 4,
           "%u seconds in 2.2, back %d", last - start, back);
}

static bool wait_raised(void)
{
    uint64_t end = timer_now() + timer_us(PATIENCE_MS * 1000);

    while (!rtc_read(RTC_RIS) && timer_now() < end)
        relax();
    return rtc_read(RTC_RIS) == 1;
}

static void check_match(void)
{
    quiet();
    uint32_t match = rtc_read(RTC_DR) + 1;
    rtc_write(RTC_MR, match);
    bool raised = wait_raised();
    uint32_t at = rtc_read(RTC_DR);
    report("rtc.match", raised && at - match <= 2 && rtc_read(RTC_MIS) == 0,
           "raised %d, %u s late, MIS 0x%x", raised, at - match, rtc_read(RTC_MIS));
    rtc_write(RTC_IMSC, 1);
    bool high = rtc_read(RTC_MIS) == 1 && gic_is_pending(RTC_INTID);
    rtc_write(RTC_IMSC, 0);
    bool masked = !rtc_read(RTC_MIS) && !gic_is_pending(RTC_INTID);
    rtc_write(RTC_ICR, 0);
    bool kept = rtc_read(RTC_RIS) == 1;
    rtc_write(RTC_ICR, 1);
    report("rtc.mask", high && masked && kept && !rtc_read(RTC_RIS),
           "unmasked %d, masked %d, RIS after 0 to ICR %d, after 1 0x%x", high, masked, kept,
           rtc_read(RTC_RIS));
    /* A time that has passed comes again in 136 years; one that is loaded past the match likewise. */
    rtc_write(RTC_MR, rtc_read(RTC_DR) - 5);
    uint32_t passed = rtc_read(RTC_RIS);
    quiet();
    report("rtc.past", !passed, "raised");
}

static void check_interrupt(void)
{
    quiet();
    irq_set_handler(RTC_INTID, on_rtc);
    taken = 0;
    gic_set_edge(RTC_INTID, false);
    gic_enable(RTC_INTID);
    rtc_write(RTC_IMSC, 1);
    /* The load moves the counter to just before the match. */
    rtc_write(RTC_MR, 0x60000001);
    rtc_write(RTC_LR, 0x60000000);
    irq_enable();
    timer_wait(&taken, 1, PATIENCE_MS);
    irq_disable();
    bool pending = gic_is_pending(RTC_INTID);
    gic_disable(RTC_INTID);
    report("rtc.interrupt", taken == 1 && seen_mis == 1 && seen_time - 0x60000001 <= 2 && !pending,
           "taken %u, MIS 0x%x, at 0x%x, pending %d", taken, seen_mis, seen_time, pending);
}

static void case_rtc(void)
{
    uint32_t before;

    quiet();
    before = rtc_read(RTC_DR);
    check_registers();
    check_load();
    check_pace();
    check_match();
    check_interrupt();
    rtc_write(RTC_LR, before + 5);
    quiet();
}

TEST_CASE("device.pl031", 1, case_rtc);
