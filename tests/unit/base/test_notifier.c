// SPDX-License-Identifier: Apache-2.0
// Notifier chains: order by priority, changes during a call, waiting until calls have ended.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <hv/notifier.h>
#include <port/host.h>
#include <pthread.h>
#include <string.h>

static struct notifier_chain chain;
static char trace[16];
static struct notifier n[4];
static void (*during)(void);

static void notify(struct notifier *self, unsigned event, void *data)
{
    assert_int_equal(event, 7);
    assert_ptr_equal(data, trace);
    trace[strlen(trace)] = (char)('0' + (self - n));
    if (during != NULL && self == &n[1])
        during();
}

static int start(void **state)
{
    static const int priorities[] = {0, 5, 0, -3};

    (void)state;
    memset(&chain, 0, sizeof(chain));
    during = NULL;
    for (unsigned i = 0; i < 4; i++)
        n[i] = (struct notifier){.notify = notify, .priority = priorities[i]};
    return 0;
}

static const char *call(void)
{
    memset(trace, 0, sizeof(trace));
    notifier_call(&chain, 7, trace);
    return trace;
}

static void test_order(void **state)
{
    (void)state;
    assert_string_equal(call(), "");
    notifier_add(&chain, &n[3]);
    notifier_add(&chain, &n[2]);
    notifier_add(&chain, &n[0]);
    notifier_add(&chain, &n[1]);
    assert_string_equal(call(), "1203");
    notifier_remove(&chain, &n[2]);
    notifier_remove(&chain, &n[2]);
    assert_string_equal(call(), "103");
    notifier_drain(&chain);
    notifier_add(&chain, &n[2]);
    assert_string_equal(call(), "1023");
}

static void remove_self(void)
{
    notifier_remove(&chain, &n[1]);
}

static void remove_next(void)
{
    notifier_remove(&chain, &n[0]);
}

static void add_later(void)
{
    during = NULL;
    notifier_add(&chain, &n[3]);
}

static void call_again(void)
{
    during = NULL;
    notifier_call(&chain, 7, trace);
}

static void test_changes_during_a_call(void **state)
{
    (void)state;
    notifier_add(&chain, &n[1]);
    notifier_add(&chain, &n[0]);
    notifier_add(&chain, &n[2]);
    during = call_again;
    assert_string_equal(call(), "110202");
    during = remove_self;
    assert_string_equal(call(), "102");
    assert_string_equal(call(), "02");
    notifier_drain(&chain);
    notifier_add(&chain, &n[1]);
    during = remove_next;
    assert_string_equal(call(), "12");
    during = add_later;
    assert_string_equal(call(), "123");
    assert_int_equal(chain.calls[0] + chain.calls[1], 0);
}

/* Threads that call without end, and one that takes out, waits, and spoils what it took out. */

static bool end;

static void touch(struct notifier *self, unsigned event, void *data)
{
    (void)event;
    (void)data;
    if (self->priority == 99)
        __builtin_trap();
}

static void *call_for_ever(void *arg)
{
    while (!__atomic_load_n(&end, __ATOMIC_RELAXED))
        notifier_call(&chain, 7, arg);
    return arg;
}

static void test_drained_is_unused(void **state)
{
    pthread_t callers[2];

    (void)state;
    host_clock_set_relax_step(0);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&callers[i], NULL, call_for_ever, NULL), 0);
    for (unsigned round = 0; round < 3000; round++) {
        struct notifier *one = &n[round % 4];

        *one = (struct notifier){.notify = touch, .priority = (int)(round % 3)};
        notifier_add(&chain, one);
        if (round % 16 == 0)
            sched_yield();
        notifier_remove(&chain, one);
        notifier_drain(&chain);
        one->priority = 99;
        one->next = (struct notifier *)-1;
    }
    __atomic_store_n(&end, true, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < 2; i++)
        pthread_join(callers[i], NULL);
    host_reset();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_order, start),
        cmocka_unit_test_setup(test_changes_during_a_call, start),
        cmocka_unit_test_setup(test_drained_is_unused, start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
