// SPDX-License-Identifier: Apache-2.0
// Device tree: walking it and looking things up.

#include "dt_internal.h"

#include <lib/errno.h>
#include <lib/string.h>

static struct dt_node *root;

struct dt_node *dt_root(void)
{
    return root;
}

int dt_init(void)
{
    if (root == NULL)
        root = dt_node_create("", 0);
    return root != NULL ? 0 : -ENOMEM;
}

struct dt_node *dt_first_child(const struct dt_node *parent)
{
    return LIST_FIRST(&parent->children, struct dt_node, link);
}

struct dt_node *dt_next_sibling(const struct dt_node *node)
{
    return node->parent == NULL ? NULL
                                : LIST_NEXT(&node->parent->children, node, struct dt_node, link);
}

struct dt_node *dt_next(const struct dt_node *top, const struct dt_node *node)
{
    struct dt_node *next = dt_first_child(node);

    while (next == NULL && node != top && node != NULL) {
        next = dt_next_sibling(node);
        node = node->parent;
    }
    return next;
}

unsigned dt_node_depth(const struct dt_node *node)
{
    unsigned depth = 0;

    while ((node = node->parent) != NULL)
        depth++;
    return depth;
}

/* Is it the node's name, in full (exact) or without its unit address? */
static bool name_matches(const struct dt_node *node, const char *name, size_t length, bool exact)
{
    /* The first byte by itself: most siblings differ there. */
    if (length == 0 || node->name[0] != name[0] || strncmp(node->name, name, length) != 0)
        return false;
    return node->name[length] == '\0' || (!exact && node->name[length] == '@');
}

static struct dt_node *child_named(const struct dt_node *parent, const char *name, size_t length)
{
    struct dt_node *unit = NULL;
    unsigned units = 0;

    LIST_FOR_EACH(child, &parent->children, struct dt_node, link) {
        if (name_matches(child, name, length, true))
            return child;
        if (name_matches(child, name, length, false)) {
            unit = child;
            units++;
        }
    }
    return units == 1 && memchr(name, '@', length) == NULL ? unit : NULL;
}

struct dt_node *dt_child(const struct dt_node *parent, const char *name)
{
    return child_named(parent, name, strlen(name));
}

struct dt_node *dt_node_exact_child(const struct dt_node *parent, const char *name)
{
    size_t length = strlen(name);

    LIST_FOR_EACH(child, &parent->children, struct dt_node, link) {
        if (name_matches(child, name, length, true))
            return child;
    }
    return NULL;
}

static struct dt_node *find_from(struct dt_node *node, const char *path, size_t length)
{
    const char *end = path + length;

    while (node != NULL && path < end) {
        const char *slash = memchr(path, '/', (size_t)(end - path));
        const char *stop = slash == NULL ? end : slash;

        /* Nothing between two slashes, or behind the last one, is no step. */
        if (stop > path)
            node = child_named(node, path, (size_t)(stop - path));
        path = stop + 1;
    }
    return node;
}

static size_t path_length(const char *path)
{
    const char *colon = strchr(path, ':');

    return colon == NULL ? strlen(path) : (size_t)(colon - path);
}

static struct dt_node *find_alias(const char *path, size_t length)
{
    const struct dt_node *aliases = root == NULL ? NULL : dt_node_exact_child(root, "aliases");
    const char *slash = memchr(path, '/', length);
    size_t first = slash == NULL ? length : (size_t)(slash - path);
    char name[DT_NAME_LOADED_MAX + 1];
    const char *target;

    if (aliases == NULL || first == 0 || first >= sizeof(name))
        return NULL;
    memcpy(name, path, first);
    name[first] = '\0';
    if (dt_get_string(aliases, name, &target) != 0 || target[0] != '/')
        return NULL;
    return find_from(find_from(root, target, path_length(target)), path + first, length - first);
}

struct dt_node *dt_find(const char *path)
{
    size_t length = path_length(path);

    return path[0] == '/' ? find_from(root, path, length) : find_alias(path, length);
}

/* Is this a child of the root whose subtree is configuration of the hypervisor? */
static bool is_configuration(const struct dt_node *node)
{
    return node->parent == root && node != root &&
           (str_equal(node->name, "guests") || str_equal(node->name, "templates") ||
            str_equal(node->name, "vmm"));
}

bool dt_is_host(const struct dt_node *node)
{
    for (; node != NULL; node = node->parent) {
        if (is_configuration(node))
            return false;
    }
    return true;
}

/* Like dt_next() over the whole tree, past configuration. */
static struct dt_node *next_host(struct dt_node *node)
{
    struct dt_node *next = dt_next(root, node);

    /* Children of the root: there is nothing behind their last sibling. */
    while (next != NULL && is_configuration(next))
        next = dt_next_sibling(next);
    return next;
}

struct dt_node *dt_find_compatible(struct dt_node *from, const char *compatible)
{
    for (struct dt_node *node = from == NULL ? root : next_host(from); node != NULL;
         node = next_host(node)) {
        if (dt_is_compatible(node, compatible))
            return node;
    }
    return NULL;
}

struct dt_node *dt_find_phandle(uint32_t phandle)
{
    if (phandle == 0)
        return NULL;
    for (struct dt_node *node = root; node != NULL; node = next_host(node)) {
        if (node->phandle == phandle)
            return node;
    }
    return NULL;
}

int dt_path(const struct dt_node *node, char *buf, size_t size)
{
    size_t at = size;

    if (size < 2)
        return -ENAMETOOLONG;
    buf[--at] = '\0';
    if (node->parent == NULL)
        buf[--at] = '/';
    /* From the end backwards. */
    for (; node->parent != NULL; node = node->parent) {
        size_t length = strlen(node->name);

        if (length + 1 > at)
            return -ENAMETOOLONG;
        at -= length;
        memcpy(buf + at, node->name, length);
        buf[--at] = '/';
    }
    memmove(buf, buf + at, size - at);
    return 0;
}
