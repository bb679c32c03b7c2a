// SPDX-License-Identifier: Apache-2.0
// printf-style formatting without floating point (C99, 7.19.6.1).
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

// Octal digits of 64 bits.
#define DIGITS_MAX 22

enum length { LENGTH_INT, LENGTH_CHAR, LENGTH_SHORT, LENGTH_LONG };

struct output {
    void (*put)(void *ctx, const char *s, size_t n);
    void *ctx;
    size_t total;
};

struct spec {
    bool left;
    bool zero;
    bool alternate;
    char sign; // '+', ' ' or 0
    size_t width;
    bool has_precision;
    size_t precision;
    enum length length;
    char conversion;
};

static void emit(struct output *out, const char *s, size_t n)
{
    if (n > 0) {
        out->put(out->ctx, s, n);
        out->total += n;
    }
}

static void emit_repeated(struct output *out, char c, size_t n)
{
    char chunk[16];

    memset(chunk, c, sizeof(chunk));
    for (; n > 0; n -= MIN(n, sizeof(chunk))) {
        emit(out, chunk, MIN(n, sizeof(chunk)));
    }
}

static void emit_padded(struct output *out, const struct spec *spec, const char *s, size_t n)
{
    size_t padding = spec->width > n ? spec->width - n : 0;

    emit_repeated(out, ' ', spec->left ? 0 : padding);
    emit(out, s, n);
    emit_repeated(out, ' ', spec->left ? padding : 0);
}

static void emit_string(struct output *out, const struct spec *spec, const char *s)
{
    s = s == NULL ? "(null)" : s;
    emit_padded(out, spec, s, strnlen(s, spec->has_precision ? spec->precision : SIZE_MAX));
}

// Writes the digits backwards, ending at `end`; returns the first one. Zero has no digits here.
static char *format_digits(char *end, uint64_t value, unsigned base, bool upper)
{
    const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";

    for (; value != 0; value /= base) {
        *--end = digits[value % base];
    }
    return end;
}

// What stands before the digits: sign or base; sets its length.
static const char *number_prefix(const struct spec *spec, uint64_t value, bool negative, size_t *n)
{
    static const char signs[] = "-+ ";

    *n = 0;
    switch (spec->conversion) {
    case 'd':
    case 'i':
        if (negative || spec->sign != 0) {
            *n = 1;
        }
        return negative ? signs : strchr(signs, spec->sign);
    case 'x':
    case 'X':
        *n = spec->alternate && value != 0 ? 2 : 0;
        return spec->conversion == 'x' ? "0x" : "0X";
    case 'p':
        *n = 2;
        return "0x";
    default:
        return "";
    }
}

static unsigned number_base(char conversion)
{
    switch (conversion) {
    case 'o':
        return 8;
    case 'x':
    case 'X':
    case 'p':
        return 16;
    default:
        return 10;
    }
}

static void emit_number(struct output *out, const struct spec *spec, uint64_t value, bool negative)
{
    char buffer[DIGITS_MAX];
    char *end = buffer + sizeof(buffer);
    char *start = format_digits(end, value, number_base(spec->conversion), spec->conversion == 'X');
    size_t digits = (size_t)(end - start);
    size_t wanted = spec->has_precision ? spec->precision : 1;
    size_t prefix_size;
    const char *prefix = number_prefix(spec, value, negative, &prefix_size);
    size_t padding;

    if (spec->conversion == 'o' && spec->alternate) {
        wanted = MAX(wanted, digits + 1 - (value == 0 && wanted > 0));
    }
    wanted = MAX(wanted, digits);
    padding = spec->width > wanted + prefix_size ? spec->width - wanted - prefix_size : 0;
    if (spec->zero && !spec->left && !spec->has_precision) {
        wanted += padding;
        padding = 0;
    }
    emit_repeated(out, ' ', spec->left ? 0 : padding);
    emit(out, prefix, prefix_size);
    emit_repeated(out, '0', wanted - digits);
    emit(out, start, digits);
    emit_repeated(out, ' ', spec->left ? padding : 0);
}

// Reads a number or, for '*', takes an argument; a negative argument sets *negative.
static const char *parse_count(const char *format, va_list *args, size_t *count, bool *negative)
{
    size_t value = 0;

    *negative = false;
    if (*format == '*') {
        int argument = va_arg(*args, int);

        *negative = argument < 0;
        *count = argument < 0 ? 0 - (size_t)argument : (size_t)argument;
        return format + 1;
    }
    for (; *format >= '0' && *format <= '9'; format++) {
        value = MIN(value * 10 + (size_t)(*format - '0'), (size_t)INT_MAX);
    }
    *count = value;
    return format;
}

static const char *parse_flags(const char *format, struct spec *spec)
{
    for (;; format++) {
        switch (*format) {
        case '-':
            spec->left = true;
            break;
        case '0':
            spec->zero = true;
            break;
        case '#':
            spec->alternate = true;
            break;
        case '+':
            spec->sign = '+';
            break;
        case ' ':
            spec->sign = spec->sign == '+' ? '+' : ' ';
            break;
        default:
            return format;
        }
    }
}

// long, long long, size_t, intmax_t and ptrdiff_t are all 64 bits wide here.
static const char *parse_length(const char *format, enum length *length)
{
    switch (*format) {
    case 'h':
        *length = format[1] == 'h' ? LENGTH_CHAR : LENGTH_SHORT;
        return format + (format[1] == 'h' ? 2 : 1);
    case 'l':
        *length = LENGTH_LONG;
        return format + (format[1] == 'l' ? 2 : 1);
    case 'z':
    case 'j':
    case 't':
        *length = LENGTH_LONG;
        return format + 1;
    default:
        *length = LENGTH_INT;
        return format;
    }
}

static_assert(sizeof(long) == 8 && sizeof(size_t) == 8 && sizeof(long long) == 8,
              "one class of 64-bit lengths");

// Reads all between '%' and the conversion; returns what follows the conversion.
static const char *parse_spec(const char *format, va_list *args, struct spec *spec)
{
    bool negative;

    *spec = (struct spec){0};
    format = parse_flags(format, spec);
    format = parse_count(format, args, &spec->width, &negative);
    spec->left |= negative;
    if (*format == '.') {
        format = parse_count(format + 1, args, &spec->precision, &negative);
        spec->has_precision = !negative;
    }
    format = parse_length(format, &spec->length);
    spec->conversion = *format;
    return *format == '\0' ? format : format + 1;
}

static int64_t take_signed(va_list *args, enum length length)
{
    if (length == LENGTH_LONG) {
        return va_arg(*args, long);
    }
    int value = va_arg(*args, int);

    if (length == LENGTH_CHAR) {
        return (signed char)value;
    }
    return length == LENGTH_SHORT ? (short)value : value;
}

static uint64_t take_unsigned(va_list *args, enum length length)
{
    if (length == LENGTH_LONG) {
        return va_arg(*args, unsigned long);
    }
    unsigned value = va_arg(*args, unsigned);

    if (length == LENGTH_CHAR) {
        return (unsigned char)value;
    }
    return length == LENGTH_SHORT ? (unsigned short)value : value;
}

// false when the conversion is unknown.
static bool convert(struct output *out, const struct spec *spec, va_list *args)
{
    int64_t value;
    char c;

    switch (spec->conversion) {
    case 'd':
    case 'i':
        value = take_signed(args, spec->length);
        emit_number(out, spec, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, value < 0);
        return true;
    case 'u':
    case 'x':
    case 'X':
    case 'o':
        emit_number(out, spec, take_unsigned(args, spec->length), false);
        return true;
    case 'p':
        emit_number(out, spec, (uintptr_t)va_arg(*args, void *), false);
        return true;
    case 'c':
        c = (char)va_arg(*args, int);
        emit_padded(out, spec, &c, 1);
        return true;
    case 's':
        emit_string(out, spec, va_arg(*args, const char *));
        return true;
    case '%':
        emit(out, "%", 1);
        return true;
    default:
        return false;
    }
}

int fmt_vprint(void (*put)(void *ctx, const char *s, size_t n), void *ctx, const char *format,
               va_list args)
{
    struct output out = {.put = put, .ctx = ctx};
    va_list rest;

    va_copy(rest, args);
    while (*format != '\0') {
        const char *percent = strchr(format, '%');
        size_t literal = percent == NULL ? strlen(format) : (size_t)(percent - format);
        struct spec spec;

        emit(&out, format, literal);
        if (percent == NULL) {
            break;
        }
        format = parse_spec(percent + 1, &rest, &spec);
        if (!convert(&out, &spec, &rest)) {
            emit(&out, percent, strlen(percent));
            break;
        }
    }
    va_end(rest);
    return out.total > INT_MAX ? -EOVERFLOW : (int)out.total;
}

struct buffer {
    char *next;
    size_t room; // without the NUL
};

static void put_buffer(void *ctx, const char *s, size_t n)
{
    struct buffer *buffer = ctx;

    n = MIN(n, buffer->room);
    memcpy(buffer->next, s, n);
    buffer->next += n;
    buffer->room -= n;
}

static void put_nowhere(void *ctx UNUSED, const char *s UNUSED, size_t n UNUSED)
{
}

int fmt_vsnprintf(char *to, size_t size, const char *format, va_list args)
{
    struct buffer buffer = {.next = to, .room = size - 1};
    int length;

    if (size == 0) {
        return fmt_vprint(put_nowhere, NULL, format, args);
    }
    length = fmt_vprint(put_buffer, &buffer, format, args);
    *buffer.next = '\0';
    return length;
}

int fmt_snprintf(char *to, size_t size, const char *format, ...)
{
    va_list args;
    int length;

    va_start(args, format);
    length = fmt_vsnprintf(to, size, format, args);
    va_end(args);
    return length;
}
