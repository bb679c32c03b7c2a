// SPDX-License-Identifier: Apache-2.0
// Scripts: a command a line, up to the first failure.
#include <hv/heap.h>
#include <lib/errno.h>
#include <lib/string.h>
#include "mterm_internal.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

// One line without its newline. "-" in front: go on after a failure.
static int script_line(struct terminal *term, char *line, const char *text, size_t size,
                       unsigned number)
{
    bool tolerant;
    int err;

    while (size > 0 && is_blank(*text)) {
        text++;
        size--;
    }
    while (size > 0 && is_blank(text[size - 1]))
        size--;
    if (size == 0 || *text == '#')
        return 0;
    tolerant = *text == '-';
    text += tolerant;
    size -= tolerant;
    if (size > LINEEDIT_MAX || memchr(text, '\0', size) != NULL) {
        term_printf(term, "line %u is longer than %d bytes or binary\n", number, LINEEDIT_MAX);
        return -EINVAL;
    }
    memcpy(line, text, size);
    line[size] = '\0';
    err = command_run(term, line);
    if (err >= 0)
        return 0;
    term_printf(term, "line %u failed: %s%s\n", number, error_name(err),
                tolerant ? "; going on" : "; the script ends here");
    return tolerant ? 0 : err;
}

static int run_lines(struct terminal *term, char *line, const char *text, size_t size)
{
    unsigned number = 0;

    while (size > 0) {
        const char *end = memchr(text, '\n', size);
        size_t length = end == NULL ? size : (size_t)(end - text);
        size_t used = length + (end != NULL);
        int err;

        if (term_interrupted(term))
            return -EINTR;
        err = script_line(term, line, text, length, ++number);
        if (err < 0)
            return err;
        text += used;
        size -= used;
    }
    return 0;
}

// Each takes its part of the same stack.
int command_nest(struct terminal *term)
{
    if (term->nested == COMMAND_NEST_MAX) {
        term_printf(term, "more than %d commands or scripts inside each other\n", COMMAND_NEST_MAX);
        return -E2BIG;
    }
    term->nested++;
    return 0;
}

void command_unnest(struct terminal *term)
{
    term->nested--;
}

int command_script(struct terminal *term, const char *text, size_t size)
{
    char *line;
    int err = command_nest(term);

    if (err < 0)
        return err;
    line = heap_alloc(LINEEDIT_SIZE);
    if (line != NULL) {
        err = run_lines(term, line, text, size);
    } else {
        term_printf(term, "no memory for a script\n");
        err = -ENOMEM;
    }
    heap_free(line);
    command_unnest(term);
    return err;
}
