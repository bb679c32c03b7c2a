// SPDX-License-Identifier: Apache-2.0
// Inside of the device tree, for the files of room dt only.
#pragma once

#include <hv/dt.h>

/**
 * May a node (with an optional unit address) or an attribute have this name of length bytes, at
 * most max in the name proper?
 */
bool dt_node_name_is_valid(const char *name, size_t length, size_t max);
bool dt_attr_name_is_valid(const char *name, size_t length, size_t max);

/**
 * A node outside of any tree; NULL when out of memory or when there are DT_NODES_MAX. The name is
 * checked by the caller.
 */
struct dt_node *dt_node_create(const char *name, size_t length);
/** Free a subtree that hangs in no tree. */
void dt_node_destroy(struct dt_node *top);
void dt_node_attach(struct dt_node *parent, struct dt_node *node);
/** The child of exactly this name. */
struct dt_node *dt_node_exact_child(const struct dt_node *parent, const char *name);
unsigned dt_node_depth(const struct dt_node *node);
/** Is the node top, or below it? */
bool dt_node_is_within(const struct dt_node *node, const struct dt_node *top);

/** An attribute outside of any node, content not yet set. NULL when out of memory. */
struct dt_attr *dt_attr_create(const char *name, size_t length, uint32_t size);
/** Put it into the node, in place of one of the same name. */
void dt_attr_put(struct dt_node *node, struct dt_attr *attr);
/** The same where the node is known to have none of that name. */
void dt_attr_append(struct dt_node *node, struct dt_attr *attr);

/** Who holds a node that dt_merge() of these would change; NULL: nobody. */
const char *dt_merge_user(const struct dt_node *to, const struct dt_node *from);
/**
 * Move all of from's children and attributes into the tree at to; from is left empty. Can not fail.
 */
void dt_merge(struct dt_node *to, struct dt_node *from);

/** The node's phandle as the attribute, which comes or goes, says it. */
void dt_phandle_update(struct dt_node *node, const struct dt_attr *attr, bool present);

/** The parent's #address-cells and #size-cells for its children. -EINVAL when not supported. */
int dt_cells(const struct dt_node *bus, unsigned *address_cells, unsigned *size_cells);
