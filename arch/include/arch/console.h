// SPDX-License-Identifier: Apache-2.0
// Contract: early output, before any driver; polled, on the UART chosen by Kconfig. Any context, no locks.
#pragma once

/** Send a byte as it is; waits while the UART's FIFO is full. Before the map of devices stands, too. */
void arch_console_putc(char c);
