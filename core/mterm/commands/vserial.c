// SPDX-License-Identifier: Apache-2.0
// Command vserial: consoles of guests.
#include <hv/heap.h>
#include <hv/mterm.h>
#include <hv/vserial.h>
#include <lib/errno.h>
#include <lib/string.h>

typedef unsigned long long ull;

// List

struct port_row {
    char name[80];
    uint64_t out_bytes, in_bytes;
    unsigned readers;
};

struct port_list {
    struct port_row *rows;
    unsigned count, size;
};

static void collect_port(const char *name, uint64_t out_bytes, uint64_t in_bytes, unsigned readers,
                         void *arg)
{
    struct port_list *list = arg;
    struct port_row *row;

    if (list->count < list->size) {
        row = &list->rows[list->count];
        *row = (struct port_row){.out_bytes = out_bytes, .in_bytes = in_bytes, .readers = readers};
        (void)str_copy(row->name, name, sizeof(row->name));
    }
    list->count++;
}

static int vserial_list_run(struct terminal *term, int argc UNUSED, char **argv UNUSED)
{
    struct port_list list = {0};

    vserial_for_each(collect_port, &list);
    list = (struct port_list){.size = list.count};
    list.rows = heap_calloc(MAX(list.size, 1U), sizeof(*list.rows));
    if (list.rows == NULL)
        return mterm_error(term, -ENOMEM, "vserial", "list");
    vserial_for_each(collect_port, &list);
    term_printf(term, "NAME                          BYTES OUT     BYTES IN READERS\n");
    for (unsigned i = 0; i < MIN(list.count, list.size) && !term_interrupted(term); i++) {
        const struct port_row *row = &list.rows[i];

        term_puts_cell(term, row->name, 26);
        term_printf(term, " %12llu %12llu %7u\n", (ull)row->out_bytes, (ull)row->in_bytes,
                    row->readers);
    }
    heap_free(list.rows);
    return 0;
}

static int open_port(struct terminal *term, const char *name, struct vserial_reader **reader)
{
    int err = vserial_open(name, true, reader);

    if (err < 0) {
        (void)mterm_error(term, err, "vserial", name);
        term_printf(term, "\"vserial list\" shows the ports\n");
    }
    return err;
}

// Dump

static int vserial_dump_run(struct terminal *term, int argc UNUSED, char **argv)
{
    struct vserial_reader *reader;
    size_t left = CONFIG_VSERIAL_HISTORY;
    uint8_t bytes[128];
    uint64_t lost;
    int n, err = open_port(term, argv[0], &reader);

    if (err < 0)
        return err;
    // A guest that goes on writing must not keep this going.
    while (left > 0 && !term_interrupted(term)) {
        n = vserial_read(reader, bytes, MIN(sizeof(bytes), left), 0, &lost);
        if (n <= 0)
            break;
        term_puts_escaped_text(term, (const char *)bytes, (size_t)n);
        left -= (size_t)n;
    }
    term_printf(term, "\n");
    vserial_close(reader);
    return 0;
}

// Attach

static int vserial_attach_run(struct terminal *term, int argc UNUSED, char **argv)
{
    struct vserial_reader *reader;
    int err;

    if (term->read == NULL)
        return mterm_error(term, -ENOTSUP, "no keyboard here: vserial attach", argv[0]);
    err = open_port(term, argv[0], &reader);
    if (err < 0)
        return err;
    term_printf(term, "attached to ");
    term_puts_escaped(term, argv[0], strlen(argv[0]));
    term_printf(term, "; Ctrl-\\ leads back\n");
    err = mterm_attach(term, reader);
    vserial_close(reader);
    // A guest may have left an unfinished control string, colours, or the cursor switched off.
    term_printf(term, "\x1b\\\x1b[0m\x1b[?25h\n");
    if (err == -EPIPE) {
        term_printf(term, "the port is gone, and its guest with it\n");
        return 0;
    }
    if (err < 0)
        return mterm_error(term, err, "detached from", argv[0]);
    term_printf(term, "detached\n");
    return 0;
}

static const struct command_verb vserial_verbs[] = {
    {
        .name = "list",
        .usage = "",
        .help = "consoles of guests",
        .run = vserial_list_run,
    },
    {
        .name = "attach",
        .usage = "PORT",
        .help = "talk to a guest; Ctrl-\\ leads back",
        .min_args = 1,
        .max_args = 1,
        .complete = {COMPLETE_VSERIAL},
        .run = vserial_attach_run,
    },
    {
        .name = "dump",
        .usage = "PORT",
        .help = "what it has printed lately, made harmless",
        .min_args = 1,
        .max_args = 1,
        .complete = {COMPLETE_VSERIAL},
        .run = vserial_dump_run,
    },
};
static const struct command vserial_command = {
    .name = "vserial",
    .group = "Guests",
    .help = "consoles of guests",
    .details = "Attach shows recent output first, then everything in both directions as it is.\n"
               "Every key but Ctrl-\\ goes to the guest, Ctrl-C too. Only keys are searched for\n"
               "Ctrl-\\, so nothing a guest prints ends the connection. It ends by itself when\n"
               "the guest is destroyed. Dump makes control bytes harmless.\n",
    .verbs = vserial_verbs,
    .verb_count = ARRAY_SIZE(vserial_verbs),
};
COMMAND(vserial_command);
