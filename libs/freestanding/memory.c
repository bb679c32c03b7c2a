// SPDX-License-Identifier: Apache-2.0
// Memory functions of the C library, by words wherever both sides allow it at strict alignment.
//
// Freestanding builds only (a hosted build takes its C library); to be compiled with
// -ffreestanding -fno-builtin and, for GCC, -fno-tree-loop-distribute-patterns: otherwise the
// compiler turns these loops into calls of the very functions they implement.
#include <stdint.h>

#include <lib/string.h>

typedef uint64_t __attribute__((may_alias)) word64_t;
typedef uint32_t __attribute__((may_alias)) word32_t;

#define CHUNK (4 * sizeof(word64_t))

// The largest unit in which two addresses can be aligned at once: 8, 4 or 1.
static size_t common_unit(const void *a, const void *b)
{
    uintptr_t difference = (uintptr_t)a ^ (uintptr_t)b;

    if ((difference & 7) == 0) {
        return 8;
    }
    return (difference & 3) == 0 ? 4 : 1;
}

// Also right when the target overlaps the start of the source: the loads of a chunk precede its
// stores, and every store lies below the loads to come. (No `restrict` here for that reason.)
static void copy_forward(uint8_t *d, const uint8_t *s, size_t size)
{
    size_t unit = common_unit(d, s);

    for (; unit > 1 && size > 0 && ((uintptr_t)d & (unit - 1)) != 0; size--) {
        *d++ = *s++;
    }
    for (; unit == 8 && size >= CHUNK; size -= CHUNK, d += CHUNK, s += CHUNK) {
        word64_t a = ((const word64_t *)s)[0];
        word64_t b = ((const word64_t *)s)[1];
        word64_t c = ((const word64_t *)s)[2];
        word64_t e = ((const word64_t *)s)[3];

        ((word64_t *)d)[0] = a;
        ((word64_t *)d)[1] = b;
        ((word64_t *)d)[2] = c;
        ((word64_t *)d)[3] = e;
    }
    for (; unit == 8 && size >= 8; size -= 8, d += 8, s += 8) {
        *(word64_t *)d = *(const word64_t *)s;
    }
    for (; unit == 4 && size >= 8; size -= 8, d += 8, s += 8) {
        word32_t a = ((const word32_t *)s)[0];
        word32_t b = ((const word32_t *)s)[1];

        ((word32_t *)d)[0] = a;
        ((word32_t *)d)[1] = b;
    }
    for (; size > 0; size--) {
        *d++ = *s++;
    }
}

static void copy_backward(uint8_t *to, const uint8_t *from, size_t size)
{
    uint8_t *d = to + size;
    const uint8_t *s = from + size;
    size_t unit = common_unit(d, s);

    for (; unit == 8 && size > 0 && ((uintptr_t)d & 7) != 0; size--) {
        *--d = *--s;
    }
    for (; unit == 8 && size >= 8; size -= 8) {
        d -= 8;
        s -= 8;
        *(word64_t *)d = *(const word64_t *)s;
    }
    for (; size > 0; size--) {
        *--d = *--s;
    }
}

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
    copy_forward(to, from, size);
    return to;
}

void *memmove(void *to, const void *from, size_t size)
{
    if ((uintptr_t)to - (uintptr_t)from >= size) {
        copy_forward(to, from, size);
    } else {
        copy_backward(to, from, size);
    }
    return to;
}

void *memset(void *to, int value, size_t size)
{
    uint8_t *d = to;
    uint64_t pattern = (uint8_t)value * UINT64_C(0x0101010101010101);

    for (; size > 0 && ((uintptr_t)d & 7) != 0; size--) {
        *d++ = (uint8_t)value;
    }
    for (; size >= CHUNK; size -= CHUNK, d += CHUNK) {
        ((word64_t *)d)[0] = pattern;
        ((word64_t *)d)[1] = pattern;
        ((word64_t *)d)[2] = pattern;
        ((word64_t *)d)[3] = pattern;
    }
    for (; size >= 8; size -= 8, d += 8) {
        *(word64_t *)d = pattern;
    }
    for (; size > 0; size--) {
        *d++ = (uint8_t)value;
    }
    return to;
}

int memcmp(const void *a, const void *b, size_t size)
{
    const uint8_t *p = a;
    const uint8_t *q = b;

    if ((((uintptr_t)p | (uintptr_t)q) & 7) == 0) {
        for (; size >= 8 && *(const word64_t *)p == *(const word64_t *)q; size -= 8) {
            p += 8;
            q += 8;
        }
    }
    for (; size > 0; size--, p++, q++) {
        if (*p != *q) {
            return *p - *q;
        }
    }
    return 0;
}

void *memchr(const void *s, int c, size_t size)
{
    const uint8_t *p = s;

    for (; size > 0; size--, p++) {
        if (*p == (uint8_t)c) {
            return (void *)(uintptr_t)p;
        }
    }
    return NULL;
}
