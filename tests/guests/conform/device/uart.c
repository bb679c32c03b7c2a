// SPDX-License-Identifier: Apache-2.0
// Steps that the PL011's cases share.
#include "uart.h"

bool uart_wait_empty(void)
{
    uint64_t end = timer_now() + timer_us(500000);

    while (!(uart_read(UART_FR) & UART_FR_TXFE) || uart_read(UART_FR) & UART_FR_BUSY) {
        if (timer_now() > end)
            return false;
        relax();
    }
    return true;
}

void uart_take(bool fifo)
{
    uart_wait_empty();
    uart_write(UART_IMSC, 0);
    uart_write(UART_CR, UART_CR_ON | UART_CR_LBE);
    uart_write(UART_LCRH, UART_LCRH_8BIT | (fifo ? UART_LCRH_FEN : 0));
    uart_write(UART_IFLS, 0x12);
    while (!(uart_read(UART_FR) & UART_FR_RXFE))
        uart_read(UART_DR);
    uart_write(UART_RSR, 0);
    uart_write(UART_ICR, UART_INT_ALL);
}

void uart_release(void)
{
    while (!(uart_read(UART_FR) & UART_FR_RXFE))
        uart_read(UART_DR);
    uart_write(UART_IFLS, 0x12);
    uart_write(UART_DMACR, 0);
    uart_write(UART_RSR, 0);
    console_init();
    uart_write(UART_ICR, UART_INT_ALL);
}
