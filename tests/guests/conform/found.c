// SPDX-License-Identifier: Apache-2.0
// The state in which a start finds the devices, before the payload's own set-up hides it.
#include "conform.h"

#include <payload/main.h>

#define UART_IBRD 0x24
#define UART_FBRD 0x28
#define UART_IFLS 0x34
#define UART_DMACR 0x48

struct found found;

static uint32_t uart(uint32_t offset)
{
    return mmio_read32(UART_BASE + offset);
}

void payload_early(void)
{
    uintptr_t private = boot_info.gic_version == 3 ? GICR_BASE + 0x10000 : GICD_BASE;

    found.uart_fr = uart(UART_FR);
    found.uart_ibrd = uart(UART_IBRD);
    found.uart_fbrd = uart(UART_FBRD);
    found.uart_lcrh = uart(UART_LCRH);
    found.uart_cr = uart(UART_CR);
    found.uart_ifls = uart(UART_IFLS);
    found.uart_imsc = uart(UART_IMSC);
    found.uart_ris = uart(UART_RIS);
    found.uart_dmacr = uart(UART_DMACR);
    found.gic_ctlr = mmio_read32(GICD_BASE + GICD_CTLR);
    for (unsigned i = 0; i < FOUND_WORDS; i++) {
        uintptr_t base = (i ? GICD_BASE : private) + i * 4;

        found.enabled[i] = mmio_read32(base + GICD_ISENABLER);
        found.pending[i] = mmio_read32(base + GICD_ISPENDR);
        found.active[i] = mmio_read32(base + GICD_ISACTIVER);
    }
    found.cntv_ctl = (uint32_t)sysreg_read(cntv_ctl_el0);
    found.cntp_ctl = (uint32_t)sysreg_read(cntp_ctl_el0);
}
