// SPDX-License-Identifier: Apache-2.0
// Collects the errors of one operation for whoever asked for it: a terminal, the log, a test. Room: base.
#pragma once

#include <lib/macros.h>

struct report {
    /** One finished line without newline. May sleep when the caller of the operation may. */
    void (*line)(struct report *report, const char *text);
    void *priv;
    unsigned errors; /**< reported so far */
    unsigned warnings;
};

/** Say what is wrong, where (node path, property) and what to do. */
PRINTF(2, 3) void report_error(struct report *report, const char *fmt, ...);
/** The same for what is allowed, but hardly meant: "warning: ...". */
PRINTF(2, 3) void report_warning(struct report *report, const char *fmt, ...);
/** A report that writes to the log; for start-up and workers. Lives in room log. */
void report_to_log(struct report *report);
