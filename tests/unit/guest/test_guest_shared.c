// SPDX-License-Identifier: Apache-2.0
// Memory shared between guests: one piece of host RAM by name, counted, cleared, given back with the last.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "fixture.h"

#include <arch/mmu.h>
#include <hv/dt.h>
#include <hv/guest_parts.h>
#include <hv/page.h>
#include <lib/errno.h>
#include <libfdt.h>
#include <string.h>

#define SIZE 0x10000
#define FAIL_ROUNDS 200

/* The read-only region at 0 of every guest becomes shared memory. */
static const struct fixture_edit share[] = {
    {"rom", "bulkhead,file", NULL, 0, true},
    {"rom", "read-only", NULL, 0, true},
    {"rom", "bulkhead,shared", "pipe", 5, false},
};

static struct fixture_report report;

static struct guest *create(const char *name)
{
    fixture_report_init(&report);
    if (guest_create(name, "basic", &report.report) != 0)
        return NULL;
    return guest_find(name);
}

static void read_word(struct guest *guest, uint64_t addr, uint32_t expected)
{
    uint32_t word = 0;

    assert_int_equal(guest_mem_read(guest, gpa(addr), &word, sizeof(word)), 0);
    assert_int_equal(word, expected);
}

THREAD_TEST(test_one_piece)
{
    struct fixture_census before;
    uint32_t word = 0x12345678;
    struct guest *a, *b;
    uint8_t *host;
    char name[64];

    (void)arg;
    assert_int_equal(fixture_tree(share, 3), 0);
    fixture_census(&before);
    a = create("a");
    b = create("b");
    assert_true(a != NULL && b != NULL);
    assert_int_equal(page_owned(PAGE_OWNER_SHARED), SIZE);
    assert_true(guest_memory_owner(PAGE_OWNER_SHARED, name, sizeof(name)));
    assert_string_equal(name, "shared/pipe");
    assert_false(guest_memory_owner(PAGE_OWNER_SHARED + 1, name, sizeof(name)));
    assert_true(guest_memory_owner(PAGE_OWNER_GUEST + b->id, name, sizeof(name)));
    assert_string_equal(name, "b");
    assert_int_equal(guest_mem_write(a, gpa(0x100), &word, sizeof(word)), 0);
    read_word(b, 0x100, word);
    host = arch_mmu_linear(guest_shared_host(a->map->regions[0]->shared));
    assert_int_equal(guest_destroy(a), 0);
    read_word(b, 0x100, word);
    a = create("a");
    read_word(a, 0x100, word);
    assert_int_equal(guest_reset(a, &report.report), 0);
    read_word(a, 0x100, word);
    assert_int_equal(guest_destroy(b), 0);
    assert_int_equal(guest_destroy(a), 0);
    assert_int_equal(*(uint32_t *)(host + 0x100), 0);
    assert_int_equal(page_owned(PAGE_OWNER_SHARED), 0);
    assert_false(guest_memory_owner(PAGE_OWNER_SHARED, name, sizeof(name)));
    assert_true(fixture_census_equal(&before));
}

THREAD_TEST(test_read_only_view)
{
    const struct fixture_edit edits[] = {share[0], share[2]};
    uint32_t word = 1;
    struct guest *guest;

    (void)arg;
    assert_int_equal(fixture_tree(edits, 2), 0);
    guest = create("a");
    assert_non_null(guest);
    assert_int_equal(guest_mem_write(guest, gpa(0x100), &word, sizeof(word)), -EFAULT);
    read_word(guest, 0x100, 0);
    assert_int_equal(guest_destroy(guest), 0);
}

THREAD_TEST(test_other_size)
{
    struct fixture_census before;
    uint8_t reg[16] = {[13] = 2};
    struct guest *guest;

    (void)arg;
    assert_int_equal(fixture_tree(share, 3), 0);
    guest = create("a");
    fixture_census(&before);
    assert_int_equal(dt_set_attr(dt_find("/templates/basic/aspace/rom@0"), "reg", reg, sizeof(reg)),
                     0);
    assert_null(create("b"));
    assert_non_null(strstr(report.text,
                           "rom@0: shared memory \"pipe\" has 0x10000 bytes, this region 0x20000"));
    assert_int_equal(report.report.errors, 1);
    assert_int_equal(page_owned(PAGE_OWNER_SHARED), SIZE);
    fixture_device.alive--;
    assert_true(fixture_census_equal(&before));
    fixture_device.alive++;
    assert_int_equal(guest_destroy(guest), 0);
    assert_int_equal(page_owned(PAGE_OWNER_SHARED), 0);
}

/* Its host RAM is not the guest's: no image goes there, and the kernel is not told that it is RAM. */
THREAD_TEST(test_no_ram)
{
    static uint8_t fdt[GUEST_FDT_SIZE];
    struct guest *guest;
    int node;

    (void)arg;
    assert_int_equal(fixture_tree(share, 3), 0);
    guest = create("a");
    assert_int_equal(guest_config_ram(guest->config)->start, 0x40000000);
    assert_null(guest_config_memory(guest->config, 0, 4));
    assert_int_equal(guest_fdt_build(guest->config, guest->layout, fdt, sizeof(fdt)), 0);
    assert_int_equal(fdt_path_offset(fdt, "/memory@0"), -FDT_ERR_NOTFOUND);
    node = fdt_path_offset(fdt, "/shared-memory@0");
    assert_true(node > 0);
    assert_string_equal(fdt_getprop(fdt, node, "bulkhead,shared", NULL), "pipe");
    assert_int_equal(guest_destroy(guest), 0);
}

THREAD_TEST(test_wrong)
{
    static const char long_name[] = "a2345678901234567890123456789012";
    const struct fixture_edit wrong[][2] = {
        {share[2], share[1]},
        {share[0], {"rom", "bulkhead,shared", long_name, sizeof(long_name), false}},
        {share[0], {"rom", "bulkhead,shared", "", 1, false}},
        {share[2], {"rom", "reg", (uint8_t[32]){[14] = 16, [21] = 1, [30] = 16}, 32, false}},
    };
    static const char *const texts[] = {"rom@0: bulkhead,file: a guest's reset",
                                        "rom@0: bulkhead,shared: at most 31 characters",
                                        "rom@0: bulkhead,shared: must be a string",
                                        "rom@0: reg: shared memory has one address and size"};

    (void)arg;
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(fixture_tree(wrong[i], 2), 0);
        assert_null(create("a"));
        assert_non_null(strstr(report.text, texts[i]));
    }
}

/* With and without another guest that has the memory already. */
THREAD_TEST(test_every_allocation_fails)
{
    struct guest *other = NULL;

    (void)arg;
    assert_int_equal(fixture_tree(share, 3), 0);
    for (unsigned held = 0; held < 2; held++) {
        struct fixture_census before;
        unsigned failures = 0;

        other = held ? create("other") : NULL;
        fixture_device.alive = 0;
        fixture_census(&before);
        for (unsigned n = 1; n <= FAIL_ROUNDS; n++) {
            struct guest *guest;

            page_fail_after(n);
            guest = create("a");
            page_fail_after(0);
            if (guest != NULL)
                assert_int_equal(guest_destroy(guest), 0);
            failures += guest == NULL;
            assert_int_equal(page_owned(PAGE_OWNER_SHARED), held ? SIZE : 0);
            assert_true(fixture_census_equal(&before));
        }
        assert_true(failures > 60 && failures < FAIL_ROUNDS);
    }
    fixture_device.alive = 1;
    assert_int_equal(guest_destroy(other), 0);
    assert_int_equal(page_owned(PAGE_OWNER_SHARED), 0);
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
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_one_piece, reset),
        cmocka_unit_test_setup(test_read_only_view, reset),
        cmocka_unit_test_setup(test_other_size, reset),
        cmocka_unit_test_setup(test_no_ram, reset),
        cmocka_unit_test_setup(test_wrong, reset),
        cmocka_unit_test_setup(test_every_allocation_fails, reset),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
