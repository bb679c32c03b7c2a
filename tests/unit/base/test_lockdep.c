// SPDX-License-Identifier: Apache-2.0
// Lock checker: inversions of two and of three, recursion, interrupts, what is fine, and full tables.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <hv/ctx.h>
#include <hv/lockdep.h>
#include <hv/rwlock.h>
#include <hv/spinlock.h>
#include <port/host.h>
#include <stdio.h>
#include <string.h>

static struct lockdep_report last;
static unsigned reports;

static void note(const struct lockdep_report *report)
{
    last = *report;
    reports++;
}

static int start(void **state)
{
    (void)state;
    host_reset();
    lockdep_report_hook = note;
    reports = 0;
    this_cpu(ctx_state) = (struct ctx_state){0};
    return 0;
}

static void take_both(struct spinlock *a, struct spinlock *b)
{
    irqflags_t flags = spin_lock_irqsave(a);

    spin_lock(b);
    spin_unlock(b);
    spin_unlock_irqrestore(a, flags);
}

static void test_inversion_is_told_once(void **state)
{
    struct spinlock a, b;

    (void)state;
    spin_init_at(&a, "a");
    spin_init_at(&b, "b");
    take_both(&a, &b);
    take_both(&a, &b);
    assert_int_equal(reports, 0);
    take_both(&b, &a);
    assert_int_equal(reports, 1);
    assert_int_equal(last.kind, LOCKDEP_ORDER);
    assert_string_equal(last.held, "b");
    assert_string_equal(last.wanted, "a");
    assert_true(last.held_at != 0 && last.wanted_at != 0);
    assert_true(last.earlier[0] != 0 && last.earlier[1] != 0);
    take_both(&b, &a);
    assert_int_equal(reports, 1);
    assert_true(lockdep_count() >= 1);
}

static void test_circle_of_three(void **state)
{
    struct spinlock lock[3];

    (void)state;
    spin_init_at(&lock[0], "three.0");
    spin_init_at(&lock[1], "three.1");
    spin_init_at(&lock[2], "three.2");
    take_both(&lock[0], &lock[1]);
    take_both(&lock[1], &lock[2]);
    assert_int_equal(reports, 0);
    take_both(&lock[2], &lock[0]);
    assert_int_equal(reports, 1);
    assert_int_equal(last.kind, LOCKDEP_ORDER);
}

static void make(struct spinlock *lock)
{
    spin_init(lock);
}

static void test_class_is_the_initialiser(void **state)
{
    struct spinlock one, two;

    (void)state;
    make(&one);
    make(&two);
    take_both(&one, &two);
    assert_int_equal(reports, 1);
    assert_int_equal(last.kind, LOCKDEP_RECURSION);
    assert_non_null(strstr(last.held, "test_lockdep.c:"));
    /* In an order that the code vouches for it is fine. */
    reports = 0;
    spin_lock(&one);
    spin_lock_nested(&two);
    spin_unlock(&two);
    spin_unlock(&one);
    assert_int_equal(reports, 0);
}

static void test_trylock_makes_no_order(void **state)
{
    struct spinlock a, b;

    (void)state;
    spin_init_at(&a, "try.a");
    spin_init_at(&b, "try.b");
    take_both(&a, &b);
    spin_lock(&b);
    assert_true(spin_trylock(&a));
    spin_unlock(&a);
    spin_unlock(&b);
    assert_int_equal(reports, 0);
}

static void test_released_in_any_order(void **state)
{
    struct spinlock a, b, c;

    (void)state;
    spin_init_at(&a, "any.a");
    spin_init_at(&b, "any.b");
    spin_init_at(&c, "any.c");
    spin_lock(&a);
    spin_lock(&b);
    spin_unlock(&a);
    assert_int_equal(this_cpu(ctx_state).locks_depth, 1);
    spin_lock(&c);
    spin_unlock(&c);
    spin_unlock(&b);
    assert_int_equal(this_cpu(ctx_state).locks_depth, 0);
    assert_int_equal(reports, 0);
    take_both(&c, &b);
    assert_int_equal(reports, 1);
    assert_string_equal(last.held, "any.c");
    assert_string_equal(last.wanted, "any.b");
}

static void test_readers_count(void **state)
{
    struct rwlock rw;
    struct spinlock a;

    (void)state;
    rw_init_at(&rw, "rw");
    spin_init_at(&a, "rw.a");
    rw_read_lock(&rw);
    spin_lock(&a);
    spin_unlock(&a);
    rw_read_unlock(&rw);
    spin_lock(&a);
    rw_write_lock(&rw);
    rw_write_unlock(&rw);
    spin_unlock(&a);
    assert_int_equal(reports, 1);
    rw_read_lock(&rw);
    rw_read_lock(&rw);
    rw_read_unlock(&rw);
    rw_read_unlock(&rw);
    assert_int_equal(reports, 2);
    assert_int_equal(last.kind, LOCKDEP_RECURSION);
}

static void test_interrupts(void **state)
{
    struct spinlock safe, unsafe;
    irqflags_t flags;

    (void)state;
    spin_init_at(&safe, "irq.safe");
    spin_init_at(&unsafe, "irq.unsafe");
    flags = spin_lock_irqsave(&safe);
    spin_unlock_irqrestore(&safe, flags);
    spin_lock(&unsafe);
    spin_unlock(&unsafe);
    arch_irq_disable();
    ctx_enter_irq();
    spin_lock(&safe);
    spin_unlock(&safe);
    assert_int_equal(reports, 0);
    spin_lock(&unsafe);
    spin_unlock(&unsafe);
    ctx_leave_irq();
    arch_irq_enable();
    assert_int_equal(reports, 1);
    assert_int_equal(last.kind, LOCKDEP_IRQ);
    assert_string_equal(last.held, "irq.unsafe");
    spin_lock(&unsafe);
    spin_unlock(&unsafe);
    assert_int_equal(reports, 1);
    /* The other way round. */
    spin_lock(&safe);
    spin_unlock(&safe);
    assert_int_equal(reports, 2);
}

static void sleep_with_lock(void *arg)
{
    struct spinlock *lock = arg;

    spin_lock(lock);
    ctx_might_sleep();
}

static void test_sleep_names_the_lock(void **state)
{
    struct spinlock lock;

    (void)state;
    spin_init_at(&lock, "sleeper");
    assert_int_equal(host_run(sleep_with_lock, &lock), HOST_STOP_HALT);
    assert_non_null(strstr(host_console_text(), "lock sleeper held since"));
    assert_non_null(strstr(host_console_text(), "sleep in atomic context"));
}

static void test_printed_without_a_hook(void **state)
{
    struct spinlock a, b;

    (void)state;
    lockdep_report_hook = NULL;
    spin_init_at(&a, "print.a");
    spin_init_at(&b, "print.b");
    take_both(&a, &b);
    take_both(&b, &a);
    assert_non_null(strstr(host_console_text(), "LOCK ORDER: print.b is held, print.a wanted"));
    assert_non_null(strstr(host_console_text(), "the reverse order"));
}

/* The last test: nothing new is checked after it. */
static void test_full_table(void **state)
{
    static char names[300][12];
    static struct spinlock locks[300];

    (void)state;
    for (unsigned i = 0; i < 300; i++) {
        snprintf(names[i], sizeof(names[i]), "full.%u", i);
        spin_init_at(&locks[i], names[i]);
        spin_lock(&locks[i]);
        spin_unlock(&locks[i]);
    }
    assert_int_equal(reports, 1);
    assert_int_equal(last.kind, LOCKDEP_FULL);
    take_both(&locks[298], &locks[299]);
    take_both(&locks[299], &locks[298]);
    assert_int_equal(reports, 1);
    assert_int_equal(this_cpu(ctx_state).locks_depth, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_inversion_is_told_once, start),
        cmocka_unit_test_setup(test_circle_of_three, start),
        cmocka_unit_test_setup(test_class_is_the_initialiser, start),
        cmocka_unit_test_setup(test_trylock_makes_no_order, start),
        cmocka_unit_test_setup(test_released_in_any_order, start),
        cmocka_unit_test_setup(test_readers_count, start),
        cmocka_unit_test_setup(test_interrupts, start),
        cmocka_unit_test_setup(test_printed_without_a_hook, start),
        cmocka_unit_test_setup(test_sleep_names_the_lock, start),
        cmocka_unit_test_setup(test_full_table, start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
