// SPDX-License-Identifier: Apache-2.0
// Command devtree: trees written by hand up to a guest that can be created, refusals that leave nothing, files loaded whole or not at all.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "tests/unit/guest/fixture.h"

#include <hv/heap.h>
#include <hv/mterm.h>
#include <hv/page.h>
#include <hv/sched.h>
#include <hv/thread.h>
#include <lib/errno.h>
#include <libfdt.h>
#include <stdio.h>
#include <string.h>

static char output[65536];
static size_t output_size;
static bool interrupted;

static void fake_write(struct terminal *term, const char *text, size_t size)
{
    (void)term;
    assert_true(output_size + size < sizeof(output));
    memcpy(output + output_size, text, size);
    output_size += size;
    output[output_size] = '\0';
}

static bool fake_interrupted(struct terminal *term)
{
    (void)term;
    return interrupted;
}

static struct terminal term = {
    .write = fake_write, .interrupted = fake_interrupted, .columns = 80, .rows = 24};

static int run(const char *command)
{
    char line[1024];

    output_size = 0;
    output[0] = '\0';
    snprintf(line, sizeof(line), "%s", command);
    return command_run(&term, line);
}

static void assert_run(const char *command, const char *expected)
{
    assert_int_equal(run(command), 0);
    assert_string_equal(output, expected);
}

static void assert_refused(const char *command, int err, const char *message)
{
    struct heap_stats before, after;

    heap_get_stats(&before);
    assert_int_equal(run(command), err);
    heap_get_stats(&after);
    if (strstr(output, message) == NULL)
        fprintf(stderr, "%s: %s\n", command, output);
    assert_non_null(strstr(output, message));
    assert_int_equal(after.objects, before.objects);
    assert_int_equal(after.bytes_used, before.bytes_used);
}

static int set_up(void **state)
{
    (void)state;
    return fixture_init() != 0 || fixture_tree(NULL, 0) != 0;
}

THREAD_TEST(test_values)
{
    (void)arg;
    assert_run("devtree node add /box", "");
    assert_run("devtree attr set /box flag empty", "");
    assert_run("devtree attr set /box name string \"a b\\\"c\"", "");
    assert_run("devtree attr set /box list strings one two", "");
    assert_run("devtree attr set /box v8 u8 255", "");
    assert_run("devtree attr set /box v16 u16 0x1234", "");
    assert_run("devtree attr set /box v32 u32 4294967295", "");
    assert_run("devtree attr set /box v64 u64 0x123456789a", "");
    assert_run("devtree attr set /box #cells cells 0 0x40000000 0 4096", "");
    assert_run("devtree attr set /box raw bytes 00ff 7E", "");
    assert_run("devtree attr show /box", "flag;\n"
                                         "name = \"a b\\\"c\";\n"
                                         "list = \"one\", \"two\";\n"
                                         "v8 = [ff];\n"
                                         "v16 = [12 34];\n"
                                         "v32 = <0xffffffff>;\n"
                                         "v64 = <0x12 0x3456789a>;\n"
                                         "#cells = <0x0 0x40000000 0x0 0x1000>;\n"
                                         "raw = [00 ff 7e];\n");
    assert_run("devtree attr get /box list", "list = \"one\", \"two\";\n");
    assert_run("devtree attr set /box flag u32 1", "");
    assert_run("devtree attr get /box flag", "flag = <0x1>;\n");
    assert_run("devtree attr delete /box flag", "");
    assert_refused("devtree attr get /box flag", -ENOENT, "/box: flag: ENOENT");
    assert_run("devtree node delete /box", "");
}

THREAD_TEST(test_nodes)
{
    (void)arg;
    assert_run("devtree node add /box", "");
    assert_run("devtree node add /box/a", "");
    assert_run("devtree node add /box/a/deep@10", "");
    assert_run("devtree attr set /box/a v u32 1", "");
    assert_run("devtree node copy /box/a /box/b", "");
    assert_run("devtree node show /box", "box {\n    a { ... };\n    b { ... };\n};\n");
    assert_run("devtree node dump /box/b", "b {\n    v = <0x1>;\n    deep@10 {\n    };\n};\n");
    assert_int_equal(run("devtree node dump"), 0);
    assert_non_null(strstr(output, "    guests {\n        linux0 {\n"));
    interrupted = true;
    assert_int_equal(run("devtree node dump"), -EINTR);
    interrupted = false;
    assert_run("devtree node delete /box", "");
    assert_refused("devtree node show /box", -ENOENT, "/box: ENOENT");
}

THREAD_TEST(test_refusals)
{
    static const struct {
        const char *line;
        int err;
        const char *message;
    } bad[] = {
        {"devtree", -EINVAL, "usage"},
        {"devtree node", -EINVAL, "argument missing"},
        {"devtree node frob /", -EINVAL, "devtree node add PATH"},
        {"devtree node add", -EINVAL, "devtree node add PATH"},
        {"devtree node copy /vmm", -EINVAL, "FROM-PATH TO-PATH"},
        {"devtree node add /box/a", -ENOENT, "/box: ENOENT"},
        {"devtree node add box", -ENOENT, "no such node"},
        {"devtree node add /", -EINVAL, "a name has 1 to 31"},
        {"devtree node add /guests/", -EINVAL, "a name has 1 to 31"},
        {"devtree node add /a!", -EINVAL, "a name has 1 to 31"},
        {"devtree node add /abcdefghijklmnopqrstuvwxyz0123456", -EINVAL, "a name has"},
        {"devtree node add /guests", -EEXIST, "/guests: EEXIST"},
        {"devtree node copy /guests /guests/self", -EINVAL, "a copy not in itself"},
        {"devtree node copy /nothing /a", -ENOENT, "/nothing: ENOENT"},
        {"devtree node copy /guests /no/where", -ENOENT, "/no: ENOENT"},
        {"devtree node delete /", -EINVAL, "/: EINVAL"},
        {"devtree node delete /nothing", -ENOENT, "/nothing: ENOENT"},
        {"devtree attr set /nothing a u32 1", -ENOENT, "/nothing: ENOENT"},
        {"devtree attr set / a", -EINVAL, "usage"},
        {"devtree attr set / a word 1", -EINVAL, "unknown type \"word\"; choose one of empty"},
        {"devtree attr set / a u32", -EINVAL, "type u32 takes one value"},
        {"devtree attr set / a u32 1 2", -EINVAL, "type u32 takes one value"},
        {"devtree attr set / a empty 1", -EINVAL, "type empty takes no value"},
        {"devtree attr set / a strings", -EINVAL, "at least one value"},
        {"devtree attr set / a u8 256", -ERANGE, "/: a: ERANGE"},
        {"devtree attr set / a u16 65536", -ERANGE, "/: a: ERANGE"},
        {"devtree attr set / a u32 4294967296", -ERANGE, "/: a: ERANGE"},
        {"devtree attr set / a u32 -1", -EINVAL, "/: a: EINVAL"},
        {"devtree attr set / a u64 0x10000000000000000", -ERANGE, "/: a: ERANGE"},
        {"devtree attr set / a bytes 0", -EINVAL, "/: a: EINVAL"},
        {"devtree attr set / a bytes 0g", -EINVAL, "/: a: EINVAL"},
        {"devtree attr set / a!b u32 1", -EINVAL, "/: a!b: EINVAL"},
        {"devtree attr delete / nothing", -ENOENT, "/: nothing: ENOENT"},
        {"devtree load nofile /", -ENOENT, "nofile"},
        {"devtree load garbage /", -EBADMSG, "nothing was changed: file garbage: EBADMSG"},
        {"devtree load own.dtb /nothing", -ENOENT, "/nothing: ENOENT"},
    };

    (void)arg;
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_refused(bad[i].line, bad[i].err, bad[i].message);
}

THREAD_TEST(test_load)
{
    static uint8_t blob[4096] __attribute__((aligned(8)));
    uint32_t size;

    (void)arg;
    assert_int_equal(fdt_create(blob, sizeof(blob)) | fdt_finish_reservemap(blob) |
                         fdt_begin_node(blob, "") | fdt_property_u32(blob, "top", 5) |
                         fdt_begin_node(blob, "sub") | fdt_property_string(blob, "s", "x") |
                         fdt_end_node(blob) | fdt_end_node(blob) | fdt_finish(blob),
                     0);
    size = fdt_totalsize(blob);
    assert_int_equal(fixture_bundle("extra.dtb", blob, size), 0);
    assert_run("devtree node add /box", "");
    assert_run("devtree load extra.dtb /box", "");
    assert_run("devtree node dump /box",
               "box {\n    top = <0x5>;\n    sub {\n        s = \"x\";\n    };\n};\n");
    assert_run("devtree node delete /box", "");
    /* Cut off: whole or nothing. */
    assert_int_equal(fixture_bundle("extra.dtb", blob, size - 8), 0);
    assert_run("devtree node add /box", "");
    assert_refused("devtree load extra.dtb /box", -EBADMSG, "nothing was changed");
    assert_run("devtree node dump /box", "box {\n};\n");
    assert_run("devtree node delete /box", "");
    assert_int_equal(fixture_bundle(NULL, NULL, 0), 0);
}

static void write_guest(void)
{
    static const char *const lines[] = {
        "devtree node add /guests/hand",
        "devtree attr set /guests/hand compatible string bulkhead,guest",
        "devtree attr set /guests/hand bulkhead,kernel string raw",
        "devtree attr set /guests/hand bulkhead,format string raw",
        "devtree node add /guests/hand/vcpus",
        "devtree attr set /guests/hand/vcpus bulkhead,count u32 2",
        "devtree node add /guests/hand/aspace",
        "devtree attr set /guests/hand/aspace #address-cells u32 2",
        "devtree attr set /guests/hand/aspace #size-cells u32 2",
        "devtree node add /guests/hand/aspace/memory@40000000",
        "devtree attr set /guests/hand/aspace/memory@40000000 device_type string memory",
        "devtree attr set /guests/hand/aspace/memory@40000000 reg cells 0 0x40000000 0 0x1000000",
    };

    for (unsigned i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        assert_run(lines[i], "");
}

THREAD_TEST(test_guest_by_hand)
{
    struct fixture_report report;

    (void)arg;
    write_guest();
    fixture_report_init(&report);
    assert_int_equal(guest_create("hand", NULL, &report.report), 0);
    /* In use: neither it, nor what is above or below, goes or changes; the guest is named. */
    assert_refused("devtree node delete /guests/hand", -EBUSY, "hand uses it");
    assert_refused("devtree node delete /guests", -EBUSY, "hand uses it");
    assert_refused("devtree node delete /guests/hand/aspace/memory@40000000", -EBUSY,
                   "hand uses it");
    assert_refused("devtree attr set /guests/hand bulkhead,kernel string linux", -EBUSY,
                   "/guests/hand: bulkhead,kernel: EBUSY (in use): hand uses it");
    assert_refused("devtree attr delete /guests/hand/vcpus bulkhead,count", -EBUSY, "hand uses it");
    assert_refused("devtree node add /guests/hand/aspace/more", -EBUSY,
                   "/guests/hand/aspace: EBUSY (in use): hand uses it");
    assert_refused("devtree node copy /guests/linux0 /guests/hand/more", -EBUSY, "hand uses it");
    assert_refused("devtree load own.dtb /guests/hand", -EBUSY, "hand uses it");
    assert_run("devtree node copy /guests/hand /guests/hand2", "");
    assert_int_equal(guest_create("hand2", NULL, &report.report), 0);
    assert_int_equal(guest_destroy(guest_find("hand2")), 0);
    assert_int_equal(guest_destroy(guest_find("hand")), 0);
    assert_run("devtree node delete /guests/hand", "");
    assert_run("devtree node delete /guests/hand2", "");
}

THREAD_TEST(test_out_of_memory_at_any_point)
{
    static const char *const lines[] = {
        "devtree node dump /guests",
        "devtree node copy /guests/linux0 /copy",
        "devtree attr set /guests v strings a b",
        "devtree load own.dtb /guests",
    };
    struct heap_stats before, after;

    (void)arg;
    for (unsigned i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        unsigned n = 0;
        int err;

        heap_get_stats(&before);
        do {
            page_fail_after(++n);
            err = run(lines[i]);
            page_fail_after(0);
            heap_get_stats(&after);
            if (err != 0) {
                assert_int_equal(after.objects, before.objects);
                assert_int_equal(after.bytes_used, before.bytes_used);
            }
        } while (err != 0);
        assert_true(n > 1);
    }
    assert_run("devtree node delete /copy", "");
    assert_run("devtree node delete /guests", "");
}

/* A console that lets others run in the middle of what it prints. */

static struct dt_node *busy_node;

static int delete_it(void *arg)
{
    (void)arg;
    guest_tree_lock();
    if (busy_node != NULL)
        assert_int_equal(dt_delete_node(busy_node), 0);
    busy_node = NULL;
    guest_tree_unlock();
    return 0;
}

static void slow_write(struct terminal *t, const char *text, size_t size)
{
    fake_write(t, text, size);
    fixture_settle();
}

THREAD_TEST(test_deleted_while_it_is_shown)
{
    struct thread *thread;
    static char expected[sizeof(output)];
    int code;

    (void)arg;
    assert_int_equal(run("devtree node dump /guests"), 0);
    memcpy(expected, output, sizeof(output));
    busy_node = dt_find("/guests/linux0/aspace");
    term.write = slow_write;
    assert_int_equal(thread_create("delete", delete_it, NULL, SCHED_PRIORITY_DEFAULT, 0, &thread),
                     0);
    assert_int_equal(thread_start(thread), 0);
    assert_int_equal(run("devtree node dump /guests"), 0);
    term.write = fake_write;
    assert_int_equal(thread_join(thread, &code), 0);
    assert_null(busy_node);
    assert_string_equal(output, expected);
    assert_null(dt_find("/guests/linux0/aspace"));
    assert_int_equal(fixture_tree(NULL, 0), 0);
}

/* Names of the tree are shown, not obeyed. */
THREAD_TEST(test_long_names_are_cut)
{
    char line[600];

    (void)arg;
    snprintf(line, sizeof(line), "devtree node add /%0500d/x", 0);
    assert_refused(line, -ENOENT, "no such node");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_nodes),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_load),
        cmocka_unit_test(test_guest_by_hand),
        cmocka_unit_test(test_deleted_while_it_is_shown),
        cmocka_unit_test(test_long_names_are_cut),
        cmocka_unit_test(test_out_of_memory_at_any_point),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
