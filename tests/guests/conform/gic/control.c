// SPDX-License-Identifier: Apache-2.0
// GICD_CTLR, interrupt groups as IRQ and FIQ, and the CPU interface's own switches.
#include "gic_case.h"

static volatile uint32_t fiqs, irqs;

static void on_irq(uint32_t intid)
{
    irqs += intid == SPI;
}

/* By the signal, not by polling: QEMU's GICv2 acknowledges also what a closed group holds back. */
static uint32_t arrivals(void)
{
    uint64_t end = timer_now() + timer_us(300);

    irq_set_handler(SPI, on_irq);
    irqs = 0;
    irq_enable();
    while (timer_now() < end)
        relax();
    irq_disable();
    return irqs;
}

static void case_gic_control(void)
{
    uint32_t keep = gic_version == 3 ? GICD_CTLR_ARE | GICD_CTLR_DS : 0;
    uint32_t on, off, got;

    gic_wipe();
    mmio_write32(GICD_BASE + GICD_CTLR, ~0u);
    on = mmio_read32(GICD_BASE + GICD_CTLR);
    mmio_write32(GICD_BASE + GICD_CTLR, keep & GICD_CTLR_ARE);
    off = mmio_read32(GICD_BASE + GICD_CTLR);
    /* Bit 7, one of N wake-up, and bit 8, nASSGIreq, may exist; nothing else does. */
    report("gic.ctlr", (on & ~0x180u) == (keep | 3) && off == keep, "0x%x 0x%x", on, off);
    uint32_t group = gic_version == 3 ? GICD_CTLR_GROUP1 : GICD_CTLR_GROUP0;
    spi_ready(SPI, 0xa0);
    gic_set_pending(SPI);
    got = arrivals();
    report("gic.ctlr_off", !got && gic_is_pending(SPI), "%u pending %d", got, gic_is_pending(SPI));
    mmio_write32(GICD_BASE + GICD_CTLR, (keep & GICD_CTLR_ARE) | (group ^ 3));
    got = arrivals();
    report("gic.ctlr_other_group", !got, "%u", got);
    for (unsigned i = 0; i < 20; i++) {
        mmio_write32(GICD_BASE + GICD_CTLR, (keep & GICD_CTLR_ARE) | group);
        mmio_write32(GICD_BASE + GICD_CTLR, keep & GICD_CTLR_ARE);
    }
    got = arrivals();
    report("gic.ctlr_toggled", !got && gic_is_pending(SPI), "%u", got);
    mmio_write32(GICD_BASE + GICD_CTLR, (keep & GICD_CTLR_ARE) | group);
    got = take();
    report("gic.ctlr_on", got == SPI && quiet(), "INTID %u", got);
    gic_wipe();
}

TEST_CASE("gic.control", 1, case_gic_control);

static uint32_t take_group0(void)
{
    uint32_t intid = (uint32_t)icc_read(ICC_IAR0);

    if (intid < GIC_SPURIOUS)
        icc_write(ICC_EOIR0, intid);
    return intid;
}

static void on_fiq(void)
{
    uint32_t intid = gic_version == 3 ? take_group0() : take();

    fiqs += intid == SPI;
}

static void check_signals(void)
{
    uint64_t end = timer_now() + timer_us(100000);

    fiq_handler = on_fiq;
    irq_set_handler(SPI, on_irq);
    fiqs = 0;
    irqs = 0;
    gic_set_pending(SPI);
    __asm__ volatile("msr daifclr, #3\n\tisb" ::: "memory");
    while (!fiqs && !irqs && timer_now() < end)
        relax();
    __asm__ volatile("msr daifset, #3" ::: "memory");
    fiq_handler = NULL;
    report("gic.fiq", fiqs == 1 && irqs == 0, "%u FIQs %u IRQs", fiqs, irqs);
}

static void check_groups_v3(void)
{
    uint32_t got;

    gic_set_group1(SPI, false);
    gic_set_pending(SPI);
    got = take_group0();
    report("gic.group0_closed", got >= GIC_SPURIOUS, "INTID %u", got);
    icc_write(ICC_IGRPEN0, 1);
    got = take();
    report("gic.group0_not_as_1", got == GIC_SPURIOUS && gic_is_pending(SPI), "INTID %u", got);
    got = (uint32_t)icc_read(ICC_HPPIR0);
    report("gic.group0_highest", got == SPI && icc_read(ICC_HPPIR1) >= GIC_SPURIOUS,
           "HPPIR0 %u HPPIR1 %lu", got, icc_read(ICC_HPPIR1));
    got = take_group0();
    report("gic.group0", got == SPI && quiet(), "INTID %u", got);
    check_signals();
    /* The more urgent one hides the other group's. */
    gic_set_priority(SPI, 0x40);
    spi_ready(SPI + 1, 0x80);
    gic_set_pending(SPI);
    gic_set_pending(SPI + 1);
    uint32_t first = take(), second = take_group0(), third = take();
    report("gic.group_order", first == GIC_SPURIOUS && second == SPI && third == SPI + 1,
           "%u %u %u", first, second, third);
    icc_write(ICC_IGRPEN1, 0);
    gic_set_pending(SPI + 1);
    first = take();
    icc_write(ICC_IGRPEN1, 1);
    second = take();
    report("gic.group1_enable", first == GIC_SPURIOUS && second == SPI + 1, "%u %u", first, second);
    gic_set_pending(SPI); /* pending in one group, then in the other */
    gic_set_group1(SPI, true);
    first = take();
    report("gic.group_moved", first == SPI && take_group0() >= GIC_SPURIOUS, "INTID %u", first);
}

static void check_groups_v2(void)
{
    uint32_t both = GICC_CTLR_GROUP0 | GICC_CTLR_GROUP1, got;

    mmio_write32(GICC_BASE + GICC_CTLR, both);
    gic_set_group1(SPI, true);
    gic_set_pending(SPI);
    got = mmio_read32(GICC_BASE + GICC_HPPIR);
    uint32_t ack = mmio_read32(GICC_BASE + GICC_IAR);
    report("gic.group1_not_as_0", got == 1022 && ack == 1022 && gic_is_pending(SPI),
           "HPPIR %u IAR %u", got, ack);
    mmio_write32(GICC_BASE + GICC_CTLR, both | GICC_CTLR_ACKCTL);
    got = take();
    report("gic.group1", got == SPI && quiet(), "INTID %u", got);
    mmio_write32(GICC_BASE + GICC_CTLR, GICC_CTLR_GROUP0 | GICC_CTLR_ACKCTL);
    gic_set_pending(SPI);
    got = arrivals();
    report("gic.group1_closed", !got && gic_is_pending(SPI), "%u", got);
    gic_set_group1(SPI, false);
    got = take();
    report("gic.group_moved", got == SPI && quiet(), "INTID %u", got);
    mmio_write32(GICC_BASE + GICC_CTLR, both | GICC_CTLR_FIQEN);
    check_signals();
}

static void case_gic_groups(void)
{
    gic_wipe();
    mmio_write32(GICD_BASE + GICD_CTLR, gic_version == 3 ? 0x13 : 3);
    spi_ready(SPI, 0xa0);
    if (gic_version == 3)
        check_groups_v3();
    else
        check_groups_v2();
    gic_wipe();
}

TEST_CASE("gic.groups", 1, case_gic_groups);

/* Corners of the CPU interface's registers, which must come back after others had this CPU. */
static void case_gic_interface(void)
{
    unsigned wrong = 0;

    gic_wipe();
    for (unsigned i = 0; i < 16; i++) {
        uint8_t mask = (uint8_t)(i * 0x10 + 8);
        uint64_t split = i & 1, lowest = 3 + i % 5, end = timer_now() + timer_us(300);

        gic_set_mask(mask);
        gic_split_eoi(split);
        gic_set_preemption((unsigned)lowest);
        while (timer_now() < end)
            relax();
        if (gic_version == 3) {
            wrong |= (icc_read(ICC_PMR) & 0xf8) != mask;
            wrong |= (icc_read(ICC_BPR1) != lowest) << 1;
            wrong |= ((icc_read(ICC_CTLR) >> 1 & 1) != split) << 2;
            wrong |= ((icc_read(ICC_SRE) & 1) != 1) << 3;
        } else {
            wrong |= (mmio_read32(GICC_BASE + GICC_PMR) & 0xf8) != mask;
            wrong |= (mmio_read32(GICC_BASE + GICC_BPR) != lowest - 1) << 1;
            wrong |= ((mmio_read32(GICC_BASE + GICC_CTLR) >> 9 & 1) != split) << 2;
        }
    }
    report("gic.interface_kept", !wrong, "0x%x", wrong);
    gic_split_eoi(false);
    gic_wipe();
}

TEST_CASE("gic.interface", 1, case_gic_interface);

/* All registers at once: how many there are follows from the bits of priority. */
static bool has_active_priority(void)
{
    uint32_t any = 0;

    if (gic_version == 3)
        return icc_read(ICC_AP1R0) != 0;
    for (unsigned i = 0; i < 4; i++)
        any |= mmio_read32(GICC_BASE + GICC_APR0 + 4 * i);
    return any != 0;
}

/* Active priorities: what is acknowledged shows, what ended is gone, and what is written blocks. */
static void case_gic_active_priorities(void)
{
    uint32_t ack, got;
    bool during, after;

    gic_wipe();
    spi_ready(SPI, 0x80);
    gic_set_pending(SPI);
    acknowledge(&ack);
    during = has_active_priority();
    gic_eoi(ack);
    after = has_active_priority();
    report("gic.apr", during && !after, "%d then %d", during, after);
    if (gic_version == 3) {
        icc_write(ICC_AP1R0, 1u << (0x40 >> 3));
        gic_set_pending(SPI);
        got = take();
        report("gic.apr_written", got == GIC_SPURIOUS && gic_running_priority() == 0x40,
               "INTID %u RPR 0x%x", got, gic_running_priority());
        icc_write(ICC_AP1R0, 0);
        got = take();
        report("gic.apr_cleared", got == SPI && quiet(), "INTID %u", got);
        uint64_t wide = icc_read(ICC_CTLR);
        icc_write(ICC_CTLR, ~0ul);
        got = (uint32_t)icc_read(ICC_CTLR);
        report("gic.icc_ctlr", (got ^ wide) == 3 && (got >> 8 & 7) >= 4 && (got >> 11 & 7) <= 1,
               "0x%lx then 0x%x", wide, got);
        icc_write(ICC_CTLR, 0);
    }
    gic_wipe();
}

TEST_CASE("gic.active_priorities", 1, case_gic_active_priorities);
