// SPDX-License-Identifier: Apache-2.0
// Host port: a clock that moves only when told, and one-shot events of each simulated CPU.

#include <arch/barrier.h>
#include <arch/time.h>
#include <port/internal.h>
#include <pthread.h>
#include <unistd.h>

static uint64_t counter;
static uint64_t frequency;
static uint64_t relax_step;
static pthread_t clock_thread;

void host_clock_reset(void)
{
    counter = 0;
    frequency = HOST_CLOCK_FREQUENCY;
    relax_step = 1;
    clock_thread = pthread_self();
}

uint64_t host_clock_counter(void)
{
    return __atomic_load_n(&counter, __ATOMIC_RELAXED);
}

uint64_t arch_time_frequency(void)
{
    return frequency;
}

void host_clock_set_frequency(uint64_t hz)
{
    frequency = hz;
}

void host_clock_set_relax_step(uint64_t ticks)
{
    relax_step = ticks;
}

static void counter_raise(uint64_t value)
{
    if (value > host_clock_counter())
        __atomic_store_n(&counter, value, __ATOMIC_RELAXED);
}

bool host_timer_is_due(unsigned cpu)
{
    return host_cpus[cpu].timer_armed && host_cpus[cpu].timer_deadline <= host_clock_counter();
}

/* The earliest deadline that has not been reached; those reached are being held back by a mask. */
static bool earliest_deadline(uint64_t *deadline)
{
    bool found = false;

    for (unsigned cpu = 0; cpu < SMP_CPUS_MAX; cpu++) {
        const struct host_cpu_state *state = &host_cpus[cpu];

        if (!state->timer_armed || state->timer_deadline <= host_clock_counter())
            continue;
        if (!found || state->timer_deadline < *deadline)
            *deadline = state->timer_deadline;
        found = true;
    }
    return found;
}

void host_clock_set(uint64_t value)
{
    uint64_t deadline;

    host_irq_poll_all();
    while (earliest_deadline(&deadline) && deadline <= value) {
        counter_raise(deadline);
        host_irq_poll_all();
    }
    counter_raise(value);
}

void host_clock_advance(uint64_t ticks)
{
    uint64_t now = host_clock_counter();

    host_clock_set(now + ticks < now ? UINT64_MAX : now + ticks);
}

void host_clock_advance_ns(uint64_t ns)
{
    host_clock_advance((uint64_t)(((unsigned __int128)ns * frequency + 999999999) / 1000000000));
}

bool host_clock_advance_to_event(void)
{
    uint64_t deadline;

    if (!earliest_deadline(&deadline))
        return false;
    host_clock_set(deadline);
    return true;
}

bool host_clock_deadline(unsigned cpu, uint64_t *value)
{
    *value = host_cpus[cpu].timer_deadline;
    return host_cpus[cpu].timer_armed;
}

uint64_t host_clock_event_sets(unsigned cpu)
{
    return host_cpus[cpu].timer_sets;
}

void arch_time_event_set(uint64_t deadline)
{
    struct host_cpu_state *state = &host_cpus[host_cpu()];

    state->timer_deadline = deadline;
    state->timer_armed = true;
    state->timer_sets++;
}

void arch_time_event_stop(void)
{
    host_cpus[host_cpu()].timer_armed = false;
}

int arch_time_init_cpu(void)
{
    return 0;
}

/* In tests with several OS threads only the first one moves the clock. */
void host_relax(void)
{
    if (!pthread_equal(clock_thread, pthread_self()))
        usleep(1);
    else
        host_clock_advance(relax_step);
}
