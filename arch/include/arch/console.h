// SPDX-License-Identifier: Apache-2.0
// Contract: early output, before any driver; polled, on the UART chosen by Kconfig. Any context, no locks.
#pragma once

void arch_console_putc(char c);
