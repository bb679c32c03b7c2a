// SPDX-License-Identifier: Apache-2.0
// Red-black tree; both directions share their code by the index of the child, 0 left and 1 right.
#include <lib/rbtree.h>

static bool is_red(const struct rb_node *node)
{
    return node != NULL && node->color == RB_RED;
}

// Puts `other` (maybe NULL) below `parent` in the place that `node` holds.
static void replace_child(struct rb_tree *tree, struct rb_node *parent, struct rb_node *node,
                          struct rb_node *other)
{
    if (parent == NULL) {
        tree->root = other;
    } else {
        parent->child[parent->child[1] == node] = other;
    }
    if (other != NULL) {
        other->parent = parent;
    }
}

// Moves `node` down to side `side`; its other child takes its place.
static void rotate(struct rb_tree *tree, struct rb_node *node, int side)
{
    struct rb_node *up = node->child[!side];

    replace_child(tree, node->parent, node, up);
    node->child[!side] = up->child[side];
    if (up->child[side] != NULL) {
        up->child[side]->parent = node;
    }
    up->child[side] = node;
    node->parent = up;
}

static struct rb_node *outermost(struct rb_node *node, int side)
{
    while (node != NULL && node->child[side] != NULL) {
        node = node->child[side];
    }
    return node;
}

// The in-order neighbour to the given side.
static struct rb_node *neighbour(const struct rb_node *node, int side)
{
    if (node->child[side] != NULL) {
        return outermost(node->child[side], !side);
    }
    while (node->parent != NULL && node == node->parent->child[side]) {
        node = node->parent;
    }
    return node->parent;
}

struct rb_node *rb_last(const struct rb_tree *tree)
{
    return outermost(tree->root, 1);
}

struct rb_node *rb_next(const struct rb_node *node)
{
    return neighbour(node, 1);
}

struct rb_node *rb_prev(const struct rb_node *node)
{
    return neighbour(node, 0);
}

// `node` is red and may have a red parent.
static void rebalance_insert(struct rb_tree *tree, struct rb_node *node)
{
    while (is_red(node->parent)) {
        struct rb_node *parent = node->parent;
        struct rb_node *grand = parent->parent;
        int side = grand->child[1] == parent;
        struct rb_node *uncle = grand->child[!side];

        if (is_red(uncle)) {
            parent->color = RB_BLACK;
            uncle->color = RB_BLACK;
            grand->color = RB_RED;
            node = grand;
            continue;
        }
        if (node == parent->child[!side]) {
            rotate(tree, parent, side);
            parent = node;
        }
        parent->color = RB_BLACK;
        grand->color = RB_RED;
        rotate(tree, grand, !side);
        break;
    }
    tree->root->color = RB_BLACK;
}

void rb_insert(struct rb_tree *tree, struct rb_node *node,
               bool (*less)(const struct rb_node *a, const struct rb_node *b))
{
    struct rb_node **link = &tree->root;
    struct rb_node *parent = NULL;
    bool leftmost = true;

    while (*link != NULL) {
        parent = *link;
        if (less(node, parent)) {
            link = &parent->child[0];
        } else {
            link = &parent->child[1];
            leftmost = false;
        }
    }
    *link = node;
    *node = (struct rb_node){.parent = parent, .color = RB_RED};
    if (leftmost) {
        tree->leftmost = node;
    }
    rebalance_insert(tree, node);
}

// The paths through `node` (maybe NULL), a child of `parent`, lack one black node.
static void rebalance_erase(struct rb_tree *tree, struct rb_node *node, struct rb_node *parent)
{
    while (node != tree->root && !is_red(node)) {
        int side = parent->child[1] == node;
        struct rb_node *sibling = parent->child[!side];

        if (is_red(sibling)) {
            sibling->color = RB_BLACK;
            parent->color = RB_RED;
            rotate(tree, parent, side);
            sibling = parent->child[!side];
        }
        if (!is_red(sibling->child[0]) && !is_red(sibling->child[1])) {
            sibling->color = RB_RED;
            node = parent;
            parent = node->parent;
            continue;
        }
        if (!is_red(sibling->child[!side])) {
            sibling->child[side]->color = RB_BLACK;
            sibling->color = RB_RED;
            rotate(tree, sibling, !side);
            sibling = parent->child[!side];
        }
        sibling->color = parent->color;
        parent->color = RB_BLACK;
        sibling->child[!side]->color = RB_BLACK;
        rotate(tree, parent, side);
        node = tree->root;
    }
    if (node != NULL) {
        node->color = RB_BLACK;
    }
}

// Gives `other` the place, colour and children of `node`.
static void take_place(struct rb_tree *tree, struct rb_node *node, struct rb_node *other)
{
    replace_child(tree, node->parent, node, other);
    other->color = node->color;
    for (int side = 0; side < 2; side++) {
        other->child[side] = node->child[side];
        if (other->child[side] != NULL) {
            other->child[side]->parent = other;
        }
    }
}

void rb_erase(struct rb_tree *tree, struct rb_node *node)
{
    bool has_both = node->child[0] != NULL && node->child[1] != NULL;
    struct rb_node *leaving = has_both ? outermost(node->child[1], 0) : node;
    struct rb_node *child = leaving->child[leaving->child[0] == NULL];
    struct rb_node *parent = leaving->parent;
    enum rb_color color = leaving->color;

    if (tree->leftmost == node) {
        tree->leftmost = rb_next(node);
    }
    replace_child(tree, parent, leaving, child);
    if (leaving != node) {
        parent = parent == node ? leaving : parent;
        take_place(tree, node, leaving);
    }
    if (color == RB_BLACK) {
        rebalance_erase(tree, child, parent);
    }
    rb_node_init(node);
}

struct rb_node *rb_lower_bound(const struct rb_tree *tree, const void *key,
                               int (*compare)(const void *key, const struct rb_node *node))
{
    struct rb_node *node = tree->root;
    struct rb_node *best = NULL;

    while (node != NULL) {
        if (compare(key, node) <= 0) {
            best = node;
            node = node->child[0];
        } else {
            node = node->child[1];
        }
    }
    return best;
}

struct rb_node *rb_find(const struct rb_tree *tree, const void *key,
                        int (*compare)(const void *key, const struct rb_node *node))
{
    struct rb_node *node = rb_lower_bound(tree, key, compare);

    return node != NULL && compare(key, node) == 0 ? node : NULL;
}
