// SPDX-License-Identifier: Apache-2.0
// CRC-32 as in IEEE 802.3, zlib and gzip.
#ifndef LIB_CRC32_H
#define LIB_CRC32_H

#include <stddef.h>
#include <stdint.h>

// Start with crc 0; feed the result back in to go on with more data.
uint32_t crc32_update(uint32_t crc, const void *data, size_t size);

#endif
