// SPDX-License-Identifier: Apache-2.0
// The payloads' console: a PL011 at QEMU virt's place, and a small printf.
#pragma once

#include <stdarg.h>
#include <stdint.h>

#define UART_BASE 0x09000000ul
#define UART_INTID 33
#define UART_DR 0x000
#define UART_FR 0x018
#define UART_LCRH 0x02c
#define UART_CR 0x030
#define UART_IMSC 0x038
#define UART_RIS 0x03c
#define UART_MIS 0x040
#define UART_ICR 0x044
#define UART_PERIPHID0 0xfe0
#define UART_CELLID0 0xff0

#define UART_FR_RXFE (1u << 4)
#define UART_FR_TXFF (1u << 5)
#define UART_FR_TXFE (1u << 7)
#define UART_INT_RX (1u << 4)
#define UART_INT_TX (1u << 5)
#define UART_INT_RT (1u << 6)

void console_init(void);
/** Next typed byte, or -1. */
int console_getc(void);
/** %s %c %d %u %x with l/ll, width and 0; one lock over the whole line. */
void print(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/** The same without lock, for a CPU that stops here. */
void print_panic(const char *fmt, va_list ap);
