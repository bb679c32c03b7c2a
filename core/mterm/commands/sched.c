// SPDX-License-Identifier: Apache-2.0
// Command sched: the scheduler's policy, what each CPU does and how busy it is, and who waits.
#include <hv/clock.h>
#include <hv/heap.h>
#include <hv/mterm.h>
#include <hv/sched.h>
#include <hv/spinlock.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/parse.h>
#include <lib/string.h>

typedef unsigned long long ull;

/* VCPUs that may come to wait between counting and copying. */
#define QUEUE_SPARE 8

/* Figures of the last "sched show", to tell the load since then. */
static struct {
    struct spinlock lock;
    struct sample {
        uint64_t now_ns, idle_ns;
    } last[SMP_CPUS_MAX];
} load = {.lock = SPINLOCK_INIT};

/* Part of the time since the last look at that CPU in which it was not idle, in 1/1000. */
static unsigned busy_permille(unsigned cpu, const struct sched_cpu_stats *stats)
{
    struct sample now = {.now_ns = stats->now_ns, .idle_ns = stats->idle_ns};
    irqflags_t flags = spin_lock_irqsave(&load.lock);
    struct sample last = load.last[cpu];
    uint64_t span, idle;

    load.last[cpu] = now;
    spin_unlock_irqrestore(&load.lock, flags);
    span = now.now_ns - last.now_ns;
    idle = now.idle_ns - last.idle_ns;
    if (span < 1000 || idle >= span)
        return 0;
    return (unsigned)((span - idle) / (span / 1000));
}

static void find_name(struct vcpu *vcpu, void *arg)
{
    struct sched_waiter *row = arg;

    if (vcpu->id == row->id)
        (void)str_copy(row->name, vcpu->name, sizeof(row->name));
}

static void print_waiting(struct terminal *term, unsigned cpu)
{
    unsigned ready[SCHED_PRIORITY_MAX + 1];

    if (sched_get_queue(cpu, NULL, 0, ready) == 0)
        return;
    term_printf(term, "     ready by priority:");
    for (unsigned i = SCHED_PRIORITY_MAX + 1; i-- > 0;)
        if (ready[i] != 0)
            term_printf(term, " %u:%u", i, ready[i]);
    term_printf(term, "\n");
}

static void print_cpu(struct terminal *term, unsigned cpu)
{
    struct sched_waiter running = {.name = "idle"};
    struct sched_cpu_stats stats;
    unsigned permille;
    char idle[32];

    sched_get_cpu_stats(cpu, &stats);
    permille = MIN(busy_permille(cpu, &stats), 1000U);
    running.id = stats.running;
    if (running.id != 0)
        vcpu_for_each(find_name, &running);
    mterm_duration(stats.idle_ns, idle, sizeof(idle));
    term_printf(term, "%3u  ", cpu);
    term_puts_cell(term, running.name, 18);
    term_printf(term, " %5u %3u.%u%% %10llu %10llu %14s %s\n", stats.ready, permille / 10,
                permille % 10, (ull)stats.switches, (ull)stats.preemptions, idle,
                stats.event_ns == SCHED_NEVER ? "off" : "armed");
}

static int sched_show(struct terminal *term, int argc UNUSED, char **argv UNUSED)
{
    const struct sched_policy *policy = sched_policy();

    term_printf(term, "policy:     %s (%s)\ntime slice: %llu us\n", policy->name, policy->help,
                (ull)(sched_default_slice() / NS_PER_US));
    term_printf(term, "CPU  RUNNING            READY   LOAD   SWITCHES PREEMPTED      IDLE TIME "
                      "TIMER\n");
    for (unsigned cpu = 0; cpu < SMP_CPUS_MAX; cpu++) {
        if (!(cpu_online() & CPU_MASK(cpu)))
            continue;
        if (term_interrupted(term))
            return -EINTR;
        print_cpu(term, cpu);
        print_waiting(term, cpu);
    }
    return 0;
}

static int print_queue(struct terminal *term, const struct sched_waiter *rows, unsigned count)
{
    term_printf(term, "  ID NAME               PRIO   SLICE LEFT\n");
    for (unsigned i = 0; i < count; i++) {
        if (term_interrupted(term))
            return -EINTR;
        term_printf(term, "%4u ", rows[i].id);
        term_puts_cell(term, rows[i].name, 18);
        term_printf(term, " %4u %9llu us%s%s\n", rows[i].priority,
                    (ull)(rows[i].slice_left / NS_PER_US),
                    rows[i].urgent ? "  has a request to obey" : "",
                    rows[i].claims && rows[i].slice_left == 0 ? "  waits for its next period" : "");
    }
    return 0;
}

static int sched_queue(struct terminal *term, int argc UNUSED, char **argv)
{
    struct sched_waiter *rows;
    struct sched_cpu_stats stats;
    unsigned size, count;
    uint32_t cpu;
    int err = parse_u32(argv[0], &cpu);

    if (err == 0 && (cpu >= SMP_CPUS_MAX || !(cpu_online() & CPU_MASK(cpu))))
        err = -ENODEV;
    if (err != 0)
        return mterm_error(term, err, "sched queue: cpu", argv[0]);
    sched_get_cpu_stats(cpu, &stats);
    size = stats.ready + QUEUE_SPARE;
    rows = heap_calloc(size, sizeof(*rows));
    if (rows == NULL)
        return mterm_error(term, -ENOMEM, "sched", "queue");
    count = sched_get_queue(cpu, rows, size, NULL);
    err = print_queue(term, rows, MIN(count, size));
    if (err == 0)
        term_printf(term, "waiting for CPU %u, in the order of policy %s: %u\n", cpu,
                    sched_policy()->name, count);
    heap_free(rows);
    return err;
}

static const struct command_verb sched_verbs[] = {
    {
        .name = "show",
        .usage = "",
        .help = "policy, and for each CPU: who runs, who waits, load since the last look",
        .run = sched_show,
    },
    {
        .name = "queue",
        .usage = "CPU",
        .help = "who waits for that CPU, in the order of the policy",
        .min_args = 1,
        .max_args = 1,
        .run = sched_queue,
    },
};
static const struct command sched_command = {
    .name = "sched",
    .group = "Host",
    .help = "the scheduler: policy, CPUs, queues",
    .verbs = sched_verbs,
    .verb_count = ARRAY_SIZE(sched_verbs),
};
COMMAND(sched_command);
