// SPDX-License-Identifier: Apache-2.0
// Secondary CPUs by PSCI; what each CPU sets up for itself.
#include <arm64/boot.h>
#include <arm64/smccc.h>
#include <arm64/stage1.h>
#include <arm64/sysreg.h>

#include <arch/barrier.h>
#include <arch/cache.h>
#include <arch/mmu.h>
#include <arch/smp.h>
#include <hv/dt.h>
#include <hv/irq.h>
#include <hv/smp.h>
#include <lib/errno.h>
#include <lib/string.h>

/* Read by the new CPU with its MMU off. */
static struct boot_secondary secondaries[SMP_CPUS_MAX] ALIGNED(64);

uint64_t arch_smp_hwid(void)
{
    return sysreg_read(mpidr_el1) & MPIDR_AFF_MASK;
}

static int psci_error(int64_t status)
{
    switch (status) {
    case PSCI_SUCCESS:
        return 0;
    case PSCI_NOT_SUPPORTED:
        return -EOPNOTSUPP;
    case PSCI_INVALID_PARAMETERS:
        return -ENODEV;
    case PSCI_DENIED:
        return -EACCES;
    case PSCI_ALREADY_ON:
        return -EALREADY;
    default:
        return -EIO;
    }
}

int arch_smp_start(unsigned cpu, uint64_t hwid, const struct dt_node *node, uintptr_t percpu_offset,
                   uintptr_t stack_top)
{
    struct boot_secondary *boot = &secondaries[cpu];
    const char *method;

    if (dt_get_string(node, "enable-method", &method) || strcmp(method, "psci"))
        return -EOPNOTSUPP;
    boot->percpu_offset = percpu_offset;
    boot->stack_top = stack_top;
    boot->cpu = cpu;
    boot->root = arch_mmu_hpa(stage1_root).v;
    arch_cache_clean(boot, sizeof(*boot));
    return psci_error(smccc_smc(PSCI_CPU_ON_64, hwid, arch_mmu_hpa((void *)secondary_entry).v,
                                arch_mmu_hpa(boot).v));
}

void arch_smp_stop_others(void)
{
    const struct irqchip *chip = irq_chip();
    cpumask_t others = cpu_online() & ~CPU_MASK(cpu_id());

    if (chip && others)
        chip->send(SMP_SGI_STOP, others);
}
