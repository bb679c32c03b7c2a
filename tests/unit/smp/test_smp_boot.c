// SPDX-License-Identifier: Apache-2.0
// Bringing up secondaries from good and hostile /cpus nodes.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arch/mmu.h>
#include <hv/cpu.h>
#include <hv/dt.h>
#include <hv/log.h>
#include <hv/page.h>
#include <hv/percpu.h>
#include <hv/smp.h>
#include <lib/endian.h>
#include <lib/errno.h>
#include <port/host.h>
#include <stdio.h>
#include <string.h>

static struct dt_node *cpus;
static char said[4096];

static void keep(const char *text, size_t size)
{
    size_t used = strlen(said);

    if (used + size < sizeof(said))
        memcpy(said + used, text, size + 1);
}

static int first_set_up(void **state)
{
    (void)state;
    log_set_sink(keep);
    return page_add_range(hpa(HOST_RAM_BASE), 64 << 20) != 0 || dt_init() != 0;
}

#define BOOT_HWID 0x101

static int silent_hwid;

/* Firmware: a CPU arrives at once, or is refused, or never comes, or fails in its own set-up. */
static int firmware_start(unsigned cpu, uint64_t hwid, uintptr_t percpu_offset, uintptr_t stack_top)
{
    assert_int_equal(percpu_offset, percpu_offsets[cpu]);
    assert_int_not_equal(percpu_offset, 0);
    memset((void *)(stack_top - CONFIG_STACK_SIZE), 0xee, CONFIG_STACK_SIZE);
    if (hwid == 0x666)
        return -EIO;
    if (hwid == 0x777)
        cpu_info(cpu)->error = -ENOMEM;
    else if ((int)hwid != silent_hwid)
        cpu_set_online(cpu);
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    host_reset();
    host_smp_start_hook = firmware_start;
    host_clock_set_relax_step(1000000);
    silent_hwid = -1;
    said[0] = '\0';
    memset(percpu_offsets, 0, sizeof(percpu_offsets));
    for (unsigned cpu = 0; cpu < SMP_CPUS_MAX; cpu++)
        *cpu_info(cpu) = (struct cpu_info){0};
    cpu_info(0)->hwid = BOOT_HWID;
    cpu_set_count(1);
    if (cpus != NULL)
        dt_delete_node(cpus);
    dt_add_node(dt_root(), "cpus", &cpus);
    dt_set_u32(cpus, "#address-cells", 1);
    dt_set_u32(cpus, "#size-cells", 0);
    return 0;
}

static struct dt_node *add_cpu(const char *name, uint32_t hwid)
{
    struct dt_node *node = NULL;

    assert_int_equal(dt_add_node(cpus, name, &node), 0);
    dt_set_string(node, "device_type", "cpu");
    dt_set_u32(node, "reg", hwid);
    return node;
}

static void test_good_tree(void **state)
{
    struct dt_node *map = NULL;

    (void)state;
    dt_add_node(cpus, "cpu-map", &map);
    add_cpu("cpu@100", 0x100);
    add_cpu("cpu@101", BOOT_HWID);
    add_cpu("cpu@200", 0x200);
    smp_boot();
    assert_int_equal(cpu_count(), 3);
    assert_int_equal(cpu_info(0)->hwid, BOOT_HWID);
    assert_int_equal(cpu_info(1)->hwid, 0x100);
    assert_int_equal(cpu_info(2)->hwid, 0x200);
    assert_int_equal(cpu_info(2)->status, CPU_ONLINE);
    assert_null(strstr(said, "warning"));
}

static void test_no_cpus(void **state)
{
    (void)state;
    dt_delete_node(cpus);
    cpus = NULL;
    smp_boot();
    assert_int_equal(cpu_count(), 1);
    assert_non_null(strstr(said, "no /cpus"));
}

static void test_boot_cpu_not_listed(void **state)
{
    (void)state;
    add_cpu("cpu@0", 0);
    smp_boot();
    assert_int_equal(cpu_count(), 2);
    assert_int_equal(cpu_info(0)->hwid, BOOT_HWID);
    assert_non_null(strstr(said, "boot CPU"));
}

static void test_bad_nodes_stay_off(void **state)
{
    struct dt_node *node;
    uint64_t owned;

    (void)state;
    add_cpu("cpu@101", BOOT_HWID);
    add_cpu("cpu@1", BOOT_HWID);
    add_cpu("cpu@2", 0x666);
    add_cpu("cpu@3", 0x666);
    node = add_cpu("cpu@4", 4);
    dt_set_string(node, "status", "disabled");
    node = add_cpu("cpu@5", 5);
    dt_delete_attr(node, "reg");
    node = add_cpu("cpu@6", 6);
    dt_set_attr(node, "reg", "abcdef", 6);
    owned = page_owned(PAGE_OWNER_PERCPU) + page_owned(PAGE_OWNER_STACK);
    smp_boot();
    assert_int_equal(cpu_count(), 5);
    assert_int_equal(cpu_info(1)->status, CPU_DISABLED);
    assert_int_equal(cpu_info(1)->error, -EEXIST);
    assert_int_equal(cpu_info(2)->status, CPU_FAILED);
    assert_int_equal(cpu_info(2)->error, -EIO);
    assert_int_equal(cpu_info(3)->status, CPU_DISABLED);
    assert_int_equal(cpu_info(4)->status, CPU_DISABLED);
    assert_int_equal(cpu_info(4)->error, -ENODEV);
    assert_int_equal(page_owned(PAGE_OWNER_PERCPU) + page_owned(PAGE_OWNER_STACK), owned);
}

static void test_thousand_nodes(void **state)
{
    char name[16];

    (void)state;
    for (unsigned i = 0; i < 1024; i++) {
        snprintf(name, sizeof(name), "cpu@%x", i);
        add_cpu(name, i % 512);
    }
    smp_boot();
    assert_int_equal(cpu_count(), SMP_CPUS_MAX);
    assert_non_null(strstr(said, "more CPUs"));
}

static void test_own_set_up_fails(void **state)
{
    (void)state;
    add_cpu("cpu@101", BOOT_HWID);
    add_cpu("cpu@777", 0x777);
    smp_boot();
    assert_int_equal(cpu_info(1)->status, CPU_FAILED);
    assert_int_equal(cpu_info(1)->error, -ENOMEM);
}

static void test_silent_cpu_times_out(void **state)
{
    (void)state;
    silent_hwid = 0x300;
    add_cpu("cpu@101", BOOT_HWID);
    add_cpu("cpu@300", 0x300);
    add_cpu("cpu@301", 0x301);
    smp_boot();
    assert_int_equal(cpu_info(1)->status, CPU_TIMED_OUT);
    assert_int_equal(cpu_info(1)->error, -ETIMEDOUT);
    assert_int_equal(cpu_info(2)->status, CPU_ONLINE);
}

static void test_no_memory(void **state)
{
    uint64_t owned = page_owned(PAGE_OWNER_PERCPU) + page_owned(PAGE_OWNER_STACK);

    (void)state;
    add_cpu("cpu@101", BOOT_HWID);
    add_cpu("cpu@400", 0x400);
    for (unsigned n = 1; n <= 2; n++) {
        page_fail_after(n);
        smp_boot();
        assert_int_equal(cpu_info(1)->status, CPU_FAILED);
        assert_int_equal(cpu_info(1)->error, -ENOMEM);
        assert_int_equal(page_owned(PAGE_OWNER_PERCPU) + page_owned(PAGE_OWNER_STACK), owned);
    }
}

int main(void)
{
    /* What keeps CPUs off comes first: who is online stays online. */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_no_memory, set_up),
        cmocka_unit_test_setup(test_own_set_up_fails, set_up),
        cmocka_unit_test_setup(test_no_cpus, set_up),
        cmocka_unit_test_setup(test_bad_nodes_stay_off, set_up),
        cmocka_unit_test_setup(test_silent_cpu_times_out, set_up),
        cmocka_unit_test_setup(test_boot_cpu_not_listed, set_up),
        cmocka_unit_test_setup(test_good_tree, set_up),
        cmocka_unit_test_setup(test_thousand_nodes, set_up),
    };

    return cmocka_run_group_tests(tests, first_set_up, NULL);
}
