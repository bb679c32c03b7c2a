// SPDX-License-Identifier: Apache-2.0
// Command vcpu: virtual CPUs of guests one by one, and those that run the hypervisor for looking at.
#include <hv/heap.h>
#include <hv/mterm.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/parse.h>
#include <lib/string.h>

typedef unsigned long long ull;

#define TOP_INTERVAL_NS 1000000000ULL
#define TOP_INTERVAL_MIN_NS 100000000ULL

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

static int copy_vcpu(struct vcpu *vcpu, void *arg)
{
    mterm_vcpu_copy(vcpu, arg);
    return 0;
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

/** Copy of the VCPU that text names in any way. */
static int look_up(struct terminal *term, const char *text, struct mterm_vcpu *row)
{
    int err = mterm_vcpu_apply(text, copy_vcpu, row);

    if (err < 0)
        err = find_row(text, row);
    return err < 0 ? explain_missing(term, err, text) : 0;
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

// Placement

struct placement {
    struct terminal *term;
    cpumask_t cpus;
    unsigned cpu;
    bool found;
};

/* What keeps a VCPU off a CPU, in words. */
static int explain_refusal(struct terminal *term, const struct vcpu *vcpu, int err)
{
    char cpus[64];

    (void)mterm_error(term, err, "not moved: vcpu", vcpu->name);
    mterm_cpus_text(vcpu->se.affinity & cpu_online(), cpus, sizeof(cpus));
    if (err == -EACCES)
        term_printf(term, "its affinity is %s; \"vcpu affinity\" changes it\n", cpus);
    else if (err == -EINVAL)
        term_printf(term, "it is in RESET: it gets a CPU of its affinity (%s) when it is kicked\n",
                    cpus);
    else if (err == -ENOSPC)
        term_printf(term, "%s\n", "the scheduler's policy has promised that CPU to others");
    return err;
}

static int finish_move(struct placement *place, struct vcpu *vcpu, int err)
{
    place->found = true;
    if (err == -EINPROGRESS)
        err = vcpu_wait_moved(vcpu, MTERM_WAIT_NS);
    return err < 0 ? explain_refusal(place->term, vcpu, err) : 0;
}

static int apply_move(struct vcpu *vcpu, void *arg)
{
    struct placement *place = arg;

    return finish_move(place, vcpu, vcpu_move(vcpu, place->cpu));
}

static int apply_affinity(struct vcpu *vcpu, void *arg)
{
    struct placement *place = arg;

    return finish_move(place, vcpu, vcpu_set_affinity(vcpu, place->cpus));
}

static int show_affinity(struct terminal *term, const char *text)
{
    struct mterm_vcpu row;
    char cpus[64];
    int err = look_up(term, text, &row);

    if (err < 0)
        return err;
    mterm_cpus_text(row.affinity & cpu_online(), cpus, sizeof(cpus));
    term_puts_escaped(term, row.name, strlen(row.name));
    term_printf(term, ": CPUs %s; is on CPU %u\n", cpus, row.cpu);
    return 0;
}

/* Those of the list that the operator takes for granted, but that are not there. */
static int refuse_absent(struct terminal *term, const char *text, cpumask_t cpus)
{
    char absent[64], online[64];

    mterm_cpus_text(cpus & ~cpu_online(), absent, sizeof(absent));
    mterm_cpus_text(cpu_online(), online, sizeof(online));
    (void)mterm_error(term, -ENODEV, "CPUs", text);
    term_printf(term, "not there: CPU %s; there are %s\n", absent, online);
    return -ENODEV;
}

static int take_cpus(struct terminal *term, const char *text, cpumask_t *cpus)
{
    int err = mterm_parse_cpus(text, cpus);

    if (err < 0) {
        (void)mterm_error(term, err, "CPUs", text);
        term_printf(term, "CPUs are written like 0,2-3\n");
        return err;
    }
    return (*cpus & ~cpu_online()) != 0 ? refuse_absent(term, text, *cpus) : 0;
}

static int vcpu_affinity_run(struct terminal *term, int argc, char **argv)
{
    struct placement place = {.term = term};
    int err;

    if (argc == 1)
        return show_affinity(term, argv[0]);
    err = take_cpus(term, argv[1], &place.cpus);
    if (err < 0)
        return err;
    err = mterm_vcpu_apply(argv[0], apply_affinity, &place);
    return err < 0 && !place.found ? explain_missing(term, err, argv[0]) : err;
}

static int vcpu_move_run(struct terminal *term, int argc UNUSED, char **argv)
{
    struct placement place = {.term = term};
    int err = take_cpus(term, argv[1], &place.cpus);

    if (err < 0)
        return err;
    if ((place.cpus & (place.cpus - 1)) != 0)
        return mterm_error(term, -EINVAL, "one CPU, not several:", argv[1]);
    place.cpu = (unsigned)__builtin_ctzll(place.cpus);
    err = mterm_vcpu_apply(argv[0], apply_move, &place);
    return err < 0 && !place.found ? explain_missing(term, err, argv[0]) : err;
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

static int vcpu_top_run(struct terminal *term, int argc, char **argv)
{
    uint64_t ns = TOP_INTERVAL_NS;
    int err = argc > 0 ? parse_seconds(argv[0], &ns) : 0;

    if (err == 0 && ns < TOP_INTERVAL_MIN_NS)
        err = -ERANGE;
    if (err < 0) {
        (void)mterm_error(term, err, "vcpu top: seconds", argv[0]);
        term_printf(term, "usage: vcpu top [SECONDS]; at least 0.1\n");
        return err;
    }
    err = mterm_top(term, ns);
    return err < 0 && err != -EINTR ? mterm_error(term, err, "vcpu", "top") : err;
}

static int vcpu_info_run(struct terminal *term, int argc UNUSED, char **argv)
{
    struct mterm_vcpu row;
    char state[64], time[32];
    int err = look_up(term, argv[0], &row);

    if (err < 0)
        return err;
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
    mterm_vcpu_describe(term, &row);
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
    {
        .name = "top",
        .usage = "[SECONDS]",
        .help = "who uses the CPUs, live; q leads back",
        .max_args = 1,
        .run = vcpu_top_run,
    },
    VCPU_VERB(info, "all about one VCPU: GUEST/N or its id"),
    VCPU_VERB(kick, "start a VCPU that is in RESET"),
    VCPU_VERB(pause, "stop it for a while"),
    VCPU_VERB(resume, "let it go on after a pause"),
    VCPU_VERB(halt, "stop it until it is reset"),
    VCPU_VERB(reset, "back to RESET"),
    {
        .name = "affinity",
        .usage = "VCPU [CPUS]",
        .help = "the host CPUs it may run on; set to a list like 0,2-3, at once",
        .min_args = 1,
        .max_args = 2,
        .complete = {COMPLETE_VCPU},
        .run = vcpu_affinity_run,
    },
    {
        .name = "move",
        .usage = "VCPU CPU",
        .help = "hand it over to another host CPU of its affinity",
        .min_args = 2,
        .max_args = 2,
        .complete = {COMPLETE_VCPU},
        .run = vcpu_move_run,
    },
    VCPU_VERB(regs, "its registers; stops it for a moment"),
};
static const struct command vcpu_command = {
    .name = "vcpu",
    .group = "Guests",
    .help = "virtual CPUs",
    .details = "A VCPU is named GUEST/NUMBER or by its id. Orphan VCPUs run the hypervisor\n"
               "itself: they can be looked at, but not paused, halted, kicked or reset. Pause\n"
               "adds the reason \"operator\" to why a VCPU is paused and resume takes it away; the\n"
               "VCPU runs when no other reason is left. For regs a VCPU that runs is stopped for\n"
               "a moment.\n",
    .verbs = vcpu_verbs,
    .verb_count = ARRAY_SIZE(vcpu_verbs),
};
COMMAND(vcpu_command);
