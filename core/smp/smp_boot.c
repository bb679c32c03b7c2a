// SPDX-License-Identifier: Apache-2.0
// Bringing up the CPUs that the device tree lists; those that can not come are left out, with the reason.
#include <hv/smp.h>

#include <arch/barrier.h>
#include <arch/mmu.h>
#include <arch/smp.h>
#include <hv/clock.h>
#include <hv/dt.h>
#include <hv/log.h>
#include <hv/page.h>
#include <hv/percpu.h>
#include <hv/vmap.h>
#include <lib/errno.h>
#include <lib/string.h>

#define ARRIVAL_TIMEOUT_NS (2 * NS_PER_SEC)

static bool is_cpu(const struct dt_node *node)
{
    const char *type;

    return !dt_get_string(node, "device_type", &type) && str_equal(type, "cpu");
}

static bool is_known(uint64_t hwid, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (cpu_info(i)->hwid == hwid)
            return true;
    }
    return false;
}

/* Per-CPU data and a stack; they stay with the CPU, which may arrive late. */
static int provide(unsigned cpu, uintptr_t *stack_top)
{
    unsigned order = 0;
    hpa_t pages;
    char *stack;
    int err;

    while ((PAGE_SIZE << order) < percpu_size())
        order++;
    err = page_alloc(order, PAGE_OWNER_PERCPU, &pages);
    if (err)
        return err;
    stack = vmap_stack_alloc();
    if (!stack) {
        page_free(pages, order);
        return -ENOMEM;
    }
    percpu_create(cpu, arch_mmu_linear(pages));
    *stack_top = (uintptr_t)stack + CONFIG_STACK_SIZE;
    return 0;
}

static void await(struct cpu_info *info)
{
    uint64_t deadline = clock_now() + ARRIVAL_TIMEOUT_NS;

    while (__atomic_load_n(&info->status, __ATOMIC_ACQUIRE) != CPU_ONLINE &&
           !__atomic_load_n(&info->error, __ATOMIC_ACQUIRE)) {
        if (clock_now() > deadline) {
            info->status = CPU_TIMED_OUT;
            info->error = -ETIMEDOUT;
            return;
        }
        arch_cpu_relax();
    }
}

static void start(unsigned cpu, const struct dt_node *node)
{
    struct cpu_info *info = cpu_info(cpu);
    uintptr_t stack_top;
    int err = provide(cpu, &stack_top);

    info->status = CPU_FAILED;
    if (!err)
        err = arch_smp_start(cpu, info->hwid, node, percpu_offsets[cpu], stack_top);
    if (err)
        info->error = err;
    else
        await(info);
    if (info->status != CPU_ONLINE)
        log_error("%s: CPU %u does not start: %s", node->name, cpu, error_name(info->error));
}

/* 0: the node is a CPU to start, with its hardware id. */
static int read_node(const struct dt_node *node, unsigned count, uint64_t *hwid)
{
    uint64_t size;
    int err = dt_get_reg(node, 0, hwid, &size);

    if (err) {
        log_error("%s: no usable reg: %s", node->name, error_name(err));
        return err;
    }
    if (*hwid == cpu_info(0)->hwid)
        return -EALREADY;
    if (is_known(*hwid, count)) {
        log_error("%s: reg 0x%lx is listed twice; the second node is ignored", node->name, *hwid);
        return -EEXIST;
    }
    return 0;
}

void smp_boot(void)
{
    struct dt_node *cpus = dt_find("/cpus");
    unsigned count = 1, beyond = 0;

    for (struct dt_node *node = cpus ? dt_first_child(cpus) : NULL; node; node = dt_next_sibling(node)) {
        uint64_t hwid;

        if (!is_cpu(node) || read_node(node, count, &hwid))
            continue;
        if (count == SMP_CPUS_MAX) {
            beyond++;
            continue;
        }
        cpu_info(count)->hwid = hwid;
        cpu_info(count)->status = CPU_DISABLED;
        cpu_set_count(count + 1);
        if (dt_is_enabled(node))
            start(count, node);
        count++;
    }
    if (beyond)
        log_warn("%u CPUs stay off: CONFIG_MAX_CPUS is %u", beyond, (unsigned)SMP_CPUS_MAX);
}
