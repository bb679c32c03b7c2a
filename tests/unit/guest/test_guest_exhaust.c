// SPDX-License-Identifier: Apache-2.0
// No memory left: every way to make something refuses and leaves nothing behind, commands say so,
// and what is there can be taken down.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "fixture.h"

#include <arch/mmu.h>
#include <hv/command.h>
#include <hv/page.h>
#include <hv/sched.h>
#include <hv/thread.h>
#include <hv/vmap.h>
#include <lib/errno.h>
#include <stdio.h>
#include <string.h>

#define PASSES 12
#define TAKEN_MAX 4096

static struct fixture_report report;
static char output[65536];
static size_t output_size;

static void keep_output(struct terminal *term, const char *text, size_t size)
{
    (void)term;
    assert_true(output_size + size < sizeof(output));
    memcpy(output + output_size, text, size);
    output_size += size;
    output[output_size] = '\0';
}

static struct terminal term = {.write = keep_output, .columns = 80, .rows = 24};

static int command(const char *text)
{
    char line[128];

    snprintf(line, sizeof(line), "%s", text);
    output_size = 0;
    output[0] = '\0';
    return command_run(&term, line);
}

/* Each returns 0 and has undone what it did, or says why it could not. */

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

static int make_thread(void)
{
    struct thread *thread;
    int err = thread_create("short", nothing, NULL, SCHED_PRIORITY_DEFAULT, 0, &thread);

    if (err != 0)
        return err;
    assert_int_equal(thread_start(thread), 0);
    thread_request_stop(thread);
    thread_join(thread, NULL);
    return 0;
}

static int make_and_run_guest(void)
{
    struct guest *guest;
    int err;

    fixture_report_init(&report);
    err = guest_create("linux0", NULL, &report.report);
    if (err != 0)
        return err;
    guest = guest_find("linux0");
    err = guest_kick(guest);
    if (err == 0)
        err = guest_reset(guest, &report.report);
    assert_int_equal(guest_destroy(guest), 0);
    return err;
}

static int map_device(void)
{
    void *regs = vmap_device(hpa(0x9000000), 0x1000);

    vmap_device_free(regs);
    return regs != NULL ? 0 : -ENOMEM;
}

static int create_by_command(void)
{
    int err = command("guest create copy basic");

    if (err == 0)
        assert_int_equal(command("guest destroy copy"), 0);
    else
        assert_true(output_size > 0);
    return err;
}

static int list_by_command(void)
{
    int err = command("vcpu list");

    assert_true(output_size > 0);
    return err;
}

THREAD_TEST(test_each_allocation_of_each_path)
{
    static int (*const paths[])(void) = {make_thread, make_and_run_guest, map_device,
                                         create_by_command, list_by_command};
    static const unsigned least[] = {3, 40, 1, 60, 1};

    (void)arg;
    for (unsigned i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        struct fixture_census before;
        unsigned failures = 0, successes = 0, ranges = vmap_count();

        fixture_census(&before);
        /* A path can live with some failures: it has no more allocations when many rounds pass. */
        for (unsigned n = 1; successes < PASSES; n++) {
            int err;

            page_fail_after(n);
            err = paths[i]();
            page_fail_after(0);
            fixture_settle();
            assert_true(err == 0 || err == -ENOMEM);
            successes = err == 0 ? successes + 1 : 0;
            failures += err != 0;
            assert_int_equal(vmap_count(), ranges);
            assert_true(fixture_census_equal(&before));
        }
        assert_true(failures >= least[i]);
    }
}

static struct {
    hpa_t addr;
    unsigned order;
} taken[TAKEN_MAX];
static unsigned taken_count;

static void take_all(void)
{
    for (unsigned order = PAGE_ORDER_MAX + 1; order-- > 0;) {
        while (taken_count < TAKEN_MAX &&
               page_alloc(order, PAGE_OWNER_MISC, &taken[taken_count].addr) == 0)
            taken[taken_count++].order = order;
    }
}

static void give_all(void)
{
    while (taken_count > 0) {
        taken_count--;
        page_free(taken[taken_count].addr, taken[taken_count].order);
    }
}

THREAD_TEST(test_commands_without_memory)
{
    static const char *const lines[] = {
        "guest list",           "guest info linux0",   "vcpu list",
        "thread list",          "host memory",         "memory show",
        "memory owners",        "memory map",          "heap show",
        "heap owners",          "heap check",          "host info",
        "guest create x basic", "devtree node show /",
    };
    struct fixture_census before;

    (void)arg;
    fixture_census(&before);
    assert_non_null(fixture_create(&report));
    take_all();
    for (unsigned i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        int err = command(lines[i]);

        if ((err != 0 && err != -ENOMEM && err != -ENOSPC && err != -EINVAL) || output_size == 0)
            fail_msg("%s: %d: %s", lines[i], err, output);
    }
    assert_int_not_equal(command("guest create x basic"), 0);
    assert_null(guest_find("x"));
    assert_int_equal(command("guest kick linux0"), 0);
    fixture_settle();
    assert_int_equal(command("guest halt linux0"), 0);
    assert_int_equal(command("guest destroy linux0"), 0);
    assert_null(guest_find("linux0"));
    give_all();
    assert_true(fixture_census_equal(&before));
}

static int setup(void **state)
{
    (void)state;
    return fixture_init();
}

static int reset(void **state)
{
    (void)state;
    fixture_guest_reset();
    return fixture_tree(NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_each_allocation_of_each_path, reset),
        cmocka_unit_test_setup(test_commands_without_memory, reset),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
