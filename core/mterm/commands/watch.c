// SPDX-License-Identifier: Apache-2.0
// Command watch: another command again and again.
#include <hv/heap.h>
#include <hv/mterm.h>
#include <lib/args.h>
#include <lib/errno.h>
#include <lib/parse.h>
#include <lib/string.h>

#define INTERVAL_MIN_NS 100000000ULL

struct watch {
    char line[MTERM_LINE_MAX + 1];
    char scratch[MTERM_LINE_MAX + 1]; /**< the line as it is taken apart */
};

static int watch_loop(struct terminal *term, struct watch *watch, uint64_t ns)
{
    bool live = term->read != NULL;

    do {
        term_printf(term, "%severy %llu.%03llu s: ", live ? "\x1b[H\x1b[2J" : "",
                    (unsigned long long)(ns / 1000000000),
                    (unsigned long long)(ns / 1000000 % 1000));
        term_puts_escaped(term, watch->line, strlen(watch->line));
        term_printf(term, "%s\n", live ? "; q leads back" : "");
        (void)str_copy(watch->scratch, watch->line, sizeof(watch->scratch));
        (void)command_run(term, watch->scratch);
    } while (!term_interrupted(term) && !mterm_pause(term, ns));
    return 0;
}

static int bad_interval(struct terminal *term, int err, const char *text)
{
    (void)mterm_error(term, err, "watch: seconds", text);
    term_printf(term, "usage: watch SECONDS COMMAND...; at least 0.1\n");
    return err;
}

static int watch_run(struct terminal *term, int argc, char **argv)
{
    struct watch *watch;
    uint64_t ns;
    int err = parse_seconds(argv[0], &ns);

    if (err < 0 || ns < INTERVAL_MIN_NS)
        return bad_interval(term, err < 0 ? err : -ERANGE, argv[0]);
    if (term->interrupted == NULL)
        return mterm_error(term, -ENOTSUP, "nobody can end it here: watch", argv[1]);
    watch = heap_zalloc(sizeof(*watch));
    if (watch == NULL)
        return mterm_error(term, -ENOMEM, "watch", argv[1]);
    // One word is a whole line, so that it may hold a "|".
    err = argc == 2 ? str_copy(watch->line, argv[1], sizeof(watch->line))
                    : args_join(watch->line, sizeof(watch->line), argc - 1, argv + 1);
    if (err < 0) {
        err = mterm_error(term, err, "watch", argv[1]);
    } else {
        mterm_live(term);
        err = watch_loop(term, watch, ns);
    }
    heap_free(watch);
    return err;
}

static const struct command_verb watch_verbs[] = {
    {
        .name = "",
        .usage = "SECONDS COMMAND...",
        .help = "repeat a command on a clear screen",
        .min_args = 2,
        .max_args = COMMAND_ARGS_MAX,
        .complete = {COMPLETE_NONE, COMPLETE_COMMAND},
        .run = watch_run,
    },
};
static const struct command watch = {
    .name = "watch",
    .group = "Shell",
    .help = "repeat a command",
    .details = "SECONDS may have a fraction and is at least 0.1. Quotes around a whole line let\n"
               "it hold a \"|\": watch 1 'vcpu list | grep linux0'. It goes on until q or Ctrl-C.\n",
    .verbs = watch_verbs,
    .verb_count = ARRAY_SIZE(watch_verbs),
};
COMMAND(watch);
