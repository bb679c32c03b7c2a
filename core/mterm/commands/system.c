// SPDX-License-Identifier: Apache-2.0
// Commands help, version, reset and shutdown.
#include <hv/mterm.h>
#include <hv/version.h>
#include <lib/errno.h>
#include <lib/string.h>

static int help_one(struct terminal *term, const char *name)
{
    const struct command *cmd = command_find(name);

    if (cmd == NULL)
        return mterm_error(term, -ENOENT, "help: command", name);
    term_printf(term, "%s: %s\n", cmd->name, cmd->help);
    command_usage(term, cmd);
    if (cmd->details != NULL)
        term_printf(term, "\n%s", cmd->details);
    return 0;
}

static int help_run(struct terminal *term, int argc, char **argv)
{
    const struct command *cmd;
    const char *group = "";

    if (argc == 1)
        return help_one(term, argv[0]);
    for (unsigned i = 0; (cmd = mterm_command_at(i)) != NULL; i++) {
        if (term_interrupted(term))
            return -EINTR;
        if (!str_equal(cmd->group, group)) {
            term_printf(term, "%s:\n", cmd->group);
            group = cmd->group;
        }
        command_usage(term, cmd);
    }
    return 0;
}

static const struct command_verb help_verbs[] = {
    {
        .name = "",
        .usage = "[COMMAND]",
        .help = "list the commands, or those of one",
        .max_args = 1,
        .complete = {COMPLETE_COMMAND},
        .run = help_run,
    },
};
static const struct command help = {
    .name = "help",
    .group = "System",
    .help = "what can be typed here",
    .verbs = help_verbs,
    .verb_count = ARRAY_SIZE(help_verbs),
};
COMMAND(help);

static int version_run(struct terminal *term, int argc UNUSED, char **argv UNUSED)
{
    term_printf(term, "%s %s, compiler %s\n", HV_NAME, HV_VERSION, __VERSION__);
    return 0;
}

static const struct command_verb version_verbs[] = {
    {.name = "", .usage = "", .help = "name and version", .run = version_run},
};
static const struct command version = {
    .name = "version",
    .group = "System",
    .help = "name and version of the hypervisor",
    .verbs = version_verbs,
    .verb_count = ARRAY_SIZE(version_verbs),
};
COMMAND(version);

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
