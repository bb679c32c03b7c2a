// SPDX-License-Identifier: Apache-2.0
// The machine as a whole: off, reset, idle, what the CPU is called, frames on the stack.
#include <arm64/gic.h>
#include <arm64/smccc.h>
#include <arm64/sysreg.h>

#include <arch/barrier.h>
#include <arch/irqflags.h>
#include <arch/mmu.h>
#include <arch/system.h>
#include <lib/fmt.h>
#include <lib/string.h>

extern const char el2_irq_return[];

#define MIDR_IMPLEMENTER_ARM 0x41
/* Calls from the vector to whoever asks, and what is of interest of the rest. */
#define HANDLER_DEPTH 12
#define INTERRUPTED_DEPTH 32
#define MIDR_PART(midr) (((midr) >> 4) & 0xfff)

static const struct {
    uint16_t part;
    const char *name;
} arm_parts[] = {
    {0xd03, "Cortex-A53"},  {0xd04, "Cortex-A35"},  {0xd05, "Cortex-A55"},  {0xd07, "Cortex-A57"},
    {0xd08, "Cortex-A72"},  {0xd09, "Cortex-A73"},  {0xd0a, "Cortex-A75"},  {0xd0b, "Cortex-A76"},
    {0xd0c, "Neoverse-N1"}, {0xd40, "Neoverse-V1"}, {0xd49, "Neoverse-N2"}, {0xd47, "Cortex-A710"},
};

void arch_system_halt(void)
{
    arch_irq_disable();
    for (;;)
        __asm__ volatile("wfi");
}

void arch_system_off(void)
{
    smccc_smc(PSCI_SYSTEM_OFF, 0, 0, 0);
    arch_system_halt();
}

void arch_system_reset(void)
{
    smccc_smc(PSCI_SYSTEM_RESET, 0, 0, 0);
    arch_system_halt();
}

void arch_system_idle(void)
{
    uint32_t hcr = gic_guest_suspend();

    arch_barrier_complete();
    latency_irqs_on(); /* an interrupt is not held off here: it ends the wait */
    __asm__ volatile("wfi" : : : "memory");
    latency_irqs_off();
    gic_guest_resume(hcr);
}

bool arch_system_idles_anywhere(void)
{
    return true;
}

void arch_system_cpu_name(char *buf, unsigned size)
{
    uint64_t midr = sysreg_read(midr_el1);
    const char *name = "unknown part";

    for (unsigned i = 0; midr >> 24 == MIDR_IMPLEMENTER_ARM && i < ARRAY_SIZE(arm_parts); i++) {
        if (arm_parts[i].part == MIDR_PART(midr))
            name = arm_parts[i].name;
    }
    fmt_snprintf(buf, size, "%s r%up%u, MIDR 0x%08x", name, (unsigned)(midr >> 20) & 0xf,
                 (unsigned)midr & 0xf, (unsigned)midr);
}

/* A frame record is {older fp, return address}; older frames lie higher on the same stack. */
unsigned arch_system_backtrace(uintptr_t fp, uintptr_t *pcs, unsigned max)
{
    unsigned count = 0;

    while (count < max && fp && IS_ALIGNED(fp, 8) && arch_mmu_is_readable(fp, 16)) {
        const uintptr_t *record = (const uintptr_t *)fp;

        if (record[1])
            pcs[count++] = record[1];
        if (record[0] <= fp)
            break;
        fp = record[0];
    }
    return count;
}

/* The frames of the handler come first, then the return into the vector, then the record that the vector made. */
unsigned arch_system_interrupted(uintptr_t *pcs, unsigned max)
{
    uintptr_t all[HANDLER_DEPTH + INTERRUPTED_DEPTH];
    unsigned count = arch_system_backtrace(arch_system_frame(), all, ARRAY_SIZE(all)), first = 0;

    while (first < count && all[first] != (uintptr_t)el2_irq_return)
        first++;
    if (first++ >= count)
        return 0;
    count = MIN(count - first, max);
    memcpy(pcs, all + first, count * sizeof(*pcs));
    return count;
}

NOINLINE uintptr_t arch_system_frame(void)
{
    const uintptr_t *own = __builtin_frame_address(0);

    return own[0];
}
