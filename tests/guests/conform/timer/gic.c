// SPDX-License-Identifier: Apache-2.0
// The timers' private interrupts in the GIC: behind what is closed and opened again, with more pending than fits, split ends.
#include "timer.h"

#define SGIS 8u
#define NESTED 6u
#define LOWEST 0xe0
#define HIGHEST 0x10

static void distributor(bool open)
{
    mmio_write32(GICD_BASE + GICD_CTLR, open ? GICD_ENABLE : GICD_DISABLE);
    dsb();
}

static void cpu_interface(bool open)
{
    if (gic_version == 3)
        icc_write(ICC_IGRPEN1, open);
    else
        mmio_write32(GICC_BASE + GICC_CTLR, open);
    isb();
}

static void priority_mask(bool open)
{
    gic_set_mask(open ? PMR_ALL : PMR_NONE);
}

static void gate_private(bool physical, bool open)
{
    if (open)
        gic_enable(timer_intid(physical));
    else
        gic_disable(timer_intid(physical));
}

static void gate_distributor(bool physical, bool open)
{
    (void)physical;
    distributor(open);
}

static void gate_interface(bool physical, bool open)
{
    (void)physical;
    cpu_interface(open);
}

static void gate_mask(bool physical, bool open)
{
    (void)physical;
    priority_mask(open);
}

struct gate {
    void (*set)(bool physical, bool open);
    bool exits; /* a hypervisor sees it */
};
static const struct gate gates[] = {
    {gate_private, true}, {gate_distributor, true}, {gate_interface, false}, {gate_mask, false}};
#define GATES (sizeof(gates) / sizeof(gates[0]))

/* Due behind a closed gate: nothing; opened: one delivery; the gate closed and opened again: none. */
static void check_closed(bool physical)
{
    struct timer_log *log = timer_log_of(physical);
    uint32_t early = 0, once = 0, never = 0;

    for (unsigned i = 0; i < GATES; i++) {
        timer_begin(physical);
        gates[i].set(physical, false);
        timer_set_cval(physical, 0);
        timer_set_ctl(physical, TIMER_ENABLE);
        early += timer_await(physical, 1, 100);
        gates[i].set(physical, true);
        timer_await(physical, 1, 1000000);
        gates[i].set(physical, false);
        gates[i].set(physical, true);
        timer_await(physical, 2, 100);
        once |= (uint32_t)(log->fired == 1) << i;

        /* Withdrawn behind the gate: nothing comes (but see check_withdrawn() for what a hypervisor can not see). */
        timer_begin(physical);
        gates[i].set(physical, false);
        timer_set_ctl(physical, TIMER_ENABLE);
        timer_spin(20);
        timer_set_ctl(physical, 0);
        gates[i].set(physical, true);
        timer_await(physical, 2, 100);
        never |= (uint32_t)(log->fired <= (boot_is_guest() && !physical && !gates[i].exits)) << i;
    }
    report(WHICH(physical, "closed_then_open"), !early && once == (1u << GATES) - 1,
           "early %u, once behind 0x%x", early, once);
    report(WHICH(physical, "closed_withdrawn"), never == (1u << GATES) - 1, "none behind 0x%x",
           never);
    timer_end(physical);
}

static volatile uint32_t sgis_seen;

static void on_sgi(uint32_t intid)
{
    (void)intid;
    sgis_seen++;
}

/* More pending than any implementation has list registers: the timer, last of all, is not lost. */
static void check_crowd(bool physical, uint8_t priority)
{
    struct timer_log *log = timer_log_of(physical);
    unsigned lost = 0;

    for (unsigned round = 0; round < 20; round++) {
        timer_begin(physical);
        gic_set_priority(timer_intid(physical), priority);
        sgis_seen = 0;
        for (unsigned i = 0; i < SGIS; i++) {
            irq_set_handler(i, on_sgi);
            if (i == round % SGIS)
                timer_start(physical, 0);
            gic_send_sgi(i, this_cpu()->index);
        }
        timer_await(physical, 1, 1000000);
        uint64_t end = timer_now() + timer_us(1000000);
        irq_enable();
        while (sgis_seen < SGIS && timer_now() < end)
            relax();
        irq_disable();
        lost += log->fired != 1 || sgis_seen != SGIS;
    }
    report(priority == LOWEST ? WHICH(physical, "behind_many") : WHICH(physical, "before_many"),
           lost == 0, "%u rounds wrong, last: %u deliveries, %u SGIs", lost, log->fired, sgis_seen);
    gic_set_priority(timer_intid(physical), 0xa0);
    timer_end(physical);
}

/* As many active ones, each preempted by the next: a timer of the highest priority still gets through, one of the lowest waits. */
static void check_nested(bool physical, uint8_t priority)
{
    bool highest = priority == HIGHEST, ok = true;
    uint32_t acks[NESTED], ack;

    timer_begin(physical);
    gic_set_priority(timer_intid(physical), priority);
    if (!highest)
        timer_start(physical, 0);
    gic_set_mask(0xc0); /* so that the timer waits */
    for (unsigned i = 0; i < NESTED; i++) {
        gic_set_priority(i, (uint8_t)(0xa0 - 0x10 * i));
        gic_send_sgi(i, this_cpu()->index);
        uint64_t end = timer_now() + timer_us(1000000);
        do
            acks[i] = gic_ack();
        while (gic_intid(acks[i]) >= GIC_SPURIOUS && timer_now() < end);
        ok &= gic_intid(acks[i]) == i;
    }
    gic_set_mask(PMR_ALL);
    if (highest) {
        timer_start(physical, 0);
        uint64_t end = timer_now() + timer_us(1000000);
        do
            ack = gic_ack();
        while (gic_intid(ack) >= GIC_SPURIOUS && timer_now() < end);
        ok &= gic_intid(ack) == timer_intid(physical);
        timer_stop(physical);
        gic_eoi(ack);
    } else {
        timer_spin(20);
        ok &= gic_intid(gic_ack()) >= GIC_SPURIOUS;
    }
    for (unsigned i = NESTED; i-- > 0;)
        gic_eoi(acks[i]);
    uint32_t fired = timer_await(physical, !highest, highest ? 100 : 1000000);
    report(highest ? WHICH(physical, "preempts_many") : WHICH(physical, "waits_for_many"),
           ok && fired == !highest, "acknowledged right %d, then %u deliveries", ok, fired);
    for (unsigned i = 0; i < NESTED; i++)
        gic_set_priority(i, 0xa0);
    gic_set_priority(timer_intid(physical), 0xa0);
    timer_end(physical);
}

static uint32_t ack_until(uint32_t intid, uint64_t us)
{
    uint64_t end = timer_now() + timer_us(us);
    uint32_t ack;

    do
        ack = gic_ack();
    while (gic_intid(ack) != intid && timer_now() < end);
    return gic_intid(ack);
}

/* EOImode 1: the end of priority leaves it active, so that it does not come again until it is deactivated; then it does. */
static void check_split(bool physical)
{
    uint32_t intid = timer_intid(physical), first = 0, between = 0, again = 0, active = 0, left = 0;

    timer_begin(physical);
    timer_set_eoimode(true);
    for (unsigned round = 0; round < 20; round++) {
        timer_start(physical, 0);
        first += ack_until(intid, 1000000) == intid;
        gic_eoi(intid);
        active += gic_is_active(intid);
        between += ack_until(intid, 20) == intid;
        timer_deactivate(intid);
        again += ack_until(intid, 1000000) == intid; /* it is due all the time */
        gic_eoi(intid);
        timer_stop(physical);
        timer_deactivate(intid);
        left += gic_is_active(intid) || gic_is_pending(intid);
    }
    timer_set_eoimode(false);
    report(WHICH(physical, "eoimode_1"),
           first == 20 && active == 20 && !between && again == 20 && !left,
           "first %u active %u between %u again %u left %u", first, active, between, again, left);
    report(WHICH(physical, "after_eoimode_1"), !timer_await(physical, 1, 100), "%u",
           timer_log_of(physical)->fired);
    timer_end(physical);
}

/* While it is active it does not come again; by a register it is ended as by EOI. */
static void check_active(bool physical)
{
    uint32_t intid = timer_intid(physical), bit = 1u << intid, wrong = 0;

    timer_begin(physical);
    for (unsigned round = 0; round < 20; round++) {
        timer_start(physical, 0);
        wrong += ack_until(intid, 1000000) != intid;
        wrong += !gic_is_active(intid) || !gic_is_pending(intid); /* still due: both */
        gic_eoi(intid);
        wrong += ack_until(intid, 1000000) != intid;
        timer_stop(physical);
        wrong += !gic_is_active(intid) || gic_is_pending(intid);
        mmio_write32(gic_frame(intid) + GICD_ICACTIVER, bit);
        wrong += gic_is_active(intid);
        gic_eoi(intid); /* drops the priority only */
        timer_start(physical, 0);
        wrong += ack_until(intid, 1000000) != intid;
        timer_stop(physical);
        gic_eoi(intid);
        wrong += gic_is_active(intid) || gic_is_pending(intid);
    }
    report(WHICH(physical, "active"), !wrong, "%u", wrong);

    /* Made active by software: held back until that is undone. */
    mmio_write32(gic_frame(intid) + GICD_ISACTIVER, bit);
    timer_start(physical, 0);
    uint32_t held = timer_await(physical, 1, 100);
    mmio_write32(gic_frame(intid) + GICD_ICACTIVER, bit);
    timer_await(physical, 1, 1000000);
    timer_await(physical, 2, 100);
    report(WHICH(physical, "set_active"), !held && timer_log_of(physical)->fired == 1,
           "held %u then %u", held, timer_log_of(physical)->fired);
    timer_end(physical);
}

/* Pended by software with the timer far away: one delivery, and the timer works on. */
static void check_pended(bool physical)
{
    struct timer_log *log = timer_log_of(physical);
    uint32_t intid = timer_intid(physical);

    if (!boot_is_guest() && gic_version == 2) {
        report_skip(WHICH(physical, "pended"), "QEMU's GICv2 ignores ISPENDR of PPIs");
        return;
    }
    timer_begin(physical);
    gic_set_pending(intid);
    timer_await(physical, 1, 1000000);
    timer_await(physical, 2, 100);
    uint32_t by_software = log->fired;
    timer_start(physical, 100);
    timer_await(physical, 2, 1000000);
    gic_set_pending(intid);
    gic_clear_pending(intid);
    timer_await(physical, 3, 100);
    report(WHICH(physical, "pended"), by_software == 1 && log->fired == 2, "%u then %u",
           by_software, log->fired);
    timer_end(physical);
}

static void case_timer_gic(void)
{
    for (unsigned physical = 0; physical < 2; physical++) {
        check_closed(physical);
        check_crowd(physical, LOWEST);
        check_crowd(physical, HIGHEST);
        check_nested(physical, LOWEST);
        check_nested(physical, HIGHEST);
        check_split(physical);
        check_active(physical);
        check_pended(physical);
    }
}

TEST_CASE("timer.gic", 1, case_timer_gic);
