// SPDX-License-Identifier: Apache-2.0
// The device tree that a guest gets, read back with libfdt.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "fixture.h"

#include <hv/guest_config.h>
#include <lib/endian.h>
#include <lib/errno.h>
#include <libfdt.h>
#include <port/host.h>
#include <string.h>

static struct guest_config config;
static struct guest_layout layout;
static struct fixture_report report;
static uint8_t fdt[GUEST_FDT_SIZE] __attribute__((aligned(8)));

static void generate(const struct fixture_edit *edits, unsigned count)
{
    assert_int_equal(fixture_tree(edits, count), 0);
    fixture_report_init(&report);
    assert_int_equal(guest_config_read(dt_find("/guests/linux0"), &config, &layout, &report.report),
                     0);
    assert_int_equal(guest_fdt_build(&config, &layout, fdt, sizeof(fdt)), 0);
    assert_int_equal(fdt_check_full(fdt, sizeof(fdt)), 0);
}

static const void *property(const char *path, const char *name, int size)
{
    int offset = fdt_path_offset(fdt, path);
    int found;
    const void *value;

    assert_true(offset >= 0);
    value = fdt_getprop(fdt, offset, name, &found);
    assert_non_null(value);
    assert_int_equal(found, size);
    return value;
}

static uint32_t cell(const char *path, const char *name, int count, int index)
{
    return be32_load((const uint8_t *)property(path, name, 4 * count) + 4 * index);
}

static void string(const char *path, const char *name, const char *expected)
{
    assert_string_equal(property(path, name, (int)strlen(expected) + 1), expected);
}

static void test_platform(void **state)
{
    (void)state;
    generate(NULL, 0);
    string("/cpus/cpu@0", "enable-method", "psci");
    assert_int_equal(cell("/cpus/cpu@1", "reg", 1, 0), 1);
    assert_true(fdt_path_offset(fdt, "/cpus/cpu@2") < 0);
    string("/psci", "method", "hvc");
    assert_int_equal(fdt_node_check_compatible(fdt, fdt_path_offset(fdt, "/psci"), "arm,psci-0.2"),
                     0);
    assert_int_equal(cell("/timer", "interrupts", 12, 7), 11);
    assert_int_equal(cell("/timer", "interrupts", 12, 8), 4);
    assert_int_equal(cell("/memory@40000000", "reg", 4, 3), 0x1000000);
    assert_true(fdt_path_offset(fdt, "/memory@0") < 0);
    assert_int_equal(cell("/", "interrupt-parent", 1, 0),
                     fdt_get_phandle(fdt, fdt_path_offset(fdt, "/interrupt-controller@8000000")));
}

static void test_chosen(void **state)
{
    (void)state;
    generate(NULL, 0);
    string("/chosen", "bootargs", "console=ttyAMA0");
    assert_int_equal(be64_load(property("/chosen", "linux,initrd-start", 8)), layout.initrd.addr);
    assert_int_equal(be64_load(property("/chosen", "linux,initrd-end", 8)),
                     layout.initrd.addr + 5000);
}

static void test_devices(void **state)
{
    (void)state;
    generate(NULL, 0);
    string("/dev0@9000000", "compatible", "test,device");
    assert_int_equal(cell("/dev0@9000000", "reg", 8, 5), 0x09002000);
    assert_int_equal(cell("/dev0@9000000", "interrupts", 6, 4), 2);
    assert_true(fdt_path_offset(fdt, "/mirror@80000000") < 0);
}

static void test_console(void **state)
{
    const struct fixture_edit edits[] = {
        {"dev1", "compatible", "arm,pl011\0arm,primecell", 24, false},
        {"dev1", "interrupt-parent", "\0\0\0\x63", 4, false},
        {"dev1", "interrupts", "\0\0\0\0\0\0\0\7\0\0\0\4", 12, false},
    };

    (void)state;
    generate(edits, 3);
    string("/chosen", "stdout-path", "/dev1@9010000");
    assert_int_equal(cell("/dev1@9010000", "clocks", 2, 0),
                     fdt_get_phandle(fdt, fdt_path_offset(fdt, "/apb-pclk")));
    assert_memory_equal(property("/dev1@9010000", "clock-names", 17), "uartclk\0apb_pclk", 17);
    assert_null(fdt_getprop(fdt, fdt_path_offset(fdt, "/dev1@9010000"), "interrupt-parent", NULL));
}

static void test_gic_versions(void **state)
{
    (void)state;
    generate(NULL, 0);
    string("/interrupt-controller@8000000", "compatible", "arm,gic-v3");
    assert_int_equal(cell("/interrupt-controller@8000000", "reg", 8, 7), 0x40000);
    host_guest_irq_set(GUEST_IRQ_V2, 4);
    generate(NULL, 0);
    string("/interrupt-controller@8000000", "compatible", "arm,cortex-a15-gic");
    assert_int_equal(cell("/interrupt-controller@8000000", "reg", 8, 5), 0x08010000);
    assert_int_equal(cell("/timer", "interrupts", 12, 8), 0x304);
    host_guest_irq_set(GUEST_IRQ_V3, 4);
}

static void test_no_room(void **state)
{
    (void)state;
    generate(NULL, 0);
    for (size_t size = 0; size < fdt_totalsize(fdt); size += 97) {
        static uint8_t small[GUEST_FDT_SIZE] __attribute__((aligned(8)));

        assert_int_equal(guest_fdt_build(&config, &layout, small, size), -ENOSPC);
    }
}

static int setup(void **state)
{
    (void)state;
    return fixture_init();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_platform),     cmocka_unit_test(test_chosen),
        cmocka_unit_test(test_devices),      cmocka_unit_test(test_console),
        cmocka_unit_test(test_gic_versions), cmocka_unit_test(test_no_room),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
