// SPDX-License-Identifier: Apache-2.0
// Timer events against a model: random starts, stops and moves of up to 10,000 on four CPUs: time,
// order and CPU of each; re-arming, periods, and what the clockevent is set to.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <hv/clock.h>
#include <hv/ctx.h>
#include <hv/hrtimer.h>
#include <arch/time.h>
#include <port/internal.h>
#include <port/machine.h>
#include <stdlib.h>
#include <string.h>

#define CPUS 4
#define TIMERS_MAX 10000

static struct {
    struct hrtimer timer;
    bool armed;
    uint64_t expires;
    uint64_t start; /**< number among all starts: equal times expire in that order */
    uint64_t due;   /**< counter value at which it must fire: exactly then */
    unsigned cpu;
} models[TIMERS_MAX];

static unsigned timers;
static bool check_all;
static uint64_t seed = 42;
static uint64_t starts;
static uint64_t last_fired[CPUS], last_start[CPUS];
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

static bool is_before(unsigned a, unsigned b)
{
    return models[a].expires < models[b].expires ||
           (models[a].expires == models[b].expires && models[a].start < models[b].start);
}

/* Exactly at its time, before all others of its CPU, in IRQ context. */
static void model_fired(struct hrtimer *timer)
{
    unsigned i = (unsigned)(uintptr_t)timer->data;
    unsigned cpu = host_cpu();

    assert_int_equal(ctx_current(), CTX_IRQ);
    assert_true(models[i].armed);
    assert_false(hrtimer_is_armed(timer));
    assert_int_equal(cpu, models[i].cpu);
    assert_int_equal(host_clock_counter(), models[i].due);
    assert_true(clock_now() >= models[i].expires);
    for (unsigned other = 0; check_all && other < timers; other++)
        assert_false(models[other].armed && models[other].cpu == cpu && is_before(other, i));
    assert_true(models[i].expires > last_fired[cpu] ||
                (models[i].expires == last_fired[cpu] && models[i].start > last_start[cpu]));
    last_fired[cpu] = models[i].expires;
    last_start[cpu] = models[i].start;
    models[i].armed = false;
    fired_total++;
}

static void model_start(unsigned i, uint64_t expires, unsigned cpu)
{
    models[i].armed = true;
    models[i].expires = expires;
    models[i].start = starts++;
    models[i].due = clock_ns_to_counter(expires);
    models[i].cpu = cpu;
}

static void arm(unsigned i, uint64_t expires)
{
    model_start(i, expires, host_cpu());
    hrtimer_start(&models[i].timer, expires);
}

static void arm_on(unsigned i, uint64_t expires, unsigned cpu)
{
    model_start(i, expires, cpu);
    hrtimer_start_on(&models[i].timer, expires, cpu);
}

static void migrate(unsigned i, unsigned cpu)
{
    if (models[i].armed) {
        models[i].cpu = cpu;
        models[i].start = starts++;
    }
    assert_int_equal(hrtimer_migrate(&models[i].timer, cpu), models[i].armed);
}

static void stop(unsigned i)
{
    assert_int_equal(hrtimer_stop(&models[i].timer), models[i].armed);
    models[i].armed = false;
}

static unsigned armed_on(unsigned cpu)
{
    unsigned count = 0;

    for (unsigned i = 0; i < timers; i++)
        count += models[i].armed && models[i].cpu == cpu;
    return count;
}

static uint64_t first_on(unsigned cpu)
{
    uint64_t first = UINT64_MAX;

    for (unsigned i = 0; i < timers; i++)
        if (models[i].armed && models[i].cpu == cpu && models[i].expires < first)
            first = models[i].expires;
    return first;
}

/* The clockevent of the CPU that is played is set to the first event and to nothing else. */
static void check_event(void)
{
    uint64_t first = first_on(host_cpu());
    uint64_t counter;

    assert_int_equal(host_clock_deadline(host_cpu(), &counter), first != UINT64_MAX);
    if (first != UINT64_MAX)
        assert_int_equal(counter, clock_ns_to_counter(first));
}

/* In steps of 1 us, so that many are equal. */
static uint64_t later(uint64_t range)
{
    return (clock_now() / NS_PER_US + 1 + pick(range / NS_PER_US)) * NS_PER_US;
}

static void random_step(uint64_t range)
{
    unsigned i = (unsigned)pick(timers);

    switch (pick(10)) {
    case 0:
        stop(i);
        break;
    case 1:
        host_clock_advance_ns(pick(range / timers * 8));
        break;
    case 2:
        host_cpu_switch((unsigned)pick(CPUS));
        break;
    case 3:
        arm_on(i, later(range), (unsigned)pick(CPUS));
        break;
    case 4:
        migrate(i, (unsigned)pick(CPUS));
        break;
    default:
        arm(i, later(range));
        break;
    }
    assert_int_equal(hrtimer_is_armed(&models[i].timer), models[i].armed);
}

static void model_begin(unsigned count)
{
    timers = count;
    starts = 1;
    fired_total = 0;
    memset(last_fired, 0, sizeof(last_fired));
    memset(last_start, 0, sizeof(last_start));
    for (unsigned i = 0; i < timers; i++) {
        hrtimer_init(&models[i].timer, model_fired, (void *)(uintptr_t)i);
        models[i].armed = false;
    }
}

static void model_run(unsigned steps, uint64_t range)
{
    for (unsigned i = 0; i < timers; i++)
        arm(i, later(range));
    assert_int_equal(hrtimer_count(0), timers);
    for (unsigned step = 0; step < steps; step++) {
        random_step(range);
        if (step % 1000 != 0)
            continue;
        /* A stop from elsewhere leaves the clockevent early; a first start here sets it right. */
        arm((unsigned)pick(timers), clock_now() + NS_PER_US);
        check_event();
        for (unsigned cpu = 0; cpu < CPUS; cpu++)
            assert_int_equal(hrtimer_count(cpu), armed_on(cpu));
    }
    host_clock_advance_ns(2 * range);
    for (unsigned cpu = 0; cpu < CPUS; cpu++)
        assert_int_equal(hrtimer_count(cpu) + armed_on(cpu), 0);
    host_cpu_switch(0);
}

/* Few, each compared with all others when it fires. */
static void test_model(void **state)
{
    (void)state;
    check_all = true;
    model_begin(100);
    model_run(200000, 10 * NS_PER_MS);
    assert_true(fired_total > 10000);
}

static void test_ten_thousand(void **state)
{
    (void)state;
    check_all = false;
    model_begin(TIMERS_MAX);
    model_run(200000, NS_PER_SEC);
    assert_true(fired_total > 20000);
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

static void slow(struct hrtimer *timer)
{
    uint64_t *periods = timer->data;

    ticks++;
    /* It is late by two and a half periods now and then. */
    if (ticks % 10 == 0)
        host_clock_advance_ns(2500 * NS_PER_US);
    *periods += hrtimer_forward(timer, NS_PER_MS);
}

/* Events keep to the grid, and those missed are counted. */
static void test_forward(void **state)
{
    struct hrtimer timer;
    uint64_t periods = 0;
    uint64_t first = clock_now() + 123457;

    (void)state;
    ticks = 0;
    hrtimer_init(&timer, slow, &periods);
    hrtimer_start(&timer, first);
    host_clock_advance_ns(NS_PER_SEC);
    assert_true(ticks < 900);
    assert_int_equal(timer.expires, first + periods * NS_PER_MS);
    assert_true(timer.expires > clock_now() && timer.expires <= clock_now() + NS_PER_MS);
    /* Armed by somebody else: that holds. */
    assert_int_equal(hrtimer_forward(&timer, NS_PER_MS), 0);
    hrtimer_cancel(&timer);
}

static void check_forward(uint64_t expires, uint64_t period, uint64_t periods, uint64_t next)
{
    struct hrtimer timer;

    hrtimer_init(&timer, count_one, &ticks);
    timer.expires = expires;
    assert_int_equal(hrtimer_forward(&timer, period), periods);
    assert_int_equal(timer.expires, next);
    assert_true(hrtimer_stop(&timer));
}

/* Long past, now, far ahead, and beyond the end of time. */
static void test_forward_corners(void **state)
{
    uint64_t now;

    (void)state;
    host_clock_advance_ns(NS_PER_SEC);
    now = clock_now();
    arch_irq_disable();
    ticks = 0;
    check_forward(7, 1, now - 7, now);
    check_forward(now - 10, 10, 1, now);
    check_forward(now - 11, 10, 2, now + 9);
    check_forward(now, 10, 1, now + 10);
    check_forward(now + 5, 10, 1, now + 15);
    check_forward(UINT64_MAX - 5, 10, 1, UINT64_MAX);
    check_forward(0, UINT64_MAX, 1, UINT64_MAX);
    check_forward(1, UINT64_MAX / 2, 1, UINT64_MAX / 2 + 1);
    arch_irq_enable();
    assert_int_equal(ticks, 0);
}

static unsigned fired_on;

static void remember_cpu(struct hrtimer *timer)
{
    (void)timer;
    ticks++;
    fired_on = host_cpu();
}

/* Another CPU's clockevent is set by that CPU, at once. */
static void test_start_on_another_cpu(void **state)
{
    struct hrtimer timer;
    uint64_t counter;

    (void)state;
    ticks = 0;
    hrtimer_init(&timer, remember_cpu, NULL);
    hrtimer_start_on(&timer, clock_now() + 1000, 2);
    host_irq_poll_all();
    assert_true(host_clock_deadline(2, &counter));
    assert_int_equal(counter, clock_ns_to_counter(clock_now() + 1000));
    assert_true(hrtimer_migrate(&timer, 3));
    host_clock_advance_ns(2000);
    assert_int_equal(ticks, 1);
    assert_int_equal(fired_on, 3);
    assert_false(hrtimer_migrate(&timer, 1));
    /* Past, there. */
    hrtimer_start_on(&timer, 0, 1);
    host_irq_poll_all();
    assert_int_equal(ticks, 2);
    assert_int_equal(fired_on, 1);
    /* Belongs to CPU 1 now; started and stopped here. */
    hrtimer_start(&timer, clock_now() + 1000);
    host_clock_advance_ns(2000);
    assert_int_equal(fired_on, 0);
    hrtimer_start_on(&timer, clock_now() + 1000, 2);
    assert_true(hrtimer_stop(&timer));
    host_clock_advance_ns(2000);
    assert_int_equal(ticks, 3);
}

static unsigned inside;

static void moved_away(struct hrtimer *timer)
{
    assert_int_equal(inside, 0);
    inside++;
    if (++ticks == 1) {
        uint64_t counter;

        /* As another CPU would while this runs: due at once there, but not before this has ended. */
        hrtimer_start_on(timer, 0, 1);
        assert_true(hrtimer_is_armed(timer));
        host_clock_advance_ns(NS_PER_MS);
        assert_int_equal(ticks, 1);
        assert_false(host_clock_deadline(1, &counter));
    }
    fired_on = host_cpu();
    inside--;
}

static void test_start_elsewhere_while_it_runs(void **state)
{
    struct hrtimer timer;

    (void)state;
    ticks = 0;
    hrtimer_init(&timer, moved_away, NULL);
    hrtimer_start(&timer, 0);
    host_irq_poll_all();
    host_irq_poll_all();
    assert_int_equal(ticks, 2);
    assert_int_equal(fired_on, 1);
    assert_false(hrtimer_is_armed(&timer));
}

static void comes_back(struct hrtimer *timer)
{
    if (++ticks == 1) {
        hrtimer_start_on(timer, 0, 1);
        hrtimer_start(timer, clock_now() + 1000);
    } else if (ticks == 2) {
        hrtimer_start_on(timer, 0, 1);
        assert_true(hrtimer_stop(timer));
    }
    fired_on = host_cpu();
}

/* The last wish holds: back to the CPU it is on, or not at all. */
static void test_wishes_while_it_runs(void **state)
{
    struct hrtimer timer;

    (void)state;
    ticks = 0;
    hrtimer_init(&timer, comes_back, NULL);
    hrtimer_start(&timer, 0);
    host_clock_advance_ns(NS_PER_MS);
    assert_int_equal(ticks, 2);
    assert_int_equal(fired_on, 0);
    assert_false(hrtimer_is_armed(&timer));
}

static void frees_itself(struct hrtimer *timer)
{
    hrtimer_start(timer, clock_now() + 1000);
    hrtimer_cancel(timer);
    free(timer);
    ticks++;
}

static void test_cancel_in_its_callback(void **state)
{
    struct hrtimer *timer = malloc(sizeof(*timer));

    (void)state;
    ticks = 0;
    hrtimer_init(timer, frees_itself, NULL);
    hrtimer_start(timer, 0);
    host_clock_advance_ns(NS_PER_MS);
    assert_int_equal(ticks, 1);
    assert_int_equal(hrtimer_count(0), 0);
}

static void test_zeroed(void **state)
{
    struct hrtimer timer = {0};

    (void)state;
    assert_false(hrtimer_is_armed(&timer));
    assert_false(hrtimer_stop(&timer));
    hrtimer_cancel(&timer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_model, start),
        cmocka_unit_test_setup(test_ten_thousand, start),
        cmocka_unit_test_setup(test_forward, start),
        cmocka_unit_test_setup(test_forward_corners, start),
        cmocka_unit_test_setup(test_start_on_another_cpu, start),
        cmocka_unit_test_setup(test_start_elsewhere_while_it_runs, start),
        cmocka_unit_test_setup(test_wishes_while_it_runs, start),
        cmocka_unit_test_setup(test_cancel_in_its_callback, start),
        cmocka_unit_test_setup(test_zeroed, start),
        cmocka_unit_test_setup(test_rearm_in_callback, start),
        cmocka_unit_test_setup(test_rearm_in_the_past, start),
        cmocka_unit_test_setup(test_past_fires_at_once, start),
        cmocka_unit_test_setup(test_event_is_set_only_for_the_first, start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
