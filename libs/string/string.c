// SPDX-License-Identifier: Apache-2.0
// String helpers that the C library lacks.
#include <stdint.h>

#include <lib/errno.h>
#include <lib/string.h>

int str_copy(char *to, const char *from, size_t size)
{
    size_t length = strnlen(from, size);
    int err = 0;

    if (length == size) {
        length = size - 1;
        err = -ENAMETOOLONG;
    }
    memcpy(to, from, length);
    to[length] = '\0';
    return err;
}

bool str_starts_with(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_is_printable(const char *s)
{
    for (; *s != '\0'; s++) {
        if ((unsigned char)*s < 0x20 || (unsigned char)*s > 0x7e) {
            return false;
        }
    }
    return true;
}

bool mem_is_zero(const void *data, size_t size)
{
    const uint8_t *byte = data;
    size_t i = 0;

    for (; i < size && ((uintptr_t)(byte + i) & 7) != 0; i++) {
        if (byte[i] != 0) {
            return false;
        }
    }
    for (; size - i >= 8; i += 8) {
        uint64_t word;

        memcpy(&word, __builtin_assume_aligned(byte + i, 8), sizeof(word));
        if (word != 0) {
            return false;
        }
    }
    for (; i < size; i++) {
        if (byte[i] != 0) {
            return false;
        }
    }
    return true;
}
