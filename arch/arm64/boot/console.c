// SPDX-License-Identifier: Apache-2.0
// Early console: a PL011 that firmware has set up, polled.
#include <arch/barrier.h>
#include <arch/console.h>
#include <arch/io.h>

#ifdef CONFIG_EARLY_UART_PL011

#define UARTDR 0x00
#define UARTFR 0x18
#define UARTFR_TXFF (1U << 5)
/* A transmitter that never drains must not hold up a panic. */
#define POLLS_MAX 1000000

void arch_console_putc(char c)
{
    volatile char *uart = (volatile char *)(uintptr_t)CONFIG_EARLY_UART_BASE;

    for (unsigned i = 0; i < POLLS_MAX && arch_io_read32(uart + UARTFR) & UARTFR_TXFF; i++)
        arch_cpu_relax();
    arch_io_write32(uart + UARTDR, (uint8_t)c);
}

#else

void arch_console_putc(char c)
{
    (void)c;
}

#endif
