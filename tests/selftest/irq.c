// SPDX-License-Identifier: Apache-2.0
// Self tests of host interrupts: what one costs, a storm that does not stop the machine, a handler
// in a thread.
#include <arch/time.h>
#include <hv/clock.h>
#include <hv/irq.h>
#include <hv/irq_thread.h>
#include <hv/selftest.h>
#include <hv/thread.h>
#include <lib/errno.h>

#define ROUNDS 1000
#define STORM_RATE 1000

static uint32_t seen;
static bool again;

static enum irq_result count(uint32_t irq, void *arg)
{
    (void)arg;
    __atomic_fetch_add(&seen, 1, __ATOMIC_RELAXED);
    if (__atomic_load_n(&again, __ATOMIC_RELAXED))
        (void)irq_raise(irq);
    return IRQ_HANDLED;
}

static void count_in_thread(uint32_t irq, void *arg)
{
    (void)thread_sleep(NS_PER_MS);
    (void)count(irq, arg);
}

/* The highest one that nobody has, as an edge. */
static uint32_t spare(void)
{
    uint32_t irq = irq_chip()->total - 1;

    while (irq >= IRQ_SHARED_FIRST && irq_owner(irq) != NULL)
        irq--;
    return irq;
}

static bool wait_for(uint32_t wanted, uint64_t ns)
{
    uint64_t end = clock_now() + ns;

    while (__atomic_load_n(&seen, __ATOMIC_RELAXED) < wanted && clock_now() < end)
        (void)thread_sleep(NS_PER_MS);
    return __atomic_load_n(&seen, __ATOMIC_RELAXED) >= wanted;
}

static int measure(struct terminal *term, uint32_t irq, uint32_t rounds)
{
    uint64_t start = arch_time_counter();

    for (uint32_t i = 0; i < rounds; i++) {
        (void)irq_raise(irq);
        while (__atomic_load_n(&seen, __ATOMIC_RELAXED) == i)
            if (arch_time_counter() - start > arch_time_frequency() * 10)
                return -ETIMEDOUT;
    }
    term_printf(term, "interrupt_raise_to_handler: %llu instructions\n",
                (unsigned long long)(clock_ticks_to_ns(arch_time_counter() - start) / rounds));
    return 0;
}

static int run_cost(struct terminal *term, uint64_t amount)
{
    uint32_t irq = spare();
    int err;

    seen = 0;
    again = false;
    err = irq_request(irq, "selftest", count, NULL);
    if (err != 0)
        return err;
    (void)irq_set_storm_rate(irq, 0);
    irq_enable(irq);
    err = measure(term, irq, amount == 0 ? ROUNDS : (uint32_t)amount);
    irq_release(irq);
    return err;
}

static const struct selftest irq_cost = {
    .name = "irq-cost",
    .help = "instructions from raising an interrupt to having handled it; AMOUNT of them",
    .run = run_cost,
};
SELFTEST(irq_cost);

/* The handler raises its own interrupt again: without the guard nothing else would run here. */
static int run_storm(struct terminal *term, uint64_t amount)
{
    uint32_t irq = spare();
    struct irq_info info = {0};
    int err;

    (void)amount;
    seen = 0;
    again = true;
    err = irq_request(irq, "selftest storm", count, NULL);
    if (err != 0)
        return err;
    (void)irq_set_storm_rate(irq, STORM_RATE);
    irq_enable(irq);
    (void)irq_raise(irq);
    for (unsigned i = 0; i < 10000 && info.storms < 2; i++) {
        (void)thread_sleep(NS_PER_MS);
        (void)irq_get_info(irq, &info);
    }
    again = false;
    irq_release(irq);
    term_printf(term, "%u interrupts, %llu storms, the last pause %llu ms\n", seen,
                (unsigned long long)info.storms, (unsigned long long)(info.storm_ns / NS_PER_MS));
    return info.storms >= 2 ? 0 : -ETIMEDOUT;
}

static const struct selftest irq_storm = {
    .name = "irq-storm",
    .help = "an interrupt that raises itself is paused, twice",
    .run = run_storm,
};
SELFTEST(irq_storm);

static int run_thread(struct terminal *term, uint64_t amount)
{
    uint32_t irq = spare(), rounds = amount == 0 ? 20 : (uint32_t)amount;
    int err;

    seen = 0;
    again = false;
    err = irq_thread_request(irq, "selftest thread", NULL, count_in_thread, NULL);
    if (err != 0)
        return err;
    irq_enable(irq);
    for (uint32_t i = 0; i < rounds && err == 0; i++) {
        (void)irq_raise(irq);
        err = wait_for(i + 1, 10 * NS_PER_SEC) ? 0 : -ETIMEDOUT;
    }
    irq_thread_release(irq);
    term_printf(term, "%u interrupts handled in a thread\n", seen);
    return err;
}

static const struct selftest irq_in_thread = {
    .name = "irq-thread",
    .help = "a handler that sleeps; AMOUNT interrupts",
    .run = run_thread,
};
SELFTEST(irq_in_thread);
