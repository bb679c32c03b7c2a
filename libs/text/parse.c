// SPDX-License-Identifier: Apache-2.0
// Strict parsing of numbers.
#include <stdbool.h>

#include <lib/errno.h>
#include <lib/parse.h>

// 16 for what is no digit.
static unsigned digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
        return (unsigned)((c | 0x20) - 'a') + 10;
    return 16;
}

// Reads digits up to the first byte that is none, which *end receives. Text that turns out to be no
// number at all is -EINVAL rather than -ERANGE, so the end decides first, in the callers.
static int parse_digits(const char *s, const char **end, uint64_t *value)
{
    unsigned base = 10;
    bool overflow = false;
    const char *digits;

    if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
        base = 16;
        s += 2;
    }
    *value = 0;
    for (digits = s; digit_value(*s) < base; s++) {
        overflow |= __builtin_mul_overflow(*value, (uint64_t)base, value);
        overflow |= __builtin_add_overflow(*value, (uint64_t)digit_value(*s), value);
    }
    *end = s;
    if (s == digits)
        return -EINVAL;
    return overflow ? -ERANGE : 0;
}

int parse_u64(const char *s, uint64_t *out)
{
    uint64_t value;
    const char *end;
    int err = parse_digits(s, &end, &value);

    if (*end != '\0')
        return -EINVAL;
    if (err == 0)
        *out = value;
    return err;
}

int parse_u32(const char *s, uint32_t *out)
{
    uint64_t value;
    int err = parse_u64(s, &value);

    if (err != 0)
        return err;
    if (value > UINT32_MAX)
        return -ERANGE;
    *out = (uint32_t)value;
    return 0;
}

// Shift that a size suffix stands for; 0 for none.
static unsigned suffix_shift(char c)
{
    switch (c) {
    case 'k':
    case 'K':
        return 10;
    case 'm':
    case 'M':
        return 20;
    case 'g':
    case 'G':
        return 30;
    default:
        return 0;
    }
}

int parse_size(const char *s, uint64_t *out)
{
    uint64_t value;
    const char *end;
    int err = parse_digits(s, &end, &value);
    unsigned shift = suffix_shift(*end);

    if (end[shift != 0] != '\0' || err == -EINVAL)
        return -EINVAL;
    if (err != 0 || value > UINT64_MAX >> shift)
        return -ERANGE;
    *out = value << shift;
    return 0;
}

int parse_seconds(const char *s, uint64_t *ns)
{
    uint64_t whole = 0, fraction = 0, scale = 1000000000;
    bool overflow = false;
    const char *start = s;

    for (; *s >= '0' && *s <= '9'; s++) {
        overflow |= __builtin_mul_overflow(whole, (uint64_t)10, &whole);
        overflow |= __builtin_add_overflow(whole, (uint64_t)(*s - '0'), &whole);
    }
    if (s == start)
        return -EINVAL;
    if (*s == '.') {
        start = ++s;
        for (; *s >= '0' && *s <= '9' && scale > 1; s++) {
            scale /= 10;
            fraction += (uint64_t)(*s - '0') * scale;
        }
        if (s == start)
            return -EINVAL;
    }
    if (*s != '\0')
        return -EINVAL;
    overflow |= __builtin_mul_overflow(whole, (uint64_t)1000000000, &whole);
    overflow |= __builtin_add_overflow(whole, fraction, &whole);
    if (overflow)
        return -ERANGE;
    *ns = whole;
    return 0;
}
