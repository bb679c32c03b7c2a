// SPDX-License-Identifier: Apache-2.0
// The sibling of an attacked guest: counts 1 ms timer interrupts, guards patterns in its memory, tells once a second.
// All exceptions are open, debug and asynchronous ones too: what another guest caused would show and end it.
#include <payload/arch.h>
#include <payload/boot.h>
#include <payload/console.h>
#include <payload/gic.h>
#include <payload/main.h>
#include <payload/timer.h>
#include <payload/trap.h>

#define TICK_US 1000
#define PATTERN_WORDS 8192
#define PAGE 4096ul

static volatile uint32_t ticks;
static uint64_t start, next, late_max;
static uint64_t pattern[PATTERN_WORDS];

/** First byte behind this program. */
extern uint8_t _bss_end[];

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

static uint64_t first_page(void)
{
    return ((uintptr_t)_bss_end + PAGE - 1) & ~(PAGE - 1);
}

/* A dense pattern in this program, and a word in each page of the memory behind it. */
static void pattern_fill(uint64_t end)
{
    for (unsigned i = 0; i < PATTERN_WORDS; i++)
        pattern[i] = pattern_word(i);
    for (uint64_t page = first_page(); page < end; page += PAGE)
        *(volatile uint64_t *)(page + page / PAGE % 512 * 8) =
            pattern_word((unsigned)(page / PAGE));
}

static unsigned pattern_errors(uint64_t end)
{
    unsigned errors = 0;

    for (unsigned i = 0; i < PATTERN_WORDS; i++)
        errors += ((volatile uint64_t *)pattern)[i] != pattern_word(i);
    for (uint64_t page = first_page(); page < end; page += PAGE)
        errors += *(volatile uint64_t *)(page + page / PAGE % 512 * 8) !=
                  pattern_word((unsigned)(page / PAGE));
    return errors;
}

/* Ticks that should have been by now and were not. */
static uint32_t missing(void)
{
    uint64_t due = (timer_now() - start) / timer_us(TICK_US);

    return due > ticks ? (uint32_t)(due - ticks) : 0;
}

void payload_main(void)
{
    uint64_t limit = boot_number("n", UINT64_MAX);
    uint64_t end = boot_info.ram_base + boot_info.ram_size;

    pattern_fill(end);
    print("canary: start\n");
    gic_init();
    gic_cpu_init();
    irq_set_handler(TIMER_VIRT_INTID, on_tick);
    gic_enable(TIMER_VIRT_INTID);
    start = timer_now();
    next = start + timer_us(TICK_US);
    sysreg_write(cntv_cval_el0, next);
    sysreg_write(cntv_ctl_el0, TIMER_ENABLE);
    sysreg_write(mdscr_el1, 1u << 15 | 1u << 13); /* MDE, KDE */
    sysreg_write(oslar_el1, 0);
    __asm__ volatile("msr daifclr, #12\n\tisb" ::: "memory");
    for (uint64_t second = 1; second <= limit; second++) {
        while (ticks < second * 1000) {
            irq_disable();
            if (ticks < second * 1000)
                wfi();
            irq_enable();
        }
        print(
            "canary: second %lu ticks %u missing %u late-max-us %lu unexpected %u memory-errors %u\n",
            second, ticks, missing(), late_max * 1000000 / timer_hz(), irq_unexpected,
            pattern_errors(end));
        late_max = 0;
    }
    irq_disable();
}
