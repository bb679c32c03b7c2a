// SPDX-License-Identifier: Apache-2.0
// Splitting of a command line into words, in place.
#ifndef LIB_ARGS_H
#define LIB_ARGS_H

#include <lib/macros.h>

// Words are separated by blanks and tabs. '...' takes everything literally, "..." all but the
// backslash; a backslash takes the next byte literally. Quotes may stand inside a word and may make
// an empty one. `line` is overwritten; argv points into it. Returns the number of words (0 for a
// blank line), -EINVAL for an unterminated quote or a lone backslash at the end, -E2BIG for more
// than `max` words.
int args_split(char *line, char **argv, int max) MUST_CHECK;

#endif
