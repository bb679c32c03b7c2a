// SPDX-License-Identifier: Apache-2.0
// Command driver: which devices the hypervisor can drive.
#include <hv/driver.h>
#include <hv/mterm.h>
#include <lib/errno.h>

static void print_devices(struct terminal *term, const struct driver *driver)
{
    unsigned count = 0;

    for (struct device *dev = device_next(NULL); dev != NULL; dev = device_next(dev)) {
        if (dev->driver != driver || dev->state != DEVICE_BOUND)
            continue;
        term_printf(term, count++ == 0 ? "  bound:" : ",");
        term_printf(term, " ");
        term_puts_cell(term, dev->name, 0);
    }
    term_printf(term, "%s\n", count == 0 ? "  no device" : "");
}

static int driver_list(struct terminal *term, int argc UNUSED, char **argv UNUSED)
{
    const struct driver *driver;

    for (unsigned i = 0; (driver = driver_at(i)) != NULL; i++) {
        if (term_interrupted(term))
            return -EINTR;
        term_printf(term, "%s (%s):", driver->name,
                    driver->bus == NULL ? platform_bus.name : driver->bus->name);
        for (const char *const *it = driver->match; it != NULL && *it != NULL; it++)
            term_printf(term, " %s", *it);
        term_printf(term, "\n");
        print_devices(term, driver);
    }
    return 0;
}

static const struct command_verb driver_verbs[] = {
    {
        .name = "list",
        .usage = "",
        .help = "drivers, what they fit, and their devices",
        .run = driver_list,
    },
};
static const struct command driver_command = {
    .name = "driver",
    .group = "Host",
    .help = "drivers of the host's devices",
    .verbs = driver_verbs,
    .verb_count = ARRAY_SIZE(driver_verbs),
};
COMMAND(driver_command);
