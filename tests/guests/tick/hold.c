// SPDX-License-Identifier: Apache-2.0
// Nearly always between acknowledge and end of a timer interrupt, on all CPUs, for ever: whatever is done to the guest
// meanwhile, the next one comes. Held spinning, asleep, and with the priority dropped (EOImode 1), by turns.
#include "tick.h"

#define PATIENCE_US 20000000
#define TELL_EVERY 16

static volatile uint32_t failed;

static void set_eoimode(bool split)
{
    if (gic_version == 3)
        icc_write(ICC_CTLR, split ? 2 : 0);
    else
        mmio_write32(GICC_BASE + GICC_CTLR, split ? 0x201 : 1);
    isb();
}

static void deactivate(uint32_t intid)
{
    if (gic_version == 3)
        icc_write(ICC_DIR, intid);
    else
        mmio_write32(GICC_BASE + GICC_DIR, intid);
    isb();
}

static bool take(uint32_t intid)
{
    uint64_t end = timer_now() + timer_us(PATIENCE_US);

    while (timer_now() < end) {
        uint32_t seen = gic_intid(gic_ack());

        if (seen == intid)
            return true;
        if (seen < GIC_SPURIOUS)
            return false;
    }
    return false;
}

/* Asleep until the other timer, which may preempt; it is taken and ended inside. */
static bool hold_asleep(bool physical, uint64_t us)
{
    uint32_t other = physical ? TIMER_VIRT_INTID : TIMER_PHYS_INTID;
    uint64_t end = timer_now() + timer_us(PATIENCE_US);
    uint32_t seen;

    timer_start(!physical, us);
    do {
        wfi();
        seen = gic_intid(gic_ack());
    } while (seen >= GIC_SPURIOUS && timer_now() < end);
    timer_stop(!physical);
    if (seen < GIC_SPURIOUS)
        gic_eoi(seen);
    return seen == other;
}

static void hold_spinning(uint64_t us)
{
    uint64_t end = timer_now() + timer_us(us);

    while (timer_now() < end)
        relax();
}

static bool hold_once(unsigned round, uint64_t us)
{
    bool physical = round % 8 == 7, split = round % 3 == 1, ok = true;
    uint32_t intid = physical ? TIMER_PHYS_INTID : TIMER_VIRT_INTID;

    gic_set_priority(TIMER_PHYS_INTID, physical ? 0xa0 : 0x80);
    gic_set_priority(TIMER_VIRT_INTID, physical ? 0x80 : 0xa0);
    set_eoimode(split);
    timer_start(physical, 0);
    if (!take(intid))
        return false;
    if (split)
        gic_eoi(intid);
    if (round % 3 == 2)
        ok = hold_asleep(physical, us);
    else
        hold_spinning(us);
    ok = ok && gic_is_active(intid);
    timer_stop(physical);
    if (split)
        deactivate(intid);
    else
        gic_eoi(intid);
    return ok && !gic_is_active(intid);
}

static void hold(void)
{
    uint64_t us = boot_number("us", 2000), limit = boot_number("n", UINT64_MAX);

    gic_enable(TIMER_VIRT_INTID);
    gic_enable(TIMER_PHYS_INTID);
    for (uint64_t round = 0; round < limit && !failed; round++) {
        if (!hold_once((unsigned)round, us)) {
            failed = 1;
            report("tick.hold", false, "cpu %u round %lu", this_cpu()->index, round);
        }
        if (round % TELL_EVERY == 0)
            print("HELD cpu %u round %lu\n", this_cpu()->index, round);
    }
}

static void case_tick_hold(void)
{
    bool ok = tick_on_all(hold, PATIENCE_US);

    report("tick.hold_ends", ok && !failed, "all ended %d", ok);
}

TEST_CASE_BY_NAME("tick.hold", 1, case_tick_hold);
