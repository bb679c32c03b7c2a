// SPDX-License-Identifier: Apache-2.0
// Enable, pending and active: what software sets and clears, and what of it the CPU interface says.
#include "gic_case.h"

static volatile uint32_t counts[SPI + SPI_COUNT];

static void on_irq(uint32_t intid)
{
    counts[intid]++;
}

static void open_irqs(uint64_t us)
{
    uint64_t end = timer_now() + timer_us(us);

    irq_enable();
    while (timer_now() < end)
        relax();
    irq_disable();
}

static void check_bits(void)
{
    gic_enable(SPI);
    bool on = gic_is_enabled(SPI);
    gic_disable(SPI);
    report("gic.enable", on && !gic_is_enabled(SPI), "on %d", on);
    gic_set_pending(SPI);
    bool pending = gic_is_pending(SPI);
    gic_clear_pending(SPI);
    report("gic.pending", pending && !gic_is_pending(SPI), "pending %d", pending);
    gic_set_active(SPI);
    bool active = gic_is_active(SPI);
    gic_clear_active(SPI);
    report("gic.active_set", active && !gic_is_active(SPI), "active %d", active);
    gic_set_priority(SPI, 0x58);
    report("gic.priority", gic_get_priority(SPI) == 0x58, "0x%x", gic_get_priority(SPI));
}

static void check_delivery(void)
{
    irq_set_handler(SPI, on_irq);
    counts[SPI] = 0;
    gic_set_edge(SPI, true);
    gic_set_pending(SPI);
    open_irqs(1000);
    report("gic.disabled", counts[SPI] == 0 && gic_is_pending(SPI), "taken %u", counts[SPI]);
    gic_enable(SPI);
    open_irqs(1000);
    report("gic.delivered", counts[SPI] == 1 && !gic_is_pending(SPI), "taken %u", counts[SPI]);
    gic_set_pending(SPI);
    gic_disable(SPI);
    uint32_t got = take();
    report("gic.withdrawn", got == GIC_SPURIOUS, "INTID %u", got);
    gic_enable(SPI);
    open_irqs(1000);
    report("gic.after_enable", counts[SPI] == 2, "taken %u", counts[SPI]);
}

static void check_active(void)
{
    uint32_t ack, got;

    gic_set_pending(SPI);
    got = acknowledge(&ack);
    report("gic.ack", got == SPI, "INTID %u", got);
    report("gic.active", gic_is_active(SPI) && !gic_is_pending(SPI), "active %d pending %d",
           gic_is_active(SPI), gic_is_pending(SPI));
    gic_set_pending(SPI);
    report("gic.active_pending", gic_is_active(SPI) && gic_is_pending(SPI), "active %d pending %d",
           gic_is_active(SPI), gic_is_pending(SPI));
    got = take();
    report("gic.not_nested", got == GIC_SPURIOUS, "INTID %u", got);
    gic_eoi(ack);
    got = take();
    report("gic.again", got == SPI, "INTID %u", got);
    report("gic.idle", !gic_is_active(SPI) && !gic_is_pending(SPI), "active %d pending %d",
           gic_is_active(SPI), gic_is_pending(SPI));
}

static void case_gic_basic(void)
{
    gic_wipe();
    check_bits();
    check_delivery();
    check_active();
    gic_wipe();
}

TEST_CASE("gic.basic", 1, case_gic_basic);

/* Disabled while pending, while active and while both; then raised again. */
static void case_gic_disable(void)
{
    uint32_t ack, got;

    gic_wipe();
    spi_ready(SPI, 0xa0);
    gic_set_pending(SPI);
    acknowledge(&ack);
    gic_disable(SPI);
    report("gic.disable_active", gic_is_active(SPI), "not active");
    gic_set_pending(SPI);
    report("gic.disable_both", gic_is_active(SPI) && gic_is_pending(SPI), "active %d pending %d",
           gic_is_active(SPI), gic_is_pending(SPI));
    gic_eoi(ack);
    got = take();
    report("gic.disable_held", got == GIC_SPURIOUS && gic_is_pending(SPI), "INTID %u pending %d",
           got, gic_is_pending(SPI));
    gic_enable(SPI);
    got = take();
    report("gic.disable_once", got == SPI && quiet(), "INTID %u", got);
    for (unsigned i = 0; i < 50; i++) { /* each time it may be in a list register, or not any more */
        gic_set_pending(SPI);
        gic_disable(SPI);
        gic_set_pending(SPI);
        gic_enable(SPI);
    }
    got = take();
    report("gic.disable_flips", got == SPI && quiet(), "INTID %u", got);
    gic_wipe();
}

TEST_CASE("gic.disable", 1, case_gic_disable);

/* An interrupt that software made active is not delivered before software made it inactive. */
static void case_gic_active_by_hand(void)
{
    uint32_t got, ack;

    gic_wipe();
    spi_ready(SPI, 0xa0);
    gic_set_active(SPI);
    gic_set_pending(SPI);
    got = take();
    report("gic.held_by_active", got == GIC_SPURIOUS && gic_is_pending(SPI), "INTID %u", got);
    gic_clear_active(SPI);
    got = take();
    report("gic.freed_by_inactive", got == SPI && quiet(), "INTID %u", got);
    gic_set_pending(SPI);
    acknowledge(&ack);
    gic_clear_active(SPI);
    report("gic.inactive_before_eoi", !gic_is_active(SPI), "active");
    gic_eoi(ack); /* drops the running priority, though nothing is active any more */
    gic_set_pending(SPI);
    got = take();
    report("gic.inactive_then_again", got == SPI && quiet(), "INTID %u", got);
    gic_wipe();
}

TEST_CASE("gic.active_by_hand", 1, case_gic_active_by_hand);

/* Private peripheral interrupts, among them those of the timers and of a hypervisor: software makes them pending. */
static void case_gic_ppi(void)
{
    static const uint8_t ppis[] = {16, 22, 25, 26, 27, 28, 29, 30, 31};
    unsigned wrong = 0;

    if (gic_version == 2 && boot_info.cpu_count > 1 &&
        qemu_is_wrong("gic.ppi", "QEMU's GICv2 gives PPIs that software pends no target"))
        return;
    gic_wipe();
    for (unsigned i = 0; i < sizeof(ppis); i++) {
        gic_enable(ppis[i]);
        gic_set_pending(ppis[i]);
        uint32_t got = take();
        wrong += got != ppis[i] || gic_is_pending(ppis[i]) || gic_is_active(ppis[i]) || !quiet();
        gic_set_pending(ppis[i]);
        gic_clear_pending(ppis[i]);
        wrong += gic_is_pending(ppis[i]) || !quiet();
        gic_set_active(ppis[i]);
        wrong += !gic_is_active(ppis[i]);
        gic_clear_active(ppis[i]);
        wrong += gic_is_active(ppis[i]);
        gic_disable(ppis[i]);
    }
    report("gic.ppi_pended", !wrong, "%u wrong", wrong);
    irq_set_handler(TIMER_VIRT_INTID, on_irq);
    counts[TIMER_VIRT_INTID] = 0;
    gic_set_pending(TIMER_VIRT_INTID);
    gic_enable(TIMER_VIRT_INTID);
    open_irqs(500);
    report("gic.ppi_timer_pended", counts[TIMER_VIRT_INTID] == 1, "%u", counts[TIMER_VIRT_INTID]);
    timer_start(false, 100);
    uint64_t end = timer_now() + timer_us(500000);
    uint32_t ack, got;
    while ((got = acknowledge(&ack)) == GIC_SPURIOUS && timer_now() < end)
        relax();
    timer_stop(false);
    gic_eoi(ack);
    report("gic.ppi_timer_lives", got == TIMER_VIRT_INTID && quiet(), "INTID %u", got);
    gic_wipe();
}

TEST_CASE("gic.ppi", 1, case_gic_ppi);
