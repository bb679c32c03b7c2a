// SPDX-License-Identifier: Apache-2.0
// Output helpers for terminals: formatting, line ends, and escaping of what is not trusted.
#include <hv/terminal.h>
#include <lib/escape.h>
#include <lib/fmt.h>
#include <lib/string.h>
#include <stdarg.h>

/** Collects small pieces, so that the terminal gets few writes. */
struct term_buffer {
    struct terminal *term;
    size_t count;
    char text[128];
};

static void buffer_flush(struct term_buffer *buffer)
{
    if (buffer->count > 0) {
        buffer->term->write(buffer->term, buffer->text, buffer->count);
        buffer->count = 0;
    }
}

static void buffer_put(void *ctx, const char *text, size_t size)
{
    struct term_buffer *buffer = ctx;

    for (size_t i = 0; i < size; i++) {
        if (buffer->count + 2 > sizeof(buffer->text))
            buffer_flush(buffer);
        if (text[i] == '\n' && buffer->term->crlf)
            buffer->text[buffer->count++] = '\r';
        buffer->text[buffer->count++] = text[i];
    }
}

void term_write(struct terminal *term, const char *text, size_t size)
{
    struct term_buffer buffer = {.term = term};

    buffer_put(&buffer, text, size);
    buffer_flush(&buffer);
}

void term_printf(struct terminal *term, const char *fmt, ...)
{
    struct term_buffer buffer = {.term = term};
    va_list args;

    va_start(args, fmt);
    (void)fmt_vprint(buffer_put, &buffer, fmt, args);
    va_end(args);
    buffer_flush(&buffer);
}

static void puts_escaped(struct terminal *term, const char *text, size_t size, const char *keep)
{
    struct term_buffer buffer = {.term = term};
    char safe[16 * ESCAPE_BYTE_MAX + 1];

    while (size > 0) {
        size_t n = escape_bytes(safe, sizeof(safe), text, size, keep);

        buffer_put(&buffer, safe, strlen(safe));
        text += n;
        size -= n;
    }
    buffer_flush(&buffer);
}

void term_puts_escaped(struct terminal *term, const char *text, size_t size)
{
    puts_escaped(term, text, size, NULL);
}

void term_puts_escaped_text(struct terminal *term, const char *text, size_t size)
{
    puts_escaped(term, text, size, "\n\t\r");
}

void term_puts_cell(struct terminal *term, const char *text, size_t width)
{
    size_t used = 0;

    for (const char *c = text; *c != '\0'; c++)
        used += escape_is_safe((uint8_t)*c, NULL) ? 1 : ESCAPE_BYTE_MAX;
    term_puts_escaped(term, text, strlen(text));
    term_printf(term, "%*s", used < width ? (int)(width - used) : 0, "");
}

bool term_interrupted(struct terminal *term)
{
    return term->interrupted != NULL && term->interrupted(term);
}
