// SPDX-License-Identifier: Apache-2.0
// Command log: the lines kept in memory, and which are shown at once.
#include <hv/log.h>
#include <hv/mterm.h>
#include <lib/errno.h>
#include <lib/string.h>

static const char *const level_names[LOG_LEVELS] = {"error", "warn", "info", "debug"};

static void show_line(void *arg, enum log_level level, uint64_t ns, const char *text)
{
    struct terminal *term = arg;

    if (term_interrupted(term))
        return;
    term_printf(term, "[%5llu.%06llu] %-5s ", (unsigned long long)(ns / 1000000000),
                (unsigned long long)(ns / 1000 % 1000000), level_names[level]);
    term_puts_escaped(term, text, strlen(text));
    term_printf(term, "\n");
}

static int log_show(struct terminal *term, int argc UNUSED, char **argv UNUSED)
{
    log_for_each(show_line, term);
    return 0;
}

static int log_level(struct terminal *term, int argc, char **argv)
{
    if (argc == 0) {
        term_printf(term, "%s\n", level_names[log_get_level()]);
        return 0;
    }
    for (unsigned i = 0; i < LOG_LEVELS; i++) {
        if (str_equal(argv[0], level_names[i])) {
            log_set_level((enum log_level)i);
            return 0;
        }
    }
    (void)mterm_error(term, -EINVAL, "log level: level", argv[0]);
    term_printf(term, "usage: log level [error|warn|info|debug]\n");
    return -EINVAL;
}

static const struct command_verb log_verbs[] = {
    {
        .name = "show",
        .usage = "",
        .help = "lines kept in memory, oldest first",
        .run = log_show,
    },
    {
        .name = "level",
        .usage = "[error|warn|info|debug]",
        .help = "least urgent level echoed here",
        .max_args = 1,
        .run = log_level,
    },
};
static const struct command log_command = {
    .name = "log",
    .group = "System",
    .help = "the hypervisor's log",
    .details = "All levels are kept in memory; level sets the least urgent one that is echoed on\n"
               "the console. What guests provoke is limited to a number of lines a second each.\n",
    .verbs = log_verbs,
    .verb_count = ARRAY_SIZE(log_verbs),
};
COMMAND(log_command);
