// SPDX-License-Identifier: Apache-2.0
// Device tree: setting and deleting attributes.

#include "dt_internal.h"

#include <hv/heap.h>
#include <lib/endian.h>
#include <lib/errno.h>
#include <lib/string.h>

/* An attribute for dt_attr_put(), with room for size bytes. */
static int attr_prepare(const struct dt_node *node, const char *name, size_t size,
                        struct dt_attr **out)
{
    size_t length = strlen(name);

    if (!dt_attr_name_is_valid(name, length, DT_NAME_MAX) || size > DT_ATTR_SIZE_MAX)
        return -EINVAL;
    if (dt_holder(node) != NULL)
        return -EBUSY;
    *out = dt_attr_create(name, length, (uint32_t)size);
    return *out != NULL ? 0 : -ENOMEM;
}

int dt_set_attr(struct dt_node *node, const char *name, const void *data, uint32_t size)
{
    struct dt_attr *attr;
    int err = attr_prepare(node, name, size, &attr);

    if (err != 0)
        return err;
    if (size != 0)
        memcpy(attr->data, data, size);
    dt_attr_put(node, attr);
    return 0;
}

int dt_set_u8(struct dt_node *node, const char *name, uint8_t value)
{
    return dt_set_attr(node, name, &value, sizeof(value));
}

int dt_set_u16(struct dt_node *node, const char *name, uint16_t value)
{
    uint8_t bytes[2];

    be16_store(bytes, value);
    return dt_set_attr(node, name, bytes, sizeof(bytes));
}

int dt_set_u32(struct dt_node *node, const char *name, uint32_t value)
{
    return dt_set_u32_array(node, name, &value, 1);
}

int dt_set_u64(struct dt_node *node, const char *name, uint64_t value)
{
    uint8_t bytes[8];

    be64_store(bytes, value);
    return dt_set_attr(node, name, bytes, sizeof(bytes));
}

int dt_set_string(struct dt_node *node, const char *name, const char *value)
{
    return dt_set_strings(node, name, &value, 1);
}

int dt_set_u32_array(struct dt_node *node, const char *name, const uint32_t *values, unsigned count)
{
    struct dt_attr *attr;
    int err = attr_prepare(node, name, 4 * (size_t)count, &attr);

    if (err != 0)
        return err;
    for (unsigned i = 0; i < count; i++)
        be32_store((uint8_t *)attr->data + 4 * (size_t)i, values[i]);
    dt_attr_put(node, attr);
    return 0;
}

int dt_set_strings(struct dt_node *node, const char *name, const char *const *values, unsigned count)
{
    size_t size = 0;
    struct dt_attr *attr;
    char *at;
    int err;

    for (unsigned i = 0; i < count; i++)
        size += strlen(values[i]) + 1;
    err = count == 0 ? -EINVAL : attr_prepare(node, name, size, &attr);
    if (err != 0)
        return err;
    at = attr->data;
    for (unsigned i = 0; i < count; i++) {
        size = strlen(values[i]) + 1;
        memcpy(at, values[i], size);
        at += size;
    }
    dt_attr_put(node, attr);
    return 0;
}

int dt_delete_attr(struct dt_node *node, const char *name)
{
    struct dt_attr *attr = (struct dt_attr *)dt_attr(node, name);

    if (attr == NULL)
        return -ENOENT;
    if (dt_holder(node) != NULL)
        return -EBUSY;
    dt_phandle_update(node, attr, false);
    list_remove(&attr->link);
    heap_free(attr);
    return 0;
}
