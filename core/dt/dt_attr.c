// SPDX-License-Identifier: Apache-2.0
// Device tree: typed access to attributes.

#include "dt_internal.h"

#include <lib/endian.h>
#include <lib/errno.h>
#include <lib/string.h>

const struct dt_attr *dt_attr(const struct dt_node *node, const char *name)
{
    LIST_FOR_EACH(attr, &node->attrs, struct dt_attr, link) {
        /* The first character tells most of them apart without a call. */
        if (attr->name[0] == name[0] && strcmp(attr->name, name) == 0)
            return attr;
    }
    return NULL;
}

/* The attribute as an array: its number of elements. */
static int find_array(const struct dt_node *node, const char *name, unsigned element,
                      const uint8_t **data)
{
    const struct dt_attr *attr = dt_attr(node, name);

    if (attr == NULL)
        return -ENOENT;
    if (attr->size == 0 || attr->size % element != 0 || attr->size / element > INT32_MAX)
        return -EINVAL;
    *data = attr->data;
    return (int)(attr->size / element);
}

#define DEFINE_GET(type, bits, load)                                                               \
    int dt_get_##type##_array(const struct dt_node *node, const char *name,                        \
                              uint##bits##_t *values, unsigned max)                                \
    {                                                                                              \
        const uint8_t *data;                                                                       \
        int count = find_array(node, name, bits / 8, &data);                                       \
                                                                                                   \
        for (unsigned i = 0; count > 0 && i < (unsigned)count && i < max; i++)                     \
            values[i] = load(data + i * (size_t)(bits / 8));                                       \
        return count;                                                                              \
    }

static uint8_t u8_load(const uint8_t *from)
{
    return *from;
}

DEFINE_GET(u8, 8, u8_load)
DEFINE_GET(u16, 16, be16_load)
DEFINE_GET(u32, 32, be32_load)
DEFINE_GET(u64, 64, be64_load)

#define DEFINE_GET_ONE(type, bits)                                                                 \
    int dt_get_##type(const struct dt_node *node, const char *name, uint##bits##_t *value)         \
    {                                                                                              \
        uint##bits##_t first = 0;                                                                  \
        int count = dt_get_##type##_array(node, name, &first, 1);                                  \
                                                                                                   \
        if (count > 1)                                                                             \
            return -EINVAL;                                                                        \
        if (count == 1)                                                                            \
            *value = first;                                                                        \
        return count < 0 ? count : 0;                                                              \
    }

DEFINE_GET_ONE(u8, 8)
DEFINE_GET_ONE(u16, 16)
DEFINE_GET_ONE(u32, 32)

int dt_get_u32_at(const struct dt_node *node, const char *name, unsigned index, uint32_t *value)
{
    const struct dt_attr *attr = dt_attr(node, name);

    if (attr == NULL)
        return -ENOENT;
    if (attr->size % 4 != 0)
        return -EINVAL;
    if (index >= attr->size / 4)
        return -ENOENT;
    *value = be32_load((const char *)attr->data + 4 * (size_t)index);
    return 0;
}

int dt_get_u64(const struct dt_node *node, const char *name, uint64_t *value)
{
    const struct dt_attr *attr = dt_attr(node, name);

    if (attr == NULL)
        return -ENOENT;
    /* One cell is as good where the value fits it. */
    if (attr->size == 4)
        *value = be32_load(attr->data);
    else if (attr->size == 8)
        *value = be64_load(attr->data);
    else
        return -EINVAL;
    return 0;
}

/* The list of strings: 0, -ENOENT or -EINVAL. */
static int find_strings(const struct dt_node *node, const char *name, const char **at,
                        const char **end)
{
    const struct dt_attr *attr = dt_attr(node, name);

    if (attr == NULL)
        return -ENOENT;
    *at = attr->data;
    *end = *at + attr->size;
    return attr->size == 0 || (*end)[-1] != '\0' ? -EINVAL : 0;
}

int dt_get_string_at(const struct dt_node *node, const char *name, unsigned index,
                     const char **value)
{
    const char *at, *end;
    int err = find_strings(node, name, &at, &end);

    for (; err == 0 && at < end; at += strlen(at) + 1) {
        if (index-- == 0) {
            *value = at;
            return 0;
        }
    }
    return err != 0 ? err : -ENOENT;
}

const char *dt_next_string(const struct dt_node *node, const char *name, const char *previous)
{
    const char *at, *end;

    if (find_strings(node, name, &at, &end) != 0)
        return NULL;
    if (previous != NULL)
        at = previous + strlen(previous) + 1;
    return at < end ? at : NULL;
}

int dt_count_strings(const struct dt_node *node, const char *name)
{
    const char *at, *end;
    int err = find_strings(node, name, &at, &end);
    int count = 0;

    for (; err == 0 && at < end; at += strlen(at) + 1)
        count++;
    return err != 0 ? err : count;
}

int dt_find_string(const struct dt_node *node, const char *name, const char *value)
{
    const char *at, *end;
    int err = find_strings(node, name, &at, &end);

    for (int index = 0; err == 0 && at < end; at += strlen(at) + 1, index++) {
        if (str_equal(at, value))
            return index;
    }
    return err != 0 ? err : -ENOENT;
}

int dt_get_phandle(const struct dt_node *node, const char *name, unsigned index,
                   struct dt_node **target)
{
    uint32_t phandle;
    int err = dt_get_u32_at(node, name, index, &phandle);

    if (err != 0)
        return err;
    *target = dt_find_phandle(phandle);
    return *target != NULL ? 0 : -ENOENT;
}

int dt_get_string(const struct dt_node *node, const char *name, const char **value)
{
    return dt_get_string_at(node, name, 0, value);
}

bool dt_is_compatible(const struct dt_node *node, const char *compatible)
{
    return dt_find_string(node, "compatible", compatible) >= 0;
}

bool dt_is_enabled(const struct dt_node *node)
{
    const char *status;
    int err = dt_get_string(node, "status", &status);

    return err == -ENOENT || (err == 0 && (str_equal(status, "okay") || str_equal(status, "ok")));
}
