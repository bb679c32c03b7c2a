// SPDX-License-Identifier: Apache-2.0
// Generic timer: counters, the two timers' interrupts, WFI, and the corners of the comparison.
#include "../conform.h"

static volatile uint32_t fired[2];
static volatile uint64_t fired_at[2];
static volatile uint32_t keep; /* deliveries before the handler removes the condition */

static uint32_t control(bool physical)
{
    return (uint32_t)(physical ? sysreg_read(cntp_ctl_el0) : sysreg_read(cntv_ctl_el0));
}

static void set_control(bool physical, uint32_t value)
{
    if (physical)
        sysreg_write(cntp_ctl_el0, value);
    else
        sysreg_write(cntv_ctl_el0, value);
    isb();
}

static void set_compare(bool physical, uint64_t value)
{
    if (physical)
        sysreg_write(cntp_cval_el0, value);
    else
        sysreg_write(cntv_cval_el0, value);
    isb();
}

static void on_timer(uint32_t intid)
{
    bool physical = intid == TIMER_PHYS_INTID;

    fired_at[physical] = timer_now();
    fired[physical]++;
    if (keep)
        keep--;
    else
        timer_stop(physical);
}

static uint32_t intid_of(bool physical)
{
    return physical ? TIMER_PHYS_INTID : TIMER_VIRT_INTID;
}

static void check_interrupt(bool physical, const char *names[5])
{
    uint64_t due = timer_now() + timer_us(5000);

    fired[physical] = 0;
    gic_enable(intid_of(physical));
    timer_start(physical, 5000);
    irq_enable();
    timer_wait(&fired[physical], 1, 1000);
    irq_disable();
    report(names[0], fired[physical] == 1 && fired_at[physical] >= due, "%u times, %ld ticks late",
           fired[physical], (int64_t)(fired_at[physical] - due));

    uint64_t start = timer_now();
    timer_start(physical, 20000);
    while (!(control(physical) & TIMER_ISTATUS) && timer_now() - start < timer_us(1000000))
        wfi();
    uint64_t slept = timer_now() - start;
    report(names[1], slept >= timer_us(20000) && slept < timer_us(900000), "woke after %lu ticks",
           slept);
    uint32_t ack = gic_ack();
    timer_stop(physical);
    gic_eoi(ack);
    report(names[2], gic_intid(ack) == intid_of(physical), "INTID %u", gic_intid(ack));

    fired[physical] = 0;
    keep = 3; /* level: comes again until the condition is gone */
    timer_start(physical, 10);
    irq_enable();
    timer_wait(&fired[physical], 4, 1000);
    irq_disable();
    report(names[3], fired[physical] == 4, "%u", fired[physical]);

    fired[physical] = 0;
    set_compare(physical, 0);
    set_control(physical, TIMER_ENABLE | TIMER_IMASK);
    uint32_t ctl = control(physical);
    irq_enable();
    uint64_t end = timer_now() + timer_us(2000);
    while (timer_now() < end)
        relax();
    uint32_t masked = fired[physical];
    set_control(physical, TIMER_ENABLE);
    timer_wait(&fired[physical], 1, 1000);
    irq_disable();
    report(names[4], !masked && ctl == 7 && fired[physical] == 1, "masked %u CTL %u then %u",
           masked, ctl, fired[physical]);
    gic_disable(intid_of(physical));
}

static void check_counters(void)
{
    uint64_t last = timer_now(), backwards = 0;
    int64_t skew;

    report("timer.frequency", timer_hz() >= 1000000 && timer_hz() <= 1000000000, "%lu", timer_hz());
    for (unsigned i = 0; i < 1000; i++) {
        uint64_t now = timer_now();

        backwards += now < last;
        last = now;
    }
    report("timer.monotonic", !backwards, "%lu", backwards);
    isb();
    skew = (int64_t)(sysreg_read(cntpct_el0) - timer_now());
    report("timer.same_time", skew < (int64_t)timer_us(100000) && -skew < (int64_t)timer_us(100000),
           "CNTPCT - CNTVCT = %ld", skew);
}

static void check_ticks(void)
{
    uint64_t start = timer_now(), elapsed;

    fired[0] = 0;
    gic_enable(TIMER_VIRT_INTID);
    for (unsigned i = 0; i < 50; i++) {
        uint32_t before = fired[0];

        timer_start(false, 1000);
        while (fired[0] == before) {
            irq_disable();
            if (fired[0] == before)
                wfi();
            irq_enable();
        }
        irq_disable();
    }
    elapsed = timer_now() - start;
    gic_disable(TIMER_VIRT_INTID);
    report("timer.ticks", fired[0] == 50 && elapsed >= timer_us(50000), "%u in %lu ticks", fired[0],
           elapsed);
}

static void case_timer(void)
{
    static const char *virt[] = {"timer.virt_irq", "timer.virt_wfi", "timer.virt_ack",
                                 "timer.virt_level", "timer.virt_imask"};
    static const char *phys[] = {"timer.phys_irq", "timer.phys_wfi", "timer.phys_ack",
                                 "timer.phys_level", "timer.phys_imask"};

    irq_set_handler(TIMER_VIRT_INTID, on_timer);
    irq_set_handler(TIMER_PHYS_INTID, on_timer);
    check_counters();
    check_interrupt(false, virt);
    check_interrupt(true, phys);
    check_ticks();
}

TEST_CASE("timer.basic", 1, case_timer);

static void expect_status(const char *name, bool physical, uint64_t compare, bool want)
{
    set_compare(physical, compare);
    set_control(physical, TIMER_ENABLE | TIMER_IMASK);
    bool got = control(physical) & TIMER_ISTATUS;
    uint64_t back = physical ? sysreg_read(cntp_cval_el0) : sysreg_read(cntv_cval_el0);

    report(name, got == want && back == compare, "ISTATUS %d CVAL 0x%lx", got, back);
    set_control(physical, 0);
}

static void check_value(const char *name, bool physical)
{
    int32_t value;

    set_control(physical, TIMER_ENABLE | TIMER_IMASK);
    if (physical)
        sysreg_write(cntp_tval_el0, 1000000000);
    else
        sysreg_write(cntv_tval_el0, 1000000000);
    isb();
    value = (int32_t)(physical ? sysreg_read(cntp_tval_el0) : sysreg_read(cntv_tval_el0));
    report(name, value > 900000000 && value <= 1000000000, "%d", value);
    set_control(physical, 0);
}

static void case_timer_edges(void)
{
    uint64_t now = timer_now();

    expect_status("timer.virt_zero", false, 0, true);
    expect_status("timer.virt_past", false, now - 1, true);
    expect_status("timer.virt_future", false, now + timer_us(100000000), false);
    /* Not ~0: added to a counter offset it overflows in QEMU 7.2, which then hangs altogether. */
    expect_status("timer.virt_never", false, ~0ul >> 1, false);
    expect_status("timer.virt_top_bit", false, 1ul << 63, false);
    expect_status("timer.phys_zero", true, 0, true);
    expect_status("timer.phys_past", true, now - 1, true);
    expect_status("timer.phys_future", true, now + timer_us(100000000), false);
    expect_status("timer.phys_never", true, ~0ul, false);
    expect_status("timer.phys_top_bit", true, 1ul << 63, false);
    check_value("timer.virt_tval", false);
    check_value("timer.phys_tval", true);
    sysreg_write(cntkctl_el1, 3);
    isb();
    report("timer.cntkctl", (sysreg_read(cntkctl_el1) & 3) == 3, "0x%lx", sysreg_read(cntkctl_el1));
}

TEST_CASE("timer.edges", 1, case_timer_edges);
