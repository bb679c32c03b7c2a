// SPDX-License-Identifier: Apache-2.0
// SYSTEM_RESET in all forms: each life leaves everything dirty, the next one finds a machine as after power-on. The
// clock tells the lives apart, for it goes on over resets. "case=reset" only.
#include "firmware.h"

#define RTC_BASE 0x09010000ul
#define RTC_DR 0x000
#define RTC_LR 0x008
#define RTC_LIVES 0x70000000u /* a time in 2029 that only this test sets */
#define RTC_LIFE 3600u        /* from one life to the next */

#define UART_IBRD 0x24
#define UART_IFLS 0x34
#define UART_LOOPBACK 0x381

#define SPI_DIRTY 60
#define SGI_DIRTY 7
#define LAST_LIFE 4

static uint32_t life_number(void)
{
    uint32_t since = mmio_read32(RTC_BASE + RTC_DR) - RTC_LIVES;

    return since < (LAST_LIFE + 1) * RTC_LIFE ? since / RTC_LIFE : 0;
}

static void stay_on(void)
{
    while (true)
        wfi();
}

static void reset_here(void)
{
    psci_call(PSCI_SYSTEM_RESET, 0, 0, 0);
    stay_on();
}

static void make_dirty(void)
{
    for (unsigned i = 1; i + 1 < boot_info.cpu_count; i++)
        smp_start(i, stay_on);
    gic_send_sgi(SGI_DIRTY, 0);
    gic_set_edge(SPI_DIRTY, true);
    gic_enable(SPI_DIRTY);
    gic_set_pending(SPI_DIRTY);
    gic_enable(UART_INTID);
    gic_enable(TIMER_VIRT_INTID);
    timer_start(false, 0);
    timer_start(true, 0);
    mmio_write32(UART_BASE + UART_IFLS, 0x24);
    mmio_write32(UART_BASE + UART_IBRD, 0x1234);
    mmio_write32(UART_BASE + UART_CR, UART_LOOPBACK); /* what is sent waits to be read */
    mmio_write32(UART_BASE + UART_IMSC, UART_INT_RX | UART_INT_RT | UART_INT_TX);
    mmio_write32(UART_BASE + UART_DR, '-');
    mmio_write32(UART_BASE + UART_DR, '-');
}

static void check_uart(void)
{
    bool clean = found.uart_cr == 0x300 && found.uart_ifls == 0x12 && !found.uart_ibrd &&
                 !found.uart_lcrh && !found.uart_imsc && !(found.uart_ris & 0x7f0) &&
                 found.uart_fr & UART_FR_RXFE;

    if (!boot_is_guest() && !clean)
        report_skip("reset.uart", "QEMU's PL011 stays as it is over resets");
    else
        report("reset.uart", clean,
               "CR 0x%x IFLS 0x%x IBRD 0x%x LCR_H 0x%x IMSC 0x%x RIS 0x%x FR 0x%x", found.uart_cr,
               found.uart_ifls, found.uart_ibrd, found.uart_lcrh, found.uart_imsc, found.uart_ris,
               found.uart_fr);
}

static void check_gic(void)
{
    uint32_t left = 0, enabled = found.enabled[0] >> 16; /* a GIC may have its SGIs always on */

    for (unsigned i = 0; i < FOUND_WORDS; i++) {
        left |= found.pending[i] | found.active[i];
        enabled |= i ? found.enabled[i] : 0;
    }
    report("reset.gic", !left && !enabled && !(found.gic_ctlr & 3),
           "CTLR 0x%x, pending 0x%x 0x%x 0x%x, active 0x%x 0x%x 0x%x, enabled 0x%x", found.gic_ctlr,
           found.pending[0], found.pending[1], found.pending[2], found.active[0], found.active[1],
           found.active[2], enabled);
}

static void check_cpus(void)
{
    unsigned on = 0;

    for (unsigned i = 1; i < boot_info.cpu_count; i++)
        on += psci_call(PSCI_AFFINITY_INFO, boot_info.mpidr[i], 0, 0) != AFFINITY_OFF;
    report("reset.others_off", !on, "%u on", on);
    report("reset.timers", !(found.cntv_ctl & TIMER_ENABLE) && !(found.cntp_ctl & TIMER_ENABLE),
           "virtual 0x%x, physical 0x%x", found.cntv_ctl, found.cntp_ctl);
}

/* Returns only when it was refused. */
static void reset_by(uint32_t life)
{
    if (life == 1 && psci_has(PSCI_SYSTEM_RESET2))
        psci_call(PSCI_SYSTEM_RESET2, 0, 0, 0);
    else if (life == 2 && psci_has(PSCI_SYSTEM_RESET2_32))
        psci_call(PSCI_SYSTEM_RESET2_32, 0xffffffff00000000ul, ~0ul, 0);
    else if (life != 3 || boot_info.cpu_count < 2)
        reset_here();
    else if (smp_start(boot_info.cpu_count - 1, reset_here) == 0)
        stay_on();
}

static void case_reset(void)
{
    uint32_t life = life_number();

    print("reset: life %u\n", life);
    if (life) {
        check_uart();
        check_gic();
        check_cpus();
    }
    mmio_write32(RTC_BASE + RTC_LR, RTC_LIVES + (life + 1) * RTC_LIFE);
    if (life == LAST_LIFE) {
        report("reset.lives", true, "no");
        return;
    }
    make_dirty();
    reset_by(life);
    console_init();
    report("reset.comes", false, "life %u goes on", life);
}

TEST_CASE_BY_NAME("reset.lives", 1, case_reset);
