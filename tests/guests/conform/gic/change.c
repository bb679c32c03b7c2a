// SPDX-License-Identifier: Apache-2.0
// What another CPU changes of an interrupt that is pending, in a list register or active here.
#include "gic_case.h"

enum { PRIORITY, ENABLE, GROUP, ROUTE, ACTIVE, CHANGES };
#define ROUNDS 300

static uint32_t take_soon(void)
{
    uint64_t end = timer_now() + timer_us(500000);
    uint32_t intid;

    while ((intid = take()) == GIC_SPURIOUS && timer_now() < end)
        relax();
    return intid;
}

static uint64_t change(uint64_t what)
{
    if (what == PRIORITY) {
        gic_set_priority(SPI, 0x40);
        gic_set_priority(SPI, 0xc0);
    } else if (what == ENABLE) {
        gic_disable(SPI);
        gic_enable(SPI);
    } else if (what == GROUP) {
        gic_set_group1(SPI, gic_version == 2);
        gic_set_group1(SPI, gic_version == 3);
    } else if (what == ROUTE) {
        gic_route(SPI, 1);
        gic_route(SPI, 0);
    } else {
        gic_set_active(SPI);
        (void)gic_is_active(SPI);
        gic_clear_active(SPI);
    }
    return 0;
}

static volatile uint32_t finished, taken;

/* What is active does not come: then it is left alone until it has come. */
static uint64_t change_often(uint64_t what)
{
    uint64_t rounds = 0;

    for (; !finished; rounds++) {
        uint32_t before = taken;

        change(what);
        while (what == ACTIVE && taken == before && !finished)
            relax();
    }
    return rounds;
}

/* Each time it is pended it comes once, however it changes meanwhile. */
static unsigned race(uint64_t what)
{
    unsigned wrong = 0;

    spi_ready(SPI, 0x80);
    finished = 0;
    on_cpu_start(1, change_often, what);
    for (unsigned i = 0; i < ROUNDS && wrong < 3; i++) {
        gic_set_pending(SPI);
        wrong += take_soon() != SPI;
        taken++;
        wrong += !quiet();
    }
    finished = 1;
    wrong += on_cpu_result(1) == ~0ul;
    return wrong + !quiet();
}

static uint64_t take_there(uint64_t arg)
{
    (void)arg;
    return take();
}

/* Active here: no change delivers it once more before its end, here or there; then what was pended meanwhile comes once. */
static unsigned change_active(uint64_t what)
{
    uint32_t ack;
    unsigned wrong;

    spi_ready(SPI, 0x80);
    gic_set_pending(SPI);
    wrong = acknowledge(&ack) != SPI;
    on_cpu(1, change, what);
    gic_set_pending(SPI);
    on_cpu(1, change, what);
    wrong |= !quiet() << 1;
    wrong |= (what != ACTIVE && !gic_is_active(SPI)) << 2;
    wrong |= !gic_is_pending(SPI) << 3;
    wrong |= (on_cpu(1, take_there, 0) != GIC_SPURIOUS) << 4;
    gic_eoi(ack);
    wrong |= (take_soon() != SPI) << 5;
    return wrong | !quiet() << 6 | gic_is_active(SPI) << 7;
}

static bool is_wrong_on(uint64_t what)
{
    return !boot_is_guest() && gic_version == 2 && what == ROUTE;
}

static void case_gic_change(void)
{
    static const char *const names[] = {"priority", "enable", "group", "route", "active"};

    gic_wipe();
    if (servants_start("gic.change", 2)) {
        for (uint64_t what = 0; what < CHANGES; what++) {
            unsigned raced, held;

            /* Where one register ends both groups, the end of one that was in the other is UNPREDICTABLE. */
            if (gic_version == 2 && what == GROUP)
                continue;
            if (is_wrong_on(what)) {
                report_skip("gic.change",
                            "QEMU's GICv2 loses a pending interrupt that is routed anew");
                continue;
            }
            raced = race(what);
            held = change_active(what);
            report("gic.change", !raced && !held, "%s: %u wrong, active: 0x%x", names[what], raced,
                   held);
        }
    }
    servants_stop();
    gic_wipe();
}

TEST_CASE("gic.change", 2, case_gic_change);

static uint64_t set_active(uint64_t active)
{
    if (active)
        gic_set_active(SPI);
    else
        gic_clear_active(SPI);
    return gic_is_active(SPI);
}

static uint64_t is_active(uint64_t arg)
{
    (void)arg;
    return gic_is_active(SPI);
}

/* The active state of an interrupt in a list register here, read and written there. */
static void case_gic_active_elsewhere(void)
{
    uint32_t ack, got;

    gic_wipe();
    if (servants_start("gic.active_elsewhere", 2)) {
        spi_ready(SPI, 0x80);
        gic_set_pending(SPI);
        acknowledge(&ack);
        uint64_t seen = on_cpu(1, is_active, 0), cleared = on_cpu(1, set_active, 0);
        report("gic.active_seen", seen == 1 && cleared == 0 && !gic_is_active(SPI), "%lu then %lu",
               seen, cleared);
        gic_set_pending(SPI);
        report("gic.active_running", quiet(), "came before the priority was dropped");
        gic_eoi(ack);
        got = take_soon();
        report("gic.active_cleared", got == SPI && quiet(), "INTID %u", got);
        gic_set_pending(SPI);
        seen = on_cpu(1, set_active, 1);
        got = take();
        report("gic.active_held", seen == 1 && got == GIC_SPURIOUS && gic_is_pending(SPI),
               "%lu INTID %u", seen, got);
        on_cpu(1, set_active, 0);
        got = take_soon();
        report("gic.active_freed", got == SPI && quiet(), "INTID %u", got);
    }
    servants_stop();
    gic_wipe();
}

TEST_CASE("gic.active_elsewhere", 2, case_gic_active_elsewhere);

/* GICv2: an SGI is pending once for each source, and each of these by itself. */
static uint64_t send_to_0(uint64_t intid)
{
    gic_send_sgi((uint32_t)intid, 0);
    return 0;
}

static uint32_t take_sgi(void)
{
    uint32_t ack = gic_ack();

    if (gic_intid(ack) < GIC_SPURIOUS)
        gic_eoi(ack);
    return ack;
}

static void check_sources(void)
{
    uint32_t first, second, third;

    mmio_write8(GICD_BASE + GICD_SPENDSGIR + 5, 3);
    first = mmio_read32(GICD_BASE + GICD_SPENDSGIR + 4);
    second = mmio_read32(GICD_BASE + GICD_CPENDSGIR + 4);
    report("sgi.sources", first == 0x300 && second == 0x300, "0x%x 0x%x", first, second);
    first = take_sgi();
    third = mmio_read8(GICD_BASE + GICD_SPENDSGIR + 5);
    second = take_sgi();
    report("sgi.source_each", (first ^ second) == 1u << 10 && (first & 0x3ff) == 5 && quiet(),
           "0x%x 0x%x", first, second);
    report("sgi.source_left", third == 1u << (second >> 10 & 7), "0x%x", third);
    mmio_write8(GICD_BASE + GICD_SPENDSGIR + 6, 3);
    mmio_write8(GICD_BASE + GICD_CPENDSGIR + 6, 1);
    first = take_sgi();
    report("sgi.source_cleared", first == (1u << 10 | 6) && quiet(), "0x%x", first);
    on_cpu(1, send_to_0, 7);
    on_cpu(1, send_to_0, 7);
    gic_send_sgi(7, 0);
    third = mmio_read8(GICD_BASE + GICD_SPENDSGIR + 7);
    first = take_sgi();
    second = take_sgi();
    report("sgi.source_sent", third == 3 && (first ^ second) == 1u << 10 && quiet(),
           "0x%x: 0x%x 0x%x", third, first, second);
    mmio_write32(GICD_BASE + GICD_SPENDSGIR + 8, 0x03030303);
    mmio_write32(GICD_BASE + GICD_CPENDSGIR + 8, ~0u);
    report("sgi.sources_gone", quiet() && !mmio_read32(GICD_BASE + GICD_SPENDSGIR + 8), "0x%x",
           mmio_read32(GICD_BASE + GICD_SPENDSGIR + 8));
}

static void case_gic_sgi_sources(void)
{
    if (gic_version != 2)
        return;
    gic_wipe();
    if (servants_start("sgi.sources", 2))
        check_sources();
    servants_stop();
    gic_wipe();
}

TEST_CASE("gic.sgi_sources", 2, case_gic_sgi_sources);
