// SPDX-License-Identifier: Apache-2.0
// Command thread: the hypervisor's own threads and their queues of work.
#include <hv/heap.h>
#include <hv/mterm.h>
#include <hv/symbol.h>
#include <hv/thread.h>
#include <hv/workqueue.h>
#include <lib/errno.h>
#include <lib/fmt.h>

#define QUEUES_MAX 16

/** The function's name, or its address where there is no table. */
static void function_text(uintptr_t addr, char *buf, size_t size)
{
    struct symbol symbol;

    if (symbol_find(addr, &symbol))
        fmt_snprintf(buf, size, "%s", symbol.name);
    else
        fmt_snprintf(buf, size, "0x%llx", (unsigned long long)addr);
}

static void print_thread(struct terminal *term, const struct thread_info *row)
{
    char time[32], slice[32], function[SYMBOL_NAME_MAX];

    mterm_duration(row->run_ns, time, sizeof(time));
    mterm_duration(row->time_slice, slice, sizeof(slice));
    function_text(row->fn, function, sizeof(function));
    term_printf(term, "%4u ", row->id);
    term_puts_cell(term, row->name, 16);
    term_printf(term, " %-8s %u%c %-2s %10s %3u %12s %10llu  %s\n", thread_state_name(row->state),
                row->priority, row->priority != row->base_priority ? '+' : ' ',
                row->uses_fp ? "fp" : "", slice, row->cpu, time, (unsigned long long)row->switches,
                function);
}

static int thread_list(struct terminal *term, int argc UNUSED, char **argv UNUSED)
{
    struct thread_info *rows;
    unsigned count;
    int err = thread_get_all(&rows, &count);

    if (err < 0)
        return mterm_error(term, err, "thread", "list");
    term_printf(term, "  ID NAME             STATE    PRIO       SLICE CPU         TIME   SWITCHES  "
                      "FUNCTION\n");
    for (unsigned i = 0; i < count && !term_interrupted(term); i++)
        print_thread(term, &rows[i]);
    heap_free(rows);
    return 0;
}

struct queue_row {
    char name[17];
    struct workqueue_stats stats;
};

struct queue_rows {
    unsigned count;
    struct queue_row row[QUEUES_MAX];
};

static void copy_queue(const struct workqueue_stats *stats, void *arg)
{
    struct queue_rows *rows = arg;
    struct queue_row *row = &rows->row[rows->count];

    if (rows->count == QUEUES_MAX)
        return;
    row->stats = *stats;
    fmt_snprintf(row->name, sizeof(row->name), "%s", stats->name);
    rows->count++;
}

static void print_queue(struct terminal *term, const struct queue_row *row)
{
    char function[SYMBOL_NAME_MAX] = "";

    if (row->stats.running != NULL)
        function_text((uintptr_t)row->stats.running, function, sizeof(function));
    term_puts_cell(term, row->name, 16);
    term_printf(term, " %4u %7u %10llu  %s\n", row->stats.priority, row->stats.queued,
                (unsigned long long)row->stats.done, function);
}

static int thread_queues(struct terminal *term, int argc UNUSED, char **argv UNUSED)
{
    struct queue_rows *rows = heap_zalloc(sizeof(*rows));

    if (rows == NULL)
        return mterm_error(term, -ENOMEM, "thread", "queues");
    workqueue_for_each(copy_queue, rows);
    term_printf(term, "NAME             PRIO  QUEUED       DONE  RUNNING\n");
    for (unsigned i = 0; i < rows->count && !term_interrupted(term); i++)
        print_queue(term, &rows->row[i]);
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
    {
        .name = "queues",
        .usage = "",
        .help = "queues of deferred work, each served by a thread",
        .run = thread_queues,
    },
};
static const struct command thread_command = {
    .name = "thread",
    .group = "Host",
    .help = "the hypervisor's own threads",
    .details = "PRIO is followed by + while the thread runs at the priority of another that\n"
               "waits for a mutex it holds, and by fp when it has declared that it uses FP\n"
               "registers. FUNCTION is what it runs. Threads are asked to stop, never killed.\n",
    .verbs = thread_verbs,
    .verb_count = ARRAY_SIZE(thread_verbs),
};
COMMAND(thread_command);
