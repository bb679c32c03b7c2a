// SPDX-License-Identifier: Apache-2.0
// PL011: each register's value after reset, which bits it keeps, widths, identification.
#include "uart.h"

struct uart_register {
    uint32_t offset, kept; /* bits that can be written and read back */
};

/* DDI 0183, 3.3. LCR_H without break, CR without what would stop the console. */
static const struct uart_register kept_registers[] = {
    {UART_ILPR, 0xff}, {UART_IBRD, 0xffff}, {UART_FBRD, 0x3f}, {UART_LCRH, 0xfe},
    {UART_IFLS, 0x3f}, {UART_IMSC, 0x7ff},  {UART_DMACR, 0x7},
};

static void case_uart_found(void)
{
    report("uart.found_control",
           found.uart_cr == 0x300 && found.uart_lcrh == 0 && found.uart_ifls == 0x12 &&
               !found.uart_ibrd && !found.uart_fbrd && !found.uart_dmacr,
           "CR 0x%x LCR_H 0x%x IFLS 0x%x IBRD 0x%x FBRD 0x%x DMACR 0x%x", found.uart_cr,
           found.uart_lcrh, found.uart_ifls, found.uart_ibrd, found.uart_fbrd, found.uart_dmacr);
    /* The modem lines are those of the board. */
    report("uart.found_flags", (found.uart_fr & 0xf8) == (UART_FR_TXFE | UART_FR_RXFE), "FR 0x%x",
           found.uart_fr);
    report("uart.found_interrupts", !found.uart_imsc && !(found.uart_ris & 0x7f0),
           "IMSC 0x%x RIS 0x%x", found.uart_imsc, found.uart_ris);
}

TEST_CASE("device.pl011_found", 1, case_uart_found);

static void check_kept(void)
{
    static const uint32_t patterns[] = {0xffffffff, 0xaaaaaaaa, 0x55555555, 0};
    uint32_t wrong = 0, wrong_value = 0;

    uart_take(true);
    for (unsigned i = 0; i < sizeof(kept_registers) / sizeof(kept_registers[0]); i++) {
        const struct uart_register *reg = &kept_registers[i];

        for (unsigned n = 0; n < sizeof(patterns) / sizeof(patterns[0]); n++) {
            uint32_t value = reg->offset == UART_LCRH ? patterns[n] & ~UART_LCRH_BRK : patterns[n];

            uart_write(reg->offset, value);
            if (uart_read(reg->offset) != (value & reg->kept)) {
                wrong = reg->offset;
                wrong_value = uart_read(reg->offset);
            }
        }
    }
    uart_release();
    if (!boot_is_guest() && wrong)
        report_skip("uart.kept", "QEMU keeps bits that the PL011 does not have");
    else
        report("uart.kept", !wrong, "0x%x reads 0x%x", wrong, wrong_value);
}

/* What is read-only stays, what is write-only reads 0, RSR is cleared by any write. */
static void check_access(void)
{
    static const uint32_t read_only[] = {UART_FR, UART_RIS, UART_MIS, UART_PERIPHID0, UART_CELLID0};
    uint32_t wrong = 0;

    uart_take(true);
    for (unsigned i = 0; i < sizeof(read_only) / sizeof(read_only[0]); i++) {
        uint32_t before = uart_read(read_only[i]);

        uart_write(read_only[i], ~before);
        if (uart_read(read_only[i]) != before)
            wrong = read_only[i];
    }
    uint32_t icr = uart_read(UART_ICR);
    uart_write(UART_RSR, 0xff);
    uint32_t rsr = uart_read(UART_RSR);
    uart_release();
    report("uart.read_only", !wrong, "0x%x changed", wrong);
    report("uart.icr_read", icr == 0, "0x%x", icr);
    report("uart.rsr_clear", rsr == 0, "0x%x", rsr);
}

static uint32_t id_word(uint32_t offset)
{
    uint32_t word = 0;

    for (unsigned i = 0; i < 4; i++)
        word |= (uart_read(offset + 4 * i) & 0xff) << 8 * i;
    return word;
}

static void check_id(void)
{
    uint32_t upper = 0;

    for (uint32_t offset = UART_PERIPHID0; offset <= UART_CELLID0 + 12; offset += 4)
        upper |= uart_read(offset) >> 8;
    report("uart.cellid", id_word(UART_CELLID0) == 0xb105f00d, "0x%x", id_word(UART_CELLID0));
    report("uart.periphid", (id_word(UART_PERIPHID0) & 0xff0fffff) == 0x00041011, "0x%x",
           id_word(UART_PERIPHID0));
    report("uart.id_bytes", upper == 0, "upper bits 0x%x", upper);
}

/* An APB device sees the address of a register only; narrow accesses to its start read and write its low bits. */
static void check_widths(void)
{
    uart_take(true);
    uart_write(UART_IBRD, 0x1234);
    uint8_t byte = mmio_read8(UART_BASE + UART_IBRD);
    uint16_t half = mmio_read16(UART_BASE + UART_IBRD);
    mmio_write16(UART_BASE + UART_IBRD, 0x4321);
    uint32_t written16 = uart_read(UART_IBRD);
    mmio_write8(UART_BASE + UART_FBRD, 0x2a);
    uint32_t written8 = uart_read(UART_FBRD);
    uart_write(UART_IBRD, 0);
    uart_write(UART_FBRD, 0);
    uart_release();
    report("uart.widths", byte == 0x34 && half == 0x1234 && written16 == 0x4321 && written8 == 0x2a,
           "reads 0x%x 0x%x, written 0x%x 0x%x", byte, half, written16, written8);
}

static void case_uart_registers(void)
{
    check_kept();
    check_access();
    check_id();
    check_widths();
}

TEST_CASE("device.pl011_registers", 1, case_uart_registers);
