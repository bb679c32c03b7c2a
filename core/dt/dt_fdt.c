// SPDX-License-Identifier: Apache-2.0
// Loading a flattened tree (Devicetree Specification 5): read once, checked on the way, merged when
// all of it was good.

#include "dt_internal.h"

#include <hv/log.h>
#include <lib/errno.h>
#include <lib/macros.h>
#include <lib/string.h>
#include <libfdt.h>

#define FDT_VERSION_READ 17

struct reader {
    const char *structs; /* structure block */
    uint32_t structs_size;
    const char *strings;
    uint32_t strings_size;
    uint32_t at;          /* next token, from structs */
    struct dt_node *top;  /* what is being built */
    struct dt_node *node; /* the open node; NULL before and after the root */
    unsigned depth;       /* of the open node in the tree it will be merged into */
    const char *problem;
};

static int broken(struct reader *r, const char *problem)
{
    r->problem = problem;
    return -EBADMSG;
}

static uint32_t cell(const char *at)
{
    return fdt32_to_cpu(*(const fdt32_t *)(const void *)at);
}

/* Moves past size bytes and the padding behind them. */
static bool skip(struct reader *r, uint32_t size)
{
    uint32_t left = r->structs_size - r->at;

    if (size > left || ALIGN_UP(size, 4) > left)
        return false;
    r->at += (uint32_t)ALIGN_UP(size, 4);
    return true;
}

static int open_node(struct reader *r)
{
    const char *name = r->structs + r->at;
    size_t length = strnlen(name, r->structs_size - r->at);
    struct dt_node *node;

    if (!skip(r, (uint32_t)length + 1))
        return broken(r, "name of a node does not end");
    if (r->node == NULL) {
        if (r->top != NULL || length != 0)
            return broken(r, r->top != NULL ? "second root" : "root has a name");
    } else if (!dt_node_name_is_valid(name, length, DT_NAME_LOADED_MAX)) {
        return broken(r, "bad name of a node");
    } else if (++r->depth > DT_DEPTH_MAX) {
        return broken(r, "nodes nested too deep");
    }
    node = dt_node_create(name, length);
    if (node == NULL)
        return -ENOMEM;
    if (r->node != NULL)
        dt_node_attach(r->node, node);
    else
        r->top = node;
    r->node = node;
    return 0;
}

static int close_node(struct reader *r)
{
    if (r->node == NULL)
        return broken(r, "end of a node that did not begin");
    if (r->node != r->top)
        r->depth--;
    r->node = r->node->parent;
    return 0;
}

static int read_attr(struct reader *r)
{
    const char *head = r->structs + r->at;
    uint32_t size, name_at;
    struct dt_attr *attr;
    const char *name;
    size_t length;

    if (!skip(r, 8))
        return broken(r, "property is cut off");
    size = cell(head);
    name_at = cell(head + 4);
    if (r->node == NULL)
        return broken(r, "property outside of a node");
    if (!skip(r, size))
        return broken(r, "value of a property is cut off");
    if (name_at >= r->strings_size)
        return broken(r, "name of a property lies outside");
    name = r->strings + name_at;
    length = strnlen(name, r->strings_size - name_at);
    if (length == r->strings_size - name_at ||
        !dt_attr_name_is_valid(name, length, DT_NAME_LOADED_MAX))
        return broken(r, "bad name of a property");
    attr = dt_attr_create(name, length, size);
    if (attr == NULL)
        return -ENOMEM;
    memcpy(attr->data, head + 8, size);
    dt_attr_append(r->node, attr);
    return 0;
}

/* One token. 1: the end was reached. */
static int read_token(struct reader *r)
{
    const char *token = r->structs + r->at;

    if (!skip(r, 4))
        return broken(r, "no end");
    switch (cell(token)) {
    case FDT_BEGIN_NODE:
        return open_node(r);
    case FDT_END_NODE:
        return close_node(r);
    case FDT_PROP:
        return read_attr(r);
    case FDT_NOP:
        return 0;
    case FDT_END:
        return r->top != NULL && r->node == NULL ? 1 : broken(r, "end inside of a node");
    default:
        return broken(r, "unknown token");
    }
}

/* libfdt knows the header's own consistency; what is used here is bounded by size, too. */
static int read_header(struct reader *r, const char *blob, size_t size)
{
    const struct fdt_header *header = (const void *)blob;
    uint32_t total, structs, strings;

    if (!IS_ALIGNED((uintptr_t)blob, 8) || size < sizeof(*header) || fdt_check_header(blob) != 0)
        return broken(r, "bad header");
    total = fdt32_to_cpu(header->totalsize);
    structs = fdt32_to_cpu(header->off_dt_struct);
    strings = fdt32_to_cpu(header->off_dt_strings);
    r->structs_size = fdt32_to_cpu(header->size_dt_struct);
    r->strings_size = fdt32_to_cpu(header->size_dt_strings);
    if (fdt32_to_cpu(header->version) < FDT_VERSION_READ)
        return broken(r, "version is too old");
    if (total > size)
        return broken(r, "blob is cut off");
    if (structs > total || r->structs_size > total - structs || structs % 4 != 0 ||
        r->structs_size % 4 != 0 || strings > total || r->strings_size > total - strings)
        return broken(r, "blocks lie outside");
    r->structs = blob + structs;
    r->strings = blob + strings;
    return 0;
}

int dt_load_fdt(struct dt_node *parent, const void *fdt, size_t size)
{
    struct reader r = {.depth = dt_node_depth(parent)};
    int err = read_header(&r, fdt, size);
    const char *user;

    while (err == 0)
        err = read_token(&r);
    if (err == -EBADMSG)
        log_error("device tree blob: %s, at byte 0x%x of its structure", r.problem, r.at);
    user = err == 1 ? dt_merge_user(parent, r.top) : NULL;
    if (user != NULL) {
        log_error("device tree blob: it would change what %s uses", user);
        err = -EBUSY;
    }
    if (err == 1)
        dt_merge(parent, r.top);
    if (r.top != NULL)
        dt_node_destroy(r.top);
    return err == 1 ? 0 : err;
}
