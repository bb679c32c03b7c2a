// SPDX-License-Identifier: Apache-2.0
// Command devtree: the device tree as the hypervisor holds it: read, written, loaded, checked.
#include "devtree.h"

#include <hv/bundle.h>
#include <hv/guest.h>
#include <hv/guest_config.h>
#include <hv/heap.h>
#include <hv/mterm.h>
#include <lib/errno.h>
#include <lib/string.h>

#define PATH_MAX_TEXT 256
/** Room for output that is made under the lock of the tree, and most that it can become. */
#define OUTPUT_FIRST 4096
#define OUTPUT_MAX (1U << 20)
#define OUTPUT_PIECE 256

/** A terminal that keeps what is written: nobody waits for a slow console while the lock is held. */
struct output {
    struct terminal term;
    struct terminal *out;
    char *text;
    size_t size, room;
    bool cut;
};

static bool output_grow(struct output *output, size_t wanted)
{
    size_t room = MAX(output->room, (size_t)OUTPUT_FIRST);
    char *text;

    while (room < wanted)
        room *= 2;
    text = room > OUTPUT_MAX ? NULL : heap_alloc(room);
    if (text == NULL)
        return false;
    if (output->size > 0)
        memcpy(text, output->text, output->size);
    heap_free(output->text);
    output->text = text;
    output->room = room;
    return true;
}

static void output_write(struct terminal *term, const char *text, size_t size)
{
    struct output *output = container_of(term, struct output, term);

    if (output->cut ||
        (output->size + size > output->room && !output_grow(output, output->size + size))) {
        output->cut = true;
        return;
    }
    memcpy(output->text + output->size, text, size);
    output->size += size;
}

static bool output_interrupted(struct terminal *term)
{
    struct output *output = container_of(term, struct output, term);

    return output->cut || term_interrupted(output->out);
}

static int output_print(struct output *output)
{
    for (size_t at = 0; at < output->size; at += OUTPUT_PIECE) {
        if (term_interrupted(output->out))
            return -EINTR;
        term_write(output->out, output->text + at, MIN(output->size - at, (size_t)OUTPUT_PIECE));
    }
    if (output->cut)
        term_printf(output->out, "\nmore than there is room for; name a node below\n");
    return output->cut ? -ENOSPC : 0;
}

// Runs fn with the tree locked, then prints what it wrote.
static int run_locked(struct terminal *term, int argc, char **argv,
                      int (*fn)(struct terminal *term, int argc, char **argv))
{
    struct output output = {
        .term = {.write = output_write,
                 .interrupted = output_interrupted,
                 .columns = term->columns,
                 .rows = term->rows},
        .out = term,
    };
    int err, printed;

    guest_tree_lock();
    err = fn(&output.term, argc, argv);
    guest_tree_unlock();
    printed = output_print(&output);
    heap_free(output.text);
    return err != 0 ? err : printed;
}

int devtree_error(struct terminal *term, int err, const char *path, const char *name)
{
    struct dt_node *node = dt_find(path);
    const char *user = err == -EBUSY && node != NULL ? dt_user(node) : NULL;

    term_puts_escaped(term, path, strlen(path));
    if (name != NULL) {
        term_printf(term, ": ");
        term_puts_escaped(term, name, strlen(name));
    }
    term_printf(term, ": %s", error_name(err));
    if (user != NULL) {
        term_printf(term, ": ");
        term_puts_escaped(term, user, strlen(user));
        term_printf(term, " uses it");
    }
    term_printf(term, "\n");
    return err;
}

struct dt_node *devtree_node(struct terminal *term, const char *path)
{
    struct dt_node *node = path[0] == '/' ? dt_find(path) : NULL;

    if (node == NULL) {
        (void)devtree_error(term, -ENOENT, path, NULL);
        term_printf(term, "no such node; a path begins with \"/\"\n");
    }
    return node;
}

// The parent that a new node at this path gets, and its name there.
static struct dt_node *new_place(struct terminal *term, char *path, char **name)
{
    char parent[PATH_MAX_TEXT];
    char *slash = strrchr(path, '/');
    size_t length = slash == NULL ? 0 : (size_t)(slash - path);

    if (slash == NULL || path[0] != '/' || length >= sizeof(parent)) {
        (void)devtree_node(term, slash == NULL ? path : "");
        return NULL;
    }
    memcpy(parent, path, length);
    parent[length] = '\0';
    *name = slash + 1;
    return devtree_node(term, length == 0 ? "/" : parent);
}

// What else is to say of a node that could not be made at this place.
static int new_failed(struct terminal *term, int err, struct dt_node *parent, const char *path)
{
    char busy[PATH_MAX_TEXT];

    if (err == -EBUSY && dt_path(parent, busy, sizeof(busy)) == 0)
        return devtree_error(term, err, busy, NULL);
    (void)devtree_error(term, err, path, NULL);
    if (err == -EINVAL)
        term_printf(term,
                    "a name has 1 to %u of A-Z a-z 0-9 , . _ + -, then perhaps @ and an address; "
                    "nodes lie at most %u deep, a copy not in itself\n",
                    DT_NAME_MAX, DT_DEPTH_MAX);
    return err;
}

static int node_show(struct terminal *term, int argc UNUSED, char **argv)
{
    const struct dt_node *node = devtree_node(term, argv[0]);

    if (node == NULL)
        return -ENOENT;
    devtree_print_node(term, node);
    return 0;
}

static int node_dump(struct terminal *term, int argc, char **argv)
{
    const struct dt_node *node = devtree_node(term, argc > 0 ? argv[0] : "/");

    return node == NULL ? -ENOENT : devtree_print_tree(term, node);
}

static int node_add(struct terminal *term, int argc UNUSED, char **argv)
{
    char *name;
    struct dt_node *parent = new_place(term, argv[0], &name);
    struct dt_node *node;
    int err = parent == NULL ? -ENOENT : dt_add_node(parent, name, &node);

    return parent == NULL || err == 0 ? err : new_failed(term, err, parent, argv[0]);
}

static int node_copy(struct terminal *term, int argc UNUSED, char **argv)
{
    const struct dt_node *from = devtree_node(term, argv[0]);
    char *name;
    struct dt_node *parent = from == NULL ? NULL : new_place(term, argv[1], &name);
    struct dt_node *node;
    int err = parent == NULL ? -ENOENT : dt_copy_node(from, parent, name, &node);

    return parent == NULL || err == 0 ? err : new_failed(term, err, parent, argv[1]);
}

static int node_delete(struct terminal *term, int argc UNUSED, char **argv)
{
    struct dt_node *node = devtree_node(term, argv[0]);
    int err = node == NULL ? -ENOENT : dt_delete_node(node);

    return node == NULL || err == 0 ? err : devtree_error(term, err, argv[0], NULL);
}

const struct devtree_verb devtree_node_verbs[] = {
    {"show", "PATH", 1, 1, node_show},     {"dump", "[PATH]", 0, 1, node_dump},
    {"add", "PATH", 1, 1, node_add},       {"copy", "FROM-PATH TO-PATH", 2, 2, node_copy},
    {"delete", "PATH", 1, 1, node_delete}, {0},
};

static int run_sub(struct terminal *term, int argc, char **argv, const char *what,
                   const struct devtree_verb *verbs)
{
    const struct devtree_verb *verb = verbs;

    while (verb->name != NULL && !str_equal(verb->name, argv[0]))
        verb++;
    if (verb->name != NULL && argc - 1 >= verb->min_args && argc - 1 <= verb->max_args)
        return run_locked(term, argc - 1, argv + 1, verb->run);
    term_printf(term, "usage:\n");
    for (verb = verbs; verb->name != NULL; verb++)
        term_printf(term, "  devtree %s %s %s\n", what, verb->name, verb->usage);
    return -EINVAL;
}

static int devtree_node_run(struct terminal *term, int argc, char **argv)
{
    return run_sub(term, argc, argv, "node", devtree_node_verbs);
}

static int devtree_attr_run(struct terminal *term, int argc, char **argv)
{
    return run_sub(term, argc, argv, "attr", devtree_attr_verbs);
}

// The bundle aligns to 4 bytes, the reader wants 8.
static int load_file(struct dt_node *parent, const void *data, size_t size)
{
    void *copy = heap_alloc(MAX(size, (size_t)1));
    int err;

    if (copy == NULL)
        return -ENOMEM;
    memcpy(copy, data, size);
    err = dt_load_fdt(parent, copy, size);
    heap_free(copy);
    return err;
}

static int load_locked(struct terminal *term, int argc UNUSED, char **argv)
{
    struct dt_node *parent = devtree_node(term, argv[1]);
    const void *data;
    size_t size;
    int err;

    if (parent == NULL)
        return -ENOENT;
    err = bundle_find(argv[0], &data, &size);
    if (err != 0) {
        (void)mterm_error(term, err, "boot bundle: file", argv[0]);
        return err;
    }
    err = load_file(parent, data, size);
    if (err == -EBUSY)
        return devtree_error(term, err, argv[1], NULL);
    if (err != 0)
        (void)mterm_error(term, err, "no usable device tree, nothing was changed: file", argv[0]);
    return err;
}

static int devtree_load_run(struct terminal *term, int argc, char **argv)
{
    return run_locked(term, argc, argv, load_locked);
}

static int check_locked(struct terminal *term, int argc UNUSED, char **argv UNUSED)
{
    struct report report;
    int err;

    mterm_report(&report, term);
    err = guest_config_check_all(false, &report);
    term_printf(term, "%u errors, %u warnings\n", report.errors, report.warnings);
    return err;
}

static int devtree_check_run(struct terminal *term, int argc, char **argv)
{
    return run_locked(term, argc, argv, check_locked);
}

static const struct command_verb devtree_verbs[] = {
    {
        .name = "node",
        .usage = "show|dump|add|copy|delete [PATH [TO-PATH]]",
        .help = "show a node, dump all below it, add, copy or delete it",
        .min_args = 1,
        .max_args = 3,
        .complete = {COMPLETE_NONE, COMPLETE_NODE},
        .run = devtree_node_run,
    },
    {
        .name = "attr",
        .usage = "show|get|set|delete PATH [NAME [TYPE VALUE...]]",
        .help = "a node's attributes; types: empty string strings u8 u16 u32 u64 cells bytes",
        .min_args = 2,
        .max_args = COMMAND_ARGS_MAX,
        .complete = {COMPLETE_NONE, COMPLETE_NODE},
        .run = devtree_attr_run,
    },
    {
        .name = "load",
        .usage = "FILE PATH",
        .help = "merge a DTB of the boot bundle at a node",
        .min_args = 2,
        .max_args = 2,
        .complete = {COMPLETE_NONE, COMPLETE_NODE},
        .run = devtree_load_run,
    },
    {
        .name = "check",
        .usage = "",
        .help = "what is wrong in /vmm, /templates and /guests, all at once",
        .run = devtree_check_run,
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
