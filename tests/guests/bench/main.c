// SPDX-License-Identifier: Apache-2.0
// Costs of exits, seen by the guest: with QEMU's -icount shift=0 a nanosecond is an instruction.
#include <payload/arch.h>
#include <payload/boot.h>
#include <payload/console.h>
#include <payload/figures.h>
#include <payload/gic.h>
#include <payload/main.h>
#include <payload/smp.h>
#include <payload/timer.h>

#define ROUNDS 4096
#define IRQ_ROUNDS 1024
#define SPI_SCRATCH 52
#define SGI 1

typedef void (*loop)(uint64_t rounds, uintptr_t addr);
void loop_empty(uint64_t rounds, uintptr_t addr);
void loop_null_hvc(uint64_t rounds, uintptr_t addr);
void loop_null_smc(uint64_t rounds, uintptr_t addr);
void loop_psci_version(uint64_t rounds, uintptr_t addr);
void loop_id_register(uint64_t rounds, uintptr_t addr);
void loop_cntpct(uint64_t rounds, uintptr_t addr);
void loop_load(uint64_t rounds, uintptr_t addr);
void loop_store(uint64_t rounds, uintptr_t addr);
void loop_priority_mask(uint64_t rounds, uintptr_t addr);

extern char bench_vectors[];
struct bench_stamps {
    uint64_t entry, before_eoi, after_eoi, count;
};
/* Of each CPU; a line of its own. */
static volatile struct bench_stamps stamps[BOOT_CPUS_MAX] __attribute__((aligned(64)));
static uint64_t irq_rounds;

static uint64_t instructions(uint64_t ticks, uint64_t rounds)
{
    return (ticks * (1000000000 / timer_hz()) + rounds / 2) / rounds;
}

static void measure(const char *name, loop fn, uintptr_t addr)
{
    uint64_t start;

    fn(64, addr);
    start = timer_now();
    fn(ROUNDS, addr);
    figures_add(name, instructions(timer_now() - start, ROUNDS));
}

static void measure_exits(void)
{
    uintptr_t scratch = GICD_BASE + SPI_SCRATCH / 32 * 4;

    measure("empty_loop", loop_empty, 0);
    measure("null_hypercall", loop_null_hvc, 0);
    if (boot_is_guest())
        measure("null_smc", loop_null_smc, 0);
    measure("psci_version", loop_psci_version, 0);
    measure("id_register_read", loop_id_register, 0);
    measure("cntpct_read", loop_cntpct, 0);
    measure("pl011_fr_read", loop_load, UART_BASE + UART_FR);
    measure("gicd_typer_read", loop_load, GICD_BASE + GICD_TYPER);
    measure("gicd_isenabler_read", loop_load, scratch + GICD_ISENABLER);
    measure("gicd_isenabler_write", loop_store, scratch + GICD_ISENABLER);
    measure("gicd_ispendr_read", loop_load, scratch + GICD_ISPENDR);
    measure("gicd_isactiver_read", loop_load, scratch + GICD_ISACTIVER);
    measure("gicr_ispendr_read", loop_load, gic_frame(0) + GICD_ISPENDR);
    measure("gicd_ipriorityr_read", loop_load, GICD_BASE + GICD_IPRIORITYR + SPI_SCRATCH);
    measure("gicd_icfgr_read", loop_load, scratch * 2 - GICD_BASE + GICD_ICFGR);
    measure("gicd_ipriorityr_write", loop_store, GICD_BASE + GICD_IPRIORITYR + SPI_SCRATCH);
    measure("gicd_icfgr_write", loop_store, scratch * 2 - GICD_BASE + GICD_ICFGR);
}

/* Moves each round to another phase of the counter, whose step is 16 instructions. */
static void shift_phase(unsigned round)
{
    for (unsigned i = round & 15; i; i--)
        __asm__ volatile("nop");
}

static void wait_irq(unsigned cpu, uint64_t count)
{
    while (stamps[cpu].count == count)
        relax();
}

/* This CPU takes its interrupts by the vectors that stamp. */
static void open_irqs(void)
{
    sysreg_write(tpidr_el0, &stamps[this_cpu()->index]);
    sysreg_write(vbar_el1, bench_vectors);
    isb();
    irq_enable();
}

static void measure_sgi(void)
{
    uint64_t total = 0, eoi = 0;

    for (unsigned i = 0; i < irq_rounds; i++) {
        uint64_t count = stamps[0].count, start;

        shift_phase(i);
        start = timer_now();
        gic_send_sgi(SGI, 0);
        wait_irq(0, count);
        total += stamps[0].entry - start;
        eoi += stamps[0].after_eoi - stamps[0].before_eoi;
    }
    figures_add("sgi_self", instructions(total, irq_rounds));
    figures_add("eoi", instructions(eoi, irq_rounds));
}

static void measure_timer(const char *name, bool asleep)
{
    uint64_t total = 0;

    for (unsigned i = 0; i < irq_rounds; i++) {
        uint64_t count = stamps[0].count, due;

        shift_phase(i);
        irq_disable();
        due = timer_now() + 4000;
        sysreg_write(cntv_cval_el0, due);
        sysreg_write(cntv_ctl_el0, TIMER_ENABLE);
        isb();
        if (asleep)
            wfi();
        irq_enable();
        wait_irq(0, count);
        total += stamps[0].entry - due;
    }
    figures_add(name, instructions(total, irq_rounds));
}

/* The other VCPU: its handler is all that is wanted of it. */
static void sleeper(void)
{
    open_irqs();
    while (true)
        wfi();
}

static void answerer(void)
{
    uint64_t count = 0;

    open_irqs();
    while (true) {
        wait_irq(1, count);
        count = stamps[1].count;
        gic_send_sgi(SGI, 0);
    }
}

/* To the handler of the other VCPU, which sleeps, or to that and back to ours. */
static void measure_pair(const char *name, void (*other)(void), unsigned handler)
{
    uint64_t total = 0;

    smp_start(1, other);
    while (!stamps[handler].count) {
        gic_send_sgi(SGI, 1);
        for (uint64_t end = timer_now() + timer_us(100); timer_now() < end;)
            relax();
    }
    for (unsigned i = 0; i < irq_rounds; i++) {
        uint64_t count = stamps[handler].count, start;

        shift_phase(i);
        start = timer_now();
        gic_send_sgi(SGI, 1);
        wait_irq(handler, count);
        total += stamps[handler].entry - start;
    }
    figures_add(name, instructions(total, irq_rounds));
}

static void measure_interrupts(void)
{
    gic_enable(TIMER_VIRT_INTID);
    open_irqs();
    measure("priority_mask_write", loop_priority_mask, 0);
    if (boot_selects("case", "sgi"))
        measure_sgi();
    if (boot_selects("case", "timer_busy"))
        measure_timer("timer_busy", false);
    if (boot_selects("case", "timer_wfi"))
        measure_timer("timer_wfi", true);
    irq_disable();
}

/* Alone it measures what concerns one VCPU; with another one, "asleep" or not, what goes between them. */
void payload_main(void)
{
    irq_rounds = boot_number("rounds", IRQ_ROUNDS);
    gic_init();
    gic_cpu_init();
    figures_begin();
    if (boot_info.cpu_count > 1) {
        open_irqs();
        if (boot_flag("asleep"))
            measure_pair("sgi_sleeper", sleeper, 1);
        else
            measure_pair("sgi_and_back", answerer, 0);
        irq_disable();
    } else {
        if (boot_selects("case", "exits"))
            measure_exits();
        if (gic_version == 3)
            measure_interrupts();
    }
    figures_print();
}
