// SPDX-License-Identifier: Apache-2.0
// Self test: CPUs with nothing to do sleep on, without timers, interrupts or switches.
#include <hv/clock.h>
#include <hv/cpu.h>
#include <hv/hrtimer.h>
#include <hv/irq.h>
#include <hv/sched.h>
#include <hv/selftest.h>
#include <hv/thread.h>
#include <lib/errno.h>

static uint64_t interrupts(unsigned cpu)
{
    uint64_t sum = 0;

    for (uint32_t irq = irq_next(IRQ_NONE); irq != IRQ_NONE; irq = irq_next(irq))
        sum += irq_count(irq, cpu);
    return sum;
}

/* 1: it slept all the time; 0: it had something to do. */
static int watch(struct terminal *term, unsigned cpu, uint64_t ns)
{
    struct sched_cpu_stats before, after;
    uint64_t taken = interrupts(cpu);
    int err;

    sched_get_cpu_stats(cpu, &before);
    if (before.running != 0 || before.ready != 0 || hrtimer_count(cpu) != 0)
        return 0;
    err = thread_sleep(ns);
    if (err != 0)
        return err;
    sched_get_cpu_stats(cpu, &after);
    taken = interrupts(cpu) - taken;
    term_printf(term, "cpu %u: %llu switches, %llu interrupts, timer %s\n", cpu,
                (unsigned long long)(after.switches - before.switches), (unsigned long long)taken,
                after.event_ns == SCHED_NEVER ? "off" : "armed");
    if (after.switches != before.switches || taken != 0 || after.event_ns != SCHED_NEVER)
        return -EBUSY;
    return 1;
}

static int sched_idle_run(struct terminal *term, uint64_t amount)
{
    uint64_t ns = (amount != 0 ? amount : 1000) * NS_PER_MS;

    for (unsigned cpu = 0; cpu < cpu_count(); cpu++) {
        int result = cpu_online() & CPU_MASK(cpu) ? watch(term, cpu, ns) : 0;

        if (term_interrupted(term))
            return -EINTR;
        if (result < 0)
            return result;
    }
    return 0;
}

static const struct selftest sched_idle_test = {
    .name = "sched-idle",
    .help = "CPUs with nothing to do take no interrupt; AMOUNT: ms to watch each",
    .run = sched_idle_run,
};
SELFTEST(sched_idle_test);
