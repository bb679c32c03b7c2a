// SPDX-License-Identifier: Apache-2.0
// FP registers survive sleep, interrupts and other VCPUs; with several CPUs each has its own pattern.
#include "../conform.h"

#define ROUNDS 20

static volatile uint32_t finished;
static volatile uint64_t mismatches;
static volatile uint32_t ticks[BOOT_CPUS_MAX];

static void on_tick(uint32_t intid)
{
    (void)intid;
    timer_stop(false);
    ticks[this_cpu()->index]++;
}

static void rounds(void)
{
    unsigned index = this_cpu()->index;
    uint64_t seed = 0x0123456789abcd00ul + index * 0x1000000000000ul, wrong = 0;

    gic_enable(TIMER_VIRT_INTID);
    fp_fill(seed);
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint32_t before = ticks[index];

        timer_start(false, 500 + index * 130);
        while (ticks[index] == before) {
            irq_disable();
            if (i % 2 && ticks[index] == before)
                wfi();
            irq_enable();
            relax();
        }
        irq_disable();
        wrong += fp_mismatches(seed);
    }
    gic_disable(TIMER_VIRT_INTID);
    __atomic_fetch_add(&mismatches, wrong, __ATOMIC_RELAXED);
    __atomic_fetch_add(&finished, 1, __ATOMIC_RELEASE);
}

static void case_fp(void)
{
    unsigned started = 1;

    irq_set_handler(TIMER_VIRT_INTID, on_tick);
    finished = 0;
    for (unsigned i = 1; i < boot_info.cpu_count; i++)
        started += smp_start(i, rounds) == 0;
    rounds();
    bool done = timer_wait(&finished, started, 10000);
    report("fp.kept", done && started == boot_info.cpu_count && !mismatches,
           "%u of %u CPUs finished, %lu registers changed", finished, started, mismatches);
    for (unsigned i = 1; i < boot_info.cpu_count; i++)
        smp_wait_off(i, 5000);
}

TEST_CASE("cpu.fp", 1, case_fp);
