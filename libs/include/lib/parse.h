// SPDX-License-Identifier: Apache-2.0
// Strict parsing of numbers that an operator or a file supplies.
#ifndef LIB_PARSE_H
#define LIB_PARSE_H

#include <stdint.h>

#include <lib/macros.h>

// Decimal, or hexadecimal after 0x; a leading 0 does not mean octal. No sign, no white space, the
// whole string must match. 0, -EINVAL (not a number) or -ERANGE (too big); *out only set on 0.
int parse_u64(const char *s, uint64_t *out) MUST_CHECK;
int parse_u32(const char *s, uint32_t *out) MUST_CHECK;

// Like parse_u64() with an optional suffix K, M or G (either case; 2^10, 2^20, 2^30).
int parse_size(const char *s, uint64_t *out) MUST_CHECK;

// Decimal seconds, also with a fraction of up to nine digits ("1.5"), as nanoseconds.
int parse_seconds(const char *s, uint64_t *ns) MUST_CHECK;

#endif
