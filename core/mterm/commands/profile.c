// SPDX-License-Identifier: Apache-2.0
// Command profile: where the CPUs spend their time.
#include <hv/heap.h>
#include <hv/mterm.h>
#include <hv/profile.h>
#include <lib/errno.h>
#include <lib/parse.h>

#define HZ_DEFAULT 997 /* prime: it does not march in step with anything periodic */
#define ROWS_DEFAULT 20
#define ROWS_MAX 1000

static int profile_start_run(struct terminal *term, int argc, char **argv)
{
    uint32_t hz = HZ_DEFAULT;
    int err = argc > 0 ? parse_u32(argv[0], &hz) : 0;

    if (err == 0)
        err = profile_start(hz);
    if (err == -EINVAL || err == -ERANGE) {
        (void)mterm_error(term, err, "profile start:", argv[0]);
        term_printf(term, "samples a second: 1 to %u\n", PROFILE_HZ_MAX);
    } else if (err < 0) {
        (void)mterm_error(term, err, "profile", "start");
    }
    return err;
}

static int profile_stop_run(struct terminal *term, int argc UNUSED, char **argv UNUSED)
{
    int err = profile_stop();

    return err < 0 ? mterm_error(term, err, "profile", "stop") : 0;
}

/* Tenths of a percent. */
static unsigned share(uint64_t part, uint64_t whole)
{
    return whole == 0 ? 0 : (unsigned)(part * 1000 / whole);
}

static void print_totals(struct terminal *term, const struct profile_totals *totals)
{
    char time[32];

    mterm_duration(totals->duration_ns, time, sizeof(time));
    term_printf(term, "%s: %llu samples in %s, %u a second on each CPU\n",
                totals->running ? "running" : "stopped", (unsigned long long)totals->samples, time,
                totals->hz);
    term_printf(term, "hypervisor %llu, guests %llu, unknown %llu\n",
                (unsigned long long)totals->hypervisor, (unsigned long long)totals->guests,
                (unsigned long long)totals->unknown);
}

static void print_rows(struct terminal *term, const struct profile_row *rows, int count,
                       uint64_t samples)
{
    term_printf(term, " SELF%%  TOTAL%%  SAMPLES  WHERE\n");
    for (int i = 0; i < count && !term_interrupted(term); i++) {
        unsigned self = share(rows[i].self, samples), total = share(rows[i].total, samples);

        term_printf(term, "%4u.%u  %5u.%u %8u  %s", self / 10, self % 10, total / 10, total % 10,
                    rows[i].self, rows[i].is_guest ? "guest " : "");
        term_puts_cell(term, rows[i].name, 0);
        term_printf(term, "\n");
    }
}

static int profile_report_run(struct terminal *term, int argc, char **argv)
{
    struct profile_totals totals;
    uint32_t max = ROWS_DEFAULT;
    struct profile_row *rows;
    int count = argc > 0 ? parse_u32(argv[0], &max) : 0;

    if (count < 0 || max == 0 || max > ROWS_MAX)
        return mterm_error(term, count < 0 ? count : -ERANGE, "profile report: rows", argv[0]);
    rows = heap_calloc(max, sizeof(*rows));
    if (rows == NULL)
        return mterm_error(term, -ENOMEM, "profile", "report");
    count = profile_report(rows, max, &totals);
    if (count >= 0) {
        print_totals(term, &totals);
        print_rows(term, rows, count, totals.samples);
    } else {
        (void)mterm_error(term, count, "profile", "report");
        term_printf(term, "nothing was profiled yet; \"profile start\" begins\n");
    }
    heap_free(rows);
    return count < 0 ? count : 0;
}

static const struct command_verb profile_verbs[] = {
    {
        .name = "start",
        .usage = "[HZ]",
        .help = "forget earlier samples and sample all CPUs, 997 times a second or HZ (1 to 10000)",
        .max_args = 1,
        .run = profile_start_run,
    },
    {
        .name = "stop",
        .usage = "",
        .help = "sample no more; the counts stay",
        .run = profile_stop_run,
    },
    {
        .name = "report",
        .usage = "[ROWS]",
        .help = "the functions and guests' VCPUs with most samples; 20 or ROWS of them",
        .max_args = 1,
        .run = profile_report_run,
    },
};
static const struct command profile_command = {
    .name = "profile",
    .group = "Host",
    .help = "where the CPUs spend their time",
    .verbs = profile_verbs,
    .verb_count = ARRAY_SIZE(profile_verbs),
};
COMMAND(profile_command);
