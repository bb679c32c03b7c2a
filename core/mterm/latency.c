// SPDX-License-Identifier: Apache-2.0
// Command host latency: the longest exits by cause; in debug builds also how they are distributed,
// and how long interrupts were masked.
#include <hv/clock.h>
#include <hv/cpu.h>
#include <hv/latency.h>
#include <hv/mterm.h>
#include <hv/smp.h>
#include <hv/symbol.h>
#include <hv/vcpu.h>
#include <lib/errno.h>

typedef unsigned long long ull;

#ifdef CONFIG_DEBUG_LATENCY
/** Sum of a row over all CPUs, and the CPU that has its maximum. */
static unsigned sum_row(unsigned index, struct latency_row *sum)
{
    unsigned worst = 0;

    *sum = (struct latency_row){0};
    for (unsigned cpu = 0; cpu < SMP_CPUS_MAX; cpu++) {
        const struct latency_row *row;

        if ((cpu_online() & CPU_MASK(cpu)) == 0)
            continue;
        row = &latency_of(cpu)->rows[index];
        if (row->max > sum->max)
            worst = cpu;
        latency_add(sum, row);
    }
    return worst;
}

static void print_buckets(struct terminal *term, const struct latency_row *row)
{
    for (unsigned i = 0; i < LATENCY_BUCKETS; i++) {
        bool last = i == LATENCY_BUCKETS - 1;

        if (row->buckets[i] != 0)
            term_printf(term, " %s%llu:%llu", last ? ">=" : "<",
                        (ull)LATENCY_FIRST_NS << (last ? i - 1 : i), (ull)row->buckets[i]);
    }
    term_printf(term, "\n");
}

static void print_place(struct terminal *term, const char *word, uintptr_t place)
{
    struct symbol symbol;

    if (symbol_find(place, &symbol))
        term_printf(term, " %s %s+0x%x", word, symbol.name, symbol.offset);
    else
        term_printf(term, " %s 0x%llx", word, (ull)place);
}

static void print_longest(struct terminal *term, unsigned cpu)
{
    const struct latency *latency = latency_of(cpu);

    term_printf(term, "longest masked: %llu ns on CPU %u,", (ull)latency->rows[LATENCY_MASKED].max,
                cpu);
    print_place(term, "from", latency->longest_from);
    print_place(term, "to", latency->longest_to);
    term_printf(term, "\n");
}

static void print_all(struct terminal *term)
{
    struct latency_row row;
    unsigned cpu = 0;

    term_printf(term, "CAUSE          COUNT     MAX ns CPU HISTOGRAM (ns:count)\n");
    for (unsigned i = 0; i < LATENCY_ROWS; i++) {
        cpu = sum_row(i, &row);
        if (row.count == 0)
            continue;
        term_printf(term, "%-9s %10llu %10llu %3u",
                    i == LATENCY_MASKED ? "masked" : exit_cause_name(i), (ull)row.count,
                    (ull)row.max, cpu);
        print_buckets(term, &row);
    }
    if (row.count != 0)
        print_longest(term, cpu);
}

int mterm_latency(struct terminal *term, bool reset)
{
    if (reset)
        latency_reset();
    else
        print_all(term);
    return 0;
}
#else
static void add_exits(struct vcpu *vcpu, void *arg)
{
    struct exit_stat *sums = arg;

    for (unsigned i = 0; i < EXIT_CAUSES; i++) {
        sums[i].count += vcpu->exit_stats[i].count;
        sums[i].max = MAX(sums[i].max, vcpu->exit_stats[i].max);
    }
}

int mterm_latency(struct terminal *term, bool reset)
{
    struct exit_stat sums[EXIT_CAUSES] = {0};

    if (reset)
        return mterm_error(term, -ENOSYS, "nothing to reset without", "CONFIG_DEBUG_LATENCY");
    vcpu_for_each(add_exits, sums);
    term_printf(term, "CAUSE          COUNT     MAX ns\n");
    for (unsigned i = 0; i < EXIT_CAUSES; i++)
        if (sums[i].count != 0)
            term_printf(term, "%-9s %10llu %10llu\n", exit_cause_name(i), (ull)sums[i].count,
                        (ull)clock_ticks_to_ns(sums[i].max));
    term_printf(term, "histograms, and how long interrupts are masked: by CONFIG_DEBUG_LATENCY\n");
    return 0;
}
#endif
