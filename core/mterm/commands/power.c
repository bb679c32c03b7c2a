// SPDX-License-Identifier: Apache-2.0
// Commands reset and shutdown of the whole machine.
#include <hv/mterm.h>

static int reset_run(struct terminal *term UNUSED, int argc UNUSED, char **argv UNUSED)
{
    mterm_power_reset();
}

static int shutdown_run(struct terminal *term UNUSED, int argc UNUSED, char **argv UNUSED)
{
    mterm_power_off();
}

static const struct command_verb reset_verbs[] = {
    {
        .name = "",
        .usage = "",
        .help = "restart the machine, guests and all",
        .run = reset_run,
    },
};
static const struct command reset = {
    .name = "reset",
    .group = "System",
    .help = "restart the machine",
    .verbs = reset_verbs,
    .verb_count = ARRAY_SIZE(reset_verbs),
};
COMMAND(reset);

static const struct command_verb shutdown_verbs[] = {
    {
        .name = "",
        .usage = "",
        .help = "power the machine off, guests and all",
        .run = shutdown_run,
    },
};
static const struct command shutdown = {
    .name = "shutdown",
    .group = "System",
    .help = "power the machine off",
    .verbs = shutdown_verbs,
    .verb_count = ARRAY_SIZE(shutdown_verbs),
};
COMMAND(shutdown);
