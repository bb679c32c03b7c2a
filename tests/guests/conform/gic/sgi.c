// SPDX-License-Identifier: Apache-2.0
// Software-generated interrupts: to self, to lists, to all others, to affinities that do not exist, by group, in storms.
#include "gic_case.h"

static uint64_t take_here(uint64_t arg)
{
    (void)arg;
    return take();
}

static uint64_t drain(uint64_t arg)
{
    uint64_t seen = 0;

    (void)arg;
    for (unsigned i = 0; i < 64; i++) {
        uint32_t intid = take();

        if (intid == GIC_SPURIOUS)
            break;
        seen += intid < 16 ? 1ul << 4 * intid : 0;
    }
    return seen;
}

static void case_gic_sgi(void)
{
    unsigned wrong = 0;

    gic_wipe();
    for (unsigned i = 0; i < 16; i++) {
        gic_send_sgi(i, 0);
        wrong += take() != i || !quiet();
    }
    report("sgi.self", !wrong, "%u wrong", wrong);
    gic_send_sgi(3, 0);
    gic_send_sgi(3, 0);
    report("sgi.coalesced", take() == 3 && quiet(), "not once");
    gic_send_sgi_others(4);
    report("sgi.others_not_self", quiet(), "came");
    if (gic_version == 2) {
        mmio_write32(GICD_BASE + GICD_SGIR, 2u << 24 | 0xff << 16 | 5);
        report("sgi.filter_self", take() == 5 && quiet(), "not once");
        if (!qemu_is_wrong("sgi.filter_reserved", "QEMU's GICv2 sends it to all")) {
            mmio_write32(GICD_BASE + GICD_SGIR, 3u << 24 | 0xff << 16 | 6);
            report("sgi.filter_reserved", quiet(), "came");
        }
    }
    gic_wipe();
}

TEST_CASE("gic.sgi", 1, case_gic_sgi);

/* Affinities, ranges and reserved bits of the three system registers. */
static void case_gic_sgi_corners(void)
{
    static const uint64_t absent[] = {1ul << 16,    0xfful << 16, 1ul << 32,
                                      0xfful << 32, 1ul << 48,    0xfful << 48};
    unsigned wrong = 0;

    if (gic_version != 3)
        return;
    gic_wipe();
    for (unsigned i = 0; i < sizeof(absent) / sizeof(absent[0]); i++)
        icc_write(ICC_SGI1R, absent[i] | 3u << 24 | 0xffff);
    for (uint64_t range = 1; range < 16 && icc_read(ICC_CTLR) & ICC_CTLR_RSS; range++)
        icc_write(ICC_SGI1R, range << 44 | 3u << 24 | 0xffff);
    icc_write(ICC_SGI1R, 3u << 24); /* nobody */
    report("sgi.absent", quiet(), "came");
    icc_write(ICC_SGI1R, 1ul << 40 | 3u << 24 | 1);
    report("sgi.irm_not_self", quiet(), "came");
    icc_write(ICC_SGI0R, 3u << 24 | 1);
    icc_write(ICC_ASGI1R, 3u << 24 | 1);
    report("sgi.group_differs", quiet() && !gic_is_pending(3), "an SGI of the other group");
    gic_set_group1(3, false);
    icc_write(ICC_IGRPEN0, 1);
    icc_write(ICC_SGI0R, 3u << 24 | 1);
    wrong = (uint32_t)icc_read(ICC_IAR0);
    if (wrong == 3)
        icc_write(ICC_EOIR0, wrong);
    report("sgi.group0", wrong == 3, "INTID %u", wrong);
    gic_wipe();
}

TEST_CASE("gic.sgi_corners", 1, case_gic_sgi_corners);

/* All send to all others, with interrupts masked: what came is pending once for each number. */
static uint64_t storm(uint64_t rounds)
{
    for (uint64_t i = 0; i < rounds; i++)
        gic_send_sgi_others(i % 4);
    return 0;
}

static void case_gic_sgi_storm(void)
{
    unsigned missing = 0, count = boot_info.cpu_count;

    gic_wipe();
    if (servants_start("sgi.storm", count)) {
        storm(boot_number("storm", 200));
        for (unsigned cpu = 1; cpu < count; cpu++)
            on_cpu(cpu, storm, boot_number("storm", 200));
        for (unsigned cpu = 0; cpu < count; cpu++) {
            uint64_t seen = cpu ? on_cpu(cpu, drain, 0) : drain(0);

            for (unsigned i = 0; i < 4; i++) {
                unsigned n = seen >> 4 * i & 15; /* a GICv2 keeps one for each source */

                missing += n < 1 || n > (gic_version == 2 ? count - 1 : 1);
            }
        }
        report("sgi.storm", !missing, "%u lost or too many", missing);
        gic_send_sgi(7, 1);
        uint64_t got = on_cpu(1, take_here, 0);
        report("sgi.after_storm", got == 7, "INTID %lu", got);
    }
    servants_stop();
    gic_wipe();
}

TEST_CASE("gic.sgi_storm", 2, case_gic_sgi_storm);

/* Pending on another CPU, in its list register: taken back, and moved, by this one. */
static void case_gic_moved(void)
{
    if (gic_version == 2 &&
        qemu_is_wrong("gic.moved", "QEMU's GICv2 loses a pending interrupt that is routed anew"))
        return;
    gic_wipe();
    if (servants_start("gic.moved", 2)) {
        spi_ready(SPI, 0x80);
        gic_route(SPI, 1);
        gic_set_pending(SPI);
        gic_clear_pending(SPI);
        uint64_t got = on_cpu(1, take_here, 0);
        report("gic.taken_back", got == GIC_SPURIOUS, "INTID %lu", got);
        gic_set_pending(SPI);
        gic_route(SPI, 0);
        uint64_t end = timer_now() + timer_us(500000);
        uint32_t here;
        while ((here = take()) == GIC_SPURIOUS && timer_now() < end)
            relax();
        got = on_cpu(1, take_here, 0);
        report("gic.moved", here == SPI && got == GIC_SPURIOUS, "here %u there %lu", here, got);
    }
    servants_stop();
    gic_wipe();
}

TEST_CASE("gic.moved", 2, case_gic_moved);

/* Routed to a CPU that does not exist: it waits until it is routed to one that does. */
static void case_gic_nowhere(void)
{
    gic_wipe();
    spi_ready(SPI, 0x80);
    if (gic_version == 3) {
        mmio_write64(GICD_BASE + GICD_IROUTER + SPI * 8, 0x00fffefd);
        gic_set_pending(SPI);
        report("gic.nowhere", quiet() && gic_is_pending(SPI), "pending %d", gic_is_pending(SPI));
        gic_route(SPI, 0);
        uint32_t got = take();
        report("gic.found", got == SPI && quiet(), "INTID %u", got);
    } else if (boot_info.cpu_count > 1 &&
               !qemu_is_wrong("gic.nowhere", "QEMU's GICv2 forgets what has no target")) {
        mmio_write8(GICD_BASE + GICD_ITARGETSR + SPI, 0);
        gic_set_pending(SPI);
        report("gic.nowhere", quiet() && gic_is_pending(SPI), "pending %d", gic_is_pending(SPI));
        gic_route(SPI, 0);
        uint32_t got = take();
        report("gic.found", got == SPI && quiet(), "INTID %u", got);
    }
    gic_wipe();
}

TEST_CASE("gic.nowhere", 1, case_gic_nowhere);
