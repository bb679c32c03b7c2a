// SPDX-License-Identifier: Apache-2.0
// Command emulators: the devices that guests can be given.
#include <hv/guest.h>
#include <hv/mterm.h>

/** Devices of one kind in all guests. */
struct use_count {
    const struct emulator *emulator;
    unsigned devices;
};

static int count_uses(struct guest *guest, void *arg)
{
    struct use_count *count = arg;

    if (guest->busy)
        return 0;
    LIST_FOR_EACH(dev, &guest->devices, struct emu_device, link)
        count->devices += dev->emulator == count->emulator;
    return 0;
}

static int emulators_list(struct terminal *term, int argc UNUSED, char **argv UNUSED)
{
    const struct emulator *emulator;

    term_printf(term, "NAME         DEVICES  STATE  BITS         COMPATIBLE\n");
    for (unsigned i = 0; (emulator = emulator_at(i)) != NULL && !term_interrupted(term); i++) {
        struct use_count count = {.emulator = emulator};
        unsigned widths = emulator->widths;

        (void)guest_for_each(count_uses, &count);
        term_printf(term, "%-12s %7u %6u  %-2s%-3s%-3s%-3s ", emulator->name, count.devices,
                    emulator->state_size, widths & EMU_WIDTH_8 ? "8" : "",
                    widths & EMU_WIDTH_16 ? "16" : "", widths & EMU_WIDTH_32 ? "32" : "",
                    widths & EMU_WIDTH_64 ? "64" : "");
        for (const char *const *match = emulator->match; *match != NULL; match++)
            term_printf(term, " %s", *match);
        term_printf(term, "\n");
    }
    return 0;
}

static const struct command_verb emulators_verbs[] = {
    {
        .name = "list",
        .usage = "",
        .help = "emulators, their devices in all guests, bytes of state, widths of accesses",
        .run = emulators_list,
    },
};
static const struct command emulators_command = {
    .name = "emulators",
    .group = "Guests",
    .help = "the devices that guests can be given",
    .verbs = emulators_verbs,
    .verb_count = ARRAY_SIZE(emulators_verbs),
};
COMMAND(emulators_command);
