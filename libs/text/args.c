// SPDX-License-Identifier: Apache-2.0
// Splitting of a command line into words.
#include <stdbool.h>

#include <lib/args.h>
#include <lib/errno.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

// Unquotes one word: reads at *from up to a blank or the end and writes at *to, which never gets
// ahead of the reading.
static int unquote_word(const char **from, char **to)
{
    char quote = '\0';

    for (; **from != '\0' && (quote != '\0' || !is_blank(**from)); (*from)++) {
        char c = **from;

        if (c == '\\' && quote != '\'') {
            (*from)++;
            if (**from == '\0')
                return -EINVAL;
            *(*to)++ = **from;
        } else if (c == quote) {
            quote = '\0';
        } else if (quote == '\0' && (c == '"' || c == '\'')) {
            quote = c;
        } else {
            *(*to)++ = c;
        }
    }
    return quote == '\0' ? 0 : -EINVAL;
}

int args_split(char *line, char **argv, int max)
{
    const char *from = line;
    char *to = line;
    int count = 0;

    for (;;) {
        bool last;
        int err;

        while (is_blank(*from))
            from++;
        if (*from == '\0')
            return count;
        if (count == max)
            return -E2BIG;
        argv[count++] = to;
        err = unquote_word(&from, &to);
        if (err != 0)
            return err;
        // The terminator may take the place of the very blank that ended the word.
        last = *from == '\0';
        *to++ = '\0';
        if (last)
            return count;
        from++;
    }
}
