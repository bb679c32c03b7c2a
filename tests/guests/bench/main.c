// SPDX-License-Identifier: Apache-2.0
// Costs of exits, seen by the guest: with QEMU's -icount shift=0 a nanosecond is an instruction.
#include <payload/arch.h>
#include <payload/boot.h>
#include <payload/console.h>
#include <payload/gic.h>
#include <payload/main.h>
#include <payload/timer.h>

#define ROUNDS 4096
#define IRQ_ROUNDS 1024
#define SPI_SCRATCH 52

typedef void (*loop)(uint64_t rounds, uintptr_t addr);
void loop_empty(uint64_t rounds, uintptr_t addr);
void loop_null_hvc(uint64_t rounds, uintptr_t addr);
void loop_null_smc(uint64_t rounds, uintptr_t addr);
void loop_psci_version(uint64_t rounds, uintptr_t addr);
void loop_id_register(uint64_t rounds, uintptr_t addr);
void loop_cntpct(uint64_t rounds, uintptr_t addr);
void loop_load(uint64_t rounds, uintptr_t addr);
void loop_store(uint64_t rounds, uintptr_t addr);

extern char bench_vectors[];
struct bench_stamps {
    uint64_t entry, before_eoi, after_eoi, count;
};
volatile struct bench_stamps bench_stamps;

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
    print("BENCH %s %lu\n", name, instructions(timer_now() - start, ROUNDS));
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
}

/* Moves each round to another phase of the counter, whose step is 16 instructions. */
static void shift_phase(unsigned round)
{
    for (unsigned i = round & 15; i; i--)
        __asm__ volatile("nop");
}

static void wait_irq(uint64_t count)
{
    while (bench_stamps.count == count)
        ;
}

static void measure_sgi(void)
{
    uint64_t total = 0, eoi = 0;

    for (unsigned i = 0; i < IRQ_ROUNDS; i++) {
        uint64_t count = bench_stamps.count, start;

        shift_phase(i);
        start = timer_now();
        gic_send_sgi(1, 0);
        wait_irq(count);
        total += bench_stamps.entry - start;
        eoi += bench_stamps.after_eoi - bench_stamps.before_eoi;
    }
    print("BENCH sgi_self %lu\n", instructions(total, IRQ_ROUNDS));
    print("BENCH eoi %lu\n", instructions(eoi, IRQ_ROUNDS));
}

static void measure_timer(const char *name, bool asleep)
{
    uint64_t total = 0;

    for (unsigned i = 0; i < IRQ_ROUNDS; i++) {
        uint64_t count = bench_stamps.count, due;

        shift_phase(i);
        irq_disable();
        due = timer_now() + 4000;
        sysreg_write(cntv_cval_el0, due);
        sysreg_write(cntv_ctl_el0, TIMER_ENABLE);
        isb();
        if (asleep)
            wfi();
        irq_enable();
        wait_irq(count);
        total += bench_stamps.entry - due;
    }
    print("BENCH %s %lu\n", name, instructions(total, IRQ_ROUNDS));
}

void payload_main(void)
{
    gic_init();
    gic_cpu_init();
    measure_exits();
    if (gic_version != 3)
        return;
    sysreg_write(vbar_el1, bench_vectors);
    isb();
    gic_enable(TIMER_VIRT_INTID);
    irq_enable();
    measure_sgi();
    measure_timer("timer_busy", false);
    measure_timer("timer_wfi", true);
    irq_disable();
}
