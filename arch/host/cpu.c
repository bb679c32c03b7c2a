// SPDX-License-Identifier: Apache-2.0
// Host port: simulated CPUs that one OS thread plays in turn, and serving their interrupts.

#include <arch/irqflags.h>
#include <hv/ctx.h>
#include <hv/percpu.h>
#include <hv/sched.h>
#include <hv/upcall.h>
#include <port/internal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* More interrupts than this in one go: a handler does not quiet its device. */
#define STORM_LIMIT 100000

struct host_cpu_state host_cpus[SMP_CPUS_MAX];

_Thread_local uintptr_t host_percpu_offset;
static _Thread_local unsigned current_cpu;

unsigned host_cpu(void)
{
    return current_cpu;
}

/* Play a CPU without serving anything. */
static void play(unsigned cpu)
{
    current_cpu = cpu;
    host_percpu_offset = percpu_offsets[cpu];
}

static bool serve_once(unsigned cpu)
{
    bool served = false;

    if (host_timer_is_due(cpu)) {
        ctx_enter_irq();
        hv_timer_interrupt();
        ctx_leave_irq();
        served = true;
    }
    if (host_irqchip_has_work(cpu)) {
        hv_irq();
        served = true;
    }
    return served;
}

void host_irq_serve(unsigned cpu, bool preempt)
{
    struct host_cpu_state *state = &host_cpus[cpu];
    unsigned rounds = 0;

    if (!host_timer_is_due(cpu) && !host_irqchip_has_work(cpu))
        return;
    state->irq_masked = true;
    while (serve_once(cpu)) {
        if (++rounds > STORM_LIMIT) {
            fprintf(stderr, "host port: interrupt storm on CPU %u\n", cpu);
            abort();
        }
    }
    if (preempt)
        sched_preempt_irq();
    else
        state->resched_check = true;
    host_cpus[current_cpu].irq_masked = false;
}

bool host_irq_masked(void)
{
    return host_cpus[current_cpu].irq_masked;
}

void host_irq_mask(bool masked)
{
    host_cpus[current_cpu].irq_masked = masked;
    if (!masked)
        host_irq_poll();
}

void host_irq_poll(void)
{
    unsigned self = current_cpu;
    struct host_cpu_state *state = &host_cpus[self];

    if (state->irq_masked)
        return;
    host_irq_serve(self, true);
    if (!state->resched_check)
        return;
    state->resched_check = false;
    state->irq_masked = true;
    sched_preempt_irq();
    state->irq_masked = false;
}

/*
 * What became pending on a CPU is served now if it has interrupts unmasked, whichever CPU is being
 * played.
 */
static void poll_cpu(unsigned cpu)
{
    unsigned self = current_cpu;

    if (cpu == self) {
        host_irq_poll();
        return;
    }
    if (host_cpus[cpu].irq_masked || !percpu_is_there(cpu))
        return;
    play(cpu);
    host_irq_serve(cpu, false);
    play(self);
}

void host_irq_poll_all(void)
{
    for (unsigned cpu = 0; cpu < SMP_CPUS_MAX; cpu++)
        poll_cpu(cpu);
}

void host_cpu_switch(unsigned cpu)
{
    play(cpu);
    host_irq_poll();
}

void host_reset(void)
{
    play(0);
    memset(host_cpus, 0, sizeof(host_cpus));
    for (unsigned cpu = 0; cpu < SMP_CPUS_MAX; cpu++)
        host_cpus[cpu].hwid = cpu;
    host_console_reset();
    host_clock_reset();
    host_irqchip_reset();
    host_guest_irq_reset();
    host_system_reset();
    host_io_reset();
    host_vcpu_reset();
}

__attribute__((constructor)) static void host_power_on(void)
{
    host_reset();
}
