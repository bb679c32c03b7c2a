// SPDX-License-Identifier: Apache-2.0
// Device tree: names, memory, and changes.

#include "dt_internal.h"

#include <hv/heap.h>
#include <lib/endian.h>
#include <lib/errno.h>
#include <lib/macros.h>
#include <lib/string.h>

#define CHAR_NODE                                                                                  \
    1 /* may be in a node's name or unit address (Devicetree Specification, table 2.1) */
#define CHAR_ATTR 2 /* may be in an attribute's name (table 2.2) */

static const uint8_t char_class[128] = {
    ['0' ... '9'] = CHAR_NODE | CHAR_ATTR,
    ['a' ... 'z'] = CHAR_NODE | CHAR_ATTR,
    ['A' ... 'Z'] = CHAR_NODE | CHAR_ATTR,
    [','] = CHAR_NODE | CHAR_ATTR,
    ['.'] = CHAR_NODE | CHAR_ATTR,
    ['_'] = CHAR_NODE | CHAR_ATTR,
    ['+'] = CHAR_NODE | CHAR_ATTR,
    ['-'] = CHAR_NODE | CHAR_ATTR,
    ['?'] = CHAR_ATTR,
    ['#'] = CHAR_ATTR,
};

static uint32_t node_count;

/* How many bytes at the start are of the class. */
static size_t span(const char *s, size_t length, uint8_t class)
{
    size_t n = 0;

    while (n < length && ((uint8_t)s[n] & 0x80) == 0 && (char_class[(uint8_t)s[n]] & class) != 0)
        n++;
    return n;
}

bool dt_node_name_is_valid(const char *name, size_t length, size_t max)
{
    size_t proper = span(name, length, CHAR_NODE);
    size_t unit;

    if (proper == 0 || proper > max)
        return false;
    if (proper == length)
        return true;
    unit = length - proper - 1;
    return name[proper] == '@' && unit > 0 && unit <= max &&
           span(name + proper + 1, unit, CHAR_NODE) == unit;
}

bool dt_attr_name_is_valid(const char *name, size_t length, size_t max)
{
    return length > 0 && length <= max && span(name, length, CHAR_ATTR) == length;
}

struct dt_node *dt_node_create(const char *name, size_t length)
{
    struct dt_node *node =
        node_count < DT_NODES_MAX ? heap_alloc(sizeof(*node) + length + 1) : NULL;

    if (node == NULL)
        return NULL;
    *node = (struct dt_node){.name = (char *)(node + 1)};
    memcpy(node->name, name, length);
    node->name[length] = '\0';
    list_init(&node->link);
    list_init(&node->children);
    list_init(&node->attrs);
    node_count++;
    return node;
}

static void node_free(struct dt_node *node)
{
    LIST_FOR_EACH_SAFE(attr, &node->attrs, struct dt_attr, link) {
        heap_free(attr);
    }
    heap_free(node);
    node_count--;
}

void dt_node_destroy(struct dt_node *top)
{
    struct dt_node *node = top;

    /* Leaves first, so that no depth needs a stack. */
    for (;;) {
        struct dt_node *child = dt_first_child(node);
        struct dt_node *parent = node->parent;

        if (child != NULL) {
            node = child;
            continue;
        }
        list_remove(&node->link);
        node_free(node);
        if (node == top)
            return;
        node = parent;
    }
}

void dt_node_attach(struct dt_node *parent, struct dt_node *node)
{
    node->parent = parent;
    list_add_tail(&parent->children, &node->link);
}

struct dt_attr *dt_attr_create(const char *name, size_t length, uint32_t size)
{
    uint32_t room = (uint32_t)ALIGN_UP(size, 8);
    struct dt_attr *attr =
        size <= UINT32_MAX - 8 ? heap_alloc(sizeof(*attr) + (size_t)room + length + 1) : NULL;

    if (attr == NULL)
        return NULL;
    list_init(&attr->link);
    attr->data = attr + 1;
    attr->size = size;
    attr->name = (char *)(attr + 1) + room;
    memcpy(attr->name, name, length);
    attr->name[length] = '\0';
    return attr;
}

void dt_phandle_update(struct dt_node *node, const struct dt_attr *attr, bool present)
{
    if (!str_equal(attr->name, "phandle") && !str_equal(attr->name, "linux,phandle"))
        return;
    node->phandle = present && attr->size == 4 ? be32_load(attr->data) : 0;
}

void dt_attr_append(struct dt_node *node, struct dt_attr *attr)
{
    list_add_tail(&node->attrs, &attr->link);
    if (attr->size == 4)
        dt_phandle_update(node, attr, true);
}

void dt_attr_put(struct dt_node *node, struct dt_attr *attr)
{
    struct dt_attr *old = (struct dt_attr *)dt_attr(node, attr->name);

    if (old == NULL) {
        dt_attr_append(node, attr);
        return;
    }
    list_insert_before(&old->link, &attr->link);
    list_remove(&old->link);
    heap_free(old);
    dt_phandle_update(node, attr, true);
}

static void attrs_move(struct dt_node *to, struct dt_node *from)
{
    LIST_FOR_EACH_SAFE(attr, &from->attrs, struct dt_attr, link) {
        list_remove(&attr->link);
        dt_attr_put(to, attr);
    }
}

/* Where there are no children yet, none can be the same. */
static void children_move(struct dt_node *to, struct dt_node *from)
{
    if (!list_is_empty(&to->children))
        return;
    list_splice(&to->children, &from->children);
    LIST_FOR_EACH(child, &to->children, struct dt_node, link) {
        child->parent = to;
    }
}

void dt_merge(struct dt_node *to, struct dt_node *from)
{
    struct dt_node *top = from;

    attrs_move(to, from);
    children_move(to, from);
    for (;;) {
        struct dt_node *child = dt_first_child(from);
        struct dt_node *same = child == NULL ? NULL : dt_node_exact_child(to, child->name);

        if (child != NULL && same == NULL) {
            list_remove(&child->link);
            dt_node_attach(to, child);
        } else if (child != NULL) {
            attrs_move(same, child);
            children_move(same, child);
            from = child;
            to = same;
        } else if (from == top) {
            return;
        } else {
            struct dt_node *done = from;

            from = from->parent;
            to = to->parent;
            dt_node_destroy(done);
        }
    }
}

int dt_add_node(struct dt_node *parent, const char *name, struct dt_node **out)
{
    size_t length = strlen(name);
    struct dt_node *node;

    if (!dt_node_name_is_valid(name, length, DT_NAME_MAX) || dt_node_depth(parent) >= DT_DEPTH_MAX)
        return -EINVAL;
    if (dt_holder(parent) != NULL)
        return -EBUSY;
    if (dt_node_exact_child(parent, name) != NULL)
        return -EEXIST;
    node = dt_node_create(name, length);
    if (node == NULL)
        return -ENOMEM;
    dt_node_attach(parent, node);
    *out = node;
    return 0;
}

int dt_delete_node(struct dt_node *node)
{
    if (node->parent == NULL)
        return -EINVAL;
    if (dt_user(node) != NULL)
        return -EBUSY;
    dt_node_destroy(node);
    return 0;
}

static int attrs_copy(struct dt_node *to, const struct dt_node *from)
{
    LIST_FOR_EACH(attr, &from->attrs, struct dt_attr, link) {
        struct dt_attr *copy = dt_attr_create(attr->name, strlen(attr->name), attr->size);

        if (copy == NULL)
            return -ENOMEM;
        memcpy(copy->data, attr->data, attr->size);
        dt_attr_append(to, copy);
    }
    return 0;
}

/* Copies what is below src; the copy of src itself is there. */
static int subtree_copy(const struct dt_node *src, struct dt_node *copy)
{
    const struct dt_node *at = src;
    int err = attrs_copy(copy, src);

    while (err == 0) {
        const struct dt_node *next = dt_next(src, at);
        struct dt_node *node;

        if (next == NULL)
            break;
        /* The copy follows: down into the new child's parent, wherever that is above. */
        for (; at != next->parent; at = at->parent)
            copy = copy->parent;
        node = dt_node_create(next->name, strlen(next->name));
        if (node == NULL)
            return -ENOMEM;
        dt_node_attach(copy, node);
        err = attrs_copy(node, next);
        at = next;
        copy = node;
    }
    return err;
}

static unsigned subtree_height(const struct dt_node *top)
{
    unsigned base = dt_node_depth(top), height = 0;

    for (const struct dt_node *node = top; node != NULL; node = dt_next(top, node))
        height = MAX(height, dt_node_depth(node) - base);
    return height;
}

int dt_copy_node(const struct dt_node *src, struct dt_node *new_parent, const char *name,
                 struct dt_node **out)
{
    struct dt_node *copy;
    int err;

    if (dt_node_is_within(new_parent, src) ||
        dt_node_depth(new_parent) + subtree_height(src) >= DT_DEPTH_MAX)
        return -EINVAL;
    err = dt_add_node(new_parent, name, &copy);
    if (err != 0)
        return err;
    err = subtree_copy(src, copy);
    if (err != 0)
        dt_node_destroy(copy);
    else
        *out = copy;
    return err;
}
