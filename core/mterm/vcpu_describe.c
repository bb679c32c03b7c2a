// SPDX-License-Identifier: Apache-2.0
// All that the manager knows of one VCPU, in words.
#include <hv/clock.h>
#include <hv/mterm.h>
#include <lib/fmt.h>
#include <lib/string.h>

typedef unsigned long long ull;

static void print_origin(struct terminal *term, const struct mterm_vcpu *row)
{
    if (!row->is_normal) {
        term_printf(term, "start:      function 0x%llx, stack 0x%llx\n", (ull)row->start_pc,
                    (ull)row->start_sp);
        return;
    }
    term_printf(term, "guest:      ");
    term_puts_escaped(term, row->guest, strlen(row->guest));
    term_printf(term, ", number %u, node ", row->subid);
    term_puts_escaped(term, row->node, strlen(row->node));
    term_printf(term, "\nstart:      pc 0x%llx\n", (ull)row->start_pc);
    term_printf(term, "interrupts: %s\nemulation:  %s\n",
                row->has_irq ? "virtual interrupt controller attached" : "none",
                row->has_emu ? "context attached" : "none");
}

static void print_scheduling(struct terminal *term, const struct mterm_vcpu *row)
{
    term_printf(term, "slice left: %llu us%s\n", (ull)(row->slice_left / NS_PER_US),
                row->claims ? "; its CPU is promised to it" : "");
    if (row->budget != 0)
        term_printf(term, "reserved:   %llu us in each %llu us, within %llu us\n",
                    (ull)(row->budget / NS_PER_US), (ull)(row->period / NS_PER_US),
                    (ull)(row->deadline / NS_PER_US));
    term_printf(term, "waitqueue:  %s\n", row->waits ? "in one" : "in none");
}

static void print_requests(struct terminal *term, const struct mterm_vcpu *row)
{
    static const struct {
        uint32_t request;
        const char *name;
    } names[] = {
        {VCPU_REQUEST_PAUSE, " pause"},
        {VCPU_REQUEST_HALT, " halt"},
        {VCPU_REQUEST_RESET, " reset"},
        {VCPU_REQUEST_STOP, " stop"},
    };

    term_printf(term, "requests:  ");
    for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
        if (row->requests & names[i].request)
            term_printf(term, "%s", names[i].name);
    term_printf(term, "%s\n", row->requests == 0 ? " none" : "");
}

static void print_times(struct terminal *term, const struct mterm_vcpu *row)
{
    uint64_t now = clock_now();

    for (unsigned state = VCPU_RESET; state < VCPU_STATES; state++) {
        uint64_t ns = row->time_in[state];
        char label[24], time[32];

        if (state == row->state && now > row->state_since)
            ns += now - row->state_since;
        (void)fmt_snprintf(label, sizeof(label), "in %s:", vcpu_state_name((enum vcpu_state)state));
        mterm_duration(ns, time, sizeof(time));
        term_printf(term, "%-11s %s\n", label, time);
    }
}

// Nanoseconds of one exit; all causes that have occurred.
static void print_exits(struct terminal *term, const struct mterm_vcpu *row)
{
    if (row->exits == 0)
        return;
    term_printf(term, "exits by cause:      COUNT   MEAN ns    MAX ns  TOTAL us\n");
    for (unsigned i = 0; i < EXIT_CAUSES; i++) {
        const struct exit_stat *stat = &row->exit_stats[i];
        uint64_t total = clock_ticks_to_ns(stat->total);

        if (stat->count != 0)
            term_printf(term, "  %-11s %12llu %9llu %9llu %9llu\n", exit_cause_name(i),
                        (ull)stat->count, (ull)(total / stat->count),
                        (ull)clock_ticks_to_ns(stat->max), (ull)(total / 1000));
    }
}

void mterm_vcpu_describe(struct terminal *term, const struct mterm_vcpu *row)
{
    print_origin(term, row);
    print_scheduling(term, row);
    print_requests(term, row);
    print_times(term, row);
    print_exits(term, row);
}
