// SPDX-License-Identifier: Apache-2.0
// Command devtree: nodes and attributes as text like a DTS file's.
#include "devtree.h"

#include <lib/endian.h>
#include <lib/errno.h>
#include <lib/macros.h>
#include <lib/string.h>

/** Bytes of one attribute that are shown. */
#define VALUE_MAX 1024

static void indent(struct terminal *term, unsigned depth)
{
    term_printf(term, "%*s", (int)(4 * depth), "");
}

// Strings as the specification has them: printable, each terminated, none empty.
static bool is_strings(const uint8_t *data, uint32_t size)
{
    if (size == 0 || size > VALUE_MAX || data[size - 1] != '\0' || data[0] == '\0')
        return false;
    for (uint32_t i = 0; i < size; i++) {
        bool end = data[i] == '\0';

        if (end ? i > 0 && data[i - 1] == '\0' : data[i] < 0x20 || data[i] > 0x7e)
            return false;
    }
    return true;
}

static void print_string(struct terminal *term, const char *text)
{
    term_write(term, "\"", 1);
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            term_write(term, "\\", 1);
        term_write(term, text, 1);
    }
    term_write(term, "\"", 1);
}

static void print_strings(struct terminal *term, const char *data, uint32_t size)
{
    for (uint32_t at = 0; at < size; at += (uint32_t)strlen(data + at) + 1) {
        if (at != 0)
            term_write(term, ", ", 2);
        print_string(term, data + at);
    }
}

static void print_cells(struct terminal *term, const uint8_t *data, uint32_t size)
{
    term_printf(term, "<");
    for (uint32_t at = 0; at < MIN(size, (uint32_t)VALUE_MAX); at += 4)
        term_printf(term, "%s0x%x", at == 0 ? "" : " ", be32_load(data + at));
    term_printf(term, "%s>", size > VALUE_MAX ? " ..." : "");
}

static void print_bytes(struct terminal *term, const uint8_t *data, uint32_t size)
{
    term_printf(term, "[");
    for (uint32_t at = 0; at < MIN(size, (uint32_t)VALUE_MAX); at++)
        term_printf(term, "%s%02x", at == 0 ? "" : " ", data[at]);
    term_printf(term, "%s]", size > VALUE_MAX ? " ..." : "");
}

void devtree_print_attr(struct terminal *term, const struct dt_attr *attr)
{
    term_puts_escaped(term, attr->name, strlen(attr->name));
    if (attr->size > 0) {
        term_printf(term, " = ");
        if (is_strings(attr->data, attr->size))
            print_strings(term, attr->data, attr->size);
        else if (attr->size % 4 == 0)
            print_cells(term, attr->data, attr->size);
        else
            print_bytes(term, attr->data, attr->size);
    }
    term_printf(term, ";\n");
}

static void print_name(struct terminal *term, const struct dt_node *node, unsigned depth)
{
    const char *name = node->parent == NULL ? "/" : node->name;

    indent(term, depth);
    term_puts_escaped(term, name, strlen(name));
}

static void open_node(struct terminal *term, const struct dt_node *node, unsigned depth)
{
    print_name(term, node, depth);
    term_printf(term, " {\n");
    LIST_FOR_EACH(attr, &node->attrs, struct dt_attr, link) {
        indent(term, depth + 1);
        devtree_print_attr(term, attr);
    }
}

static void close_node(struct terminal *term, unsigned depth)
{
    indent(term, depth);
    term_printf(term, "};\n");
}

void devtree_print_node(struct terminal *term, const struct dt_node *node)
{
    open_node(term, node, 0);
    for (const struct dt_node *child = dt_first_child(node); child != NULL;
         child = dt_next_sibling(child)) {
        print_name(term, child, 1);
        term_printf(term, " { ... };\n");
    }
    close_node(term, 0);
}

// Depth-first without recursion: the tree may be deeper than a stack of the hypervisor.
int devtree_print_tree(struct terminal *term, const struct dt_node *top)
{
    const struct dt_node *node = top;
    unsigned depth = 0;

    for (;;) {
        if (term_interrupted(term))
            return -EINTR;
        open_node(term, node, depth);
        if (dt_first_child(node) != NULL) {
            node = dt_first_child(node);
            depth++;
            continue;
        }
        close_node(term, depth);
        while (node != top && dt_next_sibling(node) == NULL) {
            node = node->parent;
            close_node(term, --depth);
        }
        if (node == top)
            return 0;
        node = dt_next_sibling(node);
    }
}
