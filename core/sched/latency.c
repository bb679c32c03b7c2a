// SPDX-License-Identifier: Apache-2.0
// What debug builds record of exits and of masked interrupts, each CPU for itself.

#include <arch/time.h>
#include <hv/clock.h>
#include <hv/latency.h>
#include <hv/percpu.h>
#include <hv/smp.h>
#include <hv/vcpu.h>
#include <lib/string.h>

static DEFINE_PER_CPU(struct latency, latency);

#define CALLER() ((uintptr_t)__builtin_return_address(0))

static void begin(struct latency *own, uint64_t now, uintptr_t from)
{
    own->since = now;
    own->from = from;
}

static void end(struct latency *own, uint64_t now, uintptr_t to)
{
    struct latency_row *row = &own->rows[LATENCY_MASKED];
    uint64_t ns = clock_ticks_to_ns(now - own->since);

    if (ns > row->max) {
        own->longest_from = own->from;
        own->longest_to = to;
    }
    latency_count(row, ns);
    own->since = 0;
}

NOINLINE void latency_irqs_off(void)
{
    struct latency *own = &this_cpu(latency);

    if (own->open && own->since == 0)
        begin(own, arch_time_counter(), CALLER());
}

NOINLINE void latency_irqs_on(void)
{
    struct latency *own = &this_cpu(latency);

    if (own->since != 0)
        end(own, arch_time_counter(), CALLER());
    own->open = true;
}

void latency_exit_begin(struct vcpu *vcpu)
{
    begin(&this_cpu(latency), vcpu->exit_start, CALLER());
}

void latency_exit_end(struct vcpu *vcpu, const struct exit_stat *stat)
{
    struct latency *own = &this_cpu(latency);
    uint64_t now = arch_time_counter();

    if (stat != NULL)
        latency_count(&own->rows[stat - vcpu->exit_stats],
                      clock_ticks_to_ns(now - vcpu->exit_start));
    if (own->since != 0)
        end(own, now, CALLER());
}

uint64_t latency_leave(void)
{
    return arch_time_counter();
}

void latency_return(struct vcpu *vcpu, uint64_t left)
{
    vcpu->exit_start += arch_time_counter() - left;
}

const struct latency *latency_of(unsigned cpu)
{
    return &per_cpu(latency, cpu);
}

void latency_reset(void)
{
    for (unsigned cpu = 0; cpu < SMP_CPUS_MAX; cpu++) {
        struct latency *other = &per_cpu(latency, cpu);

        if ((cpu_online() & CPU_MASK(cpu)) != 0)
            memset(other->rows, 0, sizeof(other->rows));
    }
}
