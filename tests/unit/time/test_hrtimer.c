// SPDX-License-Identifier: Apache-2.0
// Timer events against a model: random starts and stops of 10,000 timers on two CPUs, order, re-
// arming, and what the clockevent is set to.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <hv/clock.h>
#include <hv/ctx.h>
#include <hv/hrtimer.h>
#include <port/host.h>
#include <port/machine.h>
#include <stdlib.h>

#define CPUS 2
#define TIMERS 10000

static struct {
    struct hrtimer timer;
    bool armed;
    uint64_t expires;
    unsigned cpu;
    unsigned fired;
} models[TIMERS];

static uint64_t seed = 42;
static uint64_t last_fired[CPUS];
static unsigned fired_total;

static uint64_t pick(uint64_t n)
{
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (seed >> 20) % n;
}

static int start(void **state)
{
    (void)state;
    machine_start(CPUS);
    return 0;
}

/* Not before its time, in order, on the CPU that armed it, in IRQ context. */
static void model_fired(struct hrtimer *timer)
{
    unsigned i = (unsigned)(uintptr_t)timer->data;

    assert_int_equal(ctx_current(), CTX_IRQ);
    assert_true(models[i].armed);
    assert_false(hrtimer_is_armed(timer));
    assert_int_equal(host_cpu(), models[i].cpu);
    assert_true(clock_now() >= models[i].expires);
    assert_true(models[i].expires >= last_fired[host_cpu()]);
    last_fired[host_cpu()] = models[i].expires;
    models[i].armed = false;
    models[i].fired++;
    fired_total++;
}

static void arm(unsigned i, uint64_t expires)
{
    models[i].armed = true;
    models[i].expires = expires;
    models[i].cpu = host_cpu();
    hrtimer_start(&models[i].timer, expires);
}

static unsigned armed_on(unsigned cpu)
{
    unsigned count = 0;

    for (unsigned i = 0; i < TIMERS; i++)
        count += models[i].armed && models[i].cpu == cpu;
    return count;
}

static uint64_t first_on(unsigned cpu)
{
    uint64_t first = UINT64_MAX;

    for (unsigned i = 0; i < TIMERS; i++)
        if (models[i].armed && models[i].cpu == cpu && models[i].expires < first)
            first = models[i].expires;
    return first;
}

/* The clockevent of the CPU that is played is set to the first timer and to nothing else. */
static void check_event(void)
{
    uint64_t first = first_on(host_cpu());
    uint64_t counter;

    assert_int_equal(host_clock_deadline(host_cpu(), &counter), first != UINT64_MAX);
    if (first != UINT64_MAX)
        assert_int_equal(counter, clock_ns_to_counter(first));
}

static void test_model(void **state)
{
    (void)state;
    for (unsigned i = 0; i < TIMERS; i++)
        hrtimer_init(&models[i].timer, model_fired, (void *)(uintptr_t)i);
    for (unsigned i = 0; i < TIMERS; i++)
        arm(i, clock_now() + NS_PER_MS + pick(NS_PER_SEC));
    assert_int_equal(hrtimer_count(0), TIMERS);
    for (unsigned step = 0; step < 60000; step++) {
        unsigned i = (unsigned)pick(TIMERS);

        switch (pick(8)) {
        case 0:
            assert_int_equal(hrtimer_stop(&models[i].timer), models[i].armed);
            models[i].armed = false;
            break;
        case 1:
            host_clock_advance_ns(pick(200 * NS_PER_US));
            break;
        case 2:
            host_cpu_switch((unsigned)pick(CPUS));
            break;
        default:
            arm(i, clock_now() + 1 + pick(NS_PER_SEC));
            break;
        }
        assert_int_equal(hrtimer_is_armed(&models[i].timer), models[i].armed);
        if (step % 1000 == 0) {
            /*
             * A stop from elsewhere leaves the clockevent early; a start on this CPU sets it right.
             */
            arm(i, clock_now() + 1);
            check_event();
            assert_int_equal(hrtimer_count(0), armed_on(0));
            assert_int_equal(hrtimer_count(1), armed_on(1));
        }
    }
    host_clock_advance_ns(2 * NS_PER_SEC);
    assert_int_equal(hrtimer_count(0) + hrtimer_count(1), 0);
    assert_int_equal(armed_on(0) + armed_on(1), 0);
    assert_true(fired_total > 10000);
    host_cpu_switch(0);
}

static unsigned ticks;

static void periodic(struct hrtimer *timer)
{
    if (++ticks < 100)
        hrtimer_start(timer, timer->expires + NS_PER_MS);
}

static void test_rearm_in_callback(void **state)
{
    struct hrtimer timer;

    (void)state;
    ticks = 0;
    hrtimer_init(&timer, periodic, NULL);
    hrtimer_start(&timer, clock_now() + NS_PER_MS);
    host_clock_advance_ns(50 * NS_PER_MS);
    assert_int_equal(ticks, 50);
    host_clock_advance_ns(NS_PER_SEC);
    assert_int_equal(ticks, 100);
    assert_false(hrtimer_is_armed(&timer));
}

static void always_late(struct hrtimer *timer)
{
    if (++ticks < 1000)
        hrtimer_start(timer, 0);
}

static void count_one(struct hrtimer *timer)
{
    (*(unsigned *)timer->data)++;
}

/* Who arms itself in the past does not keep others from firing, and each interrupt ends. */
static void test_rearm_in_the_past(void **state)
{
    struct hrtimer late;
    struct hrtimer other;
    unsigned others = 0;

    (void)state;
    ticks = 0;
    hrtimer_init(&late, always_late, NULL);
    hrtimer_init(&other, count_one, &others);
    arch_irq_disable();
    hrtimer_start(&late, 0);
    hrtimer_start(&other, 1);
    host_clock_advance_ns(NS_PER_MS);
    assert_int_equal(ticks, 0);
    arch_irq_enable();
    assert_int_equal(ticks, 1000);
    assert_int_equal(others, 1);
}

static void test_past_fires_at_once(void **state)
{
    struct hrtimer timer;
    unsigned count = 0;

    (void)state;
    hrtimer_init(&timer, count_one, &count);
    host_clock_advance_ns(NS_PER_SEC);
    hrtimer_start(&timer, 5);
    host_irq_poll();
    assert_int_equal(count, 1);
    hrtimer_start(&timer, UINT64_MAX);
    host_clock_advance_ns(NS_PER_SEC);
    assert_int_equal(count, 1);
    assert_true(hrtimer_is_armed(&timer));
    hrtimer_cancel(&timer);
    assert_false(hrtimer_is_armed(&timer));
    assert_false(hrtimer_stop(&timer));
}

/* Only a new first timer costs a write to the clockevent. */
static void test_event_is_set_only_for_the_first(void **state)
{
    struct hrtimer a;
    struct hrtimer b;
    unsigned count = 0;
    uint64_t sets;

    (void)state;
    hrtimer_init(&a, count_one, &count);
    hrtimer_init(&b, count_one, &count);
    hrtimer_start(&a, 1000);
    sets = host_clock_event_sets(0);
    hrtimer_start(&b, 2000);
    hrtimer_stop(&b);
    hrtimer_start(&b, 2000);
    assert_int_equal(host_clock_event_sets(0), sets);
    hrtimer_start(&b, 500);
    assert_int_equal(host_clock_event_sets(0), sets + 1);
    hrtimer_stop(&b);
    assert_int_equal(host_clock_event_sets(0), sets + 2);
    hrtimer_stop(&a);
    assert_int_equal(host_clock_event_sets(0), sets + 2);
    assert_false(host_clock_deadline(0, &sets));
    host_clock_advance_ns(NS_PER_SEC);
    assert_int_equal(count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_model, start),
        cmocka_unit_test_setup(test_rearm_in_callback, start),
        cmocka_unit_test_setup(test_rearm_in_the_past, start),
        cmocka_unit_test_setup(test_past_fires_at_once, start),
        cmocka_unit_test_setup(test_event_is_set_only_for_the_first, start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
