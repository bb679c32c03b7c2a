// SPDX-License-Identifier: Apache-2.0
// Commands history and page: what each shell keeps for its own user.
#include <hv/mterm.h>
#include <lib/errno.h>
#include <lib/parse.h>
#include <lib/string.h>

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
