// SPDX-License-Identifier: Apache-2.0
// Bringing up the secondary CPUs that the device tree lists.

#include <arch/barrier.h>
#include <arch/mmu.h>
#include <arch/smp.h>
#include <arch/time.h>
#include <hv/dt.h>
#include <hv/log.h>
#include <hv/page.h>
#include <hv/percpu.h>
#include <hv/smp.h>
#include <hv/vmap.h>
#include <lib/errno.h>
#include <lib/string.h>

#define ARRIVAL_SECONDS 2

/* The /cpus node of each CPU; NULL: not to be started. Used by the boot CPU only. */
static const struct dt_node *cpu_nodes[SMP_CPUS_MAX];

static bool is_cpu_node(const struct dt_node *node)
{
    const char *type;

    /* device_type is deprecated, except here (Devicetree Specification 3.8.1). */
    if (dt_get_string(node, "device_type", &type) == 0)
        return str_equal(type, "cpu");
    return str_equal(node->name, "cpu") || str_starts_with(node->name, "cpu@");
}

static bool is_known(uint64_t hwid, unsigned count)
{
    for (unsigned cpu = 0; cpu < count; cpu++) {
        if (cpu_info(cpu)->hwid == hwid)
            return true;
    }
    return false;
}

/* Enter a node as the given CPU. Returns why it can not be started, or 0. */
static int cpu_enter(unsigned cpu, const struct dt_node *node, uint64_t hwid)
{
    struct cpu_info *info = cpu_info(cpu);

    *info = (struct cpu_info){.hwid = hwid, .status = CPU_ABSENT};
    if (is_known(hwid, cpu))
        info->error = -EEXIST;
    else if (!dt_is_enabled(node))
        info->error = -ENODEV;
    info->status = info->error != 0 ? CPU_DISABLED : CPU_ABSENT;
    cpu_nodes[cpu] = info->error != 0 ? NULL : node;
    return info->error;
}

/* Number the CPUs: the one that runs is 0, the others follow in tree order. */
static void cpus_read(void)
{
    const struct dt_node *cpus = dt_find("/cpus");
    uint64_t boot = cpu_info(0)->hwid;
    unsigned count = 1, excess = 0;
    bool boot_listed = false;

    if (cpus == NULL) {
        log_warn("device tree has no /cpus: only the boot CPU is used");
        return;
    }
    for (const struct dt_node *node = dt_first_child(cpus); node != NULL;
         node = dt_next_sibling(node)) {
        uint64_t hwid, size;

        if (!is_cpu_node(node))
            continue;
        if (dt_get_reg(node, 0, &hwid, &size) != 0) {
            log_warn("/cpus/%s: no usable reg, ignored", node->name);
        } else if (hwid == boot && !boot_listed) {
            boot_listed = true;
        } else if (count == SMP_CPUS_MAX) {
            excess++;
        } else {
            int err = cpu_enter(count, node, hwid);

            if (err != 0)
                log_warn("/cpus/%s: CPU %u stays off: %s", node->name, count,
                         err == -EEXIST ? "its reg is that of another CPU" : "disabled");
            count++;
        }
    }
    cpu_set_count(count);
    if (!boot_listed)
        log_warn("/cpus does not list the boot CPU (0x%llx)", (unsigned long long)boot);
    if (excess != 0)
        log_warn("%u more CPUs in /cpus than this build supports (%u): they stay off", excess,
                 SMP_CPUS_MAX);
}

static unsigned percpu_order(void)
{
    unsigned order = 0;

    while ((PAGE_SIZE << order) < percpu_size())
        order++;
    return order;
}

static int cpu_start(unsigned cpu)
{
    void *stack = vmap_stack_alloc("start of a CPU");
    hpa_t memory;
    int err = -ENOMEM;

    if (stack == NULL)
        return err;
    if (page_alloc(percpu_order(), PAGE_OWNER_PERCPU, &memory) != 0)
        goto no_memory;
    percpu_create(cpu, arch_mmu_linear(memory));
    err = arch_smp_start(cpu, cpu_info(cpu)->hwid, cpu_nodes[cpu], percpu_offsets[cpu],
                         (uintptr_t)stack + CONFIG_STACK_SIZE);
    if (err == 0)
        return 0;
    page_free(memory, percpu_order());
no_memory:
    vmap_stack_free(stack);
    return err;
}

static void cpu_failed(unsigned cpu, enum cpu_status status, int err)
{
    struct cpu_info *info = cpu_info(cpu);

    info->status = status;
    info->error = err;
    log_error("CPU %u (0x%llx) did not start: %s", cpu, (unsigned long long)info->hwid,
              error_name(err));
}

/* Nothing more to wait for: it is online, or has said what went wrong. */
static bool is_settled(unsigned cpu)
{
    return (cpu_online() & CPU_MASK(cpu)) != 0 ||
           __atomic_load_n(&cpu_info(cpu)->error, __ATOMIC_RELAXED) != 0;
}

void smp_boot(void)
{
    uint64_t begin;
    cpumask_t started = 0;

    cpus_read();
    begin = arch_time_counter();
    for (unsigned cpu = 1; cpu < cpu_count(); cpu++) {
        int err = cpu_nodes[cpu] == NULL ? -ENODEV : cpu_start(cpu);

        if (err == 0)
            started |= CPU_MASK(cpu);
        else if (cpu_nodes[cpu] != NULL)
            cpu_failed(cpu, CPU_FAILED, err);
    }
    /*
     * All come up at once; the bound is for all of them. What a late CPU uses is not taken back: it
     * may come yet.
     */
    for (unsigned cpu = 1; cpu < cpu_count(); cpu++) {
        if ((started & CPU_MASK(cpu)) == 0)
            continue;
        while (!is_settled(cpu) &&
               arch_time_counter() - begin < ARRIVAL_SECONDS * arch_time_frequency())
            arch_cpu_relax();
        if (!is_settled(cpu))
            cpu_failed(cpu, CPU_TIMED_OUT, -ETIMEDOUT);
        else if (cpu_info(cpu)->error != 0)
            cpu_failed(cpu, CPU_FAILED, cpu_info(cpu)->error);
    }
    log_info("%u of %u CPUs online", cpu_online_count(), cpu_count());
}
