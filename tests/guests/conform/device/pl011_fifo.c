// SPDX-License-Identifier: Apache-2.0
// PL011: FIFO depth, trigger levels, overrun, receive timeout, break and modem lines, all by its own loopback.
#include "uart.h"

#define TIMEOUT_US 500000 /* for the receive timeout: more than 32 bit times at any rate */

static bool has_loopback(void)
{
    uart_take(true);
    uart_write(UART_DR, 'L');
    uint64_t end = timer_now() + timer_us(10000);

    while (uart_read(UART_FR) & UART_FR_RXFE && timer_now() < end)
        relax();
    bool back = !(uart_read(UART_FR) & UART_FR_RXFE);
    uart_release();
    return back;
}

static bool skipped_bare(const char *name)
{
    if (boot_is_guest() || has_loopback())
        return false;
    report_skip(name, "QEMU's PL011 has no loopback");
    return true;
}

/* One character at a time, so that the transmit FIFO never holds any back. */
static void send(unsigned count, unsigned first)
{
    for (unsigned i = 0; i < count; i++) {
        uart_write(UART_DR, (first + i) & 0xff);
        uart_wait_empty();
    }
}

static uint32_t wait_raised(uint32_t bits)
{
    uint64_t end = timer_now() + timer_us(TIMEOUT_US);

    while (!(uart_read(UART_RIS) & bits) && timer_now() < end)
        relax();
    return uart_read(UART_RIS);
}

/* Places until the FIFO says full; what comes out is what went in, in order. */
static unsigned measure_depth(bool fifo, unsigned *wrong)
{
    unsigned depth = 0;

    uart_take(fifo);
    while (!(uart_read(UART_FR) & UART_FR_RXFF) && depth < 64)
        send(1, 0x40 + depth++);
    for (unsigned i = 0; i < depth; i++)
        *wrong += uart_read(UART_DR) != ((0x40 + i) & 0xff);
    *wrong += !(uart_read(UART_FR) & UART_FR_RXFE) || uart_read(UART_RIS) & UART_INT_OE;
    uart_release();
    return depth;
}

static void check_depth(void)
{
    unsigned wrong = 0;
    unsigned fifo = measure_depth(true, &wrong), single = measure_depth(false, &wrong);

    report("uart.depth", (fifo == UART_FIFO || fifo == 32) && single == 1 && !wrong,
           "%u with FIFO, %u without, %u wrong characters", fifo, single, wrong);
}

/* RXRIS comes with the character that reaches the level and goes with the one that leaves it. */
static void check_levels(void)
{
    static const uint8_t levels[] = {2, 4, 8, 12, 14};
    unsigned wrong = 0;

    for (unsigned i = 0; i < sizeof(levels); i++) {
        uart_take(true);
        uart_write(UART_IFLS, i << 3);
        send(levels[i] - 1u, 0);
        wrong += (uart_read(UART_RIS) & UART_INT_RX) != 0;
        send(1, 0);
        wrong += !(uart_read(UART_RIS) & UART_INT_RX);
        uart_read(UART_DR);
        wrong += (uart_read(UART_RIS) & UART_INT_RX) != 0;
        uart_release();
    }
    report("uart.levels", !wrong, "%u wrong", wrong);
}

/* DDI 0183, 2.4.2: the lost one is told at once by RSR and RIS, and by the next that the FIFO has room for. */
static void check_overrun(void)
{
    uint32_t early = 0, data = 0;

    uart_take(true);
    send(UART_FIFO, 0x20);
    uint32_t before = uart_read(UART_RIS) & UART_INT_OE;
    send(2, 0x60);
    uint32_t ris = uart_read(UART_RIS), rsr = uart_read(UART_RSR);
    for (unsigned i = 0; i < UART_FIFO; i++) {
        data = uart_read(UART_DR);
        early += data != 0x20 + i;
    }
    send(2, 0x70);
    uint32_t marked = uart_read(UART_DR), next = uart_read(UART_DR);
    uart_write(UART_ICR, UART_INT_OE);
    uint32_t cleared = uart_read(UART_RIS) & UART_INT_OE;
    uart_release();
    report("uart.overrun_raised", !before && ris & UART_INT_OE && rsr & 8 && !cleared,
           "before 0x%x, RIS 0x%x, RSR 0x%x, after ICR 0x%x", before, ris, rsr, cleared);
    report("uart.overrun_kept", !early, "%u characters wrong or marked, last 0x%x", early, data);
    report("uart.overrun_mark", marked == (0x70 | UART_DR_OE) && next == 0x71, "0x%x then 0x%x",
           marked, next);
}

/* Fewer characters than the level are told by the timeout; it ends with the last of them. */
static void check_timeout(void)
{
    uart_take(true);
    send(1, 'a');
    uint32_t raised = wait_raised(UART_INT_RT);
    uart_read(UART_DR);
    uint32_t after = uart_read(UART_RIS);
    uart_release();
    report("uart.timeout",
           (raised & (UART_INT_RT | UART_INT_RX)) == UART_INT_RT && !(after & UART_INT_RT),
           "RIS 0x%x, after the last 0x%x", raised, after);
    uart_take(false);
    send(1, 'b');
    raised = uart_read(UART_RIS);
    uart_read(UART_DR);
    after = uart_read(UART_RIS);
    uart_release();
    report("uart.single", raised & UART_INT_RX && !(after & UART_INT_RX), "RIS 0x%x then 0x%x",
           raised, after);
}

static void check_break(void)
{
    uart_take(true);
    uart_write(UART_LCRH, UART_LCRH_8BIT | UART_LCRH_FEN | UART_LCRH_BRK);
    uint32_t raised = wait_raised(UART_INT_BE);
    uart_write(UART_LCRH, UART_LCRH_8BIT | UART_LCRH_FEN);
    uint32_t data = uart_read(UART_DR), rsr = uart_read(UART_RSR), empty = uart_read(UART_FR);
    uart_write(UART_RSR, 0);
    uint32_t cleared = uart_read(UART_RSR);
    uart_release();
    report("uart.break",
           raised & UART_INT_BE && (data & (UART_DR_BE | 0xff)) == UART_DR_BE && rsr & 4 &&
               empty & UART_FR_RXFE && !cleared,
           "RIS 0x%x, DR 0x%x, RSR 0x%x then 0x%x, FR 0x%x", raised, data, rsr, cleared, empty);
}

/* In loopback the outputs are the inputs; each change of an input is an interrupt. */
static void check_modem(void)
{
    static const struct {
        uint32_t out, in, raised;
    } lines[] = {{1u << 11, UART_FR_CTS, UART_INT_CTS},
                 {1u << 10, UART_FR_DSR, UART_INT_DSR},
                 {1u << 12, UART_FR_DCD, UART_INT_DCD},
                 {1u << 13, UART_FR_RI, UART_INT_RI}};
    const uint32_t all = UART_FR_CTS | UART_FR_DSR | UART_FR_DCD | UART_FR_RI;
    unsigned wrong_flags = 0, wrong_interrupts = 0;

    uart_take(true);
    for (unsigned i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        for (unsigned on = 0; on < 2; on++) {
            uart_write(UART_ICR, UART_INT_ALL);
            uart_write(UART_CR, UART_CR_ON | UART_CR_LBE | (on ? 0 : lines[i].out));
            wrong_flags += (uart_read(UART_FR) & all) != (on ? 0 : lines[i].in);
            wrong_interrupts += (uart_read(UART_RIS) & 15) != lines[i].raised;
        }
    }
    uart_release();
    report("uart.modem_flags", !wrong_flags, "%u wrong", wrong_flags);
    report("uart.modem_interrupts", !wrong_interrupts, "%u wrong", wrong_interrupts);
}

/* Not enabled, or receive not enabled: nothing comes in. */
static void check_disabled(void)
{
    static const uint32_t off[] = {0x380, 0x181, 0x281 & ~0x100u};
    unsigned wrong = 0;

    for (unsigned i = 0; i < sizeof(off) / sizeof(off[0]); i++) {
        uart_take(true);
        uart_write(UART_CR, off[i]);
        uart_write(UART_DR, 'n');
        wrong += !(uart_read(UART_FR) & UART_FR_RXFE);
        uart_release();
    }
    report("uart.disabled", !wrong, "%u received", wrong);
}

/* A flood: the FIFO stays bounded, nothing else is disturbed, and reading makes room again. */
static void check_flood(void)
{
    unsigned count = 0;

    uart_take(true);
    uart_write(UART_IMSC, UART_INT_RX | UART_INT_RT | UART_INT_TX | UART_INT_OE);
    send(5000, 0);
    uart_write(UART_IMSC, 0);
    while (!(uart_read(UART_FR) & UART_FR_RXFE) && count < 100) {
        uart_read(UART_DR);
        count++;
    }
    uart_release();
    report("uart.flood", count == UART_FIFO || count == 32, "%u left", count);
}

static void case_uart_fifo(void)
{
    if (skipped_bare("uart.loopback"))
        return;
    check_depth();
    check_levels();
    check_overrun();
    check_timeout();
    check_break();
    check_modem();
    check_disabled();
    check_flood();
}

TEST_CASE("device.pl011_fifo", 1, case_uart_fifo);
