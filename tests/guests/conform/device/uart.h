// SPDX-License-Identifier: Apache-2.0
// The PL011's registers beyond what the console needs, and steps that its cases share. Between uart_take() and
// uart_release() nothing may be printed.
#pragma once

#include "../conform.h"

#define UART_RSR 0x004
#define UART_ILPR 0x020
#define UART_IBRD 0x024
#define UART_FBRD 0x028
#define UART_IFLS 0x034
#define UART_DMACR 0x048

#define UART_FR_CTS (1u << 0)
#define UART_FR_DSR (1u << 1)
#define UART_FR_DCD (1u << 2)
#define UART_FR_BUSY (1u << 3)
#define UART_FR_RXFF (1u << 6)
#define UART_FR_RI (1u << 8)

#define UART_LCRH_BRK (1u << 0)
#define UART_LCRH_FEN (1u << 4)
#define UART_LCRH_8BIT (3u << 5)

#define UART_CR_ON 0x301u /* UARTEN, TXE, RXE */
#define UART_CR_LBE (1u << 7)

#define UART_INT_RI (1u << 0)
#define UART_INT_CTS (1u << 1)
#define UART_INT_DCD (1u << 2)
#define UART_INT_DSR (1u << 3)
#define UART_INT_BE (1u << 9)
#define UART_INT_OE (1u << 10)
#define UART_INT_ALL 0x7ffu

#define UART_DR_BE (1u << 10)
#define UART_DR_OE (1u << 11)
#define UART_FIFO 16

static inline uint32_t uart_read(uint32_t offset)
{
    return mmio_read32(UART_BASE + offset);
}

static inline void uart_write(uint32_t offset, uint32_t value)
{
    mmio_write32(UART_BASE + offset, value);
}

/** Waits until all that was printed is sent. */
bool uart_wait_empty(void);
/** The case's own: nothing received, no interrupt raised or enabled; with or without FIFOs, looped back. */
void uart_take(bool fifo);
/** The console's again. */
void uart_release(void);
