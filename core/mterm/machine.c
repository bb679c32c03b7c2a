// SPDX-License-Identifier: Apache-2.0
// What commands need of the machine below: registers of a VCPU, names of CPUs, power.
#include <arch/smp.h>
#include <arch/system.h>
#include <arch/time.h>
#include <arch/vcpu.h>
#include <hv/chardev.h>
#include <hv/heap.h>
#include <hv/log.h>
#include <hv/mterm.h>
#include <hv/smp.h>
#include <hv/vcpu_debug.h>
#include <lib/errno.h>

static void read_registers(struct vcpu *vcpu, const struct arch_reg_desc *table, unsigned count,
                           struct mterm_register *regs)
{
    arch_vcpu_sync(vcpu);
    for (unsigned i = 0; i < count; i++) {
        regs[i].name = table[i].name;
        if (arch_vcpu_get_reg(vcpu, table[i].id, &regs[i].value) < 0)
            regs[i].name = NULL;
    }
}

int mterm_vcpu_registers(struct vcpu *vcpu, void (*fn)(const struct mterm_register *reg, void *arg),
                         void *arg)
{
    unsigned count;
    const struct arch_reg_desc *table = arch_vcpu_reg_table(&count);
    struct mterm_register *regs = heap_calloc(count, sizeof(*regs));
    bool resume;
    int err;

    if (regs == NULL)
        return -ENOMEM;
    err = vcpu_debug_stop(vcpu, &resume);
    if (err == 0) {
        read_registers(vcpu, table, count, regs);
        vcpu_debug_go(vcpu, resume);
        for (unsigned i = 0; i < count; i++)
            if (regs[i].name != NULL)
                fn(&regs[i], arg);
    }
    heap_free(regs);
    return err;
}

struct cpu_name_request {
    char *buf;
    unsigned size;
};

static void read_cpu_name(void *arg)
{
    struct cpu_name_request *request = arg;

    arch_system_cpu_name(request->buf, request->size);
}

void mterm_cpu_name(unsigned cpu, char *buf, unsigned size)
{
    struct cpu_name_request request = {.buf = buf, .size = size};

    buf[0] = '\0';
    smp_call(CPU_MASK(cpu), read_cpu_name, &request);
}

static uint64_t prompt_counter;

void mterm_mark_prompt(void)
{
    prompt_counter = arch_time_counter();
}

uint64_t mterm_prompt_counter(void)
{
    return prompt_counter;
}

uint64_t mterm_counter_frequency(void)
{
    return arch_time_frequency();
}

static void stop_machine(const char *what)
{
    struct chardev *console = chardev_console();

    log_info("%s", what);
    arch_smp_stop_others();
    if (console != NULL)
        chardev_flush_sync(console);
}

void mterm_power_off(void)
{
    stop_machine("powering off");
    arch_system_off();
}

void mterm_power_reset(void)
{
    stop_machine("resetting");
    arch_system_reset();
}
