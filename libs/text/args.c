// SPDX-License-Identifier: Apache-2.0
// Splitting of a command line into words.
#include <stdbool.h>

#include <lib/args.h>
#include <lib/errno.h>
#include <lib/string.h>

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

char *args_cut(char *line, char mark)
{
    char quote = '\0';

    for (; *line != '\0'; line++) {
        if (*line == '\\' && quote != '\'' && line[1] != '\0') {
            line++;
        } else if (*line == quote) {
            quote = '\0';
        } else if (quote == '\0' && (*line == '"' || *line == '\'')) {
            quote = *line;
        } else if (quote == '\0' && *line == mark) {
            *line = '\0';
            return line + 1;
        }
    }
    return NULL;
}

// Means nothing to args_split() or args_cut().
static bool is_plain(const char *word)
{
    if (*word == '\0')
        return false;
    for (; *word != '\0'; word++)
        if (strchr(" \t\"'\\|&#", *word) != NULL)
            return false;
    return true;
}

struct joiner {
    char *to;
    size_t room;
};

static void join_byte(struct joiner *joiner, char c)
{
    if (joiner->room > 0) {
        *joiner->to++ = c;
        joiner->room--;
    }
}

static void join_word(struct joiner *joiner, const char *word)
{
    bool plain = is_plain(word);

    if (!plain)
        join_byte(joiner, '"');
    for (; *word != '\0'; word++) {
        if (*word == '"' || *word == '\\')
            join_byte(joiner, '\\');
        join_byte(joiner, *word);
    }
    if (!plain)
        join_byte(joiner, '"');
}

int args_join(char *to, size_t size, int argc, char *const *argv)
{
    struct joiner joiner = {.to = to, .room = size};

    for (int i = 0; i < argc; i++) {
        if (i > 0)
            join_byte(&joiner, ' ');
        join_word(&joiner, argv[i]);
    }
    if (joiner.room == 0)
        return -ENOSPC;
    *joiner.to = '\0';
    return 0;
}
