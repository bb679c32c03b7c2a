// SPDX-License-Identifier: Apache-2.0
// PL011: its interrupt from register to handler, a level that stays until it is cleared or masked; and typed input.
#include "uart.h"

#define INPUT_BYTES 600 /* the harness types that many, from 'a' to 'z' over and over */
#define INPUT_MS 20000
#define IGNORED_US 300000

static volatile uint32_t taken, seen_mis;

static void on_uart(uint32_t intid)
{
    (void)intid;
    seen_mis = uart_read(UART_MIS);
    uart_write(UART_ICR, UART_INT_TX);
    taken++;
}

static void check_level(void)
{
    uart_write(UART_IMSC, UART_INT_TX);
    bool high = gic_is_pending(UART_INTID);
    gic_clear_pending(UART_INTID); /* a level does not go by that */
    bool still = gic_is_pending(UART_INTID);
    uart_write(UART_IMSC, 0);
    bool masked = gic_is_pending(UART_INTID);
    uart_write(UART_IMSC, UART_INT_TX);
    bool again = gic_is_pending(UART_INTID);
    uart_write(UART_ICR, UART_INT_TX);
    bool cleared = gic_is_pending(UART_INTID);
    uart_write(UART_IMSC, 0);
    report("uart.level", high && still && !masked && again && !cleared,
           "raised %d, after ICPENDR %d, masked %d, unmasked %d, cleared %d", high, still, masked,
           again, cleared);
}

static void send_newline(void)
{
    uart_write(UART_DR, '\n');
    uart_wait_empty();
}

static void case_uart_interrupt(void)
{
    uart_wait_empty();
    uart_write(UART_IMSC, 0);
    uart_write(UART_LCRH, UART_LCRH_8BIT); /* no FIFO: each byte sent raises the interrupt */
    uart_write(UART_ICR, UART_INT_ALL);
    uint32_t before = uart_read(UART_RIS);
    send_newline();
    uint32_t raw = uart_read(UART_RIS), masked = uart_read(UART_MIS);
    report("uart.clear", !(before & UART_INT_TX), "RIS 0x%x", before);
    report("uart.raw", raw & UART_INT_TX && !masked, "RIS 0x%x MIS 0x%x", raw, masked);
    gic_set_edge(UART_INTID, false);
    uart_wait_empty();
    check_level();
    send_newline();
    taken = 0;
    irq_set_handler(UART_INTID, on_uart);
    gic_enable(UART_INTID);
    irq_enable();
    uart_write(UART_IMSC, UART_INT_TX);
    timer_wait(&taken, 1, 5000);
    irq_disable();
    bool pending = gic_is_pending(UART_INTID); /* what is printed raises it again */
    uart_write(UART_IMSC, 0);
    gic_disable(UART_INTID);
    console_init();
    report("uart.interrupt", taken == 1 && seen_mis == UART_INT_TX && !pending,
           "taken %u MIS 0x%x pending %d", taken, seen_mis, pending);
}

TEST_CASE("device.pl011_interrupt", 1, case_uart_interrupt);

static volatile uint32_t received, wrong_bytes, errors;

static void on_input(uint32_t intid)
{
    (void)intid;
    while (!(uart_read(UART_FR) & UART_FR_RXFE)) {
        uint32_t data = uart_read(UART_DR);

        wrong_bytes += (data & 0xff) != 'a' + received % 26;
        errors += data >> 8 != 0;
        received++;
    }
    uart_write(UART_ICR, UART_INT_RX | UART_INT_RT);
}

/* Nobody reads at first: what is typed waits outside of the FIFO, and none of it is lost. */
static void case_uart_input(void)
{
    if (!boot_flag("input")) {
        report_skip("uart.input", "nobody types");
        return;
    }
    uart_write(UART_ICR, UART_INT_ALL);
    print("uart.input: type now\n");
    uart_wait_empty();
    for (uint64_t end = timer_now() + timer_us(INPUT_MS * 1000);
         uart_read(UART_FR) & UART_FR_RXFE && timer_now() < end;)
        relax();
    for (uint64_t end = timer_now() + timer_us(IGNORED_US); timer_now() < end;)
        relax();
    uint32_t flags = uart_read(UART_FR), ris = uart_read(UART_RIS);
    irq_set_handler(UART_INTID, on_input);
    gic_enable(UART_INTID);
    uart_write(UART_IMSC, UART_INT_RX | UART_INT_RT);
    irq_enable();
    timer_wait(&received, INPUT_BYTES, INPUT_MS);
    irq_disable();
    uart_write(UART_IMSC, 0);
    gic_disable(UART_INTID);
    report("uart.input_full", flags & UART_FR_RXFF && ris & UART_INT_RX && !(ris & UART_INT_OE),
           "FR 0x%x RIS 0x%x", flags, ris);
    report("uart.input", received == INPUT_BYTES && !wrong_bytes && !errors,
           "%u characters, %u wrong, %u with errors", received, wrong_bytes, errors);
}

TEST_CASE("device.pl011_input", 1, case_uart_input);
