// SPDX-License-Identifier: Apache-2.0
// Escaping of bytes for an operator's terminal.
#include <lib/escape.h>
#include <lib/string.h>

bool escape_is_safe(uint8_t byte, const char *keep)
{
    if ((byte >= 0x20 && byte < 0x7f) || byte >= 0xa0)
        return true;
    return byte != 0 && keep != NULL && strchr(keep, byte) != NULL;
}

size_t escape_bytes(char *to, size_t size, const void *from, size_t count, const char *keep)
{
    static const char hex[] = "0123456789abcdef";
    const uint8_t *byte = from;
    size_t length = 0;
    size_t i;

    for (i = 0; i < count; i++) {
        bool safe = escape_is_safe(byte[i], keep);

        if (size - length <= (safe ? 1 : ESCAPE_BYTE_MAX))
            break;
        if (safe) {
            to[length++] = (char)byte[i];
        } else {
            to[length++] = '\\';
            to[length++] = 'x';
            to[length++] = hex[byte[i] >> 4];
            to[length++] = hex[byte[i] & 15];
        }
    }
    to[length] = '\0';
    return i;
}
