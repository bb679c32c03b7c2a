// SPDX-License-Identifier: Apache-2.0
// Big- and little-endian loads and stores at any alignment.
#ifndef LIB_ENDIAN_H
#define LIB_ENDIAN_H

#include <stdint.h>

static inline uint16_t be16_load(const void *from)
{
    const uint8_t *p = from;

    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline void be16_store(void *to, uint16_t value)
{
    uint8_t *p = to;

    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}

static inline uint32_t be32_load(const void *from)
{
    const uint8_t *p = from;

    return (uint32_t)be16_load(p) << 16 | be16_load(p + 2);
}

static inline void be32_store(void *to, uint32_t value)
{
    uint8_t *p = to;

    be16_store(p, (uint16_t)(value >> 16));
    be16_store(p + 2, (uint16_t)value);
}

static inline uint64_t be64_load(const void *from)
{
    const uint8_t *p = from;

    return (uint64_t)be32_load(p) << 32 | be32_load(p + 4);
}

static inline void be64_store(void *to, uint64_t value)
{
    uint8_t *p = to;

    be32_store(p, (uint32_t)(value >> 32));
    be32_store(p + 4, (uint32_t)value);
}

static inline uint16_t le16_load(const void *from)
{
    const uint8_t *p = from;

    return (uint16_t)(p[1] << 8 | p[0]);
}

static inline void le16_store(void *to, uint16_t value)
{
    uint8_t *p = to;

    p[1] = (uint8_t)(value >> 8);
    p[0] = (uint8_t)value;
}

static inline uint32_t le32_load(const void *from)
{
    const uint8_t *p = from;

    return (uint32_t)le16_load(p + 2) << 16 | le16_load(p);
}

static inline void le32_store(void *to, uint32_t value)
{
    uint8_t *p = to;

    le16_store(p + 2, (uint16_t)(value >> 16));
    le16_store(p, (uint16_t)value);
}

static inline uint64_t le64_load(const void *from)
{
    const uint8_t *p = from;

    return (uint64_t)le32_load(p + 4) << 32 | le32_load(p);
}

static inline void le64_store(void *to, uint64_t value)
{
    uint8_t *p = to;

    le32_store(p + 4, (uint32_t)(value >> 32));
    le32_store(p, (uint32_t)value);
}

#endif
