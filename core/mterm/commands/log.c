// SPDX-License-Identifier: Apache-2.0
// Command log: the lines kept in memory, and which are shown at once.
#include <hv/clock.h>
#include <hv/heap.h>
#include <hv/log.h>
#include <hv/mterm.h>
#include <lib/errno.h>
#include <lib/string.h>

typedef unsigned long long ull;

/** Older lines that follow begins with. */
#define FOLLOW_LINES 10
#define FOLLOW_POLL_NS (100 * NS_PER_MS)

static void print_line(struct terminal *term, enum log_level level, uint64_t ns, const char *text)
{
    term_printf(term, "[%5llu.%06llu] %-5s ", (ull)(ns / 1000000000), (ull)(ns / 1000 % 1000000),
                log_level_name(level));
    term_puts_escaped(term, text, strlen(text));
    term_printf(term, "\n");
}

// The level that the argument names, or the least urgent one.
static int find_level(struct terminal *term, int argc, char **argv, const char *verb,
                      enum log_level *level)
{
    int err;

    *level = LOG_LEVELS - 1;
    if (argc == 0)
        return 0;
    err = log_level_find(argv[0], level);
    if (err < 0) {
        (void)mterm_error(term, err, "log: level", argv[0]);
        term_printf(term, "usage: log %s [error|warn|info|debug]\n", verb);
    }
    return err;
}

struct show_request {
    struct terminal *term;
    enum log_level level;
};

static void show_line(void *arg, enum log_level level, uint64_t ns, const char *text)
{
    struct show_request *request = arg;

    if (level <= request->level && !term_interrupted(request->term))
        print_line(request->term, level, ns, text);
}

static int log_show(struct terminal *term, int argc, char **argv)
{
    struct show_request request = {.term = term};
    int err = find_level(term, argc, argv, "show", &request.level);

    if (err == 0)
        log_for_each(show_line, &request);
    return err;
}

static int log_level(struct terminal *term, int argc, char **argv)
{
    enum log_level level;
    int err;

    if (argc == 0) {
        term_printf(term, "%s\n", log_level_name(log_get_level()));
        return 0;
    }
    err = find_level(term, argc, argv, "level", &level);
    if (err == 0)
        log_set_level(level);
    return err;
}

// All lines there are now.
static void follow_news(struct terminal *term, struct log_cursor *cursor, struct log_entry *entry,
                        enum log_level level)
{
    while (!term_interrupted(term) && log_next(cursor, entry)) {
        if (entry->lost > 0)
            term_printf(term, "[%llu lines were overwritten before they could be shown]\n",
                        (ull)entry->lost);
        if (entry->level <= level)
            print_line(term, entry->level, entry->ns, entry->text);
    }
}

static int log_follow(struct terminal *term, int argc, char **argv)
{
    struct log_cursor cursor;
    struct log_entry *entry;
    enum log_level level;
    int err = find_level(term, argc, argv, "follow", &level);

    if (err < 0)
        return err;
    if (term->interrupted == NULL)
        return mterm_error(term, -ENOTSUP, "nobody can end it here: log", "follow");
    entry = heap_alloc(sizeof(*entry));
    if (entry == NULL)
        return mterm_error(term, -ENOMEM, "log", "follow");
    mterm_live(term);
    log_cursor_set(&cursor, FOLLOW_LINES);
    mterm_log_follow(term, true);
    do
        follow_news(term, &cursor, entry, level);
    while (!term_interrupted(term) && !mterm_pause(term, FOLLOW_POLL_NS));
    mterm_log_follow(term, false);
    heap_free(entry);
    return 0;
}

static const struct command_verb log_verbs[] = {
    {
        .name = "show",
        .usage = "[error|warn|info|debug]",
        .help = "lines kept in memory, oldest first",
        .max_args = 1,
        .run = log_show,
    },
    {
        .name = "follow",
        .usage = "[error|warn|info|debug]",
        .help = "the latest lines and new ones, until q",
        .max_args = 1,
        .run = log_follow,
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
               "the console, and show and follow leave out what is less urgent than theirs. What\n"
               "guests provoke is limited to a number of lines a second each. Follow tells how\n"
               "many lines were overwritten before it could show them. Bytes that could harm a\n"
               "terminal are shown as \\xNN.\n",
    .verbs = log_verbs,
    .verb_count = ARRAY_SIZE(log_verbs),
};
COMMAND(log_command);
