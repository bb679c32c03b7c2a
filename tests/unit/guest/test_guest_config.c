// SPDX-License-Identifier: Apache-2.0
// A guest's configuration: what is accepted and how it is read, and one message for each thing that can be wrong.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "fixture.h"

#include <hv/clock.h>
#include <hv/guest_config.h>
#include <lib/errno.h>
#include <port/host.h>
#include <stdio.h>
#include <string.h>

static struct guest_config config;
static struct guest_layout layout;
static struct fixture_report report;

static int read_edited(const struct fixture_edit *edits, unsigned count)
{
    assert_int_equal(fixture_tree(edits, count), 0);
    fixture_report_init(&report);
    return guest_config_read(dt_find("/guests/linux0"), &config, &layout, &report.report);
}

static const struct guest_region_config *region_at(uint64_t start)
{
    for (unsigned i = 0; i < config.region_count; i++)
        if (config.regions[i].start == start)
            return &config.regions[i];
    return NULL;
}

static void test_good(void **state)
{
    (void)state;
    assert_int_equal(read_edited(NULL, 0), 0);
    assert_string_equal(report.text, "");
    assert_int_equal(config.vcpu_count, 2);
    assert_int_equal(config.vcpus[0].priority, 3);
    assert_int_equal(config.vcpus[1].priority, 4);
    assert_string_equal(config.vcpus[0].node->name, "vcpus");
    assert_string_equal(config.vcpus[1].node->name, "vcpu@1");
    assert_int_equal(config.device_count, 3);
    assert_int_equal(config.devices[1].irq, 33);
    assert_int_equal(config.devices[1].irq_count, 2);
    assert_int_equal(config.intc_version, 3);
    assert_int_equal(config.on_crash, GUEST_ON_CRASH_HALT);
    assert_int_equal(config.on_reboot, GUEST_ON_CRASH_RESTART);
    for (unsigned i = 1; i < config.region_count; i++)
        assert_true(config.regions[i - 1].start < config.regions[i].start);
    assert_int_equal(region_at(0x080a0000)->size, 2 * 0x20000);
    assert_int_equal(region_at(0x08000000)->size, 0x10000);
    assert_true(region_at(0)->read_only);
    assert_int_equal(region_at(0x80000000)->kind, GUEST_REGION_ALIAS);
    assert_int_equal(region_at(0x09002000)->frame, 1);
}

static void test_layout(void **state)
{
    (void)state;
    assert_int_equal(read_edited(NULL, 0), 0);
    assert_int_equal(layout.kernel.addr, 0x40000000);
    assert_int_equal(layout.kernel.mem_size, 0x300000);
    assert_int_equal(layout.entry, 0x40000000);
    assert_int_equal(layout.initrd.addr, 0x41000000 - 0x2000);
    assert_int_equal(layout.dtb.addr % 0x200000, 0);
    assert_true(layout.dtb.addr >= 0x40300000 &&
                layout.dtb.addr + layout.dtb.mem_size <= layout.initrd.addr);
}

static void test_gicv2(void **state)
{
    (void)state;
    host_guest_irq_set(GUEST_IRQ_V2, 4);
    assert_int_equal(read_edited(NULL, 0), 0);
    assert_int_equal(config.intc_version, 2);
    assert_int_equal(region_at(0x08010000)->kind, GUEST_REGION_HOST);
    assert_int_equal(region_at(0x08010000)->host, 0x08040000);
    assert_int_equal(region_at(0x08010000)->size, 0x2000);
    host_guest_irq_set(GUEST_IRQ_V3, 4);
}

static void test_raw_and_elf(void **state)
{
    const struct fixture_edit raw[] = {
        {"linux0", "bulkhead,format", "raw", 4, false},
        {"linux0", "bulkhead,kernel", "raw", 4, false},
    };
    const struct fixture_edit elf[] = {
        {"linux0", "bulkhead,format", "elf", 4, false},
        {"linux0", "bulkhead,kernel", "elf", 4, false},
        {"linux0", "bulkhead,entry", "\0\0\0\0\x40\x10\0\x40", 8, false},
    };

    (void)state;
    assert_int_equal(read_edited(raw, 2), 0);
    assert_int_equal(layout.kernel.addr, 0x40080000);
    assert_int_equal(layout.entry, 0x40080000);
    assert_int_equal(read_edited(elf, 3), 0);
    assert_int_equal(layout.kernel.addr, 0x40100000);
    assert_int_equal(layout.kernel.mem_size, 0x8000);
    assert_int_equal(layout.entry, 0x40100040);
}

static void test_own_dtb(void **state)
{
    const struct fixture_edit edit = {"linux0", "bulkhead,dtb", "own.dtb", 8, false};

    (void)state;
    assert_int_equal(read_edited(&edit, 1), 0);
    assert_int_equal(layout.initrd.addr, 0x40c00000);
    assert_non_null(layout.dtb.data);
}

static void test_vcpu_nodes_count(void **state)
{
    const struct fixture_edit edits[] = {
        {"vcpus", "bulkhead,count", NULL, 0, true},
        {"vcpus", "bulkhead,time-slice-us", "\0\0\x03\xe8", 4, false},
        {"vcpu", "reg", "\0\0\0\0", 4, false},
        {"vcpu", "bulkhead,affinity", "\0\0\0\0", 4, false},
    };

    (void)state;
    assert_int_equal(read_edited(edits, 4), 0);
    assert_int_equal(config.vcpu_count, 1);
    assert_int_equal(config.vcpus[0].priority, 4);
    assert_int_equal(config.vcpus[0].time_slice, NS_PER_MS);
    assert_int_equal(config.vcpus[0].affinity, 1);
}

#define CELL(a) "\0\0\0" a
#define NODE "/guests/linux0"
#define MEMORY NODE "/aspace/memory@40000000: reg"

struct bad {
    struct fixture_edit edit;
    const char *message; /**< start of the message's line */
};

#define SET(node, property, value)                                                                 \
    {                                                                                              \
        node, property, value, sizeof(value) - 1, false                                            \
    }
#define TEXT(node, property, value)                                                                \
    {                                                                                              \
        node, property, value, sizeof(value), false                                                \
    }
#define REMOVE(node, property)                                                                     \
    {                                                                                              \
        node, property, NULL, 0, true                                                              \
    }

static const struct bad bad_guest[] = {
    {REMOVE("linux0", "compatible"), NODE ": compatible: is not a guest"},
    {TEXT("linux0", "compatible", "linux"), NODE ": compatible: is not a guest"},
    {TEXT("linux0", "bulkhead,kernal", "x"), NODE ": bulkhead,kernal: no such property"},
    {TEXT("linux0", "bulkhead,form", "partition"), NODE ": bulkhead,form: \"partition\""},
    {REMOVE("linux0", "bulkhead,kernel"), NODE ": bulkhead,kernel: missing"},
    {TEXT("linux0", "bulkhead,kernel", "nofile"),
     NODE ": bulkhead,kernel: the boot bundle has no file"},
    {TEXT("linux0", "bulkhead,kernel", "empty"), NODE ": bulkhead,kernel: file \"empty\" is empty"},
    {TEXT("linux0", "bulkhead,kernel", "garbage"),
     NODE ": bulkhead,kernel: \"garbage\" is no arm64 Linux image"},
    {TEXT("linux0", "bulkhead,kernel", ""), NODE ": bulkhead,kernel: must be a string"},
    {SET("linux0", "bulkhead,kernel", "abc"), NODE ": bulkhead,kernel: must be a string"},
    {TEXT("linux0", "bulkhead,format", "zip"), NODE ": bulkhead,format: \"zip\" is unknown"},
    {TEXT("linux0", "bulkhead,format", "elf"),
     NODE ": bulkhead,kernel: \"linux\" is no ELF program"},
    {TEXT("linux0", "bulkhead,initrd", "nofile"),
     NODE ": bulkhead,initrd: the boot bundle has no file"},
    {TEXT("linux0", "bulkhead,initrd", "empty"), NODE ": bulkhead,initrd: file \"empty\" is empty"},
    {TEXT("linux0", "bulkhead,dtb", "garbage"),
     NODE ": bulkhead,dtb: \"garbage\" is no flattened device tree"},
    {TEXT("linux0", "bulkhead,dtb", "nofile"), NODE ": bulkhead,dtb: the boot bundle has no file"},
    {SET("linux0", "bulkhead,load", "\x40\x20\0\1"),
     NODE ": bulkhead,load: 0x40200001: must be a multiple"},
    {SET("linux0", "bulkhead,load", "\x50\0\0\0"),
     NODE ": bulkhead,kernel: 0x50000000, size 0x300000: not inside"},
    {SET("linux0", "bulkhead,load", "\xff\xff\xff\xff\xff\xe0\0\0"),
     NODE ": bulkhead,kernel: 0xffffffffffe00000"},
    {SET("linux0", "bulkhead,load", "\0\0\0"), NODE ": bulkhead,load: must be an address"},
    {SET("linux0", "bulkhead,entry", "\x10\0\0\0"), NODE ": bulkhead,entry: 0x10000000 is not in"},
    {TEXT("linux0", "bulkhead,on-crash", "explode"),
     NODE ": bulkhead,on-crash: \"explode\" is unknown"},
    {SET("linux0", "bulkhead,on-reboot", CELL("\1")), NODE ": bulkhead,on-reboot: must be a string"},
    {TEXT("linux0", "bulkhead,counter", "mine"), NODE ": bulkhead,counter: \"mine\" is unknown"},
};

static const struct bad bad_vcpus[] = {
    {SET("vcpus", "bulkhead,count", CELL("\0")), NODE "/vcpus: bulkhead,count: 0 VCPUs"},
    {SET("vcpus", "bulkhead,count", "\0\0\3\xe8"), NODE "/vcpus: bulkhead,count: 1000 VCPUs"},
    {SET("vcpus", "bulkhead,count", "\xff\xff\xff\xff"),
     NODE "/vcpus: bulkhead,count: 4294967295 VCPUs"},
    {SET("vcpus", "bulkhead,count", CELL("\2") CELL("\2")),
     NODE "/vcpus: bulkhead,count: must be one cell"},
    {SET("vcpus", "bulkhead,count", CELL("\1")), NODE "/vcpus/vcpu@1: reg: must be the number"},
    {REMOVE("vcpu", "reg"), NODE "/vcpus/vcpu@1: reg: must be the number"},
    {SET("vcpu", "bulkhead,priority", CELL("\x8")),
     NODE "/vcpus/vcpu@1: bulkhead,priority: 8 is too big"},
    {SET("vcpu", "bulkhead,priority", "\xff\xff\xff\xff"),
     NODE "/vcpus/vcpu@1: bulkhead,priority: 4294967295"},
    {SET("vcpu", "bulkhead,time-slice-us", CELL("\0")),
     NODE "/vcpus/vcpu@1: bulkhead,time-slice-us: 0 is too small"},
    {SET("vcpu", "bulkhead,time-slice-us", "\x7f\0\0\0"),
     NODE "/vcpus/vcpu@1: bulkhead,time-slice-us: 2130706432"},
    {SET("vcpu", "bulkhead,affinity", CELL("\1")),
     NODE "/vcpus/vcpu@1: bulkhead,affinity: this host has no CPU 1"},
    {SET("vcpu", "bulkhead,affinity", "\xff\xff\xff\xff"),
     NODE "/vcpus/vcpu@1: bulkhead,affinity: this host has no"},
    {SET("vcpu", "bulkhead,affinity", ""),
     NODE "/vcpus/vcpu@1: bulkhead,affinity: must be CPU numbers"},
    {SET("vcpu", "bulkhead,color", CELL("\1")),
     NODE "/vcpus/vcpu@1: bulkhead,color: no such property"},
};

static const struct bad bad_aspace[] = {
    {REMOVE("aspace", "#address-cells"), NODE "/aspace: #address-cells: must be there"},
    {SET("aspace", "#address-cells", CELL("\0")), NODE "/aspace: #address-cells: must be there"},
    {SET("aspace", "#size-cells", CELL("\5")), NODE "/aspace: #size-cells: must be there"},
    {SET("memory", "reg", ""), MEMORY ": must be 1 to 8"},
    {REMOVE("memory", "reg"), MEMORY ": must be 1 to 8"},
    {SET("memory", "reg", CELL("\0") "\x40\0\0\0"), MEMORY ": must be 1 to 8"},
    {SET("memory", "reg", CELL("\0") "\x40\0\0\0" CELL("\0") CELL("\0")), MEMORY ": size is 0"},
    {SET("memory", "reg", CELL("\0") "\x40\0\0\1" CELL("\0") "\1\0\0\0"),
     MEMORY ": 0x40000001, size 0x1000000: both"},
    {SET("memory", "reg", CELL("\0") "\x40\0\0\0" CELL("\0") "\1\0\2\0"),
     MEMORY ": 0x40000000, size 0x1000200: both"},
    {SET("memory", "reg",
         CELL("\0") "\x40\0\0\0"
                    "\x7f\0\0\0" CELL("\0")),
     MEMORY ": 0x40000000, size 0x7f000000"},
    {SET("memory", "reg", "\xff\xff\xff\xff\xff\xff\xf0\0" CELL("\0") "\1\0\0\0"),
     MEMORY ": 0xfffffffffffff000"},
    {SET("memory", "reg", CELL("\0") "\x40\0\0\0" CELL("\0") "\x40\0\0\0"),
     MEMORY ": the guest has 1025 MiB"},
    {SET("memory", "reg", CELL("\0") "\x40\0\0\0" CELL("\0") "\0\x10\0\0"),
     NODE ": bulkhead,kernel: 0x40000000"},
    {SET("memory", "reg", CELL("\0") "\x09\0\0\0" CELL("\0") "\1\0\0\0"),
     NODE "/aspace/dev0@9000000: reg: 0x9000000 overlaps \"memory@40000000\""},
    {REMOVE("memory", "device_type"),
     NODE "/aspace/memory@40000000: compatible: no emulated device"},
    {TEXT("rom", "bulkhead,file", "nofile"),
     NODE "/aspace/rom@0: bulkhead,file: the boot bundle has no file"},
    {SET("rom", "reg", CELL("\0") CELL("\0") CELL("\0") CELL("\0")),
     NODE "/aspace/rom@0: reg: size is 0"},
    {SET("mirror", "bulkhead,alias", CELL("\x9")),
     NODE "/aspace/mirror@80000000: bulkhead,alias: must be the label"},
    {SET("mirror", "reg", CELL("\0") "\x80\0\0\0" CELL("\0") "\2\0\0\0"),
     NODE "/aspace/mirror@80000000: reg: longer than"},
    {TEXT("dev0", "compatible", "acme,none"),
     NODE "/aspace/dev0@9000000: compatible: no emulated device for \"acme"},
    {REMOVE("dev0", "compatible"),
     NODE "/aspace/dev0@9000000: compatible: no emulated device for \"nothing\""},
    {SET("dev0", "interrupts", CELL("\0") CELL("\1")),
     NODE "/aspace/dev0@9000000: interrupts: must be groups"},
    {SET("dev0", "interrupts", CELL("\0") CELL("\x60") CELL("\4")),
     NODE "/aspace/dev0@9000000: interrupts: no SPI 96"},
    {SET("dev0", "interrupts", CELL("\1") CELL("\1") CELL("\4")),
     NODE "/aspace/dev0@9000000: interrupts: type 1"},
    {SET("dev0", "interrupts", CELL("\0") "\xff\xff\xff\xff" CELL("\4")),
     NODE "/aspace/dev0@9000000: interrupts: no SPI"},
    {SET("dev0", "interrupts", CELL("\0") CELL("\1") CELL("\2")),
     NODE "/aspace/dev0@9000000: interrupts: trigger 2"},
    {SET("dev0", "interrupts", CELL("\0") CELL("\5") CELL("\4")),
     NODE "/aspace/dev1@9010000: interrupts: SPI 5 belongs"},
    {SET("dev0", "interrupts", CELL("\0") CELL("\1") CELL("\4") CELL("\0") CELL("\7") CELL("\4")),
     NODE "/aspace/dev0@9000000: interrupts: numbers of one device"},
    {SET("dev0", "bulkhead,passthrough", ""),
     NODE "/aspace/dev0@9000000: bulkhead,passthrough: host devices"},
    {TEXT("dev0", "compatible", "arm,gic-400"),
     NODE "/aspace/dev0@9000000: compatible: a GICv2 guest"},
};

static void check_bad(const struct bad *bad, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        int err = read_edited(&bad[i].edit, 1);
        const char *found = strstr(report.text, bad[i].message);

        if (err != -EINVAL || found == NULL || (found != report.text && found[-1] != '\n'))
            fail_msg("expected \"%s\", got error %d and:\n%s", bad[i].message, err, report.text);
    }
}

static void test_bad_guest(void **state)
{
    (void)state;
    check_bad(bad_guest, sizeof(bad_guest) / sizeof(bad_guest[0]));
}

static void test_bad_vcpus(void **state)
{
    (void)state;
    check_bad(bad_vcpus, sizeof(bad_vcpus) / sizeof(bad_vcpus[0]));
}

static void test_bad_aspace(void **state)
{
    (void)state;
    check_bad(bad_aspace, sizeof(bad_aspace) / sizeof(bad_aspace[0]));
}

static void test_missing_nodes(void **state)
{
    struct dt_node *node;

    (void)state;
    assert_int_equal(fixture_tree(NULL, 0), 0);
    node = dt_find("/guests/linux0");
    dt_delete_node(dt_child(node, "vcpus"));
    dt_delete_node(dt_child(node, "aspace"));
    fixture_report_init(&report);
    assert_int_equal(guest_config_read(node, &config, &layout, &report.report), -EINVAL);
    assert_non_null(strstr(report.text, "no VCPUs; add"));
    assert_non_null(strstr(report.text, "no address space; add"));
}

static void test_all_errors_at_once(void **state)
{
    const struct fixture_edit edits[] = {
        TEXT("linux0", "bulkhead,kernel", "nofile"),
        SET("vcpus", "bulkhead,count", CELL("\0")),
        TEXT("dev0", "compatible", "acme,none"),
        SET("rom", "reg", CELL("\0") CELL("\0") CELL("\0") CELL("\0")),
    };

    (void)state;
    assert_int_equal(read_edited(edits, 4), -EINVAL);
    assert_int_equal(report.report.errors, 5); /* the ROM's file does not fit either */
}

static void test_too_many(void **state)
{
    struct dt_node *aspace;

    (void)state;
    assert_int_equal(fixture_tree(NULL, 0), 0);
    aspace = dt_find("/guests/linux0/aspace");
    for (unsigned i = 0; i < 100; i++) {
        uint8_t reg[16] = {0, 0, 0, 1, (uint8_t)i, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0};
        struct dt_node *node;
        char name[32];

        snprintf(name, sizeof(name), "memory@%x", 0x100 + i);
        assert_int_equal(dt_add_node(aspace, name, &node), 0);
        dt_set_string(node, "device_type", "memory");
        dt_set_attr(node, "reg", reg, sizeof(reg));
    }
    fixture_report_init(&report);
    assert_int_equal(guest_config_read(dt_find("/guests/linux0"), &config, &layout, &report.report),
                     -EINVAL);
    assert_non_null(strstr(report.text, "too many regions; a guest has at most 64"));
}

static void test_no_virtual_gic(void **state)
{
    (void)state;
    host_guest_irq_set(GUEST_IRQ_NONE, 0);
    assert_int_equal(read_edited(NULL, 0), -EINVAL);
    assert_non_null(strstr(report.text, "can not be virtualised"));
    host_guest_irq_set(GUEST_IRQ_V3, 4);
}

/* Kernels that lie about themselves. */
static void check_kernel(const char *format, const uint8_t *data, size_t size, const char *message)
{
    const struct fixture_edit edits[] = {
        {"linux0", "bulkhead,kernel", "liar", 5, false},
        {"linux0", "bulkhead,format", format, (int)strlen(format) + 1, false},
    };

    assert_int_equal(fixture_bundle("liar", data, size), 0);
    if (read_edited(edits, 2) != -EINVAL || strstr(report.text, message) == NULL)
        fail_msg("expected \"%s\", got:\n%s", message, report.text);
}

static void test_lying_kernels(void **state)
{
    static uint8_t file[4096];

    (void)state;
    check_kernel("image", file, fixture_image(file, 0x1000000, 0x1000, 4096),
                 "no arm64 Linux image");
    check_kernel("image", file, fixture_image(file, 0, UINT64_MAX, 4096), "bulkhead,kernel");
    check_kernel("image", file, fixture_image(file, 0, 0x2000000, 4096),
                 "not inside the guest's memory");
    check_kernel("image", file, 63, "no arm64 Linux image");
    check_kernel("elf", file, fixture_elf(file, 0x30000000, 0x1000, 4096), "segment at 0x30000000");
    check_kernel("elf", file, fixture_elf(file, 0x40fff000, 0x2000, 4096), "segment at 0x40fff000");
    check_kernel("elf", file, fixture_elf(file, 0x40000000, 1ULL << 63, 4096), "bulkhead,kernel");
    check_kernel("elf", file, fixture_elf(file, 0x40000000, 16, 4096), "no ELF program");
    fixture_elf(file, 0x40000000, 4096, 4096);
    file[56] = file[57] = 0xff;
    check_kernel("elf", file, 4096, "no ELF program");
    fixture_elf(file, 0x40000000, 4096, 4096);
    check_kernel("elf", file, 100, "no ELF program");
    fixture_elf(file, 0x40000000, 4096, 4096);
    file[32] = 0xff;
    check_kernel("elf", file, 4096, "no ELF program");
    assert_int_equal(fixture_bundle(NULL, NULL, 0), 0);
}

static int setup(void **state)
{
    (void)state;
    return fixture_init();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_layout),
        cmocka_unit_test(test_gicv2),
        cmocka_unit_test(test_raw_and_elf),
        cmocka_unit_test(test_own_dtb),
        cmocka_unit_test(test_vcpu_nodes_count),
        cmocka_unit_test(test_bad_guest),
        cmocka_unit_test(test_bad_vcpus),
        cmocka_unit_test(test_bad_aspace),
        cmocka_unit_test(test_missing_nodes),
        cmocka_unit_test(test_all_errors_at_once),
        cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_no_virtual_gic),
        cmocka_unit_test(test_lying_kernels),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
