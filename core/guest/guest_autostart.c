// SPDX-License-Identifier: Apache-2.0
// Guests that come with the boot bundle: their trees join the device tree, and some start by themselves.
#include <hv/guest_config.h>

#include <hv/bundle.h>
#include <hv/heap.h>
#include <hv/report.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <libfdt.h>

/* Room for the header of the filtered tree. */
#define FDT_SLACK 256

static bool is_wanted(const char *name)
{
    return str_equal(name, "guests") || str_equal(name, "templates") || str_equal(name, "vmm");
}

/* Walk over a checked tree that copies the wanted children of its root. */
struct filter {
    const void *from;
    void *to;
    int depth;      /* of the node that is open in from */
    int skipped_at; /* depth of the subtree that is left out, 0: none */
    bool found;
};

static int filter_begin(struct filter *f, int offset)
{
    const char *name = fdt_get_name(f->from, offset, NULL);

    f->depth++;
    if (f->skipped_at == 0 && f->depth == 2) {
        f->found = f->found || is_wanted(name);
        f->skipped_at = is_wanted(name) ? 0 : f->depth;
    }
    return f->skipped_at == 0 ? fdt_begin_node(f->to, name) : 0;
}

static int filter_end(struct filter *f)
{
    int err = f->skipped_at == 0 ? fdt_end_node(f->to) : 0;

    f->skipped_at = f->skipped_at == f->depth ? 0 : f->skipped_at;
    f->depth--;
    return err;
}

static int filter_property(struct filter *f, int offset)
{
    const char *name;
    const void *value;
    int length;

    if (f->skipped_at != 0 || f->depth < 2) {
        return 0;
    }
    value = fdt_getprop_by_offset(f->from, offset, &name, &length);
    return value != NULL ? fdt_property(f->to, name, value, length) : length;
}

static int filter_tag(struct filter *f, uint32_t tag, int offset)
{
    switch (tag) {
    case FDT_BEGIN_NODE:
        return filter_begin(f, offset);
    case FDT_END_NODE:
        return filter_end(f);
    case FDT_PROP:
        return filter_property(f, offset);
    default:
        return 0;
    }
}

/* A file of the bundle can not change what is said of the host. */
static int filter_tree(struct filter *f, int size)
{
    int offset = 0;
    int next = 0;
    uint32_t tag;
    int err = fdt_create(f->to, size);

    if (err == 0) {
        err = fdt_finish_reservemap(f->to);
    }
    while (err == 0) {
        tag = fdt_next_tag(f->from, offset, &next);
        if (tag == FDT_END) {
            return fdt_finish(f->to);
        }
        err = filter_tag(f, tag, offset);
        offset = next;
    }
    return err;
}

/* data: aligned for libfdt, and checked. */
static int merge_checked(const void *data, size_t size)
{
    size_t room = 2 * size + FDT_SLACK; /* strings that were shared may not be any more */
    struct filter filter = {.from = data, .to = heap_zalloc(room)};
    int err;

    if (filter.to == NULL) {
        return -ENOMEM;
    }
    err = filter_tree(&filter, (int)room) == 0 ? 0 : -EBADMSG;
    if (err == 0 && filter.found) {
        err = dt_load_fdt(dt_root(), filter.to, fdt_totalsize(filter.to));
    }
    heap_free(filter.to);
    return err;
}

/* What is said of a guest in two places is added up, which may not have been meant. */
static void warn_of_same(const void *fdt, const char *parent_path, const char *file,
                         struct report *report)
{
    const struct dt_node *parent = dt_find(parent_path);
    int offset = fdt_path_offset(fdt, parent_path);
    int child;

    if (parent == NULL || offset < 0) {
        return;
    }
    fdt_for_each_subnode(child, fdt, offset)
    {
        const char *name = fdt_get_name(fdt, child, NULL);

        if (dt_child(parent, name) != NULL) {
            report_warning(report, "%s/%s: is there already; what %s says of it is added",
                           parent_path, name, file);
        }
    }
}

int guest_load_tree(const void *data, size_t size, const char *file, struct report *report)
{
    void *copy;
    int err;

    if (size > INT_MAX / 4) {
        return -EBADMSG;
    }
    copy = heap_alloc(MAX(size, (size_t)1)); /* archives align to 4 bytes, libfdt wants 8 */
    if (copy == NULL) {
        return -ENOMEM;
    }
    memcpy(copy, data, size);
    err = fdt_check_full(copy, size) == 0 ? 0 : -EBADMSG;
    if (err == 0) {
        warn_of_same(copy, "/guests", file, report);
        warn_of_same(copy, "/templates", file, report);
        err = merge_checked(copy, size);
    }
    heap_free(copy);
    return err;
}

static void merge_entry(const char *name, size_t size, void *arg)
{
    size_t length = strlen(name);
    int *first_error = arg;
    struct report report;
    const void *data;
    int err;

    if (length < 4 || !str_equal(name + length - 4, ".dtb")) {
        return;
    }
    report_to_log(&report);
    err = bundle_find(name, &data, &size);
    if (err == 0) {
        err = guest_load_tree(data, size, name, &report);
    }
    if (err != 0) {
        log_error("boot bundle: %s: no usable device tree: %s; make it with dtc", name,
                  error_name(err));
    }
    if (*first_error == 0) {
        *first_error = err;
    }
}

int guest_load_bundle_trees(void)
{
    int first_error = 0;

    bundle_for_each(merge_entry, &first_error);
    guest_config_vmm_apply();
    return first_error;
}

static void start(const char *name)
{
    struct report report;
    struct guest *guest;

    report_to_log(&report);
    if (guest_create(name, NULL, &report) != 0) {
        return;
    }
    guest = guest_find(name);
    if (guest == NULL || guest_kick(guest) != 0) {
        log_error("%s: could not be started", name);
    }
}

/* The index-th guest that is marked, by name: the tree may change while guests are made. */
static bool marked_guest(unsigned index, char name[GUEST_NAME_MAX])
{
    struct dt_node *parent, *node;

    guest_tree_lock();
    parent = dt_find("/guests");
    node = parent != NULL ? dt_first_child(parent) : NULL;
    while (node != NULL && (dt_attr(node, "bulkhead,autostart") == NULL || index-- > 0)) {
        node = dt_next_sibling(node);
    }
    if (node != NULL) {
        str_copy(name, node->name, GUEST_NAME_MAX); /* one that is cut is refused */
    }
    guest_tree_unlock();
    return node != NULL;
}

void guest_autostart(void)
{
    char name[GUEST_NAME_MAX];
    struct report report;

    report_to_log(&report);
    guest_tree_lock();
    guest_config_vmm(false, &report);
    guest_tree_unlock();
    for (unsigned i = 0; marked_guest(i, name); i++) {
        start(name);
    }
}
