// SPDX-License-Identifier: Apache-2.0
// A place that commands write to and read from: mterm's console, a script, a test. Room: vio.
#pragma once

#include <lib/macros.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mterm;

struct terminal {
    /** Write all bytes as they are; may sleep. */
    void (*write)(struct terminal *term, const char *text, size_t size);
    /** One byte 0-255, -ETIMEDOUT, -EINTR; NULL: no input (scripts). */
    int (*read)(struct terminal *term, uint64_t timeout_ns);
    /** Has the user typed Ctrl-C since the command began? Long commands poll it. NULL: never. */
    bool (*interrupted)(struct terminal *term);
    /** Is this byte in the input that nobody has read yet? NULL: never. */
    bool (*pending)(struct terminal *term, uint8_t byte);
    bool crlf; /**< term_write() sends "\n" as "\r\n" */
    unsigned columns, rows;
    struct mterm *shell; /**< the shell that the user sits at; NULL: none (scripts, background) */
    unsigned nested;     /**< commands on it that run others, inside each other: command_nest() */
    void *priv;
};

/** Formatted text of the caller's own; what others control goes through the functions below. Orphan: may sleep. */
PRINTF(2, 3) void term_printf(struct terminal *term, const char *fmt, ...);
/** Bytes as they are, but for crlf. */
void term_write(struct terminal *term, const char *text, size_t size);
/** Guest- or DTB-controlled text with control bytes escaped. */
void term_puts_escaped(struct terminal *term, const char *text, size_t size);
/** The same for text of several lines: newline, tab and carriage return pass. */
void term_puts_escaped_text(struct terminal *term, const char *text, size_t size);
/** Escaped and filled up with blanks to width columns: a cell of a table. */
void term_puts_cell(struct terminal *term, const char *text, size_t width);
bool term_interrupted(struct terminal *term);
