// SPDX-License-Identifier: Apache-2.0
// What the files of command devtree share.
#pragma once

#include <hv/dt.h>
#include <hv/terminal.h>

/** One "devtree node ..." or "devtree attr ..."; argv[0] is a path. Tree lock held. */
struct devtree_verb {
    const char *name;
    const char *usage;
    int min_args, max_args;
    int (*run)(struct terminal *term, int argc, char **argv);
};

extern const struct devtree_verb devtree_node_verbs[];
extern const struct devtree_verb devtree_attr_verbs[];

/** The node that must be there; NULL, which has been told. */
struct dt_node *devtree_node(struct terminal *term, const char *path);
/** "PATH[: NAME]: why it failed", naming whom it serves if that is why; returns err. */
int devtree_error(struct terminal *term, int err, const char *path, const char *name);

/** As in a DTS file, without indentation. */
void devtree_print_attr(struct terminal *term, const struct dt_attr *attr);
/** The node alone: its attributes, and names for its children. */
void devtree_print_node(struct terminal *term, const struct dt_node *node);
/** With all below it. -EINTR. */
int devtree_print_tree(struct terminal *term, const struct dt_node *top);
