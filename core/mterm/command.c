// SPDX-License-Identifier: Apache-2.0
// Commands: look-up, usage out of the table, check of the arguments.
#include <hv/clock.h>
#include <hv/thread.h>
#include <lib/args.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>
#include "mterm_internal.h"

/** How often a sleeping command looks whether it is to end. */
#define PAUSE_POLL_NS (50 * NS_PER_MS)

TABLE_DECLARE(commands, struct command);

/** Width of "NAME VERB ARGUMENTS" in a list of usages; help starts behind it. */
#define USAGE_COLUMN 36
/** Width of the help. */
#define HELP_WIDTH 41

const struct command *command_find(const char *name)
{
    TABLE_FOREACH(commands, struct command, iter)
        if (str_equal((*iter)->name, name))
            return *iter;
    return NULL;
}

static int command_compare(const struct command *a, const struct command *b)
{
    int by_group = strcmp(a->group, b->group);

    return by_group != 0 ? by_group : strcmp(a->name, b->name);
}

// The table has no order: find the command that has exactly `index` others before it.
const struct command *mterm_command_at(unsigned index)
{
    TABLE_FOREACH(commands, struct command, iter) {
        unsigned before = 0;

        TABLE_FOREACH(commands, struct command, other)
            before += command_compare(*other, *iter) < 0;
        if (before == index)
            return *iter;
    }
    return NULL;
}

static const struct command_verb *verb_find(const struct command *cmd, const char *name)
{
    for (unsigned i = 0; i < cmd->verb_count; i++)
        if (str_equal(cmd->verbs[i].name, name))
            return &cmd->verbs[i];
    return NULL;
}

static void verb_synopsis(const struct command *cmd, const struct command_verb *verb, char *buf,
                          size_t size)
{
    (void)fmt_snprintf(buf, size, "%s%s%s%s%s", cmd->name, verb->name[0] ? " " : "", verb->name,
                       verb->usage[0] ? " " : "", verb->usage);
}

// The help behind the synopsis, in lines of its own column.
static void print_help(struct terminal *term, const char *help)
{
    while (strlen(help) > HELP_WIDTH) {
        size_t n = HELP_WIDTH;

        while (n > 0 && help[n] != ' ')
            n--;
        if (n == 0)
            n = HELP_WIDTH;
        term_printf(term, "%.*s\n%*s", (int)n, help, USAGE_COLUMN + 3, "");
        help += n + (help[n] == ' ');
    }
    term_printf(term, "%s\n", help);
}

void command_usage(struct terminal *term, const struct command *cmd)
{
    char synopsis[128];

    for (unsigned i = 0; i < cmd->verb_count; i++) {
        verb_synopsis(cmd, &cmd->verbs[i], synopsis, sizeof(synopsis));
        if (strlen(synopsis) > USAGE_COLUMN)
            term_printf(term, "  %s\n%*s", synopsis, USAGE_COLUMN + 3, "");
        else
            term_printf(term, "  %-*s ", USAGE_COLUMN, synopsis);
        print_help(term, cmd->verbs[i].help);
    }
}

static void verb_usage(struct terminal *term, const struct command *cmd,
                       const struct command_verb *verb)
{
    char synopsis[128];

    verb_synopsis(cmd, verb, synopsis, sizeof(synopsis));
    term_printf(term, "usage: %s\n", synopsis);
}

static void print_bad_word(struct terminal *term, const char *what, const char *word)
{
    term_printf(term, "%s \"", what);
    term_puts_escaped(term, word, strlen(word));
    term_printf(term, "\"");
}

static int unknown_verb(struct terminal *term, const struct command *cmd, const char *word)
{
    if (word == NULL) {
        term_printf(term, "%s: which one?\n", cmd->name);
    } else {
        print_bad_word(term, cmd->name, word);
        term_printf(term, ": there is no such command\n");
    }
    term_printf(term, "usage:\n");
    command_usage(term, cmd);
    return -EINVAL;
}

static int run_verb(struct terminal *term, const struct command *cmd,
                    const struct command_verb *verb, int argc, char **argv)
{
    if (argc < verb->min_args) {
        term_printf(term, "%s%s%s: argument missing\n", cmd->name, verb->name[0] ? " " : "",
                    verb->name);
    } else if (argc > verb->max_args) {
        print_bad_word(term, "one argument too many:", argv[verb->max_args]);
        term_printf(term, "\n");
    } else {
        return verb->run(term, argc, argv);
    }
    verb_usage(term, cmd, verb);
    return -EINVAL;
}

static int run_words(struct terminal *term, int argc, char **argv)
{
    const struct command *cmd = command_find(argv[0]);
    const struct command_verb *verb = NULL;

    if (cmd == NULL) {
        print_bad_word(term, "unknown command", argv[0]);
        term_printf(term, "; usage: COMMAND [ARGUMENT...], \"help\" lists the commands\n");
        return -ENOENT;
    }
    if (argc > 1 && argv[1][0] != '\0')
        verb = verb_find(cmd, argv[1]);
    if (verb != NULL)
        return run_verb(term, cmd, verb, argc - 2, argv + 2);
    verb = verb_find(cmd, "");
    if (verb != NULL)
        return run_verb(term, cmd, verb, argc - 1, argv + 1);
    return unknown_verb(term, cmd, argc > 1 ? argv[1] : NULL);
}

int command_run_words(struct terminal *term, char *line)
{
    char *argv[COMMAND_ARGS_MAX + 2];
    int argc = args_split(line, argv, ARRAY_SIZE(argv));

    if (argc == -E2BIG) {
        term_printf(term, "more than %d words in one line\n", (int)ARRAY_SIZE(argv));
        return argc;
    }
    if (argc < 0) {
        term_printf(term, "a quote is not closed, or a backslash ends the line\n");
        return argc;
    }
    return argc == 0 ? 0 : run_words(term, argc, argv);
}

// For commands

static void report_line(struct report *report, const char *text)
{
    struct terminal *term = report->priv;

    term_puts_escaped(term, text, strlen(text));
    term_printf(term, "\n");
}

void mterm_report(struct report *report, struct terminal *term)
{
    *report = (struct report){.line = report_line, .priv = term};
}

int mterm_error(struct terminal *term, int err, const char *what, const char *name)
{
    term_printf(term, "%s ", what);
    term_puts_escaped(term, name, strlen(name));
    term_printf(term, ": %s\n", error_name(err));
    return err;
}

void mterm_duration(uint64_t ns, char *buf, size_t size)
{
    uint64_t ms = ns / NS_PER_MS;
    uint64_t s = ms / 1000;

    if (s < 60) {
        (void)fmt_snprintf(buf, size, "%llu.%03llu s", (unsigned long long)s,
                           (unsigned long long)(ms % 1000));
    } else {
        (void)fmt_snprintf(buf, size, "%llu:%02llu:%02llu", (unsigned long long)(s / 3600),
                           (unsigned long long)(s / 60 % 60), (unsigned long long)(s % 60));
    }
}

// Without a stop request or a key it lasts as long as asked for.
static uint64_t nap(uint64_t end)
{
    uint64_t now = clock_now();

    return now >= end ? 0 : MIN(end - now, (uint64_t)PAUSE_POLL_NS);
}

static uint64_t deadline(uint64_t ns)
{
    uint64_t now = clock_now();

    return now + MIN(ns, UINT64_MAX - now);
}

int mterm_sleep(struct terminal *term, uint64_t ns)
{
    uint64_t end = deadline(ns);
    uint64_t left;

    while ((left = nap(end)) > 0)
        if (term_interrupted(term) || thread_sleep(left) < 0)
            return -EINTR;
    return 0;
}

bool mterm_pause(struct terminal *term, uint64_t ns)
{
    uint64_t end = deadline(ns);
    uint64_t now;

    if (term->read == NULL)
        return mterm_sleep(term, ns) < 0;
    while ((now = clock_now()) < end) {
        int key = term->read(term, end - now);

        if (key == 'q' || key == 'Q' || key == MTERM_INTERRUPT || (key < 0 && key != -ETIMEDOUT))
            return true;
    }
    return false;
}
