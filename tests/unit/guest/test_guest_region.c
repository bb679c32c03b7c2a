// SPDX-License-Identifier: Apache-2.0
// The map of a guest's address space: lookup at and around every border, copies across regions, what is never written.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "fixture.h"

#include <hv/guest_parts.h>
#include <lib/errno.h>
#include <string.h>

static struct guest *guest;

static void create_guest(void *arg)
{
    static struct fixture_report report;

    fixture_report_init(&report);
    *(int *)arg = guest_create("linux0", NULL, &report.report);
    guest = guest_find("linux0");
}

static void destroy_guest(void *arg)
{
    (void)arg;
    guest_destroy(guest);
}

static const struct guest_region *slow_find(uint64_t addr)
{
    for (unsigned i = 0; i < guest->map->count; i++) {
        const struct guest_region *region = guest->map->regions[i];

        if (addr >= region->start.v && addr - region->start.v < region->size)
            return region;
    }
    return NULL;
}

static void test_find_borders(void **state)
{
    (void)state;
    for (unsigned i = 0; i < guest->map->count; i++) {
        const struct guest_region *region = guest->map->regions[i];

        for (int delta = -2; delta <= 2; delta++) {
            uint64_t start = region->start.v + (uint64_t)delta;
            uint64_t end = region->start.v + region->size + (uint64_t)delta;

            assert_ptr_equal(guest_region_find(guest->vcpus[0], gpa(start)), slow_find(start));
            assert_ptr_equal(guest_region_find(guest->vcpus[0], gpa(end)), slow_find(end));
        }
    }
    assert_null(guest_region_find(guest->vcpus[0], gpa(UINT64_MAX)));
    assert_null(guest_region_find(guest->vcpus[0], gpa(1ULL << 40)));
}

static void test_cache_is_per_vcpu(void **state)
{
    struct guest_region *region = guest_region_find(guest->vcpus[0], gpa(0x09000000));

    (void)state;
    assert_ptr_equal(guest_vcpu_of(guest->vcpus[0])->last_region, region);
    guest_region_find(guest->vcpus[1], gpa(0x40000000));
    assert_ptr_equal(guest_vcpu_of(guest->vcpus[0])->last_region, region);
    assert_ptr_equal(guest_region_find(guest->vcpus[0], gpa(0x09000ffc)), region);
}

static void test_memory_copies(void **state)
{
    char out[8] = "1234567";
    char in[8] = "";

    (void)state;
    assert_int_equal(guest_mem_write(guest, gpa(0x40800000), out, sizeof(out)), 0);
    assert_int_equal(guest_mem_read(guest, gpa(0x40800000), in, sizeof(in)), 0);
    assert_string_equal(in, "1234567");
    assert_int_equal(guest_mem_read(guest, gpa(0x40fffff8), in, sizeof(in)), 0);
    assert_int_equal(guest_mem_read(guest, gpa(0x40800000), in, 0), 0);
}

static void test_memory_limits(void **state)
{
    uint8_t byte[16];
    uint8_t before;

    (void)state;
    memset(byte, 0xee, sizeof(byte));
    assert_int_equal(guest_mem_read(guest, gpa(0x40fffff9), byte, 8), -EFAULT);
    assert_int_equal(guest_mem_read(guest, gpa(0x3fffffff), byte, 2), -EFAULT);
    assert_int_equal(guest_mem_read(guest, gpa(0x09000000), byte, 4), -EFAULT);
    assert_int_equal(guest_mem_read(guest, gpa(UINT64_MAX), byte, 2), -EFAULT);
    assert_int_equal(guest_mem_read(guest, gpa(0x40000000), byte, UINT64_MAX), -EFAULT);
    assert_int_equal(guest_mem_read(guest, gpa(0x0), &before, 1), 0);
    assert_int_equal(guest_mem_write(guest, gpa(0x0), byte, 1), -EFAULT);
    assert_int_equal(guest_mem_write(guest, gpa(0x40fffff9), byte, 8), -EFAULT);
    assert_int_equal(guest_mem_read(guest, gpa(0x40fffff9), byte, 7), 0);
    for (unsigned i = 0; i < 7; i++)
        assert_int_not_equal(byte[i], 0xee);
}

static void test_alias(void **state)
{
    uint32_t out = 0x12345678;
    uint32_t in = 0;

    (void)state;
    assert_int_equal(guest_mem_write(guest, gpa(0x80000040), &out, 4), 0);
    assert_int_equal(guest_mem_read(guest, gpa(0x40000040), &in, 4), 0);
    assert_int_equal(in, out);
    assert_int_equal(guest_mem_read(guest, gpa(0x8000fffe), &in, 4), -EFAULT);
}

static void test_stage2(void **state)
{
    enum guest_mmu_attr attr;
    hpa_t ram, alias;

    (void)state;
    assert_int_equal(arch_guest_mmu_lookup(&guest->arch.mmu, gpa(0x40001000), &ram, &attr), 0);
    assert_int_equal(attr, GUEST_MMU_RAM);
    assert_int_equal(arch_guest_mmu_lookup(&guest->arch.mmu, gpa(0x80001000), &alias, &attr), 0);
    assert_int_equal(ram.v, alias.v);
    assert_int_equal(ram.v % 0x1000, 0);
    assert_int_equal((ram.v - 0x1000) % 0x200000, 0);
    assert_int_equal(arch_guest_mmu_lookup(&guest->arch.mmu, gpa(0), &ram, &attr), 0);
    assert_int_equal(attr, GUEST_MMU_ROM);
    assert_int_equal(arch_guest_mmu_lookup(&guest->arch.mmu, gpa(0x09000000), &ram, &attr), -ENOENT);
}

static int setup(void **state)
{
    int err = fixture_init();

    (void)state;
    if (err == 0)
        err = fixture_tree(NULL, 0);
    if (err == 0)
        fixture_run(create_guest, &err);
    return err;
}

static int teardown(void **state)
{
    (void)state;
    fixture_run(destroy_guest, NULL);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find_borders),  cmocka_unit_test(test_cache_is_per_vcpu),
        cmocka_unit_test(test_memory_copies), cmocka_unit_test(test_memory_limits),
        cmocka_unit_test(test_alias),         cmocka_unit_test(test_stage2),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
