// SPDX-License-Identifier: Apache-2.0
// A hostile guest: cases that end with a verdict, and (only by name, "case=") attacks that never end.
#include "evil.h"

#include <payload/main.h>

bool on_all_cpus(void (*fn)(void))
{
    bool fine = true;

    for (unsigned i = 1; i < boot_info.cpu_count; i++)
        fine &= smp_start(i, fn) == 0;
    fn();
    for (unsigned i = 1; i < boot_info.cpu_count; i++)
        fine &= smp_wait_off(i, 20000);
    return fine;
}

void take_interrupts(void)
{
    uint64_t end = timer_now() + timer_us(200);

    irq_enable();
    while (timer_now() < end)
        relax();
    irq_disable();
}

bool is_external_abort(const struct trap *trap)
{
    unsigned ec = TRAP_EC(*trap);

    return (ec == EC_DABT || ec == EC_IABT) && (trap->esr & 0x3f) == 0x10;
}

void payload_main(void)
{
    print("evil: %u cpu(s), GICv%u, args \"%s\"\n", boot_info.cpu_count, boot_info.gic_version,
          boot_info.args);
    random_seed(boot_number("seed", 88172645463325252ull));
    gic_init();
    gic_cpu_init();
    cases_run();
}
