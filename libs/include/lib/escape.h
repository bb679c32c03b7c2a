// SPDX-License-Identifier: Apache-2.0
// Makes bytes from guests and files harmless for an operator's terminal.
#ifndef LIB_ESCAPE_H
#define LIB_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Room that one source byte needs at most; a `size` above it makes progress certain.
#define ESCAPE_BYTE_MAX 4

// Whether the byte may go to a terminal as it is: neither below 0x20, nor 0x7f, nor 0x80..0x9f,
// unless it occurs in the string `keep` (such as "\n\t"; NULL keeps none).
bool escape_is_safe(uint8_t byte, const char *keep);

// Writes `from` to `to`, unsafe bytes as \xNN, terminated (size at least 1). Returns how many bytes
// of the source went in; call again with the rest when that is less than `count`.
size_t escape_bytes(char *to, size_t size, const void *from, size_t count, const char *keep);

#endif
