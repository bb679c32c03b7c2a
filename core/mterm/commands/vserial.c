// SPDX-License-Identifier: Apache-2.0
// Command vserial: consoles of guests.
#include <hv/clock.h>
#include <hv/heap.h>
#include <hv/mterm.h>
#include <hv/vserial.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/parse.h>
#include <lib/string.h>

typedef unsigned long long ull;

/** Between two looks whether the guest takes input again. */
#define SEND_PAUSE_NS (20 * NS_PER_MS)

// List

struct port_list {
    struct vserial_info *rows;
    unsigned count, size;
};

static void collect_port(const struct vserial_info *info, void *arg)
{
    struct port_list *list = arg;

    if (list->count < list->size)
        list->rows[list->count] = *info;
    list->count++;
}

static void print_port(struct terminal *term, const struct vserial_info *row)
{
    char log[32] = "-";

    if (row->log_size > 0)
        (void)fmt_snprintf(log, sizeof(log), "%llu/%llu", (ull)row->log_used, (ull)row->log_size);
    term_puts_cell(term, row->name, 20);
    term_printf(term, " %11llu %9llu %9llu %7u %15s ", (ull)row->out_bytes, (ull)row->in_bytes,
                (ull)row->lost, row->readers, log);
    term_puts_escaped(term, row->writer, strlen(row->writer));
    term_printf(term, "%s\n", row->writer[0] == '\0' ? "-" : "");
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
    term_printf(term, "NAME                   BYTES OUT  BYTES IN      LOST READERS             LOG "
                      "WRITER\n");
    for (unsigned i = 0; i < MIN(list.count, list.size) && !term_interrupted(term); i++)
        print_port(term, &list.rows[i]);
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

static void say_lost(struct terminal *term, uint64_t lost)
{
    if (lost > 0)
        term_printf(term, "\n[%llu bytes lost]\n", (ull)lost);
}

// A guest that goes on writing must not keep this going.
static void dump_bytes(struct terminal *term, struct vserial_reader *reader, uint64_t left)
{
    uint8_t bytes[128];
    uint64_t lost;
    int n;

    while (left > 0 && !term_interrupted(term)) {
        n = vserial_read(reader, bytes, MIN(sizeof(bytes), left), 0, &lost);
        if (n <= 0)
            break;
        say_lost(term, lost);
        term_puts_escaped_text(term, (const char *)bytes, (size_t)n);
        left -= (size_t)n;
    }
    term_printf(term, "\n");
}

static int vserial_dump_run(struct terminal *term, int argc, char **argv)
{
    struct vserial_reader *reader;
    uint64_t bytes = CONFIG_VSERIAL_HISTORY, older;
    int err = argc > 1 ? parse_size(argv[1], &bytes) : 0;

    if (err < 0)
        return mterm_error(term, err, "a number of bytes like 4K", argv[1]);
    err = open_port(term, argv[0], &reader);
    if (err < 0)
        return err;
    bytes = MIN(bytes, (uint64_t)CONFIG_VSERIAL_HISTORY);
    older = vserial_rewind(reader, bytes);
    if (older > 0 && argc < 2)
        term_printf(term, "[%llu older bytes are no longer kept]\n", (ull)older);
    dump_bytes(term, reader, bytes);
    vserial_close(reader);
    return 0;
}

// Log

static void print_log(struct terminal *term, struct vserial_reader *reader)
{
    struct vserial_info info;
    uint8_t bytes[128];
    uint64_t offset = 0;
    int n;

    vserial_get_info(reader, &info);
    while (offset < info.log_size && !term_interrupted(term)) {
        n = vserial_log_read(reader, offset, bytes, sizeof(bytes));
        if (n <= 0)
            break;
        term_puts_escaped_text(term, (const char *)bytes, (size_t)n);
        offset += (size_t)n;
    }
    if (info.log_missed > 0)
        term_printf(term, "\n[the log is full: %llu bytes came after this]", (ull)info.log_missed);
    term_printf(term, "\n");
}

static int vserial_log_run(struct terminal *term, int argc, char **argv)
{
    bool clear = argc > 1 && str_equal(argv[1], "clear");
    struct vserial_reader *reader;
    uint8_t byte;
    int err;

    if (argc > 1 && !clear)
        return mterm_error(term, -EINVAL, "only \"clear\" may follow the port", argv[1]);
    err = open_port(term, argv[0], &reader);
    if (err < 0)
        return err;
    err = clear ? vserial_log_clear(reader) : vserial_log_read(reader, 0, &byte, 1);
    if (err < 0)
        (void)mterm_error(term, err, "no log; its node has no bulkhead,log-size", argv[0]);
    else if (!clear)
        print_log(term, reader);
    vserial_close(reader);
    return MIN(err, 0);
}

// Send

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// One escape, *at behind its backslash; the byte that it means, or -EINVAL.
static int unescape_one(const char **at)
{
    static const char names[] = "nrt0e\\", bytes[] = "\n\r\t\0\x1b\\";
    const char *text = *at;
    const char *name = *text == '\0' ? NULL : strchr(names, *text);
    int high, low;

    if (name != NULL) {
        *at = text + 1;
        return (uint8_t)bytes[name - names];
    }
    if (*text != 'x')
        return -EINVAL;
    high = hex_digit(text[1]);
    low = high < 0 ? -1 : hex_digit(text[2]);
    *at = text + 3;
    return low < 0 ? -EINVAL : high << 4 | low;
}

// In place; the number of bytes, or -EINVAL.
static int unescape(char *text)
{
    const char *from = text;
    int size = 0;

    while (*from != '\0') {
        int byte = *from == '\\' ? 0 : (uint8_t)*from;

        if (*from++ == '\\')
            byte = unescape_one(&from);
        if (byte < 0)
            return byte;
        text[size++] = (char)byte;
    }
    return size;
}

// All of it, as long as the guest goes on taking some. -ETIMEDOUT: it does not.
static int send_bytes(struct terminal *term, struct vserial_reader *reader, const uint8_t *data,
                      size_t size)
{
    uint64_t waited = 0;
    int n;

    while (size > 0) {
        n = vserial_write(reader, data, size);
        if (n < 0)
            return n;
        data += n;
        size -= (size_t)n;
        waited = n > 0 ? 0 : waited + SEND_PAUSE_NS;
        if (waited > MTERM_WAIT_NS)
            return -ETIMEDOUT;
        if (size > 0 && mterm_sleep(term, SEND_PAUSE_NS) < 0)
            return -EINTR;
    }
    return 0;
}

static int send_claimed(struct terminal *term, const char *port, char *text, bool line)
{
    struct vserial_reader *reader;
    char writer[VSERIAL_LABEL_MAX];
    int err, size = unescape(text);

    if (size < 0)
        return mterm_error(term, size, "escapes are \\n \\r \\t \\e \\0 \\\\ \\xNN", text);
    err = open_port(term, port, &reader);
    if (err < 0)
        return err;
    err = vserial_claim(reader);
    if (err == -EBUSY) {
        vserial_writer(reader, writer);
        (void)mterm_error(term, err, "somebody else writes there:", writer);
    } else if (err == 0) {
        err = send_bytes(term, reader, (const uint8_t *)text, (size_t)size);
        if (err == 0 && line)
            err = send_bytes(term, reader, (const uint8_t *)"\r", 1);
        if (err < 0)
            (void)mterm_error(term, err, "not all of it was taken by", port);
    }
    vserial_close(reader);
    return err;
}

static int vserial_send_run(struct terminal *term, int argc, char **argv)
{
    bool bare = str_equal(argv[0], "-n");

    if (argc != 2 + bare)
        return mterm_error(term, -EINVAL, "give [-n] PORT and the text in quotes", argv[0]);
    return send_claimed(term, argv[bare], argv[bare + 1], !bare);
}

// Attach

// Keys go to the guest as soon as the other one is gone.
static void say_writer(struct terminal *term, struct vserial_reader *reader)
{
    char writer[VSERIAL_LABEL_MAX];

    if (vserial_claim(reader) != -EBUSY)
        return;
    vserial_writer(reader, writer);
    term_printf(term, "only shown: ");
    term_puts_escaped(term, writer, strlen(writer));
    term_printf(term, " writes there\n");
}

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
    say_writer(term, reader);
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
        .usage = "PORT [BYTES]",
        .help = "what it has printed lately, made harmless",
        .min_args = 1,
        .max_args = 2,
        .complete = {COMPLETE_VSERIAL},
        .run = vserial_dump_run,
    },
    {
        .name = "log",
        .usage = "PORT [clear]",
        .help = "what it printed first, of ports with bulkhead,log-size; or begin that anew",
        .min_args = 1,
        .max_args = 2,
        .complete = {COMPLETE_VSERIAL},
        .run = vserial_log_run,
    },
    {
        .name = "send",
        .usage = "[-n] PORT TEXT",
        .help = "type a line to a guest; -n without Enter behind it",
        .min_args = 2,
        .max_args = 3,
        .complete = {COMPLETE_VSERIAL},
        .run = vserial_send_run,
    },
};
static const struct command vserial_command = {
    .name = "vserial",
    .group = "Guests",
    .help = "consoles of guests",
    .details = "Any number of terminals read a port, each at its own pace; one writes, which\n"
               "the list shows. Attach shows recent output first, then everything in both\n"
               "directions as it is. Every key but Ctrl-\\ goes to the guest, Ctrl-C too; a\n"
               "bell says that somebody else writes. Only keys are searched for Ctrl-\\, so\n"
               "nothing a guest prints ends the connection. It ends by itself when the guest is\n"
               "destroyed. Dump and log make control bytes harmless. A guest never waits for\n"
               "readers: who reads too slowly is told how many bytes were lost. Text to send\n"
               "may have \\n \\r \\t \\e \\0 \\\\ and \\xNN when it is in single quotes; Enter\n"
               "(\\r) is sent behind it.\n",
    .verbs = vserial_verbs,
    .verb_count = ARRAY_SIZE(vserial_verbs),
};
COMMAND(vserial_command);
