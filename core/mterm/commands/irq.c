// SPDX-License-Identifier: Apache-2.0
// Command irq: host interrupts, where they go and how they are.
#include <hv/chardev.h>
#include <hv/cpu.h>
#include <hv/irq.h>
#include <hv/irq_thread.h>
#include <hv/mterm.h>
#include <lib/errno.h>
#include <lib/parse.h>
#include <lib/string.h>

typedef unsigned long long ull;

static const char *trigger_name(uint32_t trigger)
{
    if ((trigger & (IRQ_TRIGGER_RISING | IRQ_TRIGGER_FALLING)) != 0)
        return "edge";
    return trigger == IRQ_TRIGGER_NONE ? "-" : "level";
}

/* The CPU that it goes to; of a private one each has its own. */
static void print_target(struct terminal *term, const struct irq_info *info)
{
    if (info->is_private)
        term_printf(term, " %4s", "each");
    else
        term_printf(term, " %4u", info->cpu);
}

static void print_line(struct terminal *term, const struct irq_info *info)
{
    term_printf(term, "%5u %5u ", info->irq, info->hwirq);
    term_puts_cell(term, info->domain, 8);
    term_printf(term, " %-5s", trigger_name(info->trigger));
    print_target(term, info);
    term_printf(term, " %-9s ", irq_state_name(info->state));
    term_puts_cell(term, info->name[0] != '\0' ? info->name : "-", 20);
    for (unsigned cpu = 0; cpu < cpu_count(); cpu++)
        if (cpu_info(cpu)->status == CPU_ONLINE)
            term_printf(term, " %llu", (ull)irq_count(info->irq, cpu));
    term_printf(term, "\n");
}

static int irq_list(struct terminal *term, int argc UNUSED, char **argv UNUSED)
{
    struct irq_info info;

    term_printf(term, "  IRQ HWIRQ DOMAIN   TYPE   CPU STATE     NAME                 COUNT ON "
                      "EACH CPU\n");
    for (uint32_t irq = irq_next(IRQ_NONE); irq != IRQ_NONE; irq = irq_next(irq)) {
        if (term_interrupted(term))
            return -EINTR;
        if (irq_get_info(irq, &info) == 0)
            print_line(term, &info);
    }
    term_printf(term, "spurious: %llu\n", (ull)irq_spurious_count());
    return 0;
}

/* The number; what it is not is said. */
static int take_irq(struct terminal *term, const char *text, struct irq_info *info)
{
    uint32_t irq;
    int err = parse_u32(text, &irq);

    if (err == 0)
        err = irq_get_info(irq, info);
    return err == 0 ? 0 : mterm_error(term, err, "irq", text);
}

static void print_counts(struct terminal *term, uint32_t irq)
{
    for (unsigned cpu = 0; cpu < cpu_count(); cpu++)
        if (cpu_info(cpu)->status == CPU_ONLINE)
            term_printf(term, "cpu%-8u %llu\n", cpu, (ull)irq_count(irq, cpu));
}

static int irq_info(struct terminal *term, int argc UNUSED, char **argv)
{
    struct irq_info info;
    char cpus[64];
    int err = take_irq(term, argv[0], &info);

    if (err != 0)
        return err;
    term_printf(term, "irq:        %u, number %u of ", info.irq, info.hwirq);
    term_puts_cell(term, info.domain, 0);
    term_printf(term, "\nowner:      ");
    term_puts_cell(term, info.name[0] != '\0' ? info.name : "none", 0);
    term_printf(term, "\ntrigger:    %s\nstate:      %s\n", trigger_name(info.trigger),
                irq_state_name(info.state));
    term_printf(term, "handler:    %s\n", irq_thread_exists(info.irq) ? "thread" : "interrupt");
    mterm_cpus_text(info.affinity & cpu_online(), cpus, sizeof(cpus));
    if (info.is_private)
        term_printf(term, "cpus:       each has its own\n");
    else
        term_printf(term, "cpus:       %s, goes to %u\n", cpus, info.cpu);
    term_printf(term, "unhandled:  %llu\n", (ull)info.unhandled);
    term_printf(term, "storms:     %llu, limit %u a second, last pause %llu ms\n", (ull)info.storms,
                info.storm_rate, (ull)(info.storm_ns / 1000000));
    print_counts(term, info.irq);
    return 0;
}

static int irq_affinity(struct terminal *term, int argc UNUSED, char **argv)
{
    struct irq_info info;
    cpumask_t cpus;
    int err = take_irq(term, argv[0], &info);

    if (err != 0)
        return err;
    err = mterm_parse_cpus(argv[1], &cpus);
    if (err != 0)
        return mterm_error(term, err, "irq affinity", argv[1]);
    err = irq_set_affinity(info.irq, cpus);
    if (err == -EBUSY)
        term_printf(term, "only isolated CPUs, which take no interrupts of devices\n");
    else if (err == -EOPNOTSUPP)
        term_printf(term, "it goes where the interrupt of its controller goes\n");
    else if (err == -EINVAL && info.is_private)
        term_printf(term, "each CPU has its own\n");
    if (err != 0)
        return mterm_error(term, err, "irq affinity", argv[1]);
    return 0;
}

/* Interrupts of devices have the names of the devices. */
static bool is_of_console(const struct irq_info *info)
{
    const struct chardev *console = chardev_console();

    return console != NULL && str_equal(chardev_name(console), info->name);
}

static int set_enabled(struct terminal *term, const char *text, bool on)
{
    struct irq_info info;
    int err = take_irq(term, text, &info);

    if (err != 0)
        return err;
    if (!on && is_of_console(&info)) {
        term_printf(term, "it is the console's: nothing could be typed any more\n");
        return mterm_error(term, -EPERM, "irq disable", text);
    }
    err = irq_operator_enable(info.irq, on);
    if (err == -EPERM)
        term_printf(term, "the hypervisor itself lives on it\n");
    return err == 0 ? 0 : mterm_error(term, err, on ? "irq enable" : "irq disable", text);
}

static int irq_enable_verb(struct terminal *term, int argc UNUSED, char **argv)
{
    return set_enabled(term, argv[0], true);
}

static int irq_disable_verb(struct terminal *term, int argc UNUSED, char **argv)
{
    return set_enabled(term, argv[0], false);
}

static const struct command_verb irq_verbs[] = {
    {
        .name = "list",
        .usage = "",
        .help = "interrupts: owner, CPU, state, counts",
        .run = irq_list,
    },
    {
        .name = "info",
        .usage = "IRQ",
        .help = "all about one interrupt",
        .min_args = 1,
        .max_args = 1,
        .run = irq_info,
    },
    {
        .name = "affinity",
        .usage = "IRQ CPUS",
        .help = "the CPUs that may take it (0,2-3)",
        .min_args = 2,
        .max_args = 2,
        .run = irq_affinity,
    },
    {
        .name = "enable",
        .usage = "IRQ",
        .help = "on again, also after a storm",
        .min_args = 1,
        .max_args = 1,
        .run = irq_enable_verb,
    },
    {
        .name = "disable",
        .usage = "IRQ",
        .help = "off until enabled here",
        .min_args = 1,
        .max_args = 1,
        .run = irq_disable_verb,
    },
};
static const struct command irq_command = {
    .name = "irq",
    .group = "Host",
    .help = "interrupts of the host",
    .verbs = irq_verbs,
    .verb_count = ARRAY_SIZE(irq_verbs),
};
COMMAND(irq_command);
