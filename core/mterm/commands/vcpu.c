// SPDX-License-Identifier: Apache-2.0
// Command vcpu: virtual CPUs of guests one by one, and those that run the hypervisor for looking at.
#include <hv/heap.h>
#include <hv/mterm.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/parse.h>
#include <lib/string.h>

typedef unsigned long long ull;

// Naming

static bool row_is_named(const struct mterm_vcpu *row, const char *text)
{
    uint32_t id;

    return str_equal(row->name, text) || (parse_u32(text, &id) == 0 && row->id == id);
}

/** Copy of the VCPU with that id or name. -ENOENT, -ENOMEM. */
static int find_row(const char *text, struct mterm_vcpu *out)
{
    struct mterm_vcpu *rows;
    unsigned count;
    int err = mterm_vcpu_snapshot(&rows, &count);

    if (err < 0)
        return err;
    err = -ENOENT;
    for (unsigned i = 0; i < count && err < 0; i++) {
        if (row_is_named(&rows[i], text)) {
            *out = rows[i];
            err = 0;
        }
    }
    heap_free(rows);
    return err;
}

/** Why there was no normal VCPU of that name. */
static int explain_missing(struct terminal *term, int err, const char *text)
{
    struct mterm_vcpu row;

    if (err == -ENOENT && find_row(text, &row) == 0 && !row.is_normal) {
        term_printf(term,
                    "vcpu %u (%s) is an orphan VCPU: it runs the hypervisor itself and is left "
                    "alone\n",
                    row.id, row.name);
        return -EACCES;
    }
    (void)mterm_error(term, err, "vcpu", text);
    if (err == -EBUSY)
        return err;
    term_printf(term, "a VCPU is named GUEST/NUMBER or by its id; \"vcpu list\" shows them\n");
    return err;
}

// Operations

struct operation {
    struct terminal *term;
    const char *what;
    int (*run)(struct vcpu *vcpu);
    bool found;
};

static void print_refusal(struct terminal *term, const struct operation *op, struct vcpu *vcpu,
                          int err)
{
    const struct mterm_vcpu row = {.state = vcpu->state, .reasons = vcpu->reasons};
    char state[64];

    mterm_vcpu_state_text(&row, state, sizeof(state));
    (void)mterm_error(term, err, op->what, vcpu->name);
    term_printf(term, "its state is %s\n", state);
}

static int apply_operation(struct vcpu *vcpu, void *arg)
{
    struct operation *op = arg;
    int err = op->run(vcpu);

    op->found = true;
    if (err == -EINPROGRESS)
        err = vcpu_wait_settled(vcpu, MTERM_WAIT_NS);
    if (err < 0)
        print_refusal(op->term, op, vcpu, err);
    return err;
}

static int operate(struct terminal *term, const char *text, const char *what,
                   int (*run)(struct vcpu *vcpu))
{
    struct operation op = {.term = term, .what = what, .run = run};
    int err = mterm_vcpu_apply(text, apply_operation, &op);

    return err < 0 && !op.found ? explain_missing(term, err, text) : err;
}

static int pause_operator(struct vcpu *vcpu)
{
    return vcpu_pause(vcpu, VCPU_REASON_OPERATOR);
}

static int resume_operator(struct vcpu *vcpu)
{
    return vcpu_resume(vcpu, VCPU_REASON_OPERATOR);
}

static int vcpu_kick_run(struct terminal *term, int argc UNUSED, char **argv)
{
    return operate(term, argv[0], "not kicked: vcpu", vcpu_kick);
}

static int vcpu_pause_run(struct terminal *term, int argc UNUSED, char **argv)
{
    return operate(term, argv[0], "not paused: vcpu", pause_operator);
}

static int vcpu_resume_run(struct terminal *term, int argc UNUSED, char **argv)
{
    return operate(term, argv[0], "not resumed: vcpu", resume_operator);
}

static int vcpu_halt_run(struct terminal *term, int argc UNUSED, char **argv)
{
    return operate(term, argv[0], "not halted: vcpu", vcpu_halt);
}

static int vcpu_reset_run(struct terminal *term, int argc UNUSED, char **argv)
{
    return operate(term, argv[0], "not reset: vcpu", vcpu_reset);
}

// Registers

struct regs_request {
    struct terminal *term;
    unsigned column;
    bool found;
};

static void print_register(const struct mterm_register *reg, void *arg)
{
    struct regs_request *request = arg;

    term_printf(request->term, "%s%-18s 0x%016llx%s", request->column == 0 ? "" : "   ", reg->name,
                (ull)reg->value, request->column == 0 ? "" : "\n");
    request->column = (request->column + 1) % 2;
}

static int print_registers(struct vcpu *vcpu, void *arg)
{
    struct regs_request *request = arg;
    int err;

    request->found = true;
    if (vcpu->state == VCPU_RESET) {
        term_printf(request->term, "vcpu %s is in RESET: it gets its registers when it is kicked\n",
                    vcpu->name);
        return -EINVAL;
    }
    err = mterm_vcpu_registers(vcpu, print_register, request);
    if (err < 0)
        return mterm_error(request->term, err, "no registers: vcpu", vcpu->name);
    if (request->column != 0)
        term_printf(request->term, "\n");
    return 0;
}

static int vcpu_regs_run(struct terminal *term, int argc UNUSED, char **argv)
{
    struct regs_request request = {.term = term};
    int err = mterm_vcpu_apply(argv[0], print_registers, &request);

    return err < 0 && !request.found ? explain_missing(term, err, argv[0]) : err;
}

// Looking

static void print_row(struct terminal *term, const struct mterm_vcpu *row)
{
    char state[64], time[32];

    mterm_vcpu_state_text(row, state, sizeof(state));
    mterm_duration(row->run_ns, time, sizeof(time));
    term_printf(term, "%4u ", row->id);
    term_puts_cell(term, row->name, 18);
    term_printf(term, " %-6s %-18s %4u %3u %12s %9llu\n", row->is_normal ? "normal" : "orphan",
                state, row->priority, row->cpu, time, (ull)row->exits);
}

static bool row_is_of_guest(const struct mterm_vcpu *row, const char *guest)
{
    size_t length = strlen(guest);

    return row->is_normal && str_starts_with(row->name, guest) && row->name[length] == '/';
}

static int vcpu_list_run(struct terminal *term, int argc, char **argv)
{
    struct mterm_vcpu *rows;
    unsigned count, shown = 0;
    int err = mterm_vcpu_snapshot(&rows, &count);

    if (err < 0)
        return mterm_error(term, err, "vcpu", "list");
    term_printf(
        term, "  ID NAME               KIND   STATE              PRIO CPU         TIME     EXITS\n");
    for (unsigned i = 0; i < count && !term_interrupted(term); i++) {
        if (argc == 0 || row_is_of_guest(&rows[i], argv[0])) {
            print_row(term, &rows[i]);
            shown++;
        }
    }
    heap_free(rows);
    return shown > 0 ? 0 : mterm_error(term, -ENOENT, "VCPUs of guest", argc > 0 ? argv[0] : "");
}

static int copy_vcpu(struct vcpu *vcpu, void *arg)
{
    mterm_vcpu_copy(vcpu, arg);
    return 0;
}

static int vcpu_info_run(struct terminal *term, int argc UNUSED, char **argv)
{
    struct mterm_vcpu row;
    char state[64], time[32];
    int err = mterm_vcpu_apply(argv[0], copy_vcpu, &row);

    if (err < 0)
        err = find_row(argv[0], &row);
    if (err < 0)
        return explain_missing(term, err, argv[0]);
    mterm_vcpu_state_text(&row, state, sizeof(state));
    mterm_duration(row.run_ns, time, sizeof(time));
    term_printf(term, "id:         %u\nname:       ", row.id);
    term_puts_escaped(term, row.name, strlen(row.name));
    term_printf(term, "\nkind:       %s\nstate:      %s\n",
                row.is_normal ? "normal (guest)" : "orphan (hypervisor)", state);
    term_printf(term, "priority:   %u\ntime slice: %llu us\n", row.priority,
                (ull)(row.time_slice / 1000));
    term_printf(term, "cpu:        %u\naffinity:   0x%llx\n", row.cpu, (ull)row.affinity);
    term_printf(term, "run time:   %s\nswitches:   %llu\nexits:      %llu\nresets:     %u\n", time,
                (ull)row.switches, (ull)row.exits, row.reset_count);
    return 0;
}

#define VCPU_VERB(verb, help_text)                                                                 \
    {                                                                                              \
        .name = #verb, .usage = "VCPU", .help = help_text, .min_args = 1, .max_args = 1,           \
        .complete = {COMPLETE_VCPU}, .run = vcpu_##verb##_run,                                     \
    }

static const struct command_verb vcpu_verbs[] = {
    {
        .name = "list",
        .usage = "[GUEST]",
        .help = "a line for each VCPU",
        .max_args = 1,
        .complete = {COMPLETE_GUEST},
        .run = vcpu_list_run,
    },
    VCPU_VERB(info, "all about one VCPU: GUEST/N or its id"),
    VCPU_VERB(kick, "start a VCPU that is in RESET"),
    VCPU_VERB(pause, "stop it for a while"),
    VCPU_VERB(resume, "let it go on after a pause"),
    VCPU_VERB(halt, "stop it until it is reset"),
    VCPU_VERB(reset, "back to RESET"),
    VCPU_VERB(regs, "its registers; stops it for a moment"),
};
static const struct command vcpu_command = {
    .name = "vcpu",
    .group = "Guests",
    .help = "virtual CPUs",
    .details =
        "A VCPU is named GUEST/NUMBER or by its id. Orphan VCPUs run the hypervisor\n"
        "itself: they can be looked at, but not paused, halted, kicked or reset. Pause\n"
        "adds the reason \"operator\" to why a VCPU is paused and resume takes it away; the\n"
        "VCPU runs when no other reason is left. For regs a VCPU that runs is stopped for\n"
        "a moment.\n",
    .verbs = vcpu_verbs,
    .verb_count = ARRAY_SIZE(vcpu_verbs),
};
COMMAND(vcpu_command);
