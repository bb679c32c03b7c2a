// SPDX-License-Identifier: Apache-2.0
// The sibling of an attacked guest: counts 1 ms timer interrupts, guards a memory pattern, tells once a second.
#include <payload/arch.h>
#include <payload/boot.h>
#include <payload/console.h>
#include <payload/gic.h>
#include <payload/main.h>
#include <payload/timer.h>
#include <payload/trap.h>

#define TICK_US 1000
#define PATTERN_WORDS 8192

static volatile uint32_t ticks;
static uint64_t next, late_max;
static uint64_t pattern[PATTERN_WORDS];

static uint64_t pattern_word(unsigned i)
{
    return (i + 1) * 0x9e3779b97f4a7c15ull;
}

static void on_tick(uint32_t intid)
{
    uint64_t late = timer_now() - next;

    (void)intid;
    if (late > late_max)
        late_max = late;
    ticks++;
    next += timer_us(TICK_US);
    sysreg_write(cntv_cval_el0, next);
    isb();
}

static unsigned pattern_errors(void)
{
    unsigned errors = 0;

    for (unsigned i = 0; i < PATTERN_WORDS; i++)
        errors += ((volatile uint64_t *)pattern)[i] != pattern_word(i);
    return errors;
}

void payload_main(void)
{
    uint64_t limit = boot_number("n", UINT64_MAX);

    for (unsigned i = 0; i < PATTERN_WORDS; i++)
        pattern[i] = pattern_word(i);
    print("canary: start\n");
    gic_init();
    gic_cpu_init();
    irq_set_handler(TIMER_VIRT_INTID, on_tick);
    gic_enable(TIMER_VIRT_INTID);
    next = timer_now() + timer_us(TICK_US);
    timer_start(false, TICK_US);
    for (uint64_t second = 1; second <= limit; second++) {
        while (ticks < second * 1000) {
            irq_disable();
            if (ticks < second * 1000)
                wfi();
            irq_enable();
        }
        print("canary: second %lu ticks %u late-max-us %lu unexpected %u memory-errors %u\n",
              second, ticks, late_max * 1000000 / timer_hz(), irq_unexpected, pattern_errors());
        late_max = 0;
    }
    irq_disable();
}
