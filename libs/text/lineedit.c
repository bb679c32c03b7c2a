// SPDX-License-Identifier: Apache-2.0
// Line editor: one row of the terminal, with a window that scrolls sideways over a longer line.
#include <lib/errno.h>
#include <lib/lineedit.h>
#include <lib/string.h>

// A terminal too narrow for the prompt gets a window of this width anyway.
#define WINDOW_MIN 8
// Longer escape sequences are given up, so that noise cannot swallow what follows.
#define SEQUENCE_MAX 16

#define ASCII_ESC 0x1b
#define ASCII_DEL 0x7f
#define CTRL(letter) ((letter) - '@')

enum key {
    KEY_NONE,
    KEY_HOME,
    KEY_END,
    KEY_LEFT,
    KEY_RIGHT,
    KEY_UP,
    KEY_DOWN,
    KEY_BACKSPACE,
    KEY_DELETE,
    KEY_KILL_END,
    KEY_KILL_START,
    KEY_KILL_WORD,
    KEY_TRANSPOSE,
    KEY_ENTER,
    KEY_TAB,
    KEY_INTERRUPT,
    KEY_DELETE_OR_EOF,
    KEY_CLEAR,
};

// Drawing. The terminal's cursor is always where the line's is, and the last column stays free, so
// that the terminal never wraps.

static void put(struct lineedit *edit, const char *s)
{
    edit->put(edit->ctx, s, strlen(s));
}

static size_t window_width(const struct lineedit *edit)
{
    size_t least = edit->prompt_width + 1 + WINDOW_MIN;

    return MAX(edit->width, least) - edit->prompt_width - 1;
}

static size_t window_end(const struct lineedit *edit)
{
    return MIN(edit->length, edit->window + window_width(edit));
}

static void move_back(struct lineedit *edit, size_t columns)
{
    static const char backspaces[] = "\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b";

    while (columns > 0) {
        size_t step = MIN(columns, sizeof(backspaces) - 1);

        edit->put(edit->ctx, backspaces, step);
        columns -= step;
    }
}

// Prints the visible text from `from` on, where the terminal's cursor is, and moves that back to
// the line's cursor.
static void draw_tail(struct lineedit *edit, size_t from, bool erase)
{
    size_t end = window_end(edit);

    if (end > from)
        edit->put(edit->ctx, edit->line + from, end - from);
    if (erase)
        put(edit, "\x1b[K");
    move_back(edit, MAX(end, from) - edit->cursor);
}

static void draw_line(struct lineedit *edit)
{
    put(edit, "\r");
    put(edit, edit->prompt);
    draw_tail(edit, edit->window, true);
}

// Moves the window when the cursor has left it, or has nothing of the text before it in sight.
static bool scroll(struct lineedit *edit)
{
    size_t half = window_width(edit) / 2;

    if (edit->cursor <= edit->window + window_width(edit) &&
        (edit->cursor > edit->window || edit->window == 0))
        return false;
    edit->window = edit->cursor > half ? edit->cursor - half : 0;
    return true;
}

// Editing of the line together with the screen

static void move_to(struct lineedit *edit, size_t position)
{
    size_t old = edit->cursor;

    edit->cursor = position;
    if (scroll(edit))
        draw_line(edit);
    else if (position < old)
        move_back(edit, old - position);
    else
        edit->put(edit->ctx, edit->line + old, position - old);
}

// Removes [from, to), where the cursor is at one of the two; it ends up at `from`.
static void remove_range(struct lineedit *edit, size_t from, size_t to)
{
    size_t old = edit->cursor;

    if (from == to)
        return;
    memmove(edit->line + from, edit->line + to, edit->length - to + 1);
    edit->length -= to - from;
    edit->cursor = from;
    if (scroll(edit)) {
        draw_line(edit);
        return;
    }
    move_back(edit, old - from);
    draw_tail(edit, from, true);
}

static void insert_text(struct lineedit *edit, const char *text, size_t count)
{
    size_t old = edit->cursor;

    memmove(edit->line + old + count, edit->line + old, edit->length - old + 1);
    memcpy(edit->line + old, text, count);
    edit->length += count;
    edit->cursor += count;
    if (scroll(edit))
        draw_line(edit);
    else
        draw_tail(edit, old, false);
}

static void replace_line(struct lineedit *edit, const char *text)
{
    (void)str_copy(edit->line, text, LINEEDIT_SIZE);
    edit->length = strlen(edit->line);
    edit->cursor = edit->length;
    edit->window = 0;
    (void)scroll(edit);
    draw_line(edit);
}

static void empty_line(struct lineedit *edit)
{
    edit->line[0] = '\0';
    edit->length = 0;
    edit->cursor = 0;
    edit->window = 0;
    edit->finished = false;
    edit->history_browse = 0;
}

static void kill_word(struct lineedit *edit)
{
    size_t start = edit->cursor;

    while (start > 0 && edit->line[start - 1] == ' ')
        start--;
    while (start > 0 && edit->line[start - 1] != ' ')
        start--;
    remove_range(edit, start, edit->cursor);
}

// Swaps the two bytes around the cursor, or the last two at the end of the line.
static void transpose(struct lineedit *edit)
{
    size_t right = edit->cursor == edit->length ? edit->cursor - 1 : edit->cursor;
    char swapped[2];

    if (edit->cursor == 0 || edit->length < 2)
        return;
    swapped[0] = edit->line[right];
    swapped[1] = edit->line[right - 1];
    move_to(edit, right - 1);
    memcpy(edit->line + right - 1, swapped, sizeof(swapped));
    move_to(edit, right + 1);
}

// History

static char *history_entry(const struct lineedit *edit, size_t back)
{
    return edit->history[(edit->history_next + edit->history_size - back) % edit->history_size];
}

static void remember_line(struct lineedit *edit)
{
    bool repeated = edit->history_count > 0 && str_equal(history_entry(edit, 1), edit->line);

    if (edit->history_size == 0 || edit->length == 0 || repeated)
        return;
    memcpy(edit->history[edit->history_next], edit->line, edit->length + 1);
    edit->history_next = (edit->history_next + 1) % edit->history_size;
    edit->history_count = MIN(edit->history_count + 1, edit->history_size);
}

// Shows the `back`-th latest line; 0 is the one being edited.
static void browse(struct lineedit *edit, size_t back)
{
    if (edit->history_browse == 0)
        memcpy(edit->draft, edit->line, edit->length + 1);
    edit->history_browse = back;
    replace_line(edit, back == 0 ? edit->draft : history_entry(edit, back));
}

// Keys

static enum lineedit_event end_line(struct lineedit *edit, enum lineedit_event event)
{
    edit->finished = true;
    if (event == LINEEDIT_LINE) {
        remember_line(edit);
        put(edit, "\r\n");
    } else if (event == LINEEDIT_INTERRUPT) {
        empty_line(edit);
        edit->finished = true;
        put(edit, "^C\r\n");
    }
    return event;
}

static enum lineedit_event move_key(struct lineedit *edit, enum key key)
{
    if (key == KEY_HOME)
        move_to(edit, 0);
    else if (key == KEY_END)
        move_to(edit, edit->length);
    else if (key == KEY_LEFT && edit->cursor > 0)
        move_to(edit, edit->cursor - 1);
    else if (key == KEY_RIGHT && edit->cursor < edit->length)
        move_to(edit, edit->cursor + 1);
    else if (key == KEY_UP && edit->history_browse < edit->history_count)
        browse(edit, edit->history_browse + 1);
    else if (key == KEY_DOWN && edit->history_browse > 0)
        browse(edit, edit->history_browse - 1);
    return LINEEDIT_NONE;
}

static enum lineedit_event edit_key(struct lineedit *edit, enum key key)
{
    if (key == KEY_DELETE_OR_EOF && edit->length == 0)
        return end_line(edit, LINEEDIT_EOF);
    if (key == KEY_BACKSPACE && edit->cursor > 0)
        remove_range(edit, edit->cursor - 1, edit->cursor);
    else if ((key == KEY_DELETE || key == KEY_DELETE_OR_EOF) && edit->cursor < edit->length)
        remove_range(edit, edit->cursor, edit->cursor + 1);
    else if (key == KEY_KILL_END)
        remove_range(edit, edit->cursor, edit->length);
    else if (key == KEY_KILL_START)
        remove_range(edit, 0, edit->cursor);
    else if (key == KEY_KILL_WORD)
        kill_word(edit);
    else if (key == KEY_TRANSPOSE)
        transpose(edit);
    return LINEEDIT_NONE;
}

static enum lineedit_event press_key(struct lineedit *edit, enum key key)
{
    switch (key) {
    case KEY_NONE:
        return LINEEDIT_NONE;
    case KEY_HOME:
    case KEY_END:
    case KEY_LEFT:
    case KEY_RIGHT:
    case KEY_UP:
    case KEY_DOWN:
        return move_key(edit, key);
    case KEY_ENTER:
        return end_line(edit, LINEEDIT_LINE);
    case KEY_INTERRUPT:
        return end_line(edit, LINEEDIT_INTERRUPT);
    case KEY_TAB:
        return LINEEDIT_COMPLETE;
    case KEY_CLEAR:
        put(edit, "\x1b[H\x1b[2J");
        draw_line(edit);
        return LINEEDIT_CLEAR;
    default:
        return edit_key(edit, key);
    }
}

// Bytes to keys

static enum key control_key(uint8_t byte)
{
    static const uint8_t keys[0x20] = {
        [CTRL('A')] = KEY_HOME,          [CTRL('B')] = KEY_LEFT,      [CTRL('C')] = KEY_INTERRUPT,
        [CTRL('D')] = KEY_DELETE_OR_EOF, [CTRL('E')] = KEY_END,       [CTRL('F')] = KEY_RIGHT,
        [CTRL('H')] = KEY_BACKSPACE,     [CTRL('I')] = KEY_TAB,       [CTRL('J')] = KEY_ENTER,
        [CTRL('K')] = KEY_KILL_END,      [CTRL('L')] = KEY_CLEAR,     [CTRL('M')] = KEY_ENTER,
        [CTRL('N')] = KEY_DOWN,          [CTRL('P')] = KEY_UP,        [CTRL('T')] = KEY_TRANSPOSE,
        [CTRL('U')] = KEY_KILL_START,    [CTRL('W')] = KEY_KILL_WORD,
    };

    return byte == ASCII_DEL ? KEY_BACKSPACE : (enum key)keys[byte];
}

static enum key letter_key(uint8_t final)
{
    switch (final) {
    case 'A':
        return KEY_UP;
    case 'B':
        return KEY_DOWN;
    case 'C':
        return KEY_RIGHT;
    case 'D':
        return KEY_LEFT;
    case 'H':
        return KEY_HOME;
    case 'F':
        return KEY_END;
    default:
        return KEY_NONE;
    }
}

static enum key tilde_key(uint8_t param)
{
    switch (param) {
    case 1:
    case 7:
        return KEY_HOME;
    case 4:
    case 8:
        return KEY_END;
    case 3:
        return KEY_DELETE;
    default:
        return KEY_NONE;
    }
}

// A printable byte inside CSI (ECMA-48, 5.4): parameters, intermediates, then one final byte.
static enum key feed_csi(struct lineedit *edit, uint8_t byte)
{
    if (byte >= 0x40) {
        edit->state = LINEEDIT_PLAIN;
        return byte == '~' ? tilde_key(edit->sequence_param) : letter_key(byte);
    }
    if (byte >= '0' && byte <= '9' && !edit->param_done)
        edit->sequence_param = (uint8_t)MIN(edit->sequence_param * 10 + (byte - '0'), UINT8_MAX);
    else
        edit->param_done = true;
    if (++edit->sequence_length == SEQUENCE_MAX)
        edit->state = LINEEDIT_PLAIN;
    return KEY_NONE;
}

// A printable byte inside an escape sequence.
static enum key feed_sequence(struct lineedit *edit, uint8_t byte)
{
    switch (edit->state) {
    case LINEEDIT_CSI:
        return feed_csi(edit, byte);
    case LINEEDIT_SS3:
        edit->state = LINEEDIT_PLAIN;
        return letter_key(byte);
    default:
        edit->sequence_length = 0;
        edit->sequence_param = 0;
        edit->param_done = false;
        edit->state = byte == '[' ? LINEEDIT_CSI : byte == 'O' ? LINEEDIT_SS3 : LINEEDIT_PLAIN;
        return KEY_NONE;
    }
}

enum lineedit_event lineedit_feed(struct lineedit *edit, uint8_t byte)
{
    bool after_cr = edit->after_cr;
    char text = (char)byte;

    edit->after_cr = byte == '\r';
    if (byte >= 0x80 || (byte == '\n' && after_cr))
        return LINEEDIT_NONE;
    if (edit->finished)
        empty_line(edit);
    if (byte < 0x20 || byte == ASCII_DEL) {
        edit->state = byte == ASCII_ESC ? LINEEDIT_ESC : LINEEDIT_PLAIN;
        return press_key(edit, control_key(byte));
    }
    if (edit->state != LINEEDIT_PLAIN)
        return press_key(edit, feed_sequence(edit, byte));
    if (edit->length == LINEEDIT_MAX) {
        put(edit, "\a");
        return LINEEDIT_NONE;
    }
    insert_text(edit, &text, 1);
    return LINEEDIT_NONE;
}

// The rest of the interface

void lineedit_init(struct lineedit *edit, void (*put_bytes)(void *ctx, const char *s, size_t n),
                   void *ctx)
{
    *edit = (struct lineedit){
        .put = put_bytes,
        .ctx = ctx,
        .prompt = "",
        .width = LINEEDIT_WIDTH,
    };
}

void lineedit_set_history(struct lineedit *edit, char (*entries)[LINEEDIT_SIZE], size_t count)
{
    edit->history = entries;
    edit->history_size = count;
    edit->history_count = 0;
    edit->history_next = 0;
    edit->history_browse = 0;
}

const char *lineedit_history(const struct lineedit *edit, size_t back)
{
    return back == 0 || back > edit->history_count ? NULL : history_entry(edit, back);
}

void lineedit_set_prompt(struct lineedit *edit, const char *prompt)
{
    edit->prompt = prompt;
    edit->prompt_width = strlen(prompt);
}

void lineedit_set_width(struct lineedit *edit, size_t columns)
{
    edit->width = columns;
}

void lineedit_begin(struct lineedit *edit)
{
    empty_line(edit);
    put(edit, edit->prompt);
}

const char *lineedit_line(const struct lineedit *edit)
{
    return edit->line;
}

size_t lineedit_cursor(const struct lineedit *edit)
{
    return edit->cursor;
}

int lineedit_insert(struct lineedit *edit, const char *text)
{
    char clean[LINEEDIT_MAX];
    size_t room;
    size_t count = 0;

    if (edit->finished)
        empty_line(edit);
    room = LINEEDIT_MAX - edit->length;
    for (; *text != '\0'; text++) {
        if ((uint8_t)*text < 0x20 || (uint8_t)*text >= ASCII_DEL)
            continue;
        if (count == room) {
            put(edit, "\a");
            return -ENOSPC;
        }
        clean[count++] = *text;
    }
    if (count > 0)
        insert_text(edit, clean, count);
    return 0;
}

void lineedit_hide(struct lineedit *edit)
{
    put(edit, "\r\x1b[K");
}

void lineedit_redraw(struct lineedit *edit)
{
    (void)scroll(edit);
    draw_line(edit);
}
