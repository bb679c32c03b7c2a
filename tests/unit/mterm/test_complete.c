// SPDX-License-Identifier: Apache-2.0
// Completion: what may stand where the cursor is.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arch/mmu.h>
#include <hv/cpu.h>
#include <hv/dt.h>
#include <hv/guest.h>
#include <hv/mterm.h>
#include <hv/page.h>
#include <hv/sched.h>
#include <hv/vserial.h>
#include <port/host.h>
#include <stdio.h>
#include <string.h>

static size_t take_nothing(void *arg, const uint8_t *data, size_t size)
{
    (void)arg;
    (void)data;
    (void)size;
    return 0;
}

static int boot(void **state)
{
    struct dt_node *guests, *node;
    struct vserial *vs;

    (void)state;
    host_reset();
    cpu_set_count(1);
    cpu_set_online(0);
    return page_add_range(hpa(HOST_RAM_BASE), 64 << 20) != 0 || dt_init() != 0 ||
           sched_init() != 0 || sched_init_cpu() != 0 || guest_init() != 0 ||
           dt_add_node(dt_root(), "guests", &guests) != 0 ||
           dt_add_node(guests, "linux0", &node) != 0 || dt_add_node(guests, "linux1", &node) != 0 ||
           dt_add_node(node, "aspace", &node) != 0 ||
           vserial_create("linux0/uart0", take_nothing, NULL, &vs) != 0 ||
           vserial_create("linux1/uart0", take_nothing, NULL, &vs) != 0;
}

static struct mterm_completion done;

static void complete(const char *line)
{
    mterm_complete(line, strlen(line), &done);
}

static void assert_completes(const char *line, unsigned count, const char *common)
{
    complete(line);
    assert_int_equal(done.count, count);
    if (count > 0)
        assert_string_equal(done.common, common);
    assert_true(done.prefix <= strlen(line));
}

static void test_commands(void **state)
{
    unsigned commands = 0;

    (void)state;
    while (mterm_command_at(commands) != NULL)
        commands++;
    assert_completes("", commands, "");
    assert_completes("  ", commands, "");
    assert_completes("gu", 1, "guest");
    assert_int_equal(done.prefix, 2);
    assert_completes("v", 3, "v");
    assert_completes("nonsense", 0, "");
    assert_completes("help gu", 1, "guest");
}

static void test_verbs(void **state)
{
    (void)state;
    assert_completes("guest cr", 1, "create");
    assert_completes("guest re", 3, "re");
    assert_completes("guest res", 2, "res");
    assert_completes("  vcpu\tki", 1, "kick");
    assert_completes("nonsense x", 0, "");
    assert_completes("version ", 0, "");
}

static void test_arguments(void **state)
{
    (void)state;
    assert_completes("vserial attach ", 2, "linux");
    assert_completes("vserial attach linux1", 1, "linux1/uart0");
    assert_completes("vserial attach linux1/uart0 ", 0, "");
    assert_completes("guest create li", 2, "linux");
    assert_completes("guest kick ", 0, "");
    assert_completes("log level ", 0, "");
    assert_completes("vserial nonsense ", 0, "");
}

static void test_paths(void **state)
{
    (void)state;
    assert_completes("devtree node dump ", 1, "/");
    assert_true(done.more);
    assert_completes("devtree node dump /gu", 1, "/guests");
    assert_true(done.more);
    assert_completes("devtree node dump /guests/", 2, "/guests/linux");
    assert_completes("devtree node dump /guests/linux1/a", 1, "/guests/linux1/aspace");
    assert_completes("devtree node dump /nonsense/a", 0, "");
    assert_completes("devtree node dump x", 0, "");
}

static void test_cursor_in_the_middle(void **state)
{
    (void)state;
    mterm_complete("gu list", 2, &done);
    assert_int_equal(done.count, 1);
    assert_string_equal(done.common, "guest");
    mterm_complete("guest list", 0, &done);
    assert_int_equal(done.prefix, 0);
}

static void test_noise(void **state)
{
    static const char *const words[] = {"guest", "vcpu", "devtree", "show", "create", "/",
                                        " ",     "\t",   "vserial", "help", "attach", "//",
                                        "/a/b",  "\x1b", "linux",   "0/"};
    uint32_t seed = 3;

    (void)state;
    for (int round = 0; round < 50000; round++) {
        char line[600] = "";
        size_t size;

        for (unsigned n = seed >> 28; n > 0; n--) {
            seed = seed * 1664525 + 1013904223;
            strcat(line, words[(seed >> 20) % 16]);
            if (seed & 0x10000)
                strcat(line, " ");
        }
        seed = seed * 1664525 + 1013904223;
        size = strlen(line);
        mterm_complete(line, size == 0 ? 0 : (seed >> 8) % (size + 1), &done);
        assert_true(done.used <= sizeof(done.words));
    }
}

/* More candidates than the list holds, and longer than the common text does. */
static void test_limits(void **state)
{
    struct vserial *ports[80];
    char name[80];

    (void)state;
    for (unsigned i = 0; i < 80; i++) {
        snprintf(name, sizeof(name), "a-guest-with-quite-a-long-name/and-a-long-port-name%u", i);
        assert_int_equal(vserial_create(name, take_nothing, NULL, &ports[i]), 0);
    }
    complete("vserial dump a-g");
    assert_int_equal(done.count, 80);
    assert_string_equal(done.common, "a-guest-with-quite-a-long-name/and-a-long-port-name");
    assert_true(done.used <= sizeof(done.words));
    for (unsigned i = 0; i < 80; i++)
        vserial_destroy(ports[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commands),  cmocka_unit_test(test_verbs),
        cmocka_unit_test(test_arguments), cmocka_unit_test(test_paths),
        cmocka_unit_test(test_limits),    cmocka_unit_test(test_cursor_in_the_middle),
        cmocka_unit_test(test_noise),
    };

    return cmocka_run_group_tests(tests, boot, NULL);
}
