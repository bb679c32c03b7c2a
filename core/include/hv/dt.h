// SPDX-License-Identifier: Apache-2.0
// In-memory device tree: the only configuration. Nodes and attributes after the Devicetree
// Specification v0.4. Room: dt.
#pragma once

#include <lib/list.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Locking: the tree is changed at boot by the only CPU that runs, and later only by who holds the
 * tree lock, which is the guest manager's (guest_tree_lock()); whoever looks for anything in it
 * later holds that lock too. Without it a node may be read, with all below it, by who holds it
 * (dt_hold()): there nothing changes, every change is refused with -EBUSY.
 */

/** Cells stay in FDT byte order in memory; the typed accessors below give host order. */
struct dt_attr {
    struct list link;
    char *name;
    void *data; /**< 8-byte aligned */
    uint32_t size;
};

struct dt_node {
    struct list link;
    struct list children;
    struct list attrs;
    struct dt_node *parent;
    char *name;       /**< with unit address; "" for the root */
    uint32_t phandle; /**< 0: none */
};

#define DT_DEPTH_MAX 32
#define DT_NODES_MAX 65536
/** Largest value that is set at run time. */
#define DT_ATTR_SIZE_MAX 0x10000
/**
 * Longest name of a node without unit address and of an attribute (Devicetree Specification 2.2.1,
 * 2.2.4.1).
 */
#define DT_NAME_MAX 31
/** What firmware's trees get away with. */
#define DT_NAME_LOADED_MAX 127

/**
 * Merge a flattened tree (version 17) under parent: existing nodes are merged, attributes replaced.
 * Read in full before anything is changed. fdt is 8-byte aligned, size bounds it; nothing of it is
 * referred to afterwards. Boot or Orphan. -EBADMSG (broken blob; the log says where), -ENOMEM; on
 * failure the tree is unchanged. -EBUSY: a node that it would change is held; the log says by whom.
 */
int dt_load_fdt(struct dt_node *parent, const void *fdt, size_t size);
/** NULL before dt_init(). Any context. */
struct dt_node *dt_root(void);
/** Make the empty root, if there is none yet. Boot. -ENOMEM. */
int dt_init(void);

/**
 * Path lookup ("/guests/linux0"); a component without @ matches a unique unit name. A path that
 * does not begin with / begins with an alias (/aliases); in both, what follows a colon is ignored.
 * NULL when absent.
 */
struct dt_node *dt_find(const char *path);
/** By name; without @ also a unique unit name. */
struct dt_node *dt_child(const struct dt_node *parent, const char *name);
struct dt_node *dt_first_child(const struct dt_node *parent);
struct dt_node *dt_next_sibling(const struct dt_node *node);
/** Depth-first order over the subtree of root; start with root. NULL at the end. */
struct dt_node *dt_next(const struct dt_node *root, const struct dt_node *node);
/**
 * The next host node (dt_is_host()) behind from, NULL = from the root on, with this compatible
 * string.
 */
struct dt_node *dt_find_compatible(struct dt_node *from, const char *compatible);
/** Among host nodes. */
struct dt_node *dt_find_phandle(uint32_t phandle);
/** Not in /guests, /templates or /vmm: describes the machine. */
bool dt_is_host(const struct dt_node *node);
/** Full path into buf; -ENAMETOOLONG. */
int dt_path(const struct dt_node *node, char *buf, size_t size);

/** A use of a node: a part of its user's own structure. */
struct dt_hold {
    struct list link;
    struct dt_node *node;
    const char *user; /**< who it is, for the operator */
};
/**
 * The node, and what is below it, stays as it is; neither it nor one above it can be deleted. user
 * is kept as a pointer until the release. Tree lock or boot.
 */
void dt_hold(struct dt_node *node, struct dt_hold *hold, const char *user);
/** Any context. */
void dt_release(struct dt_hold *hold);
/** Who holds the node or one above it, so that it can not be changed; NULL: nobody. */
const char *dt_holder(const struct dt_node *node);
/** The same, or one below it, so that it can not be deleted. */
const char *dt_user(const struct dt_node *node);

/**
 * Change the tree. Names are checked. -EINVAL (bad name, too deep), -EEXIST, -EBUSY (parent is
 * held), -ENOMEM.
 */
int dt_add_node(struct dt_node *parent, const char *name, struct dt_node **out);
/** With all below it. -EBUSY: held; -EINVAL: the root. */
int dt_delete_node(struct dt_node *node);
/** With all below it; not into itself (-EINVAL). */
int dt_copy_node(const struct dt_node *src, struct dt_node *new_parent, const char *name,
                 struct dt_node **out);
/** Add or replace; data is copied. -EINVAL (name, size), -EBUSY (node is held), -ENOMEM. */
int dt_set_attr(struct dt_node *node, const char *name, const void *data, uint32_t size);
/** The same for a value in host order, stored as cells or bytes of the specification's order. */
int dt_set_u8(struct dt_node *node, const char *name, uint8_t value);
int dt_set_u16(struct dt_node *node, const char *name, uint16_t value);
int dt_set_u32(struct dt_node *node, const char *name, uint32_t value);
int dt_set_u64(struct dt_node *node, const char *name, uint64_t value);
/** With the NUL behind it. */
int dt_set_string(struct dt_node *node, const char *name, const char *value);
/** count values of host order. */
int dt_set_u32_array(struct dt_node *node, const char *name, const uint32_t *values, unsigned count);
/** count strings; at least one. */
int dt_set_strings(struct dt_node *node, const char *name, const char *const *values,
                   unsigned count);
/** -ENOENT, -EBUSY. */
int dt_delete_attr(struct dt_node *node, const char *name);

/**
 * The attribute itself: its bytes as they are in the blob. NULL when absent. It, and every string that
 * the functions below give, belongs to the tree and lasts until the node is changed.
 */
const struct dt_attr *dt_attr(const struct dt_node *node, const char *name);
/** 0, -ENOENT (absent), -EINVAL (wrong size or not terminated). */
int dt_get_u8(const struct dt_node *node, const char *name, uint8_t *value);
int dt_get_u16(const struct dt_node *node, const char *name, uint16_t *value);
int dt_get_u32(const struct dt_node *node, const char *name, uint32_t *value);
/** -ENOENT also past the last one. */
int dt_get_u32_at(const struct dt_node *node, const char *name, unsigned index, uint32_t *value);
int dt_get_u64(const struct dt_node *node, const char *name, uint64_t *value);
/** How many values there are, of which at most max are stored. -ENOENT, -EINVAL (no multiple). */
int dt_get_u8_array(const struct dt_node *node, const char *name, uint8_t *values, unsigned max);
int dt_get_u16_array(const struct dt_node *node, const char *name, uint16_t *values, unsigned max);
int dt_get_u32_array(const struct dt_node *node, const char *name, uint32_t *values, unsigned max);
int dt_get_u64_array(const struct dt_node *node, const char *name, uint64_t *values, unsigned max);
/** The first string of a list. */
int dt_get_string(const struct dt_node *node, const char *name, const char **value);
/** -ENOENT also past the last one. */
int dt_get_string_at(const struct dt_node *node, const char *name, unsigned index,
                     const char **value);
/** The string of a list behind the previous one; NULL: the first. NULL at the end, or no list. */
const char *dt_next_string(const struct dt_node *node, const char *name, const char *previous);
/** Strings of a list. -ENOENT, -EINVAL. */
int dt_count_strings(const struct dt_node *node, const char *name);
/** Index of a string in a list. -ENOENT (also: not in it), -EINVAL. */
int dt_find_string(const struct dt_node *node, const char *name, const char *value);
/** The host node that the index-th cell names. -ENOENT (also: no node has it), -EINVAL. */
int dt_get_phandle(const struct dt_node *node, const char *name, unsigned index,
                   struct dt_node **target);
/** Is it in the list "compatible"? */
bool dt_is_compatible(const struct dt_node *node, const char *compatible);
/** "status" absent, "ok" or "okay". */
bool dt_is_enabled(const struct dt_node *node);
/**
 * reg entry by index, with the parent's #address-cells/#size-cells (1 or 2; 0 to 2), not
 * translated. -ENOENT, -EINVAL.
 */
int dt_get_reg(const struct dt_node *node, unsigned index, uint64_t *addr, uint64_t *size);
/**
 * The same, translated through all ranges up to the root: a host-physical address. -EINVAL also
 * where a bus does not map it.
 */
int dt_get_reg_translated(const struct dt_node *node, unsigned index, uint64_t *addr,
                          uint64_t *size);
/** Whole entries; 0 when the cell counts are not supported. */
unsigned dt_reg_count(const struct dt_node *node);
/**
 * interrupts entry by index as raw cells (interrupt-parent's #interrupt-cells), at most 4;
 * interrupts-extended goes first. Returns the number of cells or error: -ENOENT, -EINVAL.
 */
int dt_get_interrupt(const struct dt_node *node, unsigned index, uint32_t cells[4]);
/** The controller that entry goes to; NULL. */
struct dt_node *dt_interrupt_controller(const struct dt_node *node, unsigned index);
