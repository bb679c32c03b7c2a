// SPDX-License-Identifier: Apache-2.0
// PL011: identification, flags, the transmit interrupt from register to handler.
#include "../conform.h"

static volatile uint32_t taken;
static volatile uint32_t seen_mis;

static void on_uart(uint32_t intid)
{
    (void)intid;
    seen_mis = mmio_read32(UART_BASE + UART_MIS);
    mmio_write32(UART_BASE + UART_ICR, UART_INT_TX);
    taken++;
}

static uint32_t id_word(uint32_t offset)
{
    uint32_t word = 0;

    for (unsigned i = 0; i < 4; i++)
        word |= (mmio_read32(UART_BASE + offset + 4 * i) & 0xff) << 8 * i;
    return word;
}

static bool wait_empty(void)
{
    uint64_t end = timer_now() + timer_us(500000);

    while (!(mmio_read32(UART_BASE + UART_FR) & UART_FR_TXFE)) {
        if (timer_now() > end)
            return false;
    }
    return true;
}

static void check_transmit_interrupt(void)
{
    mmio_write32(UART_BASE + UART_IMSC, 0);
    mmio_write32(UART_BASE + UART_LCRH, 0x60); /* no FIFO: each byte sent raises the interrupt */
    mmio_write32(UART_BASE + UART_ICR, 0x7ff);
    report("pl011.clear", !(mmio_read32(UART_BASE + UART_RIS) & UART_INT_TX), "RIS 0x%x",
           mmio_read32(UART_BASE + UART_RIS));
    mmio_write32(UART_BASE + UART_DR, '\n');
    wait_empty();
    report("pl011.raw", mmio_read32(UART_BASE + UART_RIS) & UART_INT_TX, "RIS 0x%x",
           mmio_read32(UART_BASE + UART_RIS));
    report("pl011.masked", mmio_read32(UART_BASE + UART_MIS) == 0, "MIS 0x%x",
           mmio_read32(UART_BASE + UART_MIS));
    taken = 0;
    irq_set_handler(UART_INTID, on_uart);
    gic_enable(UART_INTID);
    irq_enable();
    mmio_write32(UART_BASE + UART_IMSC, UART_INT_TX);
    timer_wait(&taken, 1, 500);
    irq_disable();
    bool pending = gic_is_pending(UART_INTID); /* what is printed raises it again */
    mmio_write32(UART_BASE + UART_IMSC, 0);
    report("pl011.interrupt", taken == 1 && seen_mis == UART_INT_TX, "taken %u MIS 0x%x", taken,
           seen_mis);
    report("pl011.line_low", !pending, "still pending");
    gic_disable(UART_INTID);
}

static void case_pl011(void)
{
    report("pl011.cellid", id_word(UART_CELLID0) == 0xb105f00d, "0x%x", id_word(UART_CELLID0));
    report("pl011.periphid", (id_word(UART_PERIPHID0) & 0xfffff) == 0x41011, "0x%x",
           id_word(UART_PERIPHID0));
    report("pl011.idle", wait_empty() && (mmio_read32(UART_BASE + UART_FR) & 0xb8) == 0x90,
           "FR 0x%x", mmio_read32(UART_BASE + UART_FR));
    mmio_write32(UART_BASE + UART_IMSC, 0x7ff);
    report("pl011.imsc", mmio_read32(UART_BASE + UART_IMSC) == 0x7ff, "0x%x",
           mmio_read32(UART_BASE + UART_IMSC));
    check_transmit_interrupt();
    console_init();
    print("\n");
}

TEST_CASE("device.pl011", 1, case_pl011);
