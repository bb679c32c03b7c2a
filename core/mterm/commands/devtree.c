// SPDX-License-Identifier: Apache-2.0
// Command devtree: the device tree as the hypervisor holds it, written like a DTS file.
#include <hv/dt.h>
#include <hv/guest.h>
#include <hv/mterm.h>
#include <lib/endian.h>
#include <lib/errno.h>
#include <lib/string.h>

/** Bytes of one property that are shown. */
#define VALUE_MAX 1024

static void indent(struct terminal *term, unsigned depth)
{
    term_printf(term, "%*s", (int)(4 * depth), "");
}

// Strings as the specification has them: printable, each terminated, none empty.
static bool is_strings(const uint8_t *data, uint32_t size)
{
    if (size == 0 || size > VALUE_MAX || data[size - 1] != '\0' || data[0] == '\0') {
        return false;
    }
    for (uint32_t i = 0; i < size; i++) {
        bool end = data[i] == '\0';

        if (end ? i > 0 && data[i - 1] == '\0' : data[i] < 0x20 || data[i] > 0x7e) {
            return false;
        }
    }
    return true;
}

static void print_strings(struct terminal *term, const char *data, uint32_t size)
{
    for (uint32_t at = 0; at < size; at += (uint32_t)strlen(data + at) + 1) {
        term_printf(term, "%s\"%s\"", at == 0 ? "" : ", ", data + at);
    }
}

static void print_cells(struct terminal *term, const uint8_t *data, uint32_t size)
{
    term_printf(term, "<");
    for (uint32_t at = 0; at < MIN(size, (uint32_t)VALUE_MAX); at += 4) {
        term_printf(term, "%s0x%x", at == 0 ? "" : " ", be32_load(data + at));
    }
    term_printf(term, "%s>", size > VALUE_MAX ? " ..." : "");
}

static void print_bytes(struct terminal *term, const uint8_t *data, uint32_t size)
{
    term_printf(term, "[");
    for (uint32_t at = 0; at < MIN(size, (uint32_t)VALUE_MAX); at++) {
        term_printf(term, "%s%02x", at == 0 ? "" : " ", data[at]);
    }
    term_printf(term, "%s]", size > VALUE_MAX ? " ..." : "");
}

static void print_attr(struct terminal *term, const struct dt_attr *attr, unsigned depth)
{
    indent(term, depth);
    term_puts_escaped(term, attr->name, strlen(attr->name));
    if (attr->size > 0) {
        term_printf(term, " = ");
        if (is_strings(attr->data, attr->size)) {
            print_strings(term, attr->data, attr->size);
        } else if (attr->size % 4 == 0) {
            print_cells(term, attr->data, attr->size);
        } else {
            print_bytes(term, attr->data, attr->size);
        }
    }
    term_printf(term, ";\n");
}

static void open_node(struct terminal *term, const struct dt_node *node, unsigned depth)
{
    const char *name = node->parent == NULL ? "/" : node->name;

    indent(term, depth);
    term_puts_escaped(term, name, strlen(name));
    term_printf(term, " {\n");
    LIST_FOR_EACH(attr, &node->attrs, struct dt_attr, link) {
        print_attr(term, attr, depth + 1);
    }
}

static void close_node(struct terminal *term, unsigned depth)
{
    indent(term, depth);
    term_printf(term, "};\n");
}

// Depth-first without recursion: the tree may be deeper than a stack of the hypervisor.
static int show_tree(struct terminal *term, const struct dt_node *root)
{
    const struct dt_node *node = root;
    unsigned depth = 0;

    for (;;) {
        if (term_interrupted(term)) {
            return -EINTR;
        }
        open_node(term, node, depth);
        if (dt_first_child(node) != NULL) {
            node = dt_first_child(node);
            depth++;
            continue;
        }
        close_node(term, depth);
        while (node != root && dt_next_sibling(node) == NULL) {
            node = node->parent;
            close_node(term, --depth);
        }
        if (node == root) {
            return 0;
        }
        node = dt_next_sibling(node);
    }
}

static int devtree_show_run(struct terminal *term, int argc, char **argv)
{
    const char *path = argc > 0 ? argv[0] : "/";
    const struct dt_node *node;
    int err = -ENOENT;

    guest_tree_lock();
    node = path[0] == '/' ? dt_find(path) : NULL;
    if (node != NULL) {
        err = show_tree(term, node);
    }
    guest_tree_unlock();
    if (node == NULL) {
        (void)mterm_error(term, err, "devtree show: node", path);
        term_printf(term, "usage: devtree show [PATH]; a path begins with \"/\"\n");
    }
    return err;
}

static const struct command_verb devtree_verbs[] = {
    {
        .name = "show",
        .usage = "[PATH]",
        .help = "the device tree, or what is below a node",
        .max_args = 1,
        .complete = {COMPLETE_NODE},
        .run = devtree_show_run,
    },
};
static const struct command devtree = {
    .name = "devtree",
    .group = "Host",
    .help = "the device tree: the hypervisor's configuration",
    .verbs = devtree_verbs,
    .verb_count = ARRAY_SIZE(devtree_verbs),
};
COMMAND(devtree);
