// SPDX-License-Identifier: Apache-2.0
// Line editor for a VT100-like terminal: a pure state machine that is fed one byte at a time.
#ifndef LIB_LINEEDIT_H
#define LIB_LINEEDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lib/macros.h>

#define LINEEDIT_MAX 512                 // longest line
#define LINEEDIT_SIZE (LINEEDIT_MAX + 1) // with its NUL
#define LINEEDIT_WIDTH 80                // columns, unless told

enum lineedit_event {
    LINEEDIT_NONE,
    LINEEDIT_LINE,      // Enter: the line is ready, the cursor is on a new line
    LINEEDIT_COMPLETE,  // Tab
    LINEEDIT_INTERRUPT, // Ctrl-C: the line is dropped, the cursor is on a new line
    LINEEDIT_EOF,       // Ctrl-D on an empty line
    LINEEDIT_CLEAR,     // Ctrl-L: the screen is cleared and the line drawn again
};

enum lineedit_state { LINEEDIT_PLAIN, LINEEDIT_ESC, LINEEDIT_CSI, LINEEDIT_SS3 };

// Fields are private; use the functions.
struct lineedit {
    void (*put)(void *ctx, const char *s, size_t n);
    void *ctx;
    const char *prompt;
    size_t prompt_width;
    size_t width;

    char line[LINEEDIT_SIZE];
    size_t length;
    size_t cursor;
    size_t window; // first visible byte of the line
    bool finished; // the last event ended the line; the next byte starts an empty one
    bool after_cr; // a line feed now belongs to the carriage return before it

    enum lineedit_state state;
    uint8_t sequence_length; // bytes of the escape sequence so far
    uint8_t sequence_param;  // its first parameter, saturating
    bool param_done;         // the first parameter has ended

    char (*history)[LINEEDIT_SIZE];
    size_t history_size;
    size_t history_count;
    size_t history_next;   // where the next line goes
    size_t history_browse; // 0: the line being edited; n: the n-th latest
    char draft[LINEEDIT_SIZE];
};

// `put` receives everything for the terminal. The prompt starts as "".
void lineedit_init(struct lineedit *edit, void (*put)(void *ctx, const char *s, size_t n),
                   void *ctx);

// Memory for the last `count` lines; without it there is no history.
void lineedit_set_history(struct lineedit *edit, char (*entries)[LINEEDIT_SIZE], size_t count);

// Printable ASCII that stays valid while in use; shown from the next begin or redraw on.
void lineedit_set_prompt(struct lineedit *edit, const char *prompt);

void lineedit_set_width(struct lineedit *edit, size_t columns);

// Starts an empty line: prints the prompt, once. To be called at the left margin: at first, and
// after LINE, INTERRUPT and EOF when the owner is ready for the next line.
void lineedit_begin(struct lineedit *edit);

// Takes one byte from the terminal.
enum lineedit_event lineedit_feed(struct lineedit *edit, uint8_t byte);

// The `back`-th latest line of the history, 1 being the newest; NULL: there are not so many.
const char *lineedit_history(const struct lineedit *edit, size_t back);

// The line, terminated; valid until the next byte is fed or a line begun.
const char *lineedit_line(const struct lineedit *edit);
size_t lineedit_cursor(const struct lineedit *edit);

// Inserts text at the cursor as if typed (for completion); bytes that are not printable ASCII are
// dropped. 0, or -ENOSPC (with a bell) when it does not fit whole; nothing is inserted then.
int lineedit_insert(struct lineedit *edit, const char *text);

// Wipes the prompt and line from the screen, so that other output can be printed in their place;
// then lineedit_redraw() brings both back.
void lineedit_hide(struct lineedit *edit);
void lineedit_redraw(struct lineedit *edit);

#endif
