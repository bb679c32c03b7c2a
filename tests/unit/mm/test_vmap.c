// SPDX-License-Identifier: Apache-2.0
// Window of virtual addresses: guarded stack slots and device mappings.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arch/mmu.h>
#include <hv/page.h>
#include <hv/vmap.h>
#include <port/host.h>
#include <string.h>

#define STACKS 100

static int add_ram(void **state)
{
    (void)state;
    return page_add_range(hpa(HOST_RAM_BASE), 64 << 20);
}

static void test_stacks_have_guards(void **state)
{
    static char *stacks[STACKS];

    (void)state;
    for (unsigned i = 0; i < STACKS; i++) {
        stacks[i] = vmap_stack_alloc("test");
        assert_non_null(stacks[i]);
        assert_int_equal((uintptr_t)stacks[i] % (2 * CONFIG_STACK_SIZE), 0);
        memset(stacks[i], (int)i, CONFIG_STACK_SIZE);
        assert_false(arch_mmu_is_readable((uintptr_t)stacks[i] + CONFIG_STACK_SIZE, 1));
        assert_false(i > 0 && arch_mmu_is_readable((uintptr_t)stacks[i] - 1, 1));
    }
    assert_int_equal(page_owned(PAGE_OWNER_STACK), STACKS * CONFIG_STACK_SIZE);
    for (unsigned i = 0; i < STACKS; i++) {
        assert_int_equal(stacks[i][CONFIG_STACK_SIZE - 1], i);
        vmap_stack_free(stacks[i]);
        assert_false(arch_mmu_is_readable((uintptr_t)stacks[i], 1));
    }
    vmap_stack_free(NULL);
    assert_int_equal(page_owned(PAGE_OWNER_STACK), 0);
}

static void test_stack_fails_cleanly(void **state)
{
    void *first = vmap_stack_alloc("test");

    (void)state;
    vmap_stack_free(first);
    page_fail_after(1);
    assert_null(vmap_stack_alloc("test"));
    assert_int_equal(page_owned(PAGE_OWNER_STACK), 0);
    assert_ptr_equal(vmap_stack_alloc("test"), first);
    vmap_stack_free(first);
}

static void test_stacks_run_out(void **state)
{
    static void *stacks[4096];
    unsigned count = 0;

    (void)state;
    while (count < 4096 && (stacks[count] = vmap_stack_alloc("test")) != NULL)
        count++;
    assert_in_range(count, 1000, 4000);
    while (count > 0)
        vmap_stack_free(stacks[--count]);
    assert_int_equal(page_owned(PAGE_OWNER_STACK), 0);
}

static void test_devices(void **state)
{
    uintptr_t base;
    size_t size;
    volatile uint8_t *uart = vmap_device(hpa(0x9000010), 0x1000);
    char *large;

    (void)state;
    arch_mmu_window(&base, &size);
    assert_non_null(uart);
    assert_int_equal((uintptr_t)uart & 0xfff, 0x10);
    assert_true((uintptr_t)uart >= base + size / 2 && (uintptr_t)uart + 0x1000 <= base + size);
    uart[0] = 1;
    uart[0xfff] = 2;
    /* Placed so that blocks can map it. */
    large = vmap_device(hpa(0x10100000), 4 << 20);
    assert_non_null(large);
    assert_int_equal((uintptr_t)large & 0x1fffff, 0x100000);
    assert_true(large + (4 << 20) <= (char *)uart);
}

/* Each range in order of addresses, with its owner and nothing mapped on either side. */
static void test_list(void **state)
{
    unsigned before = vmap_count(), seen = 0;
    void *stacks[3];
    void *regs[3];
    struct vmap_range range;
    uintptr_t at = 0;

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        stacks[i] = vmap_stack_alloc("linux0/vcpu1");
        regs[i] = vmap_device(hpa(0xa000000 + i * 0x100000), 0x3000);
    }
    assert_int_equal(vmap_count(), before + 6);
    vmap_stack_free(stacks[1]);
    vmap_device_free(regs[1]);
    while (vmap_next(at, &range)) {
        assert_true(range.start >= at && range.size > 0);
        assert_true(arch_mmu_is_readable(range.start, range.size));
        assert_false(arch_mmu_is_readable(range.start - 1, 1));
        assert_false(arch_mmu_is_readable(range.start + range.size, 1));
        seen += range.is_stack && strcmp(range.owner, "linux0/vcpu1") == 0;
        seen += !range.is_stack && strcmp(range.owner, "tests/unit/mm/test_vmap.c") == 0 &&
                range.host.v >= 0xa000000 && range.host.v <= 0xa200000;
        at = range.start + range.size;
    }
    assert_int_equal(seen, 4);
    for (unsigned i = 0; i < 3; i += 2) {
        vmap_stack_free(stacks[i]);
        vmap_device_free(regs[i]);
    }
    assert_int_equal(vmap_count(), before);
}

static void test_fails_at_any_point(void **state)
{
    uint64_t owned = page_owned(PAGE_OWNER_HEAP);
    unsigned before = vmap_count();

    (void)state;
    for (unsigned n = 1; n <= 2; n++) {
        page_fail_after(n);
        assert_null(vmap_stack_alloc("test"));
    }
    page_fail_after(1);
    assert_null(vmap_device(hpa(0x9000000), 0x1000));
    page_fail_after(0);
    assert_int_equal(vmap_count(), before);
    assert_int_equal(page_owned(PAGE_OWNER_STACK), 0);
    assert_int_equal(page_owned(PAGE_OWNER_HEAP), owned);
}

static void test_bad_devices_are_refused(void **state)
{
    (void)state;
    assert_null(vmap_device(hpa(0x9000000), 0));
    assert_null(vmap_device(hpa(~0ULL - 10), 100));
    assert_null(vmap_device(hpa(~0ULL - 10), 10));
    assert_null(vmap_device(hpa(0x9000000), 1ULL << 40));
    assert_null(vmap_device(hpa(HOST_RAM_BASE + 0x1000), 0x1000));
    assert_null(vmap_device(hpa(HOST_RAM_BASE - 0x1000), 0x1001));
    assert_null(vmap_device(hpa(0x1000), SIZE_MAX));
}

static void test_device_window_runs_out(void **state)
{
    unsigned count = 0;

    (void)state;
    static void *regs[1000];

    while (count < 1000 && (regs[count] = vmap_device(hpa(0x10000000), 1 << 20)) != NULL)
        count++;
    assert_in_range(count, 50, 999);
    /* A hole in the middle is used again. */
    vmap_device_free(regs[20]);
    assert_false(arch_mmu_is_readable((uintptr_t)regs[20], 1));
    assert_null(vmap_device(hpa(0x10000000), 2 << 20));
    assert_ptr_equal(vmap_device(hpa(0x10000000), 1 << 20), regs[20]);
    while (count > 0)
        vmap_device_free(regs[--count]);
    vmap_device_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stacks_have_guards),
        cmocka_unit_test(test_stack_fails_cleanly),
        cmocka_unit_test(test_stacks_run_out),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_fails_at_any_point),
        cmocka_unit_test(test_devices),
        cmocka_unit_test(test_bad_devices_are_refused),
        cmocka_unit_test(test_device_window_runs_out),
    };

    return cmocka_run_group_tests(tests, add_ram, NULL);
}
