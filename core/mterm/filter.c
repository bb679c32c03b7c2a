// SPDX-License-Identifier: Apache-2.0
// grep: a terminal that hands on the lines with (or without) a word in them, or only counts them.
#include <lib/args.h>
#include <lib/errno.h>
#include <lib/string.h>
#include "mterm_internal.h"

#define FILTER_WORDS_MAX 8

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static bool begins_with(const struct filter *filter, const char *text)
{
    for (const char *c = filter->word; *c != '\0'; c++, text++)
        if (filter->ignore_case ? lower(*c) != lower(*text) : *c != *text)
            return false;
    return true;
}

static bool matches(const struct filter *filter)
{
    const char *at = filter->line;

    do {
        if (begins_with(filter, at))
            return true;
    } while (*at++ != '\0');
    return false;
}

static void put(struct filter *filter, const char *text, size_t size)
{
    if (filter->shown && !filter->count_only)
        term_write(filter->out, text, size);
}

// The line so far decides; what follows of a longer one goes the same way.
static void judge(struct filter *filter)
{
    filter->line[filter->used] = '\0';
    filter->shown = matches(filter) != filter->invert;
    filter->found += filter->shown;
    filter->judged = true;
    put(filter, filter->line, filter->used);
}

static void take_byte(struct filter *filter, char c)
{
    if (c == '\n') {
        if (!filter->judged)
            judge(filter);
        put(filter, &c, 1);
        filter->used = 0;
        filter->judged = false;
    } else if (filter->judged) {
        put(filter, &c, 1);
    } else if (c != '\0') {
        filter->line[filter->used++] = c;
        if (filter->used == FILTER_LINE_MAX)
            judge(filter);
    }
}

static void filter_write(struct terminal *term, const char *text, size_t size)
{
    struct filter *filter = term->priv;

    for (size_t i = 0; i < size; i++)
        take_byte(filter, text[i]);
}

static bool filter_interrupted(struct terminal *term)
{
    struct filter *filter = term->priv;

    return term_interrupted(filter->out);
}

static bool take_options(struct filter *filter, const char *options)
{
    for (; *options != '\0'; options++) {
        filter->invert |= *options == 'v';
        filter->ignore_case |= *options == 'i';
        filter->count_only |= *options == 'c';
        if (strchr("vic", *options) == NULL)
            return false;
    }
    return true;
}

// Words that begin with "-" are options, up to "--".
static bool take_words(struct filter *filter, int argc, char **argv)
{
    int i = 1;

    if (argc < 2 || !str_equal(argv[0], "grep"))
        return false;
    for (; i < argc && argv[i][0] == '-' && !str_equal(argv[i], "--"); i++)
        if (!take_options(filter, argv[i] + 1))
            return false;
    if (i < argc && str_equal(argv[i], "--"))
        i++;
    if (i != argc - 1 || argv[i][0] == '\0')
        return false;
    filter->word = argv[i];
    return true;
}

int filter_open(struct filter *filter, struct terminal *out, char *line)
{
    char *argv[FILTER_WORDS_MAX];

    if (!take_words(filter, args_split(line, argv, FILTER_WORDS_MAX), argv)) {
        term_printf(out, "behind \"|\" stands: grep [-v] [-i] [-c] WORD\n");
        return -EINVAL;
    }
    filter->out = out;
    filter->term = (struct terminal){
        .write = filter_write,
        .interrupted = out->interrupted == NULL ? NULL : filter_interrupted,
        .columns = out->columns,
        .shell = out->shell,
        .nested = out->nested,
        .priv = filter,
    };
    return 0;
}

int filter_close(struct filter *filter)
{
    if (filter->used > 0)
        take_byte(filter, '\n');
    if (filter->count_only)
        term_printf(filter->out, "%llu\n", (unsigned long long)filter->found);
    return filter->found > 0 ? 0 : -ENOENT;
}
