// SPDX-License-Identifier: Apache-2.0
// A device's line as the source: level-sensitive and edge-triggered, raised and lowered while pending and while active.
#include "../device/uart.h"
#include "gic_case.h"

/* Nothing is printed meanwhile: that would move the line. */
static uint64_t failed;
static unsigned step;

static void check(bool ok)
{
    failed |= (uint64_t)!ok << step++;
}

static void verdict(const char *name)
{
    uart_write(UART_IMSC, 0);
    uart_write(UART_ICR, UART_INT_ALL);
    console_init();
    report(name, !failed, "steps 0x%lx", failed);
    failed = 0;
    step = 0;
}

/* From here on the mask alone moves the line. */
static void source_ready(bool edge)
{
    uart_wait_empty();
    uart_write(UART_IMSC, 0);
    uart_write(UART_LCRH, UART_LCRH_8BIT); /* no FIFO: a byte sent raises the interrupt */
    uart_write(UART_ICR, UART_INT_ALL);
    uart_write(UART_DR, '\n');
    uart_wait_empty();
    gic_disable(UART_INTID);
    gic_set_edge(UART_INTID, edge);
    gic_clear_pending(UART_INTID);
    gic_set_priority(UART_INTID, 0x80);
    gic_enable(UART_INTID);
}

static void set_line(bool high)
{
    uart_write(UART_IMSC, high ? UART_INT_TX : 0);
}

static bool is(bool pending, bool active)
{
    return gic_is_pending(UART_INTID) == pending && gic_is_active(UART_INTID) == active;
}

static void check_level_active(void)
{
    uint32_t ack;

    source_ready(false);
    set_line(true);
    check(acknowledge(&ack) == UART_INTID);
    check(is(true, true)); /* still asserted */
    set_line(false);
    check(is(false, true));
    gic_eoi(ack);
    check(is(false, false) && quiet());
    set_line(true);
    check(acknowledge(&ack) == UART_INTID);
    set_line(false);
    set_line(true); /* anew, while active */
    check(is(true, true) && quiet());
    gic_eoi(ack);
    check(acknowledge(&ack) == UART_INTID); /* as long as it is high */
    gic_eoi(ack);
    check(acknowledge(&ack) == UART_INTID);
    uart_write(UART_ICR, UART_INT_TX); /* the device ends it */
    check(is(false, true));
    gic_eoi(ack);
    check(is(false, false) && quiet());
    verdict("gic.line_active");
}

static void check_level_pending(void)
{
    uint32_t ack;

    source_ready(false);
    for (unsigned i = 0; i < 20; i++) { /* withdrawn in time, from wherever it is */
        set_line(true);
        set_line(false);
    }
    check(is(false, false) && quiet());
    set_line(true);
    gic_disable(UART_INTID);
    check(is(true, false) && quiet());
    set_line(false);
    check(is(false, false));
    set_line(true);
    gic_enable(UART_INTID);
    gic_clear_pending(UART_INTID);
    check(is(true, false)); /* the line is still high */
    check(acknowledge(&ack) == UART_INTID);
    gic_clear_pending(UART_INTID);
    check(is(true, true));
    gic_clear_active(UART_INTID);
    check(is(true, false));
    gic_eoi(ack);
    set_line(false);
    check(is(false, false) && quiet());
    verdict("gic.line_pending");
}

/* Pended by software as well: that stays when the line falls, and is gone with the acknowledge. */
static void check_level_latched(void)
{
    uint32_t ack;

    source_ready(false);
    gic_set_pending(UART_INTID);
    check(is(true, false) && take() == UART_INTID && quiet());
    set_line(true);
    gic_set_pending(UART_INTID);
    set_line(false);
    check(is(true, false));
    check(take() == UART_INTID && is(false, false) && quiet());
    set_line(true);
    check(acknowledge(&ack) == UART_INTID);
    gic_set_pending(UART_INTID);
    set_line(false);
    check(is(true, true));
    gic_eoi(ack);
    check(take() == UART_INTID && quiet());
    gic_set_pending(UART_INTID);
    gic_clear_pending(UART_INTID);
    check(is(false, false) && quiet());
    verdict("gic.line_latched");
}

static void check_edge(void)
{
    uint32_t ack;

    source_ready(true);
    set_line(true);
    set_line(false);
    check(is(true, false)); /* what was an edge stays */
    check(take() == UART_INTID && quiet());
    set_line(true);
    check(acknowledge(&ack) == UART_INTID);
    check(is(false, true)); /* high alone is nothing */
    gic_eoi(ack);
    check(quiet());
    set_line(false);
    set_line(true);
    check(acknowledge(&ack) == UART_INTID);
    set_line(false);
    set_line(true);
    check(is(true, true) && quiet());
    gic_eoi(ack);
    check(take() == UART_INTID && quiet());
    set_line(false);
    verdict("gic.line_edge");
}

static void case_gic_line(void)
{
    gic_wipe();
    check_level_active();
    check_level_pending();
    check_level_latched();
    check_edge();
    gic_wipe();
}

TEST_CASE("gic.line", 1, case_gic_line);

/* A flip while it is pending leaves that unknown (IHI 0069, 12.9.9), but nothing gets stuck, lost or comes for ever. */
static void case_gic_config_flips(void)
{
    uint32_t ack = 0, sgis = mmio_read32(gic_frame(0) + GICD_ICFGR);

    gic_wipe();
    for (unsigned i = 0; i < 64; i++) {
        bool acknowledged = false;

        source_ready(i & 1);
        set_line(i & 2);
        gic_set_edge(UART_INTID, !(i & 1)); /* pending, perhaps */
        if (i & 4)
            acknowledged = acknowledge(&ack) == UART_INTID;
        gic_set_edge(UART_INTID, i & 8); /* active, perhaps */
        set_line(i & 16);
        gic_set_edge(UART_INTID, i & 32);
        if (acknowledged)
            gic_eoi(ack);
        set_line(false);
        gic_clear_pending(UART_INTID);
        bool idle = is(false, false) && quiet();
        set_line(true);
        bool came = take() == UART_INTID;
        set_line(false);
        failed |= (uint64_t) !(idle && came && is(false, false) && quiet()) << i;
    }
    verdict("gic.config_flips");
    for (unsigned i = 0; i < 2; i++)
        mmio_write32(gic_frame(0) + GICD_ICFGR, i ? 0 : ~0u);
    report("gic.config_sgis", sgis == 0xaaaaaaaa && mmio_read32(gic_frame(0) + GICD_ICFGR) == sgis,
           "0x%x then 0x%x", sgis, mmio_read32(gic_frame(0) + GICD_ICFGR));
    gic_wipe();
}

TEST_CASE("gic.config_flips", 1, case_gic_config_flips);
