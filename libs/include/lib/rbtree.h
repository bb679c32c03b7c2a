// SPDX-License-Identifier: Apache-2.0
// Intrusive red-black tree with a cached leftmost node.
#ifndef LIB_RBTREE_H
#define LIB_RBTREE_H

#include <stdbool.h>
#include <stddef.h>

#include <lib/macros.h>

enum rb_color { RB_UNLINKED, RB_RED, RB_BLACK };

// A zeroed node is a node in no tree.
struct rb_node {
    struct rb_node *parent;
    struct rb_node *child[2];
    enum rb_color color;
};

// A zeroed tree is an empty tree.
struct rb_tree {
    struct rb_node *root;
    struct rb_node *leftmost;
};

#define RB_ENTRY(node, type, member) container_of(node, type, member)

static inline void rb_init(struct rb_tree *tree)
{
    tree->root = NULL;
    tree->leftmost = NULL;
}

static inline void rb_node_init(struct rb_node *node)
{
    node->color = RB_UNLINKED;
}

static inline bool rb_is_linked(const struct rb_node *node)
{
    return node->color != RB_UNLINKED;
}

static inline bool rb_is_empty(const struct rb_tree *tree)
{
    return tree->root == NULL;
}

// The smallest node in O(1), or NULL.
static inline struct rb_node *rb_first(const struct rb_tree *tree)
{
    return tree->leftmost;
}

struct rb_node *rb_last(const struct rb_tree *tree);

// In-order neighbours, NULL at the end.
struct rb_node *rb_next(const struct rb_node *node);
struct rb_node *rb_prev(const struct rb_node *node);

// `less(a, b)` tells whether a sorts before b. Among equals the newcomer goes last (first in, first
// out). The node must be in no tree.
void rb_insert(struct rb_tree *tree, struct rb_node *node,
               bool (*less)(const struct rb_node *a, const struct rb_node *b));

// Takes the node out and marks it unlinked; the node must be in this tree.
void rb_erase(struct rb_tree *tree, struct rb_node *node);

// `compare(key, node)` is negative, zero or positive as the key sorts before, at or after the node.
// Returns the first of several equals, or NULL.
struct rb_node *rb_find(const struct rb_tree *tree, const void *key,
                        int (*compare)(const void *key, const struct rb_node *node));

// The first node whose key is not below `key`, or NULL.
struct rb_node *rb_lower_bound(const struct rb_tree *tree, const void *key,
                               int (*compare)(const void *key, const struct rb_node *node));

#endif
