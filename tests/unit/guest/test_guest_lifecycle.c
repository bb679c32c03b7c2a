// SPDX-License-Identifier: Apache-2.0
// Guests from creation to destruction: nothing is left behind, whatever fails; commands.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "fixture.h"

#include <arch/mmu.h>
#include <hv/guest_parts.h>
#include <hv/page.h>
#include <lib/errno.h>
#include <libfdt.h>
#include <port/host.h>
#include <string.h>

#define FAIL_ROUNDS 200

static struct fixture_report report;

THREAD_TEST(test_create_destroy)
{
    struct fixture_census before;
    uint32_t word = 0;
    struct guest *guest;

    (void)arg;
    fixture_census(&before);
    for (unsigned i = 0; i < 3; i++) {
        guest = fixture_create(&report);
        assert_non_null(guest);
        assert_int_equal(guest_count(), 1);
        assert_int_equal(fixture_device.alive, 1);
        assert_int_equal(guest_mem_read(guest, gpa(0x40000000 + 56), &word, 4), 0);
        assert_memory_equal(&word, "ARM\x64", 4);
        assert_int_equal(guest_mem_read(guest, gpa(0), &word, 4), 0);
        assert_int_equal(word, 0xa5a5a5a5);
        assert_int_equal(guest_mem_read(guest, gpa(guest->dtb), &word, 4), 0);
        assert_int_equal(word, cpu_to_fdt32(FDT_MAGIC));
        assert_int_equal(guest_destroy(guest), 0);
        assert_null(guest_find("linux0"));
        assert_true(fixture_census_equal(&before));
    }
}

THREAD_TEST(test_names)
{
    (void)arg;
    fixture_create(&report);
    fixture_report_init(&report);
    assert_int_equal(guest_create("linux0", NULL, &report.report), -EEXIST);
    assert_int_equal(guest_create("nobody", NULL, &report.report), -ENOENT);
    assert_int_equal(guest_create("other", "nothing", &report.report), -ENOENT);
    assert_int_equal(guest_create("", NULL, &report.report), -EINVAL);
    assert_int_equal(guest_create("../x", "basic", &report.report), -EINVAL);
    assert_int_equal(guest_create("a234567890123456789012345678901234", "basic", &report.report),
                     -EINVAL);
    assert_int_equal(report.report.errors, 6);
    assert_int_equal(guest_destroy(guest_find("linux0")), 0);
}

THREAD_TEST(test_template)
{
    struct fixture_census before;

    (void)arg;
    fixture_census(&before);
    fixture_report_init(&report);
    assert_int_equal(guest_create("copy", "basic", &report.report), 0);
    assert_non_null(dt_find("/guests/copy"));
    assert_int_equal(guest_destroy(guest_find("copy")), 0);
    assert_null(dt_find("/guests/copy"));
    assert_true(fixture_census_equal(&before));
}

/* A failure that creation can live with (large pages) is fine too; the last round has none at all. */
static void fail_each_allocation(const char *name, const char *template_name, unsigned least)
{
    struct fixture_census before;
    unsigned failures = 0;

    fixture_census(&before);
    for (unsigned n = 1; n <= FAIL_ROUNDS; n++) {
        int err;

        fixture_report_init(&report);
        page_fail_after(n);
        err = guest_create(name, template_name, &report.report);
        page_fail_after(0);
        if (err == 0) {
            assert_int_equal(guest_destroy(guest_find(name)), 0);
        } else {
            failures++;
            assert_true(n < FAIL_ROUNDS);
            assert_int_equal(err, -ENOMEM);
            assert_true(report.report.errors > 0);
            assert_int_equal(guest_count(), 0);
        }
        assert_true(fixture_census_equal(&before));
    }
    assert_true(failures > least);
}

THREAD_TEST(test_every_allocation_fails)
{
    (void)arg;
    fail_each_allocation("linux0", NULL, 30);
}

THREAD_TEST(test_template_allocation_fails)
{
    (void)arg;
    fail_each_allocation("copy", "basic", 60);
    assert_null(dt_find("/guests/copy"));
}

THREAD_TEST(test_device_fails)
{
    struct fixture_census before;

    (void)arg;
    fixture_census(&before);
    fixture_device.fail_probe = -EBUSY;
    fixture_report_init(&report);
    assert_int_equal(guest_create("linux0", NULL, &report.report), -EBUSY);
    assert_non_null(strstr(report.text, "/guests/linux0/aspace/dev0@9000000: emulated device"));
    assert_true(fixture_census_equal(&before));
}

THREAD_TEST(test_memory_is_scrubbed)
{
    struct guest *guest = fixture_create(&report);
    const struct guest_region *region = NULL;
    const uint8_t *host;
    uint8_t byte = 0x77;

    (void)arg;
    assert_int_equal(guest_mem_write(guest, gpa(0x40800000), &byte, 1), 0);
    for (unsigned i = 0; i < guest->map->count; i++)
        if (guest->map->regions[i]->start.v == 0x40000000)
            region = guest->map->regions[i];
    host = (const uint8_t *)arch_mmu_linear(region->host) + 0x800000;
    assert_int_equal(*host, 0x77);
    assert_int_equal(guest_destroy(guest), 0);
    assert_int_equal(*host, 0);
}

THREAD_TEST(test_kick_reset_halt)
{
    struct guest *guest = fixture_create(&report);
    uint32_t garbage = 0xdeadbeef;
    uint32_t word;

    (void)arg;
    assert_int_equal(guest_resume(guest), -EINVAL);
    assert_int_equal(guest_pause(guest), -EINVAL);
    assert_int_equal(guest_kick(guest), 0);
    fixture_settle();
    assert_int_equal(fixture_rounds[0], 1);
    assert_int_equal(fixture_rounds[1], 0);
    assert_int_equal(guest->vcpus[0]->start_pc, 0x40000000);
    assert_int_equal(guest_kick(guest), -EALREADY);
    assert_int_equal(guest_mem_write(guest, gpa(0x40000000), &garbage, 4), 0);
    fixture_report_init(&report);
    assert_int_equal(guest_reset(guest, &report.report), 0);
    assert_int_equal(guest_mem_read(guest, gpa(0x40000000), &word, 4), 0);
    assert_int_not_equal(word, garbage);
    fixture_settle();
    assert_int_equal(fixture_rounds[0], 2);
    assert_int_equal(guest->reset_count, 1);
    assert_int_equal(guest_halt(guest), 0);
    assert_int_equal(fixture_state(guest, 0), VCPU_HALTED);
    assert_int_equal(fixture_state(guest, 1), VCPU_RESET);
    assert_int_equal(guest_halt(guest), -EALREADY);
    assert_int_equal(guest_kick(guest), -EINVAL);
    assert_int_equal(guest_reset(guest, &report.report), 0);
    assert_int_equal(fixture_state(guest, 0), VCPU_RESET);
    assert_int_equal(guest_kick(guest), 0);
    fixture_settle();
    assert_int_equal(fixture_rounds[0], 3);
    assert_int_equal(guest_destroy(guest), 0);
}

THREAD_TEST(test_pause_stops_time)
{
    struct guest *guest = fixture_create(&report);

    (void)arg;
    assert_int_equal(guest_kick(guest), 0);
    fixture_settle();
    assert_int_equal(guest_pause(guest), 0);
    assert_int_equal(guest_pause(guest), -EALREADY);
    assert_true(guest->arch.time_stopped);
    assert_int_equal(fixture_state(guest, 0), VCPU_PAUSED);
    vcpu_interrupt(guest->vcpus[0]);
    fixture_settle();
    assert_int_equal(fixture_rounds[0], 1);
    assert_int_equal(guest_resume(guest), 0);
    assert_false(guest->arch.time_stopped);
    assert_int_equal(guest_resume(guest), -EINVAL);
    assert_int_equal(guest_pause(guest), 0);
    assert_int_equal(guest_destroy(guest), 0);
}

/* Its counter is the host's own, and goes on while the guest is paused. */
THREAD_TEST(test_host_counter)
{
    const struct fixture_edit edit = {"linux0", "bulkhead,counter", "host", sizeof("host"), false};
    struct guest *guest;

    (void)arg;
    assert_int_equal(fixture_tree(&edit, 1), 0);
    host_clock_advance_ns(1000000);
    guest = fixture_create(&report);
    assert_non_null(guest);
    assert_int_equal(guest->arch.time_offset, 0);
    assert_int_equal(guest_kick(guest), 0);
    fixture_settle();
    assert_int_equal(guest_pause(guest), 0);
    host_clock_advance_ns(1000000);
    assert_int_equal(guest_resume(guest), 0);
    assert_int_equal(guest->arch.time_offset, 0);
    assert_int_equal(guest_destroy(guest), 0);
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
        cmocka_unit_test_setup(test_create_destroy, reset),
        cmocka_unit_test_setup(test_names, reset),
        cmocka_unit_test_setup(test_template, reset),
        cmocka_unit_test_setup(test_every_allocation_fails, reset),
        cmocka_unit_test_setup(test_template_allocation_fails, reset),
        cmocka_unit_test_setup(test_device_fails, reset),
        cmocka_unit_test_setup(test_memory_is_scrubbed, reset),
        cmocka_unit_test_setup(test_kick_reset_halt, reset),
        cmocka_unit_test_setup(test_pause_stops_time, reset),
        cmocka_unit_test_setup(test_host_counter, reset),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
