// SPDX-License-Identifier: Apache-2.0
// Command device: devices of the host.
#include <hv/class.h>
#include <hv/driver.h>
#include <hv/mterm.h>
#include <lib/errno.h>

typedef unsigned long long ull;

static void print_line(struct terminal *term, const struct device *dev)
{
    term_puts_cell(term, dev->name, 26);
    term_printf(term, " %-9s %-6s %-12s %s", device_state_name(dev->state),
                dev->cls == NULL ? "-" : dev->cls->name,
                dev->driver == NULL ? "-" : dev->driver->name, dev->bus->name);
    if (dev->state == DEVICE_WAITING && dev->waits != NULL) {
        term_printf(term, ", for ");
        term_puts_cell(term, dev->waits->name, 0);
    } else if (dev->error != 0) {
        term_printf(term, ", %s", error_name(dev->error));
    }
    term_printf(term, "\n");
}

static int device_list(struct terminal *term, int argc, char **argv)
{
    const struct class *cls = argc > 0 ? class_find(argv[0]) : NULL;

    if (argc > 0 && cls == NULL)
        return mterm_error(term, -ENOENT, "class of devices", argv[0]);
    term_printf(term, "NAME                       STATE     CLASS  DRIVER       BUS\n");
    for (struct device *dev = device_next(NULL); dev != NULL; dev = device_next(dev)) {
        if (term_interrupted(term))
            return -EINTR;
        if (cls == NULL || dev->cls == cls)
            print_line(term, dev);
    }
    return 0;
}

static void print_compatible(struct terminal *term, const struct device *dev)
{
    const char *compatible;

    for (unsigned i = 0; i < 16; i++) {
        if (dev->node == NULL || dt_get_string_at(dev->node, "compatible", i, &compatible) != 0)
            return;
        term_printf(term, "compatible: ");
        term_puts_cell(term, compatible, 0);
        term_printf(term, "\n");
    }
}

static void print_resources(struct terminal *term, const struct device *dev)
{
    uint64_t size;
    uint32_t irq;
    hpa_t addr;

    for (unsigned i = 0; device_regs_at(dev, i, &addr, &size); i++)
        term_printf(term, "registers:  0x%llx..0x%llx\n", (ull)addr.v, (ull)(addr.v + size - 1));
    for (unsigned i = 0; device_irq_at(dev, i, &irq); i++)
        term_printf(term, "interrupt:  %u\n", irq);
}

static void print_path(struct terminal *term, const struct device *dev)
{
    char path[256];

    if (dev->node == NULL || dt_path(dev->node, path, sizeof(path)) != 0)
        return;
    term_printf(term, "\nnode:       ");
    term_puts_cell(term, path, 0);
}

static int device_info(struct terminal *term, int argc UNUSED, char **argv)
{
    const struct device *dev = device_find(argv[0]);
    char text[160];

    if (dev == NULL)
        return mterm_error(term, -ENOENT, "device", argv[0]);
    term_printf(term, "name:       ");
    term_puts_cell(term, dev->name, 0);
    print_path(term, dev);
    term_printf(term, "\nbus:        %s", dev->bus->name);
    if (dev->parent != NULL) {
        term_printf(term, ", below ");
        term_puts_cell(term, dev->parent->name, 0);
    }
    term_printf(term, "\nstate:      %s%s%s\n", device_state_name(dev->state),
                dev->error == 0 ? "" : ", ", dev->error == 0 ? "" : error_name(dev->error));
    if (dev->state == DEVICE_WAITING && dev->waits != NULL) {
        term_printf(term, "waits for:  ");
        term_puts_cell(term, dev->waits->name, 0);
        term_printf(term, "\n");
    }
    term_printf(term, "driver:     %s\n", dev->driver == NULL ? "none" : dev->driver->name);
    print_compatible(term, dev);
    print_resources(term, dev);
    if (dev->cls == NULL)
        return 0;
    term_printf(term, "class:      %s, %s\n", dev->cls->name, dev->cls->help);
    if (dev->cls->describe != NULL) {
        dev->cls->describe(dev, text, sizeof(text));
        term_printf(term, "status:     ");
        term_puts_cell(term, text, 0);
        term_printf(term, "\n");
    }
    return 0;
}

static const struct command_verb device_verbs[] = {
    {
        .name = "list",
        .usage = "[CLASS]",
        .help = "devices, or those of a class",
        .max_args = 1,
        .run = device_list,
    },
    {
        .name = "info",
        .usage = "NAME",
        .help = "all about one device",
        .min_args = 1,
        .max_args = 1,
        .run = device_info,
    },
};
static const struct command device_command = {
    .name = "device",
    .group = "Host",
    .help = "devices of the host",
    .verbs = device_verbs,
    .verb_count = ARRAY_SIZE(device_verbs),
};
COMMAND(device_command);
