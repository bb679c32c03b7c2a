// SPDX-License-Identifier: Apache-2.0
// Group J: storms that take time from the others, if they can. None of them ends.
#include "evil.h"

static void on_each_cpu(void (*fn)(void))
{
    for (unsigned i = 1; i < boot_info.cpu_count; i++)
        smp_start(i, fn);
    fn();
}

static void spin(void)
{
    irq_disable();
    while (true)
        __asm__ volatile("");
}

static void j01_spin(void)
{
    on_each_cpu(spin);
}
TEST_CASE_BY_NAME("J01.spin", 1, j01_spin);

static void send_events(void)
{
    while (true)
        __asm__ volatile("sev\n\twfe\n\tyield\n\tsevl\n\twfe\n\tsev\n\twfe");
}

static void j03_events(void)
{
    on_each_cpu(send_events);
}
TEST_CASE_BY_NAME("J03.events", 1, j03_events);

/* Waits that something ends at once. */
static void wait_for_little(void)
{
    gic_enable(TIMER_VIRT_INTID);
    timer_start(false, 0);
    while (true)
        wfi();
}

static void j03_wfi(void)
{
    on_each_cpu(wait_for_little);
}
TEST_CASE_BY_NAME("J03.wfi", 1, j03_wfi);

static void call(void)
{
    struct smccc regs = {0};

    while (true) {
        regs.x[0] = PSCI_VERSION;
        smccc_hvc(&regs);
    }
}

static void j04_hvc(void)
{
    on_each_cpu(call);
}
TEST_CASE_BY_NAME("J04.hvc", 1, j04_hvc);

static void call_wrong(void)
{
    static const uint32_t code = 0xd4024682; /* hvc #0x1234 */

    while (true)
        trap_try_code(&code, 1, 0, 0, NULL, NULL);
}

static void j04_bad_hvc(void)
{
    on_each_cpu(call_wrong);
}
TEST_CASE_BY_NAME("J04.bad_hvc", 1, j04_bad_hvc);

static void read_registers(void)
{
    while (true) {
        sysreg_read(id_aa64pfr0_el1);
        sysreg_read(cntpct_el0);
        sysreg_write(actlr_el1, 0);
    }
}

static void j04_sysreg(void)
{
    on_each_cpu(read_registers);
}
TEST_CASE_BY_NAME("J04.sysreg", 1, j04_sysreg);

static void abort_always(void)
{
    while (true) {
        try_load(HOLE, 4, NULL, NULL);
        try_store(UART_BASE + 0x800, 8, 0, NULL);
    }
}

static void j04_abort(void)
{
    on_each_cpu(abort_always);
}
TEST_CASE_BY_NAME("J04.abort", 1, j04_abort);

static void idle(void)
{
}

/* Sleeps, devices, power: whatever a pause may come into. */
static void j06_mixed(void)
{
    gic_enable(TIMER_VIRT_INTID);
    for (unsigned i = 0;; i++) {
        timer_start(false, 100);
        wfi();
        timer_stop(false);
        mmio_read32(UART_BASE + UART_FR);
        smp_start(1, idle);
        if (i % 1000 == 0)
            print("evil: J06 round %u\n", i);
    }
}
TEST_CASE_BY_NAME("J06.mixed", 2, j06_mixed);

static void j09_power(void)
{
    while (true) {
        for (unsigned i = 1; i < boot_info.cpu_count; i++)
            smp_start(i, idle);
    }
}
TEST_CASE_BY_NAME("J09.power", 2, j09_power);
