// SPDX-License-Identifier: Apache-2.0
// What a line of commands is made of: "COMMAND | grep WORD", and "&" behind what is to run in the background.
#include <hv/heap.h>
#include <lib/args.h>
#include <lib/errno.h>
#include <lib/string.h>
#include "mterm_internal.h"

#define FILTERS_MAX 4

static bool is_blank(const char *text)
{
    while (*text == ' ' || *text == '\t')
        text++;
    return *text == '\0';
}

// Filters are opened from the terminal towards the command, as each needs the one behind it.
static int open_filters(struct filter *filters, char *const *lines, unsigned count,
                        struct terminal *term)
{
    for (unsigned i = count; i > 0; i--) {
        struct terminal *out = i == count ? term : &filters[i].term;
        int err = filter_open(&filters[i - 1], out, lines[i - 1]);

        if (err < 0)
            return err;
    }
    return 0;
}

static int run_filtered(struct terminal *term, char *line, char *const *lines, unsigned count)
{
    struct filter *filters = heap_calloc(count, sizeof(*filters));
    int err, last = 0;

    if (filters == NULL) {
        term_printf(term, "no memory for \"|\"\n");
        return -ENOMEM;
    }
    err = open_filters(filters, lines, count, term);
    if (err == 0) {
        err = command_run_words(&filters[0].term, line);
        for (unsigned i = 0; i < count; i++)
            last = filter_close(&filters[i]);
    }
    heap_free(filters);
    return err < 0 ? err : last;
}

static int run_line(struct terminal *term, char *line)
{
    char *lines[FILTERS_MAX];
    unsigned count = 0;
    char *rest = args_cut(line, '|');

    while (rest != NULL && count < FILTERS_MAX) {
        lines[count++] = rest;
        rest = args_cut(rest, '|');
    }
    if (rest != NULL) {
        term_printf(term, "more than %d times \"|\" in one line\n", FILTERS_MAX);
        return -E2BIG;
    }
    if (count > 0 && is_blank(line)) {
        term_printf(term, "before \"|\" stands a command\n");
        return -EINVAL;
    }
    return count == 0 ? command_run_words(term, line) : run_filtered(term, line, lines, count);
}

static void cut_blanks(char *line)
{
    size_t size = strlen(line);

    while (size > 0 && is_blank(line + size - 1))
        size--;
    line[size] = '\0';
}

int command_run(struct terminal *term, char *line)
{
    char *rest = args_cut(line, '&');

    if (rest == NULL)
        return run_line(term, line);
    if (!is_blank(rest) || is_blank(line)) {
        term_printf(term, "\"&\" stands behind a command, at the end of the line\n");
        return -EINVAL;
    }
    cut_blanks(line);
    return mterm_job_start(term, line);
}
