// SPDX-License-Identifier: Apache-2.0
// Command host: the machine underneath.
#include <hv/chardev.h>
#include <hv/clock.h>
#include <hv/cpu.h>
#include <hv/device.h>
#include <hv/guest.h>
#include <hv/heap.h>
#include <hv/irq.h>
#include <hv/mterm.h>
#include <hv/page.h>
#include <hv/sched.h>
#include <hv/version.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

typedef unsigned long long ull;

static void print_devices(struct terminal *term)
{
    unsigned bound = 0, failed = 0, waiting = 0;

    for (struct device *dev = device_next(NULL); dev != NULL; dev = device_next(dev)) {
        bound += dev->state == DEVICE_BOUND;
        failed += dev->state == DEVICE_FAILED;
        waiting += dev->state == DEVICE_WAITING;
    }
    term_printf(term, "devices:    %u driven, %u failed, %u waiting\n", bound, failed, waiting);
}

static void print_console(struct terminal *term)
{
    struct chardev *console = chardev_console();
    struct chardev_stats stats;

    if (console == NULL) {
        term_printf(term, "console:    none\n");
        return;
    }
    chardev_get_stats(console, &stats);
    term_printf(term, "console:    %s, %llu out (%llu dropped), %llu in (%llu lost)\n",
                chardev_name(console), (ull)stats.tx_bytes, (ull)stats.tx_dropped,
                (ull)stats.rx_bytes, (ull)stats.rx_lost);
}

static int host_info(struct terminal *term, int argc UNUSED, char **argv UNUSED)
{
    struct page_stats pages;
    char uptime[32];

    page_get_stats(&pages);
    mterm_duration(clock_now(), uptime, sizeof(uptime));
    term_printf(term, "version:    %s %s\n", HV_NAME, HV_VERSION);
    term_printf(term, "uptime:     %s\n", uptime);
    term_printf(term, "boot:       %llu ticks from power-on to the prompt\n",
                (ull)mterm_prompt_counter());
    term_printf(term, "cpus:       %u of %u online\n", cpu_online_count(), cpu_count());
    term_printf(term, "memory:     %llu MiB, %llu MiB free\n", (ull)(pages.total >> 20),
                (ull)(pages.free >> 20));
    term_printf(term, "interrupts: %s, %u lines\n", irq_chip() == NULL ? "none" : irq_chip()->name,
                irq_chip() == NULL ? 0 : irq_chip()->total);
    term_printf(term, "counter:    %llu Hz\n", (ull)mterm_counter_frequency());
    term_printf(term, "scheduler:  %s\n", sched_policy()->name);
    term_printf(term, "guests:     %u\n", guest_count());
    term_printf(term, "vcpus:      %u with threads\n", vcpu_count());
    print_console(term);
    print_devices(term);
    return 0;
}

static void cpu_reason(const struct cpu_info *info, char *buf, size_t size)
{
    switch (info->status) {
    case CPU_ABSENT:
        (void)fmt_snprintf(buf, size, "not started");
        break;
    case CPU_FAILED:
        (void)fmt_snprintf(buf, size, "firmware refused to start it: %s", error_name(info->error));
        break;
    case CPU_TIMED_OUT:
        (void)fmt_snprintf(buf, size, "firmware started it, but it never arrived");
        break;
    case CPU_DISABLED:
        (void)fmt_snprintf(buf, size, "disabled: %s", error_name(info->error));
        break;
    case CPU_ONLINE:
        (void)fmt_snprintf(buf, size, "online");
        break;
    }
}

static void print_cpu(struct terminal *term, unsigned cpu)
{
    const struct cpu_info *info = cpu_info(cpu);
    struct sched_cpu_stats stats;
    uint64_t now = clock_now();
    char text[96];

    if (info->status != CPU_ONLINE) {
        cpu_reason(info, text, sizeof(text));
        term_printf(term, "cpu%-2u 0x%-5llx %s\n", cpu, (ull)info->hwid, text);
        return;
    }
    mterm_cpu_name(cpu, text, sizeof(text));
    sched_get_cpu_stats(cpu, &stats);
    term_printf(term, "cpu%-2u 0x%-5llx online, %s, idle %llu%%, %llu switches\n", cpu,
                (ull)info->hwid, text, (ull)(now == 0 ? 0 : MIN(stats.idle_ns, now) * 100 / now),
                (ull)stats.switches);
}

static int host_cpu(struct terminal *term, int argc UNUSED, char **argv UNUSED)
{
    for (unsigned cpu = 0; cpu < cpu_count(); cpu++) {
        if (term_interrupted(term))
            return -EINTR;
        print_cpu(term, cpu);
    }
    return 0;
}

static void print_ranges(struct terminal *term)
{
    const char *what;
    uint64_t size;
    hpa_t start;

    for (unsigned i = 0; page_ram_range(i, &start, &size); i++) {
        term_printf(term, "ram:      0x%010llx..0x%010llx %llu KiB\n", (ull)start.v,
                    (ull)(start.v + size - 1), (ull)(size >> 10));
    }
    for (unsigned i = 0; page_reserved_range(i, &start, &size, &what); i++) {
        term_printf(term, "reserved: 0x%010llx..0x%010llx %llu KiB %s\n", (ull)start.v,
                    (ull)(start.v + size - 1), (ull)(size >> 10), what);
    }
}

static int host_memory(struct terminal *term, int argc UNUSED, char **argv UNUSED)
{
    struct page_stats pages;
    struct heap_stats heap;

    page_get_stats(&pages);
    heap_get_stats(&heap);
    term_printf(term, "total:    %llu KiB\n", (ull)(pages.total >> 10));
    term_printf(term, "free:     %llu KiB, largest block %llu KiB\n", (ull)(pages.free >> 10),
                (ull)(pages.largest_free >> 10));
    term_printf(term, "reserved: %llu KiB\n", (ull)(pages.reserved >> 10));
    print_ranges(term);
    term_printf(term, "heap:     %llu objects, %llu bytes in %llu KiB\n", (ull)heap.objects,
                (ull)heap.bytes_used, (ull)(heap.bytes_taken >> 10));
    term_printf(term, "failures: %llu of %llu pages requests, %llu of %llu heap requests\n",
                (ull)pages.fail_count, (ull)pages.alloc_count, (ull)heap.fails, (ull)heap.allocs);
    term_printf(term,
                "census: pages=%llu heap_objects=%llu heap_bytes=%llu vcpus=%u guests=%u "
                "timers=%u\n",
                (ull)(pages.free / PAGE_SIZE), (ull)heap.objects, (ull)heap.bytes_used,
                vcpu_count(), guest_count(), mterm_timer_count());
    return 0;
}

static int host_latency(struct terminal *term, int argc, char **argv)
{
    if (argc > 0 && !str_equal(argv[0], "reset"))
        return mterm_error(term, -EINVAL, "no such argument:", argv[0]);
    return mterm_latency(term, argc > 0);
}

static const struct command_verb host_verbs[] = {
    {
        .name = "info",
        .usage = "",
        .help = "the machine on one page",
        .run = host_info,
    },
    {
        .name = "cpu",
        .usage = "",
        .help = "a line for each CPU: online, or why not",
        .run = host_cpu,
    },
    {
        .name = "memory",
        .usage = "",
        .help = "RAM, heap, and a census of objects",
        .run = host_memory,
    },
    {
        .name = "latency",
        .usage = "[reset]",
        .help = "the longest exits by cause; debug builds: histograms, interrupts held off",
        .max_args = 1,
        .run = host_latency,
    },
};
static const struct command host = {
    .name = "host",
    .group = "Host",
    .help = "the machine underneath",
    .details = "Memory ends with a line \"census: pages=... heap_objects=... heap_bytes=...\n"
               "vcpus=... guests=... timers=...\" of what is free (pages) and in use (the rest):\n"
               "equal before and after, nothing has leaked.\n"
               "Latency counts from the vector to where the way back begins, over the VCPUs that\n"
               "exist. With CONFIG_DEBUG_LATENCY it counts up to the return to the guest (not\n"
               "what the VCPU waits or others run meanwhile), since the start or the last reset,\n"
               "and the row \"masked\" tells how long interrupts were held off.\n",
    .verbs = host_verbs,
    .verb_count = ARRAY_SIZE(host_verbs),
};
COMMAND(host);
