// SPDX-License-Identifier: Apache-2.0
// Trees in the boot bundle: what is taken from them and what is not; guests that start by themselves.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "fixture.h"

#include <hv/guest_parts.h>
#include <lib/errno.h>
#include <libfdt.h>
#include <string.h>

static uint8_t blob[4096] __attribute__((aligned(8)));

static void put_node(const char *name, const char *child)
{
    fdt_begin_node(blob, name);
    fdt_property_string(blob, "from", "bundle");
    fdt_begin_node(blob, child);
    fdt_property_string(blob, "value", child);
    fdt_begin_node(blob, "deeper");
    fdt_end_node(blob);
    fdt_end_node(blob);
    fdt_end_node(blob);
}

static size_t make_blob(void)
{
    fdt_create(blob, sizeof(blob));
    fdt_finish_reservemap(blob);
    fdt_begin_node(blob, "");
    fdt_property_string(blob, "model", "from the bundle");
    put_node("cpus", "cpu@9");
    put_node("guests", "extra");
    put_node("memory", "guests");
    put_node("templates", "small");
    put_node("vmm", "setting");
    put_node("zzz", "templates");
    fdt_end_node(blob);
    fdt_finish(blob);
    return fdt_totalsize(blob);
}

static void test_merge(void **state)
{
    (void)state;
    assert_int_equal(fixture_tree(NULL, 0), 0);
    assert_int_equal(fixture_bundle("guests/mine.dtb", blob, make_blob()), 0);
    assert_int_equal(guest_load_bundle_trees(), 0);
    assert_non_null(dt_find("/guests/extra/deeper"));
    assert_non_null(dt_find("/guests/linux0"));
    assert_non_null(dt_find("/templates/small"));
    assert_non_null(dt_find("/vmm/setting"));
    assert_null(dt_find("/cpus"));
    assert_null(dt_find("/memory"));
    assert_null(dt_find("/zzz"));
    assert_null(dt_attr(dt_root(), "model"));
}

static void test_damaged(void **state)
{
    size_t size = make_blob();

    (void)state;
    for (size_t cut = 0; cut < size; cut += 4) {
        assert_int_equal(fixture_tree(NULL, 0), 0);
        assert_int_equal(fixture_bundle("cut.dtb", blob, cut), 0);
        assert_int_equal(guest_load_bundle_trees(), -EBADMSG);
        assert_null(dt_find("/guests/extra"));
    }
    assert_int_equal(fixture_bundle("notes.txt", blob, 16), 0);
    assert_int_equal(guest_load_bundle_trees(), 0);
}

static void start_all(void *arg)
{
    (void)arg;
    guest_autostart();
}

static void count_running(void *arg)
{
    struct guest *guest = guest_find("linux0");
    uint32_t reasons;

    *(bool *)arg = guest != NULL && guest_count() == 1 &&
                   vcpu_logical_state(guest->vcpus[0], &reasons) != VCPU_RESET;
    if (guest != NULL)
        guest_destroy(guest);
}

static void test_autostart(void **state)
{
    const struct fixture_edit edit = {"linux0", "bulkhead,autostart", "", 0, false};
    bool running;

    (void)state;
    fixture_guest_reset();
    assert_int_equal(fixture_tree(NULL, 0), 0);
    fixture_run(start_all, NULL);
    fixture_run(count_running, &running);
    assert_false(running);
    assert_int_equal(fixture_tree(&edit, 1), 0);
    fixture_run(start_all, NULL);
    fixture_run(count_running, &running);
    assert_true(running);
}

static int setup(void **state)
{
    (void)state;
    return fixture_init();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_merge),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_autostart),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
