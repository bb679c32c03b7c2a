// SPDX-License-Identifier: Apache-2.0
// A flattened tree (Devicetree Specification 5), token by token, in one pass and without memory. Room: dt.
#pragma once

#include <stddef.h>
#include <stdint.h>

enum dt_token_kind {
    DT_TOKEN_NODE,     /**< begins; name */
    DT_TOKEN_NODE_END, /**< ends */
    DT_TOKEN_ATTR,     /**< of the open node; name, data, size */
    DT_TOKEN_END,      /**< of the tree */
};

struct dt_token {
    enum dt_token_kind kind;
    uint32_t size;
    const char *name; /**< terminated, in the blob; "" for the root */
    size_t name_length;
    const char *data; /**< in the blob */
};

struct dt_reader {
    const char *structs; /**< structure block */
    uint32_t structs_size;
    const char *strings;
    uint32_t strings_size;
    uint32_t at;         /**< next token, from structs */
    unsigned depth;      /**< open nodes */
    const char *problem; /**< what is wrong with the blob; NULL */
};

/** Check the header and begin. fdt is 8-byte aligned, size bounds it. Any context. -EBADMSG. */
int dt_reader_init(struct dt_reader *reader, const void *fdt, size_t size);
/**
 * The next token; every byte that it refers to lies in the blob. Nothing may be read after
 * DT_TOKEN_END. Names are not checked but for their length. Any context. -EBADMSG.
 */
int dt_reader_next(struct dt_reader *reader, struct dt_token *token);
/** Note what is wrong and return -EBADMSG. */
int dt_reader_fail(struct dt_reader *reader, const char *problem);
