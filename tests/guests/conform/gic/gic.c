// SPDX-License-Identifier: Apache-2.0
// Interrupt controller: identification, enable, pending, active, priorities, more interrupts than list registers.
#include "../conform.h"

#define SPI 50
#define SPI_COUNT 12 /* SPI .. SPI + 11 */

static volatile uint32_t counts[SPI + SPI_COUNT];

static void on_irq(uint32_t intid)
{
    counts[intid]++;
}

static void reset_spi(uint32_t intid)
{
    gic_disable(intid);
    gic_set_edge(intid, true);
    gic_clear_pending(intid);
    gic_set_priority(intid, 0xa0);
    irq_set_handler(intid, on_irq);
    counts[intid] = 0;
}

static void open_irqs(uint64_t us)
{
    uint64_t end = timer_now() + timer_us(us);

    irq_enable();
    while (timer_now() < end)
        relax();
    irq_disable();
}

static void check_identification(void)
{
    uint32_t typer = mmio_read32(GICD_BASE + GICD_TYPER);
    uint32_t pidr2 = mmio_read32(GICD_BASE + (gic_version == 3 ? 0xffe8 : 0xfe8)) >> 4 & 15;

    report("gic.typer", (typer & 31) >= 1, "0x%x", typer);
    report("gic.version", gic_version == 3 ? pidr2 == 3 || pidr2 == 4 : pidr2 == 2, "PIDR2 %u",
           pidr2);
    if (gic_version == 2)
        report("gic.typer_cpus", (typer >> 5 & 7) + 1 == boot_info.cpu_count, "0x%x", typer);
    report("gic.ctlr", mmio_read32(GICD_BASE + GICD_CTLR) & 3, "0x%x",
           mmio_read32(GICD_BASE + GICD_CTLR));
}

static void check_registers(void)
{
    reset_spi(SPI);
    gic_enable(SPI);
    bool on = gic_is_enabled(SPI);
    gic_disable(SPI);
    report("gic.enable", on && !gic_is_enabled(SPI), "on %d", on);
    gic_set_pending(SPI);
    bool pending = gic_is_pending(SPI);
    gic_clear_pending(SPI);
    report("gic.pending", pending && !gic_is_pending(SPI), "pending %d", pending);
    gic_set_priority(SPI, 0x58);
    report("gic.priority", gic_get_priority(SPI) == 0x58, "0x%x", gic_get_priority(SPI));
    report("gic.private", mmio_read32(gic_frame(0) + GICD_ISENABLER) >> 16 == 0, "0x%x",
           mmio_read32(gic_frame(0) + GICD_ISENABLER));
}

static void check_delivery(void)
{
    reset_spi(SPI);
    gic_set_pending(SPI);
    open_irqs(2000);
    report("gic.disabled", counts[SPI] == 0 && gic_is_pending(SPI), "taken %u", counts[SPI]);
    gic_enable(SPI);
    open_irqs(2000);
    report("gic.delivered", counts[SPI] == 1 && !gic_is_pending(SPI), "taken %u", counts[SPI]);
    reset_spi(SPI);
    gic_enable(SPI);
    gic_set_pending(SPI);
    gic_disable(SPI);
    uint32_t ack = gic_intid(gic_ack());
    report("gic.withdrawn", ack >= GIC_SPURIOUS, "INTID %u", ack);
    gic_enable(SPI);
    open_irqs(2000);
    report("gic.after_enable", counts[SPI] == 1, "taken %u", counts[SPI]);
}

static void check_active(void)
{
    reset_spi(SPI);
    gic_enable(SPI);
    gic_set_pending(SPI);
    uint32_t ack = gic_ack();
    report("gic.ack", gic_intid(ack) == SPI, "INTID %u", gic_intid(ack));
    report("gic.active", gic_is_active(SPI) && !gic_is_pending(SPI), "active %d pending %d",
           gic_is_active(SPI), gic_is_pending(SPI));
    gic_set_pending(SPI);
    report("gic.active_pending", gic_is_active(SPI) && gic_is_pending(SPI), "active %d pending %d",
           gic_is_active(SPI), gic_is_pending(SPI));
    uint32_t second = gic_intid(gic_ack());
    report("gic.not_nested", second >= GIC_SPURIOUS, "INTID %u", second);
    gic_eoi(ack);
    ack = gic_ack();
    report("gic.again", gic_intid(ack) == SPI, "INTID %u", gic_intid(ack));
    gic_eoi(ack);
    report("gic.idle", !gic_is_active(SPI) && !gic_is_pending(SPI), "active %d pending %d",
           gic_is_active(SPI), gic_is_pending(SPI));
}

static void case_gic(void)
{
    check_identification();
    check_registers();
    check_delivery();
    check_active();
    reset_spi(SPI);
}

TEST_CASE("gic.basic", 1, case_gic);

static void case_gic_order(void)
{
    static const uint8_t priorities[] = {0xa0, 0x40, 0xc0, 0x80};
    uint32_t acks[4], got;

    for (unsigned i = 0; i < 4; i++) {
        reset_spi(SPI + i);
        gic_set_priority(SPI + i, priorities[i]);
        gic_enable(SPI + i);
        gic_set_pending(SPI + i);
    }
    gic_set_mask(0x40);
    got = gic_intid(gic_ack());
    report("gic.masked", got >= GIC_SPURIOUS, "INTID %u", got);
    gic_set_mask(0x48);
    acks[0] = gic_ack();
    report("gic.first", gic_intid(acks[0]) == SPI + 1, "INTID %u", gic_intid(acks[0]));
    gic_set_mask(0xff);
    got = gic_intid(gic_ack());
    report("gic.running_priority", got >= GIC_SPURIOUS, "INTID %u", got);
    gic_eoi(acks[0]);
    for (unsigned i = 1; i < 4; i++) {
        acks[i] = gic_ack();
        gic_eoi(acks[i]);
    }
    report("gic.order",
           gic_intid(acks[1]) == SPI + 3 && gic_intid(acks[2]) == SPI &&
               gic_intid(acks[3]) == SPI + 2,
           "%u %u %u", gic_intid(acks[1]), gic_intid(acks[2]), gic_intid(acks[3]));
    acks[0] = 0;
    gic_set_pending(SPI + 2); /* 0xc0, then preempted by 0x40 */
    acks[0] = gic_ack();
    gic_set_pending(SPI + 1);
    acks[1] = gic_ack();
    report("gic.preempts", gic_intid(acks[0]) == SPI + 2 && gic_intid(acks[1]) == SPI + 1, "%u %u",
           gic_intid(acks[0]), gic_intid(acks[1]));
    gic_eoi(acks[1]);
    gic_eoi(acks[0]);
    for (unsigned i = 0; i < 4; i++)
        reset_spi(SPI + i);
}

TEST_CASE("gic.order", 1, case_gic_order);

static void case_gic_many(void)
{
    unsigned total = SPI_COUNT + 16, wrong = 0, order = 0;
    uint8_t last = 0;

    for (unsigned i = 0; i < SPI_COUNT; i++) {
        reset_spi(SPI + i);
        gic_set_priority(SPI + i, (uint8_t)(0x20 + (i * 5 % SPI_COUNT) * 8));
        gic_enable(SPI + i);
        gic_set_pending(SPI + i);
    }
    for (unsigned i = 0; i < 16; i++) {
        counts[i] = 0;
        gic_send_sgi(i, 0);
    }
    for (unsigned i = 0; i < total; i++) {
        uint32_t ack = gic_ack(), intid = gic_intid(ack);

        if (intid >= SPI + SPI_COUNT) {
            wrong++;
            break;
        }
        order += gic_get_priority(intid) < last;
        last = gic_get_priority(intid);
        counts[intid]++;
        gic_eoi(ack);
    }
    for (unsigned i = 0; i < 16; i++)
        wrong += counts[i] != 1;
    for (unsigned i = 0; i < SPI_COUNT; i++)
        wrong += counts[SPI + i] != 1;
    report("gic.many", !wrong && !order, "%u not exactly once, %u out of order", wrong, order);
    uint32_t rest = gic_intid(gic_ack());
    report("gic.many_done", rest >= GIC_SPURIOUS, "INTID %u", rest);
    for (unsigned i = 0; i < SPI_COUNT; i++)
        reset_spi(SPI + i);
}

TEST_CASE("gic.many", 1, case_gic_many);

static void case_sgi(void)
{
    unsigned wrong = 0;

    for (unsigned i = 0; i < 16; i++) {
        irq_set_handler(i, on_irq);
        counts[i] = 0;
    }
    irq_enable();
    for (unsigned i = 0; i < 16; i++) {
        gic_send_sgi(i, 0);
        if (!timer_wait(&counts[i], 1, 500))
            wrong++;
    }
    irq_disable();
    for (unsigned i = 0; i < 16; i++)
        wrong += counts[i] != 1;
    report("sgi.self", !wrong, "%u wrong", wrong);
    counts[3] = 0;
    gic_send_sgi(3, 0);
    gic_send_sgi(3, 0);
    open_irqs(2000);
    report("sgi.coalesced", counts[3] == 1, "%u", counts[3]);
    counts[4] = 0;
    gic_send_sgi_others(4);
    open_irqs(2000);
    report("sgi.others_not_self", counts[4] == 0, "%u", counts[4]);
}

TEST_CASE("gic.sgi", 1, case_sgi);
