// SPDX-License-Identifier: Apache-2.0
// The command reference of docs/mterm.md, written from the command table.
#pragma once

#include <stdio.h>

/** What stands before and behind the generated part of the page. */
#define REFERENCE_BEGIN "<!-- \"make docs\" writes from here on, out of the command table -->\n"
#define REFERENCE_END "<!-- to here -->\n"

/** The page `old` with its generated part made anew. 0, or -1: it lacks one of the two marks. */
int reference_write(const char *old, FILE *out);
