// SPDX-License-Identifier: Apache-2.0
// What start-up takes from the flattened tree before there is memory: RAM, reservations, the bundle.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arch/mmu.h>
#include <hv/init.h>
#include <hv/page.h>
#include <lib/errno.h>
#include <libfdt.h>
#include <port/host.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define MIB (1ULL << 20)
#define BLOB_MAX 16384
/* The blob lies in the host machine's RAM, as a boot loader's does. */
#define BLOB_AT (HOST_RAM_BASE + 16 * MIB)
#define RAM_SIZE (256 * MIB)

static char *blob;

static int set_up(void **state)
{
    (void)state;
    if (arch_mmu_map_ram(hpa(HOST_RAM_BASE), RAM_SIZE) != 0)
        return 1;
    blob = arch_mmu_linear(hpa(BLOB_AT));
    return 0;
}

static void begin(void)
{
    assert_int_equal(fdt_create(blob, BLOB_MAX), 0);
    assert_int_equal(fdt_add_reservemap_entry(blob, HOST_RAM_BASE + 32 * MIB, 0x1000), 0);
    assert_int_equal(fdt_finish_reservemap(blob), 0);
    assert_int_equal(fdt_begin_node(blob, ""), 0);
    fdt_property_u32(blob, "#address-cells", 2);
    fdt_property_u32(blob, "#size-cells", 2);
}

static void reg(uint64_t start, uint64_t size)
{
    fdt64_t cells[2] = {cpu_to_fdt64(start), cpu_to_fdt64(size)};

    fdt_property(blob, "reg", cells, sizeof(cells));
}

static void memory(uint64_t start, uint64_t size, bool type_first)
{
    fdt_begin_node(blob, "memory@40000000");
    if (type_first)
        fdt_property_string(blob, "device_type", "memory");
    reg(start, size);
    if (!type_first)
        fdt_property_string(blob, "device_type", "memory");
    fdt_end_node(blob);
}

static int end(void)
{
    size_t size;

    assert_int_equal(fdt_end_node(blob), 0);
    assert_int_equal(fdt_finish(blob), 0);
    return init_memory(blob, BLOB_MAX, &size);
}

static bool is_reserved(uint64_t start, uint64_t size, const char *what)
{
    uint64_t found_size;
    const char *found;
    hpa_t at;

    for (unsigned i = 0; page_reserved_range(i, &at, &found_size, &found); i++) {
        if (at.v == start && found_size == size && strcmp(found, what) == 0)
            return true;
    }
    return false;
}

static void test_no_memory_node(void **state)
{
    (void)state;
    begin();
    fdt_begin_node(blob, "memory@40000000");
    reg(HOST_RAM_BASE, RAM_SIZE);
    fdt_property_string(blob, "device_type", "memories");
    fdt_end_node(blob);
    assert_int_equal(end(), -ENOENT);
    begin();
    fdt_begin_node(blob, "soc");
    memory(HOST_RAM_BASE, RAM_SIZE, true);
    fdt_end_node(blob);
    assert_int_equal(end(), -ENOENT);
}

static void test_broken(void **state)
{
    size_t size;

    (void)state;
    begin();
    memory(HOST_RAM_BASE, RAM_SIZE, true);
    assert_int_equal(fdt_end_node(blob), 0);
    assert_int_equal(fdt_finish(blob), 0);
    assert_int_equal(init_memory(blob, fdt_totalsize(blob) - 1, &size), -EBADMSG);
    memset(blob + fdt_off_dt_struct(blob) + fdt_size_dt_struct(blob) - 4, 0xff, 4);
    assert_int_equal(init_memory(blob, BLOB_MAX, &size), -EBADMSG);
    /* A memory node that does not say where. */
    begin();
    fdt_begin_node(blob, "memory@0");
    fdt_property_string(blob, "device_type", "memory");
    fdt_end_node(blob);
    assert_int_equal(end(), -EBADMSG);
}

static void test_more_nodes_than_can_be_kept(void **state)
{
    (void)state;
    begin();
    fdt_begin_node(blob, "reserved-memory");
    for (unsigned i = 0; i < 65; i++) {
        char name[16];

        snprintf(name, sizeof(name), "r@%u", i);
        fdt_begin_node(blob, name);
        reg(HOST_RAM_BASE + 64 * MIB + i * 0x2000, 0x1000);
        fdt_end_node(blob);
    }
    fdt_end_node(blob);
    memory(HOST_RAM_BASE, RAM_SIZE, true);
    assert_int_equal(end(), -ENOSPC);
}

/* RAM before what is reserved in it, type behind reg; what only looks like a reservation is none. */
static void test_all_is_found(void **state)
{
    struct page_stats stats;

    (void)state;
    begin();
    memory(HOST_RAM_BASE, RAM_SIZE, false);
    fdt_begin_node(blob, "chosen");
    fdt_property_u32(blob, "linux,initrd-start", (uint32_t)(HOST_RAM_BASE + 40 * MIB + 8));
    fdt_property_u64(blob, "linux,initrd-end", HOST_RAM_BASE + 41 * MIB);
    fdt_end_node(blob);
    fdt_begin_node(blob, "reserved-memory");
    fdt_begin_node(blob, "dynamic");
    fdt_property_u64(blob, "size", MIB);
    fdt_end_node(blob);
    fdt_begin_node(blob, "firmware@0");
    reg(HOST_RAM_BASE + 48 * MIB + 0x800, 0x1000);
    fdt_begin_node(blob, "deeper");
    reg(HOST_RAM_BASE + 56 * MIB, MIB);
    fdt_end_node(blob);
    fdt_end_node(blob);
    fdt_end_node(blob);
    fdt_begin_node(blob, "soc");
    fdt_begin_node(blob, "firmware@1");
    reg(HOST_RAM_BASE + 60 * MIB, MIB);
    fdt_end_node(blob);
    fdt_end_node(blob);
    assert_int_equal(end(), 0);
    page_get_stats(&stats);
    assert_int_equal(stats.total, RAM_SIZE);
    assert_true(is_reserved(HOST_RAM_BASE + 32 * MIB, 0x1000, "firmware"));
    assert_true(is_reserved(HOST_RAM_BASE + 40 * MIB, MIB, "boot bundle"));
    assert_true(is_reserved(HOST_RAM_BASE + 48 * MIB, 0x2000, "firmware"));
    assert_false(is_reserved(HOST_RAM_BASE + 56 * MIB, MIB, "firmware"));
    assert_false(is_reserved(HOST_RAM_BASE + 60 * MIB, MIB, "firmware"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_memory_node),
        cmocka_unit_test(test_broken),
        cmocka_unit_test(test_more_nodes_than_can_be_kept),
        cmocka_unit_test(test_all_is_found),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
