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

int dt_get_u32(const struct dt_node *node, const char *name, uint32_t *value)
{
    const struct dt_attr *attr = dt_attr(node, name);

    if (attr == NULL)
        return -ENOENT;
    if (attr->size != 4)
        return -EINVAL;
    *value = be32_load(attr->data);
    return 0;
}

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

int dt_get_string_at(const struct dt_node *node, const char *name, unsigned index,
                     const char **value)
{
    const struct dt_attr *attr = dt_attr(node, name);
    const char *at, *end;

    if (attr == NULL)
        return -ENOENT;
    at = attr->data;
    end = at + attr->size;
    if (attr->size == 0 || end[-1] != '\0')
        return -EINVAL;
    for (; at < end; at += strlen(at) + 1) {
        if (index-- == 0) {
            *value = at;
            return 0;
        }
    }
    return -ENOENT;
}

int dt_get_string(const struct dt_node *node, const char *name, const char **value)
{
    return dt_get_string_at(node, name, 0, value);
}

bool dt_is_compatible(const struct dt_node *node, const char *compatible)
{
    const struct dt_attr *attr = dt_attr(node, "compatible");
    const char *at = attr == NULL ? NULL : attr->data;

    if (attr == NULL || attr->size == 0 || at[attr->size - 1] != '\0')
        return false;
    for (const char *end = at + attr->size; at < end; at += strlen(at) + 1) {
        if (str_equal(at, compatible))
            return true;
    }
    return false;
}

bool dt_is_enabled(const struct dt_node *node)
{
    const char *status;
    int err = dt_get_string(node, "status", &status);

    return err == -ENOENT || (err == 0 && (str_equal(status, "okay") || str_equal(status, "ok")));
}
