// SPDX-License-Identifier: Apache-2.0
// Memory and string functions: the C library's few that are needed, and safer ones of our own.
#ifndef LIB_STRING_H
#define LIB_STRING_H

#include <stdbool.h>
#include <stddef.h>

#include <lib/macros.h>

#if __STDC_HOSTED__
#include <stdlib.h>
#include <string.h>
#else
void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);
int memcmp(const void *a, const void *b, size_t size);
void *memchr(const void *s, int c, size_t size);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t max);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);
char *strstr(const char *s, const char *part);
unsigned long strtoul(const char *restrict s, char **restrict end, int base);
#endif

// Copies a string, always terminated (size at least 1). 0, or -ENAMETOOLONG when it was cut.
int str_copy(char *to, const char *from, size_t size);

// The first byte is looked at here: most strings that differ do so there.
static ALWAYS_INLINE bool str_equal(const char *a, const char *b)
{
    return *a == *b && strcmp(a, b) == 0;
}
bool str_starts_with(const char *s, const char *prefix);

// Only bytes 0x20..0x7e; true for the empty string.
bool str_is_printable(const char *s);

bool mem_is_zero(const void *data, size_t size);

#endif
