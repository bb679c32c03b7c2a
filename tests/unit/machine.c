// SPDX-License-Identifier: Apache-2.0
// A machine for unit tests that has booted as far as threads.

#include <hv/clock.h>
#include <hv/cpu.h>
#include <hv/ctx.h>
#include <hv/heap.h>
#include <hv/hrtimer.h>
#include <hv/irq.h>
#include <hv/match.h>
#include <hv/page.h>
#include <hv/panic.h>
#include <hv/percpu.h>
#include <hv/sched.h>
#include <hv/smp.h>
#include <hv/thread.h>
#include <hv/vcpu.h>
#include <lib/string.h>
#include <port/host.h>
#include <port/machine.h>
#include <port/mmu.h>

#define RAM_SIZE (256ULL << 20)
#define IMAGE_SIZE (2ULL << 20)

static unsigned cpu_total;
static bool smp_ready[SMP_CPUS_MAX];

static int timer_init(struct dt_node *node)
{
    (void)node;
    return 0;
}

static const char *const timer_compatible[] = {"test,machine-timer", NULL};
HOST_TIMER(machine, timer_compatible, timer_init);

static void require(int error, const char *what)
{
    if (error != 0)
        panic("test machine: %s: %d", what, error);
}

static void make_tree(void)
{
    struct dt_node *node;

    require(dt_init(), "dt_init");
    require(dt_add_node(dt_root(), "timer", &node), "timer node");
    require(dt_set_string(node, "compatible", timer_compatible[0]), "timer node");
}

/* What happens once in a program. */
static void power_on(void)
{
    require(page_reserve(hpa(HOST_RAM_BASE), IMAGE_SIZE, "image"), "page_reserve");
    require(page_add_range(hpa(HOST_RAM_BASE), RAM_SIZE), "page_add_range");
    make_tree();
    irq_set_chip(&host_irqchip);
    require(sched_init(), "sched_init");
}

static void make_percpu(unsigned cpu)
{
    unsigned order = 0;
    hpa_t memory;

    while ((PAGE_SIZE << order) < percpu_size())
        order++;
    require(page_alloc(order, PAGE_OWNER_PERCPU, &memory), "percpu");
    percpu_create(cpu, arch_mmu_linear(memory));
}

static void start_cpu(unsigned cpu)
{
    if (cpu != 0 && percpu_offsets[cpu] == 0)
        make_percpu(cpu);
    host_cpu_switch(cpu);
    arch_irq_disable();
    memset(&this_cpu(ctx_state), 0, sizeof(struct ctx_state));
    require(cpu == 0 ? clock_init() : clock_init_cpu(), "clock");
    require(sched_init_cpu(), "sched_init_cpu");
    if (!smp_ready[cpu])
        require(smp_init_cpu(), "smp_init_cpu");
    smp_ready[cpu] = true;
    cpu_set_online(cpu);
    arch_irq_enable();
}

void machine_start(unsigned cpus)
{
    host_reset();
    if (cpu_total == 0)
        power_on();
    cpu_total = cpus > cpu_total ? cpus : cpu_total;
    cpu_set_count(cpu_total);
    for (unsigned cpu = 0; cpu < cpu_total; cpu++)
        start_cpu(cpu);
    host_cpu_switch(0);
}

static bool run_cpu(unsigned cpu)
{
    struct sched_cpu_stats before, after;

    host_cpu_switch(cpu);
    sched_get_cpu_stats(cpu, &before);
    sched_schedule();
    sched_get_cpu_stats(cpu, &after);
    return after.switches != before.switches;
}

void machine_run(void)
{
    bool again;

    do {
        again = false;
        for (unsigned cpu = 0; cpu < cpu_total; cpu++)
            again |= run_cpu(cpu);
    } while (again);
    host_cpu_switch(0);
}

/* The next deadline of any CPU. */
static bool next_event(uint64_t *counter)
{
    bool found = false;

    for (unsigned cpu = 0; cpu < cpu_total; cpu++) {
        uint64_t deadline;

        if (!host_clock_deadline(cpu, &deadline) || (found && deadline >= *counter))
            continue;
        *counter = deadline;
        found = true;
    }
    return found;
}

void machine_run_for(uint64_t ns)
{
    uint64_t end = clock_ns_to_counter(clock_now() + ns);
    uint64_t event;

    machine_run();
    while (next_event(&event) && event <= end) {
        host_clock_set(event);
        machine_run();
    }
    host_clock_set(end);
    machine_run();
}

bool machine_run_until(bool (*done)(void *arg), void *arg)
{
    machine_run();
    while (!done(arg)) {
        if (!host_clock_advance_to_event())
            return false;
        machine_run();
    }
    return true;
}

static bool has_stopped(void *thread)
{
    return thread_state(thread) == THREAD_STOPPED;
}

int machine_call(int (*fn)(void *arg), void *arg)
{
    struct thread *thread;
    int code;

    require(thread_create("test", fn, arg, SCHED_PRIORITY_DEFAULT, 0, &thread), "thread_create");
    require(thread_start(thread), "thread_start");
    if (!machine_run_until(has_stopped, thread))
        panic("test machine: the thread sleeps for ever");
    require(thread_join(thread, &code), "thread_join");
    return code;
}

struct machine_census machine_census(void)
{
    struct heap_stats heap;
    struct page_stats pages;

    heap_get_stats(&heap);
    page_get_stats(&pages);
    return (struct machine_census){
        .heap_objects = heap.objects, .pages_free = pages.free, .vcpus = vcpu_count()};
}
