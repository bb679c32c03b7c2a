// SPDX-License-Identifier: Apache-2.0
// Device accesses: what reaches a device, in which form, and what does not.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <hv/emulator.h>
#include <hv/guest.h>
#include <hv/guest_parts.h>
#include <hv/upcall.h>
#include <lib/errno.h>
#include <string.h>

static unsigned accesses;
static struct emu_access last;
static int result;
static bool swap;

static int device_access(struct emu_device *dev, struct emu_access *access)
{
    (void)dev;
    accesses++;
    last = *access;
    if (!access->is_write)
        access->value = 0x1122334455667788 & (UINT64_MAX >> (64 - 8 * access->size));
    return result;
}

static const struct emulator device = {.widths = EMU_WIDTH_8 | EMU_WIDTH_32 | EMU_WIDTH_64,
                                       .access = device_access};
static const struct emulator words = {.widths = EMU_WIDTH_32, .access = device_access};
static struct emu_device devices[2] = {{.emulator = &device}, {.emulator = &words}};
static struct guest_region regions[] = {
    {.start = {0x08000000}, .size = 0x1000, .kind = GUEST_REGION_VIRTUAL, .dev = &devices[0]},
    {.start = {0x09000000},
     .size = 0x102,
     .kind = GUEST_REGION_VIRTUAL,
     .dev = &devices[1],
     .dev_reg = 1},
    {.start = {0x0a000000}, .size = 0x1000, .kind = GUEST_REGION_ALIAS, .alias_of = &regions[0]},
    {.start = {0x0b000000}, .size = 0x1000, .kind = GUEST_REGION_ALIAS, .alias_of = &regions[4]},
    {.start = {0x40000000}, .size = 0x1000, .kind = GUEST_REGION_MEMORY, .read_only = true},
};
static union {
    struct guest_region_map map;
    char room[sizeof(struct guest_region_map) + sizeof(regions) / sizeof(regions[0]) * sizeof(void *)];
} map;
static struct guest guest;
static struct guest_vcpu own;
static struct vcpu vcpu;

static int setup(void **state)
{
    (void)state;
    accesses = 0;
    result = 0;
    swap = false;
    map.map.count = sizeof(regions) / sizeof(regions[0]);
    for (unsigned i = 0; i < map.map.count; i++)
        map.map.regions[i] = &regions[i];
    guest.map = &map.map;
    memset(&own, 0, sizeof(own));
    memset(&vcpu, 0, sizeof(vcpu));
    vcpu.guest = &guest;
    vcpu.emu = &own;
    return 0;
}

static int do_access(uint64_t addr, uint8_t size, bool is_write, uint64_t *value)
{
    struct emu_access access = {.addr = gpa(addr),
                                .value = *value,
                                .vcpu = &vcpu,
                                .size = size,
                                .is_write = is_write,
                                .swap = swap};
    int err = hv_guest_mmio(&access);

    *value = access.value;
    return err;
}

static void test_read_write(void **state)
{
    uint64_t value = 0xabcd;
    uint64_t hits = regions[0].hits;

    (void)state;
    assert_int_equal(do_access(0x08000ff8, 8, true, &value), 0);
    assert_int_equal(last.offset, 0xff8);
    assert_int_equal(last.size, 8);
    assert_true(last.is_write);
    assert_int_equal(last.value, 0xabcd);
    assert_ptr_equal(last.vcpu, &vcpu);
    assert_int_equal(do_access(0x08000000, 4, false, &value), 0);
    assert_int_equal(value, 0x55667788);
    assert_int_equal(regions[0].hits, hits + 2);
    assert_int_equal(do_access(0x09000004, 4, false, &value), 0);
    assert_int_equal(last.frame, 1);
}

static void test_refused(void **state)
{
    static const struct {
        uint64_t addr;
        uint8_t size;
    } bad[] = {
        {0x08000000, 2},                                                    /* width */
        {0x08000001, 4}, {0x08000004, 8}, {0x08000ffc, 8},                  /* alignment */
        {0x07ffffff, 1}, {0x08001000, 4}, {0x0, 4},        {UINT64_MAX, 1}, /* nothing there */
        {0x09000100, 4},                                                    /* leaves the frame */
        {0x09000000, 1}, {0x09000000, 8},                                   /* width */
        {0x40000000, 4},                                                    /* memory */
        {0x0b000000, 4},                                                    /* alias of memory */
    };
    uint64_t value = 0;

    (void)state;
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(do_access(bad[i].addr, bad[i].size, i % 2 == 0, &value), -EFAULT);
        assert_int_equal(accesses, 0);
    }
}

static void test_device_refuses(void **state)
{
    uint64_t value = 0;

    (void)state;
    result = -EFAULT;
    assert_int_equal(do_access(0x08000000, 4, true, &value), -EFAULT);
}

static void test_alias(void **state)
{
    uint64_t value = 7;

    (void)state;
    assert_int_equal(do_access(0x0a000010, 4, true, &value), 0);
    assert_int_equal(last.offset, 0x10);
}

static void test_big_endian(void **state)
{
    uint64_t value = 0x11223344;

    (void)state;
    swap = true;
    assert_int_equal(do_access(0x08000000, 4, true, &value), 0);
    assert_int_equal(last.value, 0x44332211);
    assert_int_equal(do_access(0x08000000, 8, false, &value), 0);
    assert_int_equal(value, 0x8877665544332211);
    assert_int_equal(do_access(0x08000000, 1, false, &value), 0);
    assert_int_equal(value, 0x88);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_read_write, setup),
        cmocka_unit_test_setup(test_refused, setup),
        cmocka_unit_test_setup(test_device_refuses, setup),
        cmocka_unit_test_setup(test_alias, setup),
        cmocka_unit_test_setup(test_big_endian, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
