// SPDX-License-Identifier: Apache-2.0
// vcpu top: who uses the CPUs, as the difference between two looks at all VCPUs.
#include <hv/clock.h>
#include <hv/cpu.h>
#include <hv/heap.h>
#include <hv/mterm.h>
#include <hv/sched.h>
#include <lib/errno.h>
#include <lib/string.h>

/** The first screen comes after this time already. */
#define FIRST_NS (250 * NS_PER_MS)
#define LOADS_PER_LINE 5

struct look {
    struct mterm_vcpu *rows;
    unsigned count;
    uint64_t ns;
    uint64_t idle_ns[CONFIG_MAX_CPUS];
};

struct share {
    const struct mterm_vcpu *row;
    uint64_t permille;      /**< of one CPU's time */
    uint64_t exits;         /**< a second */
    uint64_t exit_permille; /**< of one CPU's time, in exits */
    const char *cause;      /**< of most exits */
};

struct top {
    struct terminal *term;
    bool live; /**< the screen is drawn over itself */
    unsigned lines;
    struct look before, now;
    uint64_t elapsed;
};

static int look(struct look *look)
{
    struct sched_cpu_stats stats;
    int err = mterm_vcpu_snapshot(&look->rows, &look->count);

    if (err < 0) {
        look->rows = NULL;
        return err;
    }
    look->ns = clock_now();
    for (unsigned cpu = 0; cpu < MIN(cpu_count(), (unsigned)CONFIG_MAX_CPUS); cpu++) {
        if (cpu_info(cpu)->status == CPU_ONLINE) {
            sched_get_cpu_stats(cpu, &stats);
            look->idle_ns[cpu] = stats.idle_ns;
        }
    }
    return 0;
}

static uint64_t permille(const struct top *top, uint64_t from, uint64_t to)
{
    uint64_t us = to > from ? (to - from) / 1000 : 0;

    return MIN(us * 1000 / top->elapsed, (uint64_t)1000);
}

static void end_line(struct top *top)
{
    term_printf(top->term, "%s\n", top->live ? "\x1b[K" : "");
    top->lines++;
}

static void print_loads(struct top *top)
{
    unsigned column = 0;

    for (unsigned cpu = 0; cpu < MIN(cpu_count(), (unsigned)CONFIG_MAX_CPUS); cpu++) {
        uint64_t idle;

        if (cpu_info(cpu)->status != CPU_ONLINE)
            continue;
        if (column == LOADS_PER_LINE) {
            end_line(top);
            column = 0;
        }
        idle = permille(top, top->before.idle_ns[cpu], top->now.idle_ns[cpu]);
        term_printf(top->term, "%scpu%-2u %3u.%u%%", column == 0 ? "" : "   ", cpu,
                    (unsigned)(1000 - idle) / 10, (unsigned)(1000 - idle) % 10);
        column++;
    }
    end_line(top);
}

// old: NULL for a VCPU that was not there before.
static void count_exits(const struct top *top, const struct mterm_vcpu *old, struct share *share)
{
    uint64_t ticks = 0, all = 0, most = 0;

    share->cause = "";
    for (unsigned i = 0; i < EXIT_CAUSES; i++) {
        const struct exit_stat *now = &share->row->exit_stats[i];
        uint64_t count = now->count - (old != NULL ? old->exit_stats[i].count : 0);

        ticks += now->total - (old != NULL ? old->exit_stats[i].total : 0);
        all += count;
        if (count > most) {
            most = count;
            share->cause = exit_cause_name(i);
        }
    }
    share->exits = all * 1000000 / top->elapsed;
    share->exit_permille = permille(top, 0, clock_ticks_to_ns(ticks));
}

// Both looks are in order of the ids.
static unsigned make_shares(const struct top *top, struct share *shares)
{
    const struct mterm_vcpu *old = top->before.rows;
    const struct mterm_vcpu *end = old + top->before.count;
    unsigned count = 0;

    for (unsigned i = 0; i < top->now.count; i++) {
        const struct mterm_vcpu *row = &top->now.rows[i];
        bool known;

        while (old < end && old->id < row->id)
            old++;
        known = old < end && old->id == row->id && str_equal(old->name, row->name);
        shares[count] = (struct share){
            .row = row,
            .permille = permille(top, known ? old->run_ns : 0, row->run_ns),
        };
        count_exits(top, known ? old : NULL, &shares[count++]);
    }
    return count;
}

static void sort_shares(struct share *shares, unsigned count)
{
    for (unsigned i = 1; i < count; i++) {
        struct share share = shares[i];
        unsigned at = i;

        for (; at > 0 && shares[at - 1].permille < share.permille; at--)
            shares[at] = shares[at - 1];
        shares[at] = share;
    }
}

static void print_share(struct top *top, const struct share *share)
{
    const struct mterm_vcpu *row = share->row;
    char state[64];

    mterm_vcpu_state_text(row, state, sizeof(state));
    term_printf(top->term, "%4u ", row->id);
    term_puts_cell(top->term, row->name, 20);
    term_printf(top->term, " %3u.%u %-17s %3u %8llu %3u.%u %s", (unsigned)share->permille / 10,
                (unsigned)share->permille % 10, state, row->cpu, (unsigned long long)share->exits,
                (unsigned)share->exit_permille / 10, (unsigned)share->exit_permille % 10,
                share->cause);
    end_line(top);
}

static void print_shares(struct top *top, const struct share *shares, unsigned count)
{
    unsigned room =
        top->live && top->term->rows > top->lines + 2 ? top->term->rows - top->lines - 2 : count;

    term_printf(top->term, "  ID NAME                  CPU%% STATE             CPU  EXITS/S"
                           " EXIT%% MOST");
    end_line(top);
    for (unsigned i = 0; i < MIN(room, count) && !term_interrupted(top->term); i++)
        print_share(top, &shares[i]);
    if (room < count) {
        term_printf(top->term, "and %u more", count - room);
        end_line(top);
    }
}

static int print_screen(struct top *top)
{
    struct share *shares = heap_calloc(MAX(top->now.count, 1U), sizeof(*shares));
    unsigned count;

    if (shares == NULL)
        return -ENOMEM;
    top->elapsed = MAX((top->now.ns - top->before.ns) / 1000, (uint64_t)1);
    top->lines = 0;
    count = make_shares(top, shares);
    sort_shares(shares, count);
    term_printf(top->term, "%s%u VCPUs, %llu.%03llu s%s", top->live ? "\x1b[H" : "", count,
                (unsigned long long)(top->elapsed / 1000000),
                (unsigned long long)(top->elapsed / 1000 % 1000), top->live ? "; q leads back" : "");
    end_line(top);
    print_loads(top);
    print_shares(top, shares, count);
    if (top->live)
        term_printf(top->term, "\x1b[J");
    heap_free(shares);
    return 0;
}

// The new look becomes the old one of the next screen.
static int next_screen(struct top *top)
{
    int err = look(&top->now);

    if (err == 0)
        err = print_screen(top);
    heap_free(top->before.rows);
    top->before = top->now;
    top->now.rows = NULL;
    return err;
}

static int run_top(struct top *top, uint64_t interval_ns)
{
    int err = look(&top->before);
    bool end;

    if (err < 0)
        return err;
    if (!top->live)
        return mterm_sleep(top->term, interval_ns) < 0 ? -EINTR : next_screen(top);
    term_printf(top->term, "\x1b[2J");
    end = mterm_pause(top->term, MIN(interval_ns, (uint64_t)FIRST_NS));
    while (!end && err == 0) {
        err = next_screen(top);
        end = mterm_pause(top->term, interval_ns);
    }
    return err;
}

int mterm_top(struct terminal *term, uint64_t interval_ns)
{
    struct top *top = heap_zalloc(sizeof(*top));
    int err;

    if (top == NULL)
        return -ENOMEM;
    mterm_live(term);
    top->term = term;
    top->live = term->read != NULL;
    err = run_top(top, interval_ns);
    heap_free(top->before.rows);
    heap_free(top);
    return err;
}
