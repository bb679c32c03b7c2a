// SPDX-License-Identifier: Apache-2.0
// Command thread: the hypervisor's own threads.
#include <hv/heap.h>
#include <hv/mterm.h>
#include <lib/errno.h>

static void print_thread(struct terminal *term, const struct mterm_vcpu *row)
{
    char state[48], time[32];

    mterm_vcpu_state_text(row, state, sizeof(state));
    mterm_duration(row->run_ns, time, sizeof(time));
    term_printf(term, "%4u ", row->id);
    term_puts_cell(term, row->name, 16);
    term_printf(term, " %-20s %4u %3u %12s %10llu\n", state, row->priority, row->cpu, time,
                (unsigned long long)row->switches);
}

static int thread_list(struct terminal *term, int argc UNUSED, char **argv UNUSED)
{
    struct mterm_vcpu *rows;
    unsigned count;
    int err = mterm_vcpu_snapshot(&rows, &count);

    if (err < 0) {
        return mterm_error(term, err, "thread", "list");
    }
    term_printf(term,
                "  ID NAME             STATE                PRIO CPU         TIME   SWITCHES\n");
    for (unsigned i = 0; i < count && !term_interrupted(term); i++) {
        if (rows[i].is_thread) {
            print_thread(term, &rows[i]);
        }
    }
    heap_free(rows);
    return 0;
}

static const struct command_verb thread_verbs[] = {
    {
        .name = "list",
        .usage = "",
        .help = "the hypervisor's threads",
        .run = thread_list,
    },
};
static const struct command thread_command = {
    .name = "thread",
    .group = "Host",
    .help = "the hypervisor's own threads",
    .verbs = thread_verbs,
    .verb_count = ARRAY_SIZE(thread_verbs),
};
COMMAND(thread_command);
