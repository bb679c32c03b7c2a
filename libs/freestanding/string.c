// SPDX-License-Identifier: Apache-2.0
// String functions of the C library.
//
// Freestanding builds only (a hosted build takes its C library); to be compiled with
// -ffreestanding -fno-builtin and, for GCC, -fno-tree-loop-distribute-patterns: otherwise the
// compiler turns these loops into calls of the very functions they implement.
#include <stdint.h>

#include <lib/string.h>

size_t strlen(const char *s)
{
    const char *end = s;

    while (*end != '\0') {
        end++;
    }
    return (size_t)(end - s);
}

size_t strnlen(const char *s, size_t max)
{
    size_t length = 0;

    while (length < max && s[length] != '\0') {
        length++;
    }
    return length;
}

int strcmp(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    return (unsigned char)*a - (unsigned char)*b;
}

int strncmp(const char *a, const char *b, size_t max)
{
    for (; max > 0; max--, a++, b++) {
        if (*a != *b || *a == '\0') {
            return (unsigned char)*a - (unsigned char)*b;
        }
    }
    return 0;
}

char *strchr(const char *s, int c)
{
    for (; *s != (char)c; s++) {
        if (*s == '\0') {
            return NULL;
        }
    }
    return (char *)(uintptr_t)s;
}

char *strrchr(const char *s, int c)
{
    const char *last = NULL;

    for (;; s++) {
        if (*s == (char)c) {
            last = s;
        }
        if (*s == '\0') {
            return (char *)(uintptr_t)last;
        }
    }
}

char *strstr(const char *s, const char *part)
{
    size_t length = strlen(part);

    for (;; s++) {
        if (strncmp(s, part, length) == 0) {
            return (char *)(uintptr_t)s;
        }
        if (*s == '\0') {
            return NULL;
        }
    }
}

// 36 for what is no digit in any base.
static unsigned digit_value(char c)
{
    if (c >= '0' && c <= '9') {
        return (unsigned)(c - '0');
    }
    if (c >= 'a' && c <= 'z') {
        return (unsigned)(c - 'a') + 10;
    }
    if (c >= 'A' && c <= 'Z') {
        return (unsigned)(c - 'A') + 10;
    }
    return 36;
}

// Skips the prefix that belongs to the base and settles base 0.
static const char *skip_prefix(const char *s, int *base)
{
    bool hex = s[0] == '0' && (s[1] == 'x' || s[1] == 'X') && digit_value(s[2]) < 16;

    if ((*base == 0 || *base == 16) && hex) {
        *base = 16;
        return s + 2;
    }
    if (*base == 0) {
        *base = s[0] == '0' ? 8 : 10;
    }
    return s;
}

// As in C99, without errno: a value that is too big gives ULONG_MAX.
unsigned long strtoul(const char *restrict s, char **restrict end, int base)
{
    const char *p = s;
    unsigned long value = 0;
    bool overflow = false;
    bool negative;
    const char *digits;

    while (*p == ' ' || (*p >= '\t' && *p <= '\r')) {
        p++;
    }
    negative = *p == '-';
    p += *p == '-' || *p == '+';
    p = skip_prefix(p, &base);
    for (digits = p; digit_value(*p) < (unsigned)base; p++) {
        overflow |= __builtin_mul_overflow(value, (unsigned long)base, &value);
        overflow |= __builtin_add_overflow(value, digit_value(*p), &value);
    }
    if (end != NULL) {
        *end = (char *)(uintptr_t)(p == digits ? s : p);
    }
    if (overflow) {
        return ~0ul;
    }
    return negative ? 0 - value : value;
}
