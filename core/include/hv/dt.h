// SPDX-License-Identifier: Apache-2.0
// In-memory device tree: the only configuration. Nodes and attributes after the Devicetree Specification v0.4. Room: dt.
#pragma once

#include <lib/list.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Cells stay in FDT byte order in memory; the typed accessors below give host order. Strings are NUL-terminated (checked when loaded). */
struct dt_attr {
    struct list link;
    char *name;
    void *data;
    uint32_t size;
};

struct dt_node {
    struct list link;
    struct list children;
    struct list attrs;
    struct dt_node *parent;
    char *name; /**< with unit address; "" for the root */
    uint32_t refs;
};

#define DT_DEPTH_MAX 32
#define DT_NODES_MAX 65536

/**
 * Merge a flattened tree under parent (existing nodes are merged, attributes replaced); checked in full before anything is changed.
 * size bounds the blob. Boot or Orphan. -EBADMSG (broken blob), -ENOMEM; on failure the tree is unchanged.
 */
int dt_load_fdt(struct dt_node *parent, const void *fdt, size_t size);
struct dt_node *dt_root(void);
int dt_init(void);

/** Path lookup ("/guests/linux0"); a component without @ matches a unique unit name. NULL when absent. */
struct dt_node *dt_find(const char *path);
struct dt_node *dt_child(const struct dt_node *parent, const char *name);
struct dt_node *dt_first_child(const struct dt_node *parent);
struct dt_node *dt_next_sibling(const struct dt_node *node);
/** Depth-first order over the subtree of root; start with root. NULL at the end. */
struct dt_node *dt_next(const struct dt_node *root, const struct dt_node *node);
struct dt_node *dt_find_compatible(struct dt_node *from, const char *compatible);
struct dt_node *dt_find_phandle(uint32_t phandle);
/** Full path into buf; -ENAMETOOLONG. */
int dt_path(const struct dt_node *node, char *buf, size_t size);

/** Change the tree. Names are checked. -EINVAL, -EEXIST, -ENOMEM. */
int dt_add_node(struct dt_node *parent, const char *name, struct dt_node **out);
int dt_delete_node(struct dt_node *node);
int dt_copy_node(const struct dt_node *src, struct dt_node *new_parent, const char *name, struct dt_node **out);
int dt_set_attr(struct dt_node *node, const char *name, const void *data, uint32_t size);
int dt_set_u32(struct dt_node *node, const char *name, uint32_t value);
int dt_set_string(struct dt_node *node, const char *name, const char *value);

const struct dt_attr *dt_attr(const struct dt_node *node, const char *name);
/** 0, -ENOENT (absent), -EINVAL (wrong size or not terminated). */
int dt_get_u32(const struct dt_node *node, const char *name, uint32_t *value);
int dt_get_u32_at(const struct dt_node *node, const char *name, unsigned index, uint32_t *value);
int dt_get_u64(const struct dt_node *node, const char *name, uint64_t *value);
int dt_get_string(const struct dt_node *node, const char *name, const char **value);
int dt_get_string_at(const struct dt_node *node, const char *name, unsigned index, const char **value);
bool dt_is_compatible(const struct dt_node *node, const char *compatible);
/** "status" absent, "ok" or "okay". */
bool dt_is_enabled(const struct dt_node *node);
/** reg entry by index, with the parent's #address-cells/#size-cells, not translated. */
int dt_get_reg(const struct dt_node *node, unsigned index, uint64_t *addr, uint64_t *size);
/** The same, translated through all ranges up to the root: a host-physical address. */
int dt_get_reg_translated(const struct dt_node *node, unsigned index, uint64_t *addr, uint64_t *size);
unsigned dt_reg_count(const struct dt_node *node);
/** interrupts entry by index as raw cells (interrupt-parent's #interrupt-cells), at most 4. Returns the number of cells or error. */
int dt_get_interrupt(const struct dt_node *node, unsigned index, uint32_t cells[4]);
