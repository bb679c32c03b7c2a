// SPDX-License-Identifier: Apache-2.0
// Loading a flattened tree: read once, checked on the way, merged when all of it was good.

#include "dt_internal.h"

#include <hv/dt_reader.h>
#include <hv/log.h>
#include <lib/errno.h>
#include <lib/string.h>

struct builder {
    struct dt_reader reader;
    struct dt_node *top;  /* what is being built */
    struct dt_node *node; /* the open node; NULL before and after the root */
    unsigned depth;       /* of the open node in the tree it will be merged into */
};

static int open_node(struct builder *b, const struct dt_token *token)
{
    struct dt_node *node;

    if (b->node == NULL) {
        if (b->top != NULL)
            return dt_reader_fail(&b->reader, "second root");
    } else if (!dt_node_name_is_valid(token->name, token->name_length, DT_NAME_LOADED_MAX)) {
        return dt_reader_fail(&b->reader, "bad name of a node");
    } else if (++b->depth > DT_DEPTH_MAX) {
        return dt_reader_fail(&b->reader, "nodes nested too deep");
    }
    node = dt_node_create(token->name, token->name_length);
    if (node == NULL)
        return -ENOMEM;
    if (b->node != NULL)
        dt_node_attach(b->node, node);
    else
        b->top = node;
    b->node = node;
    return 0;
}

static void close_node(struct builder *b)
{
    if (b->node != b->top)
        b->depth--;
    b->node = b->node->parent;
}

static int add_attr(struct builder *b, const struct dt_token *token)
{
    struct dt_attr *attr;

    if (!dt_attr_name_is_valid(token->name, token->name_length, DT_NAME_LOADED_MAX))
        return dt_reader_fail(&b->reader, "bad name of a property");
    attr = dt_attr_create(token->name, token->name_length, token->size);
    if (attr == NULL)
        return -ENOMEM;
    memcpy(attr->data, token->data, token->size);
    dt_attr_append(b->node, attr);
    return 0;
}

/* 1: the end was reached. */
static int build_token(struct builder *b)
{
    struct dt_token token;
    int err = dt_reader_next(&b->reader, &token);

    if (err != 0)
        return err;
    switch (token.kind) {
    case DT_TOKEN_NODE:
        return open_node(b, &token);
    case DT_TOKEN_NODE_END:
        close_node(b);
        return 0;
    case DT_TOKEN_ATTR:
        return add_attr(b, &token);
    default:
        return b->top != NULL ? 1 : dt_reader_fail(&b->reader, "no root");
    }
}

int dt_load_fdt(struct dt_node *parent, const void *fdt, size_t size)
{
    struct builder b = {.depth = dt_node_depth(parent)};
    int err = dt_reader_init(&b.reader, fdt, size);
    const char *user;

    while (err == 0)
        err = build_token(&b);
    if (err == -EBADMSG)
        log_error("device tree blob: %s, at byte 0x%x of its structure", b.reader.problem,
                  b.reader.at);
    user = err == 1 ? dt_merge_user(parent, b.top) : NULL;
    if (user != NULL) {
        log_error("device tree blob: it would change what %s uses", user);
        err = -EBUSY;
    }
    if (err == 1)
        dt_merge(parent, b.top);
    if (b.top != NULL)
        dt_node_destroy(b.top);
    return err == 1 ? 0 : err;
}
