// SPDX-License-Identifier: Apache-2.0
// Splitting of a command line into words, in place.
#ifndef LIB_ARGS_H
#define LIB_ARGS_H

#include <stddef.h>

#include <lib/macros.h>

// Words are separated by blanks and tabs. '...' takes everything literally, "..." all but the
// backslash; a backslash takes the next byte literally. Quotes may stand inside a word and may make
// an empty one. `line` is overwritten; argv points into it. Returns the number of words (0 for a
// blank line), -EINVAL for an unterminated quote or a lone backslash at the end, -E2BIG for more
// than `max` words.
int args_split(char *line, char **argv, int max) MUST_CHECK;

// Ends the line at its first `mark` that is neither quoted nor behind a backslash, and returns what
// follows the mark; NULL: there is none, the line is as it was.
char *args_cut(char *line, char mark) MUST_CHECK;

// Writes the words as one line, quoted where needed, that args_split() takes apart into the same
// words. 0, or -ENOSPC.
int args_join(char *to, size_t size, int argc, char *const *argv) MUST_CHECK;

#endif
