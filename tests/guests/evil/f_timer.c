// SPDX-License-Identifier: Apache-2.0
// Group F: timers and counters.
#include "evil.h"

static volatile uint32_t ticks;

/* The hypervisor's and the firmware's timers, and the counter's frequency: not this guest's to touch. */
static void f07_others(void)
{
    static const uint32_t codes[] = {
        CODE_MSR(3, 3, 14, 0, 0),                           /* CNTFRQ */
        CODE_MRS(3, 7, 14, 2, 1), CODE_MSR(3, 7, 14, 2, 1), /* CNTPS_CTL */
        CODE_MRS(3, 4, 14, 2, 1), CODE_MSR(3, 4, 14, 2, 1), /* CNTHP_CTL */
        CODE_MRS(3, 4, 14, 2, 2), CODE_MSR(3, 4, 14, 2, 2), /* CNTHP_CVAL */
        CODE_MRS(3, 4, 14, 3, 1), CODE_MSR(3, 4, 14, 3, 1), /* CNTHV_CTL */
        CODE_MRS(3, 4, 14, 0, 3), CODE_MSR(3, 4, 14, 0, 3), /* CNTVOFF */
        CODE_MRS(3, 4, 14, 1, 0), CODE_MSR(3, 4, 14, 1, 0), /* CNTHCTL */
    };
    unsigned executed = 0;
    struct trap trap;

    for (unsigned i = 0; i < COUNT(codes); i++)
        executed += trap_try_code(&codes[i], 1, 0, 0, NULL, &trap) || trap.esr != ESR_UNDEF;
    report("F07.other_timers", !executed, "%u accesses executed", executed);
}
TEST_CASE("F07.other_timers", 1, f07_others);

static void tick_once(uint32_t intid)
{
    (void)intid;
    timer_stop(false);
    ticks++;
}

/* Due long before anything is open: one delivery. */
static void f14_late_gic(void)
{
    unsigned wrong = 0;

    irq_set_handler(TIMER_VIRT_INTID, tick_once);
    for (unsigned i = 0; i < 20; i++) {
        ticks = 0;
        gic_disable(TIMER_VIRT_INTID);
        mmio_write32(GICD_BASE + GICD_CTLR, gic_version == 3 ? 0x10 : 0);
        sysreg_write(cntv_cval_el0, i & 1 ? 0 : timer_now() - 1);
        sysreg_write(cntv_ctl_el0, TIMER_ENABLE);
        isb();
        take_interrupts();
        wrong += ticks != 0;
        gic_enable(TIMER_VIRT_INTID);
        mmio_write32(GICD_BASE + GICD_CTLR, gic_version == 3 ? 0x13 : 1);
        take_interrupts();
        wrong += ticks != 1;
    }
    timer_stop(false);
    gic_disable(TIMER_VIRT_INTID);
    irq_set_handler(TIMER_VIRT_INTID, NULL);
    report("F14.late_gic", !wrong, "%u wrong", wrong);
}
TEST_CASE("F14.late_gic", 1, f14_late_gic);

static void sleep_far(void)
{
    sysreg_write(cntv_cval_el0, timer_now() + timer_us(3600ul * 1000000));
    sysreg_write(cntv_ctl_el0, TIMER_ENABLE);
    sysreg_write(cntp_cval_el0, sysreg_read(cntpct_el0) + timer_us(20000));
    sysreg_write(cntp_ctl_el0, TIMER_ENABLE);
    isb();
    gic_enable(TIMER_VIRT_INTID);
    gic_enable(TIMER_PHYS_INTID);
    while (true)
        wfi();
}

/* Sleeps on timers far away and near; it is destroyed and reset there. */
static void f10_sleep(void)
{
    for (unsigned i = 1; i < boot_info.cpu_count; i++)
        smp_start(i, sleep_far);
    print("evil: F10 sleeps\n");
    sleep_far();
}
TEST_CASE_BY_NAME("F10.sleep", 1, f10_sleep);

static void again(uint32_t intid)
{
    (void)intid;
    timer_start(false, 1);
}

static void tick_fast(void)
{
    gic_enable(TIMER_VIRT_INTID);
    timer_start(false, 1);
    irq_enable();
    while (true)
        wfi();
}

/* A period of a microsecond on all VCPUs. */
static void f11_storm(void)
{
    irq_set_handler(TIMER_VIRT_INTID, again);
    for (unsigned i = 1; i < boot_info.cpu_count; i++)
        smp_start(i, tick_fast);
    tick_fast();
}
TEST_CASE_BY_NAME("F11.timer_storm", 1, f11_storm);
