// SPDX-License-Identifier: Apache-2.0
// Command backtrace: what a thread, or the guest on a VCPU, is in the middle of.
#include <hv/backtrace.h>
#include <hv/heap.h>
#include <hv/mterm.h>
#include <hv/symbol.h>
#include <lib/errno.h>
#include <lib/parse.h>
#include <lib/string.h>

/* A return address may already belong to the function behind a call that never returns. */
static void print_frame(struct terminal *term, unsigned number, uint64_t pc)
{
    struct symbol symbol;

    term_printf(term, "%3u  0x%016llx", number, (unsigned long long)pc);
    if (symbol_find(pc - (number != 0), &symbol))
        term_printf(term, "  %s+0x%x", symbol.name, symbol.offset + (number != 0));
    term_printf(term, "\n");
}

static int find_thread(const char *text, uint32_t *id)
{
    struct mterm_vcpu *rows;
    unsigned count;
    int err;

    if (parse_u32(text, id) == 0)
        return 0;
    err = mterm_vcpu_snapshot(&rows, &count);
    if (err < 0)
        return err;
    err = -ENOENT;
    for (unsigned i = 0; i < count && err != 0; i++) {
        if (str_equal(rows[i].name, text)) {
            *id = rows[i].id;
            err = 0;
        }
    }
    heap_free(rows);
    return err;
}

static int backtrace_thread_run(struct terminal *term, int argc UNUSED, char **argv)
{
    struct backtrace trace;
    uint32_t id;
    int err = find_thread(argv[0], &id);

    if (err == 0)
        err = backtrace_hypervisor(id, &trace);
    if (err < 0)
        return mterm_error(term, err, "thread or VCPU", argv[0]);
    if (trace.count == 0)
        term_printf(term, "it runs its guest; see \"backtrace guest\"\n");
    for (unsigned i = 0; i < trace.count; i++)
        print_frame(term, i, trace.pc[i]);
    return 0;
}

static int trace_guest(struct vcpu *vcpu, void *arg)
{
    return backtrace_guest(vcpu, arg);
}

static int backtrace_guest_run(struct terminal *term, int argc UNUSED, char **argv)
{
    struct backtrace trace;
    int err = mterm_vcpu_apply(argv[0], trace_guest, &trace);

    if (err < 0)
        return mterm_error(term, err, "VCPU", argv[0]);
    for (unsigned i = 0; i < trace.count; i++)
        term_printf(term, "%3u  0x%016llx\n", i, (unsigned long long)trace.pc[i]);
    return 0;
}

static const struct command_verb backtrace_verbs[] = {
    {
        .name = "thread",
        .usage = "ID|NAME",
        .help = "the hypervisor's functions that a thread or VCPU is in",
        .min_args = 1,
        .max_args = 1,
        .run = backtrace_thread_run,
    },
    {
        .name = "guest",
        .usage = "VCPU",
        .help = "addresses of the guest's functions that a VCPU is in; it is stopped for a moment",
        .min_args = 1,
        .max_args = 1,
        .complete = {COMPLETE_VCPU},
        .run = backtrace_guest_run,
    },
};
static const struct command backtrace_command = {
    .name = "backtrace",
    .group = "Host",
    .help = "what a thread or a guest's VCPU is in the middle of",
    .verbs = backtrace_verbs,
    .verb_count = ARRAY_SIZE(backtrace_verbs),
};
COMMAND(backtrace_command);
