// SPDX-License-Identifier: Apache-2.0
// Device tree: who relies on which node.

#include "dt_internal.h"

#include <hv/spinlock.h>

static struct spinlock holds_lock = SPINLOCK_INIT;
static struct list holds = LIST_INIT(holds);

void dt_hold(struct dt_node *node, struct dt_hold *hold, const char *user)
{
    *hold = (struct dt_hold){.node = node, .user = user};
    spin_lock(&holds_lock);
    list_add_tail(&holds, &hold->link);
    spin_unlock(&holds_lock);
}

void dt_release(struct dt_hold *hold)
{
    spin_lock(&holds_lock);
    list_remove(&hold->link);
    spin_unlock(&holds_lock);
}

bool dt_node_is_within(const struct dt_node *node, const struct dt_node *top)
{
    while (node != NULL && node != top)
        node = node->parent;
    return node != NULL;
}

/* The first user for whom in_the_way(its node, arg, more) holds. */
static const char *find_user(bool (*in_the_way)(const struct dt_node *held, const void *arg,
                                                const void *more),
                             const void *arg, const void *more)
{
    const char *user = NULL;

    spin_lock(&holds_lock);
    LIST_FOR_EACH(hold, &holds, struct dt_hold, link) {
        if (in_the_way(hold->node, arg, more)) {
            user = hold->user;
            break;
        }
    }
    spin_unlock(&holds_lock);
    return user;
}

static bool is_changed(const struct dt_node *held, const void *node, const void *unused)
{
    (void)unused;
    return dt_node_is_within(node, held);
}

const char *dt_holder(const struct dt_node *node)
{
    return find_user(is_changed, node, NULL);
}

static bool is_deleted(const struct dt_node *held, const void *node, const void *unused)
{
    return is_changed(held, node, unused) || dt_node_is_within(held, node);
}

const char *dt_user(const struct dt_node *node)
{
    return find_user(is_deleted, node, NULL);
}

/*
 * What stands in the tree at from where node, which is below to, stands there. As deep as a tree
 * is: DT_DEPTH_MAX.
 */
static const struct dt_node *counterpart(const struct dt_node *node, const struct dt_node *to,
                                         const struct dt_node *from)
{
    const struct dt_node *parent;

    if (node == to)
        return from;
    parent = counterpart(node->parent, to, from);
    return parent == NULL ? NULL : dt_node_exact_child(parent, node->name);
}

static bool is_merged(const struct dt_node *held, const void *to, const void *from)
{
    return dt_node_is_within(to, held) ||
           (dt_node_is_within(held, to) && counterpart(held, to, from) != NULL);
}

const char *dt_merge_user(const struct dt_node *to, const struct dt_node *from)
{
    return find_user(is_merged, to, from);
}
