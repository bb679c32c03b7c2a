// SPDX-License-Identifier: Apache-2.0
// What the CPU interface keeps out, by group or by priority, keeps nothing else out, however much of it is pending.
#include "gic_case.h"

#define CLOSED 24u /* more than list registers */
#define OPEN (SPI + CLOSED)

static volatile uint32_t irqs, fiqs, others;

static void on_open(uint32_t intid)
{
    irqs += intid == OPEN;
    others += intid != OPEN;
}

/* The shared interrupts and SGIs of the group that is closed are more urgent than the one of the open group. */
static void pend_closed(bool group1)
{
    for (uint32_t i = 0; i < CLOSED; i++) {
        gic_set_group1(SPI + i, group1);
        spi_ready(SPI + i, (uint8_t)(0x20 + i % 4 * 8));
        gic_set_pending(SPI + i);
    }
}

static void wait_open(void)
{
    uint64_t end = timer_now() + timer_us(100000);

    irq_set_handler(OPEN, on_open);
    irq_enable();
    while (!irqs && timer_now() < end)
        relax();
    irq_disable();
}

static uint32_t take_group(unsigned group)
{
    uint32_t intid = (uint32_t)(group ? icc_read(ICC_IAR1) : icc_read(ICC_IAR0));

    if (intid >= GIC_SPURIOUS)
        return GIC_SPURIOUS;
    if (group)
        icc_write(ICC_EOIR1, intid);
    else
        icc_write(ICC_EOIR0, intid);
    return intid;
}

static void enable_group(unsigned group, bool open)
{
    if (group)
        icc_write(ICC_IGRPEN1, open);
    else
        icc_write(ICC_IGRPEN0, open);
}

/* All that was closed comes once it is not, each once. */
static unsigned take_closed(unsigned group)
{
    uint64_t seen = 0;
    unsigned wrong = 0;

    for (unsigned i = 0; i < CLOSED; i++) {
        uint32_t intid = take_group(group);

        if (intid < SPI || intid >= OPEN || (seen & 1ul << (intid - SPI)))
            wrong++;
        else
            seen |= 1ul << (intid - SPI);
    }
    return wrong + (take_group(group) != GIC_SPURIOUS);
}

/* While they fill all there is. Not for group 0: QEMU 7.2 tells a hypervisor that is closed when group 1 is. */
static void check_closing(unsigned closed)
{
    uint32_t first, second;

    enable_group(closed, false);
    first = take_group(!closed);
    second = take_group(!closed);
    report("gic.closing_group", first == OPEN && second == GIC_SPURIOUS, "%u %u", first, second);
    enable_group(closed, true);
}

static void check_group(unsigned closed)
{
    unsigned open = !closed;
    uint32_t first, second, third;

    gic_wipe();
    icc_write(ICC_IGRPEN0, 1);
    enable_group(closed, false);
    pend_closed(closed);
    gic_set_group1(OPEN, open);
    spi_ready(OPEN, 0xa0);
    gic_set_pending(OPEN);
    first = take_group(open);
    second = take_group(closed);
    enable_group(closed, true);
    gic_set_pending(OPEN);
    third = take_group(open); /* less urgent than those that are open now */
    report("gic.closed_group", first == OPEN && second == GIC_SPURIOUS && third == GIC_SPURIOUS,
           "group %u closed: %u %u, open: %u", closed, first, second, third);
    if (closed)
        check_closing(closed);
    first = take_closed(closed);
    second = take_group(open);
    report("gic.opened_group", !first && second == (closed ? GIC_SPURIOUS : OPEN) && quiet(),
           "group %u: %u wrong, %u", closed, first, second);
}

static void on_fiq(void)
{
    uint32_t intid = take_group(0);

    fiqs += intid >= SPI && intid < OPEN;
    others += intid < SPI || intid >= OPEN;
}

/* The same by signals, which nobody polls for. */
static void check_signals(void)
{
    uint64_t end = timer_now() + timer_us(500000);

    gic_wipe();
    irqs = fiqs = others = 0;
    pend_closed(false);
    gic_set_group1(OPEN, true);
    spi_ready(OPEN, 0xa0);
    gic_set_pending(OPEN);
    wait_open();
    report("gic.closed_signal", irqs == 1 && !others, "%u, others %u", irqs, others);
    fiq_handler = on_fiq;
    icc_write(ICC_IGRPEN0, 1);
    __asm__ volatile("msr daifclr, #1\n\tisb" ::: "memory");
    while (fiqs < CLOSED && timer_now() < end)
        relax();
    __asm__ volatile("msr daifset, #1" ::: "memory");
    fiq_handler = NULL;
    report("gic.opened_signal", fiqs == CLOSED && !others, "%u, others %u", fiqs, others);
}

/*
 * A GICv3's CPU interface gives back what is of a closed group, so that the next best can come (IHI 0069, 4.7). A GICv2's may
 * well hide what is less urgent.
 */
static void case_gic_closed_group(void)
{
    if (gic_version != 3) {
        report_skip("gic.closed_group", "a GICv2's most urgent interrupt hides others");
        return;
    }
    if (qemu_is_wrong("gic.closed_group",
                      "QEMU's most urgent interrupt of a closed group hides others"))
        return;
    check_group(0);
    check_group(1);
    check_signals();
    gic_wipe();
}

TEST_CASE("gic.closed_group", 1, case_gic_closed_group);

/* Less urgent ones of a closed group; then that is opened, and all of them come. */
static void case_gic_closed_less_urgent(void)
{
    unsigned closed = gic_version == 3 ? 0 : 1, wrong = 0;
    uint32_t got;

    gic_wipe();
    mmio_write32(GICD_BASE + GICD_CTLR, gic_version == 3 ? 0x13 : 3);
    pend_closed(closed);
    gic_set_group1(OPEN, !closed);
    spi_ready(OPEN, 0x10);
    irqs = others = 0;
    gic_set_pending(OPEN);
    wait_open();
    report("gic.closed_less_urgent", irqs == 1 && !others, "%u, others %u", irqs, others);
    if (gic_version == 2)
        mmio_write32(GICC_BASE + GICC_CTLR, GICC_CTLR_GROUP0 | GICC_CTLR_GROUP1 | GICC_CTLR_ACKCTL);
    else
        icc_write(ICC_IGRPEN0, 1);
    for (unsigned i = 0; i < CLOSED; i++) {
        got = gic_version == 3 ? take_group(0) : take();
        wrong += got < SPI || got >= OPEN || gic_get_priority(got) != 0x20 + i / (CLOSED / 4) * 8;
    }
    report("gic.closed_then_open", !wrong && quiet(), "%u wrong", wrong);
    gic_wipe();
}

TEST_CASE("gic.closed_less_urgent", 1, case_gic_closed_less_urgent);

/* More than list registers below the priority mask; what is above it comes, the others when the mask opens. */
static void case_gic_closed_priority(void)
{
    unsigned wrong = 0;
    uint32_t got, again;

    gic_wipe();
    gic_set_mask(0x80);
    for (uint32_t i = 0; i < CLOSED; i++) {
        spi_ready(SPI + i, 0x80);
        gic_set_pending(SPI + i);
    }
    spi_ready(OPEN, 0x78);
    gic_set_pending(OPEN);
    got = take();
    gic_send_sgi(3, this_cpu()->index);
    gic_set_priority(3, 0x70);
    again = take();
    report("gic.masked_many", got == OPEN && again == 3 && quiet(), "%u %u", got, again);
    gic_set_mask(0xff);
    for (unsigned i = 0; i < CLOSED; i++)
        wrong += take() - SPI >= CLOSED;
    report("gic.unmasked_many", !wrong && quiet(), "%u wrong", wrong);
    gic_wipe();
}

TEST_CASE("gic.closed_priority", 1, case_gic_closed_priority);
