// SPDX-License-Identifier: Apache-2.0
// printf-style formatting without floating point.
#ifndef LIB_FMT_H
#define LIB_FMT_H

#include <stdarg.h>
#include <stddef.h>

#include <lib/macros.h>

// Conversions d i u x X o c s p %, flags 0 - + space #, width and precision (also *), lengths
// hh h l ll z j t, all as in C99. NULL for %s prints "(null)"; %p prints 0x and hex digits. An
// unknown conversion is printed as it stands and ends the interpretation of the format, because the
// arguments after it cannot be found.

// Hands the text piece by piece to `put`; the pieces are not terminated. Returns the text's length.
int fmt_vprint(void (*put)(void *ctx, const char *s, size_t n), void *ctx, const char *format,
               va_list args) PRINTF(3, 0);

// As C99: terminated when size > 0, returns the length the whole text has, cut or not.
int fmt_vsnprintf(char *to, size_t size, const char *format, va_list args) PRINTF(3, 0);
int fmt_snprintf(char *to, size_t size, const char *format, ...) PRINTF(3, 4);

#endif
