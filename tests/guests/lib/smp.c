// SPDX-License-Identifier: Apache-2.0
// Start of the C world on each CPU, PSCI.
#include <payload/arch.h>
#include <payload/boot.h>
#include <payload/console.h>
#include <payload/gic.h>
#include <payload/main.h>
#include <payload/psci.h>
#include <payload/report.h>
#include <payload/smp.h>
#include <payload/string.h>
#include <payload/timer.h>

#define STACK_SIZE 16384

void secondary_start(void);
void payload_start(const void *fdt) __attribute__((noreturn));
void payload_secondary(struct cpu *cpu) __attribute__((noreturn));

struct cpu cpus[BOOT_CPUS_MAX];
static uint8_t stacks[BOOT_CPUS_MAX][STACK_SIZE] __attribute__((aligned(16)));

void __attribute__((weak)) payload_early(void)
{
}

void payload_start(const void *fdt)
{
    boot_info.counter = timer_now();
    boot_parse(fdt);
    payload_early();
    for (unsigned i = 0; i < BOOT_CPUS_MAX; i++) {
        cpus[i].index = i;
        cpus[i].mpidr = boot_info.mpidr[i];
        if (i)
            cpus[i].stack_top = (uintptr_t)&stacks[i][STACK_SIZE];
    }
    cpus[0].online = 1;
    console_init();
    payload_main();
    report_finish();
}

void payload_secondary(struct cpu *cpu)
{
    __atomic_store_n(&cpu->starting, 0, __ATOMIC_RELEASE);
    gic_cpu_init();
    __atomic_store_n(&cpu->online, 1, __ATOMIC_RELEASE);
    cpu->fn();
    __atomic_store_n(&cpu->online, 0, __ATOMIC_RELEASE);
    psci_call(PSCI_CPU_OFF, 0, 0, 0);
    while (true)
        wfi();
}

int64_t psci_call(uint32_t id, uint64_t a, uint64_t b, uint64_t c)
{
    struct smccc regs = {.x = {id, a, b, c}};

    if (!strcmp(boot_info.psci_method, "smc"))
        smccc_smc(&regs);
    else
        smccc_hvc(&regs);
    return (int64_t)regs.x[0];
}

void psci_system_off(void)
{
    psci_call(PSCI_SYSTEM_OFF, 0, 0, 0);
    while (true)
        wfi();
}

int64_t smp_start(unsigned cpu, void (*fn)(void))
{
    int32_t status;

    cpus[cpu].fn = fn;
    cpus[cpu].online = 0;
    cpus[cpu].starting = 1;
    dsb();
    status = (int32_t)psci_call(PSCI_CPU_ON, cpus[cpu].mpidr, (uintptr_t)secondary_start,
                                (uintptr_t)&cpus[cpu]);
    if (status)
        cpus[cpu].starting = 0;
    return status;
}

/* QEMU's PSCI says OFF, not ON_PENDING, until the started CPU's thread of the host gets its turn: AFFINITY_INFO is not enough. */
bool smp_wait_off(unsigned cpu, uint64_t ms)
{
    uint64_t end = timer_now() + timer_us(ms * 1000);

    while (cpus[cpu].starting || psci_call(PSCI_AFFINITY_INFO, cpus[cpu].mpidr, 0, 0) != 1) {
        if (timer_now() >= end)
            return false;
        relax();
    }
    return true;
}
