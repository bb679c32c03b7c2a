// SPDX-License-Identifier: Apache-2.0
// Commands of the shell itself: run, echo, sleep, watch, history and page.
#include <hv/bundle.h>
#include <hv/heap.h>
#include <hv/mterm.h>
#include <lib/args.h>
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
    if (err < 0)
        err = mterm_error(term, err, "watch", argv[1]);
    else
        err = command_nest(term);
    if (err == 0) {
        mterm_live(term);
        err = watch_loop(term, watch, ns);
        command_unnest(term);
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

/** Rows of a page when nobody says how many there are. */
#define PAGE_ROWS 24
#define PAGE_ROWS_MIN 4
#define PAGE_ROWS_MAX 1000

static int no_shell(struct terminal *term, const char *name)
{
    return mterm_error(term, -ENOTSUP, "there is no keyboard here:", name);
}

static int history_run(struct terminal *term, int argc UNUSED, char **argv UNUSED)
{
    unsigned count = 0;

    if (term->shell == NULL)
        return no_shell(term, "history");
    while (mterm_history(term->shell, count + 1) != NULL)
        count++;
    for (unsigned back = count; back > 0 && !term_interrupted(term); back--)
        term_printf(term, "%4u  %s\n", count - back + 1, mterm_history(term->shell, back));
    return 0;
}

static const struct command_verb history_verbs[] = {
    {.name = "", .usage = "", .help = "earlier lines, oldest first", .run = history_run},
};
static const struct command history = {
    .name = "history",
    .group = "Shell",
    .help = "lines typed before",
    .verbs = history_verbs,
    .verb_count = ARRAY_SIZE(history_verbs),
};
COMMAND(history);

static int page_rows(const char *text, uint32_t *rows)
{
    *rows = 0;
    if (str_equal(text, "off"))
        return 0;
    if (str_equal(text, "on")) {
        *rows = PAGE_ROWS;
        return 0;
    }
    if (parse_u32(text, rows) < 0)
        return -EINVAL;
    return *rows < PAGE_ROWS_MIN || *rows > PAGE_ROWS_MAX ? -ERANGE : 0;
}

static int page_run(struct terminal *term, int argc, char **argv)
{
    uint32_t rows;
    int err;

    if (term->shell == NULL)
        return no_shell(term, "page");
    if (argc == 0) {
        rows = mterm_page_rows(term->shell);
        term_printf(term, rows == 0 ? "off\n" : "%u rows\n", rows);
        return 0;
    }
    err = page_rows(argv[0], &rows);
    if (err < 0) {
        (void)mterm_error(term, err, "page: rows", argv[0]);
        term_printf(term, "usage: page [on|off|ROWS], %d to %d\n", PAGE_ROWS_MIN, PAGE_ROWS_MAX);
        return err;
    }
    mterm_set_page_rows(term->shell, rows);
    return 0;
}

static const struct command_verb page_verbs[] = {
    {
        .name = "",
        .usage = "[on|off|ROWS]",
        .help = "show long output a page at a time",
        .max_args = 1,
        .run = page_run,
    },
};
static const struct command page = {
    .name = "page",
    .group = "Shell",
    .help = "paging of long output",
    .details = "Off at first, for a serial line does not tell how many rows it has; \"on\" is 24.\n"
               "At \"-- more --\" the blank shows the next page, Enter a line, q ends the command.\n"
               "A command never waits for its reader: up to 128 KiB are kept meanwhile.\n",
    .verbs = page_verbs,
    .verb_count = ARRAY_SIZE(page_verbs),
};
COMMAND(page);
