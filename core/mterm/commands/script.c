// SPDX-License-Identifier: Apache-2.0
// Commands for scripts: run, echo and sleep.
#include <hv/bundle.h>
#include <hv/mterm.h>
#include <lib/errno.h>
#include <lib/parse.h>
#include <lib/string.h>

static int run_run(struct terminal *term, int argc UNUSED, char **argv)
{
    const void *text;
    size_t size;
    int err = bundle_find(argv[0], &text, &size);

    if (err < 0)
        return mterm_error(term, err, "the boot bundle has no file", argv[0]);
    return command_script(term, text, size);
}

static const struct command_verb run_verbs[] = {
    {
        .name = "",
        .usage = "FILE",
        .help = "run the commands in a file",
        .min_args = 1,
        .max_args = 1,
        .complete = {COMPLETE_FILE},
        .run = run_run,
    },
};
static const struct command run = {
    .name = "run",
    .group = "Shell",
    .help = "run a script of the boot bundle",
    .verbs = run_verbs,
    .verb_count = ARRAY_SIZE(run_verbs),
};
COMMAND(run);

static int echo_run(struct terminal *term, int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        term_printf(term, "%s", i == 0 ? "" : " ");
        term_puts_escaped(term, argv[i], strlen(argv[i]));
    }
    term_printf(term, "\n");
    return 0;
}

static const struct command_verb echo_verbs[] = {
    {
        .name = "",
        .usage = "[WORD...]",
        .help = "print the words",
        .max_args = COMMAND_ARGS_MAX,
        .run = echo_run,
    },
};
static const struct command echo = {
    .name = "echo",
    .group = "Shell",
    .help = "print words",
    .verbs = echo_verbs,
    .verb_count = ARRAY_SIZE(echo_verbs),
};
COMMAND(echo);

static int sleep_run(struct terminal *term, int argc UNUSED, char **argv)
{
    uint64_t ns;
    int err = parse_seconds(argv[0], &ns);

    if (err < 0) {
        (void)mterm_error(term, err, "sleep: seconds", argv[0]);
        term_printf(term, "usage: sleep SECONDS\n");
        return err;
    }
    return mterm_sleep(term, ns);
}

static const struct command_verb sleep_verbs[] = {
    {
        .name = "",
        .usage = "SECONDS",
        .help = "wait; 0.5 is half a second",
        .min_args = 1,
        .max_args = 1,
        .run = sleep_run,
    },
};
static const struct command sleep_command = {
    .name = "sleep",
    .group = "Shell",
    .help = "wait for a while",
    .verbs = sleep_verbs,
    .verb_count = ARRAY_SIZE(sleep_verbs),
};
COMMAND(sleep_command);
