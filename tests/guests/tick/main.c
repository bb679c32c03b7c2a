// SPDX-License-Identifier: Apache-2.0
// Timers under test from outside: periods that are counted, interrupts that are held, storms; "case=" selects.
#include "tick.h"

#include <payload/main.h>

void tick_sleep(uint64_t us)
{
    timer_start(false, us);
    gic_enable(TIMER_VIRT_INTID);
    while (!(sysreg_read(cntv_ctl_el0) & TIMER_ISTATUS))
        wfi();
    timer_stop(false);
}

bool tick_on_all(void (*fn)(void), uint64_t us)
{
    uint64_t end;
    bool ok = true;

    for (unsigned i = 1; i < boot_info.cpu_count; i++)
        ok &= smp_start(i, fn) == 0;
    fn();
    end = timer_now() + timer_us(us);
    for (unsigned i = 1; i < boot_info.cpu_count; i++) {
        /* Asleep: spinning is what costs most under -icount. */
        while (cpus[i].online && timer_now() < end)
            tick_sleep(2000);
        ok &= smp_wait_off(i, 1000);
    }
    return ok;
}

void tick_set_cval(bool physical, uint64_t value)
{
    if (physical)
        sysreg_write(cntp_cval_el0, value);
    else
        sysreg_write(cntv_cval_el0, value);
    isb();
}

void tick_set_ctl(bool physical, uint32_t value)
{
    if (physical)
        sysreg_write(cntp_ctl_el0, value);
    else
        sysreg_write(cntv_ctl_el0, value);
    isb();
}

void payload_main(void)
{
    print("tick: %u cpu(s), GICv%u, args \"%s\"\n", boot_info.cpu_count, boot_info.gic_version,
          boot_info.args);
    gic_init();
    gic_cpu_init();
    cases_run();
    report("interrupts.unexpected", irq_unexpected == 0, "%u", irq_unexpected);
}
