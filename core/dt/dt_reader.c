// SPDX-License-Identifier: Apache-2.0
// Reads a flattened tree token by token; everything is checked before it is used.

#include <hv/dt_reader.h>

#include <lib/errno.h>
#include <lib/macros.h>
#include <lib/string.h>
#include <libfdt.h>
#include <stdbool.h>

#define FDT_VERSION_READ 17

int dt_reader_fail(struct dt_reader *reader, const char *problem)
{
    reader->problem = problem;
    return -EBADMSG;
}

static uint32_t cell(const char *at)
{
    return fdt32_to_cpu(*(const fdt32_t *)(const void *)at);
}

/* Moves past size bytes and the padding behind them. */
static bool skip(struct dt_reader *r, uint32_t size)
{
    uint32_t left = r->structs_size - r->at;

    if (size > left || ALIGN_UP(size, 4) > left)
        return false;
    r->at += (uint32_t)ALIGN_UP(size, 4);
    return true;
}

static int read_node(struct dt_reader *r, struct dt_token *token)
{
    token->kind = DT_TOKEN_NODE;
    token->name = r->structs + r->at;
    token->name_length = strnlen(token->name, r->structs_size - r->at);
    if (!skip(r, (uint32_t)token->name_length + 1))
        return dt_reader_fail(r, "name of a node does not end");
    if (r->depth++ == 0 && token->name_length != 0)
        return dt_reader_fail(r, "root has a name");
    return 0;
}

static int read_attr(struct dt_reader *r, struct dt_token *token)
{
    const char *head = r->structs + r->at;
    uint32_t name_at;

    if (!skip(r, 8))
        return dt_reader_fail(r, "property is cut off");
    token->kind = DT_TOKEN_ATTR;
    token->size = cell(head);
    token->data = head + 8;
    name_at = cell(head + 4);
    if (r->depth == 0)
        return dt_reader_fail(r, "property outside of a node");
    if (!skip(r, token->size))
        return dt_reader_fail(r, "value of a property is cut off");
    if (name_at >= r->strings_size)
        return dt_reader_fail(r, "name of a property lies outside");
    token->name = r->strings + name_at;
    token->name_length = strnlen(token->name, r->strings_size - name_at);
    return token->name_length < r->strings_size - name_at
               ? 0
               : dt_reader_fail(r, "name of a property does not end");
}

static int read_node_end(struct dt_reader *r, struct dt_token *token)
{
    token->kind = DT_TOKEN_NODE_END;
    if (r->depth == 0)
        return dt_reader_fail(r, "end of a node that did not begin");
    r->depth--;
    return 0;
}

int dt_reader_next(struct dt_reader *reader, struct dt_token *token)
{
    uint32_t kind;

    do {
        const char *at = reader->structs + reader->at;

        if (!skip(reader, 4))
            return dt_reader_fail(reader, "no end");
        kind = cell(at);
    } while (kind == FDT_NOP);
    switch (kind) {
    case FDT_BEGIN_NODE:
        return read_node(reader, token);
    case FDT_END_NODE:
        return read_node_end(reader, token);
    case FDT_PROP:
        return read_attr(reader, token);
    case FDT_END:
        token->kind = DT_TOKEN_END;
        return reader->depth == 0 ? 0 : dt_reader_fail(reader, "end inside of a node");
    default:
        return dt_reader_fail(reader, "unknown token");
    }
}

/* libfdt knows the header's own consistency; what is used here is bounded by size, too. */
int dt_reader_init(struct dt_reader *reader, const void *fdt, size_t size)
{
    const struct fdt_header *header = fdt;
    const char *blob = fdt;
    uint32_t total, structs, strings;

    *reader = (struct dt_reader){.structs = blob};
    if (!IS_ALIGNED((uintptr_t)blob, 8) || size < sizeof(*header) || fdt_check_header(blob) != 0)
        return dt_reader_fail(reader, "bad header");
    total = fdt32_to_cpu(header->totalsize);
    structs = fdt32_to_cpu(header->off_dt_struct);
    strings = fdt32_to_cpu(header->off_dt_strings);
    reader->structs_size = fdt32_to_cpu(header->size_dt_struct);
    reader->strings_size = fdt32_to_cpu(header->size_dt_strings);
    if (fdt32_to_cpu(header->version) < FDT_VERSION_READ)
        return dt_reader_fail(reader, "version is too old");
    if (total > size)
        return dt_reader_fail(reader, "blob is cut off");
    if (structs > total || reader->structs_size > total - structs || structs % 4 != 0 ||
        reader->structs_size % 4 != 0 || strings > total || reader->strings_size > total - strings)
        return dt_reader_fail(reader, "blocks lie outside");
    reader->structs = blob + structs;
    reader->strings = blob + strings;
    return 0;
}
