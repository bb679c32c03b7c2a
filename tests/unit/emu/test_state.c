// SPDX-License-Identifier: Apache-2.0
// Saved states of devices: what is put back, and all that is refused.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <hv/emulator.h>
#include <hv/page.h>
#include <lib/errno.h>
#include <port/host.h>
#include <port/mmu.h>
#include <string.h>

struct test_state {
    uint32_t small; /* below 100 */
    uint32_t time;
    uint8_t bytes[56];
};

static struct spinlock lock = SPINLOCK_INIT;
static unsigned restored;

static void saving(struct emu_device *dev)
{
    struct test_state *s = dev->state;

    assert_true(spin_is_locked(&lock));
    s->time = 1234;
}

static int check(const struct emu_device *dev, const void *state)
{
    const struct test_state *s = state;

    assert_ptr_not_equal(state, dev->state);
    return s->small < 100 ? 0 : -EINVAL;
}

static void was_restored(struct emu_device *dev)
{
    (void)dev;
    assert_true(spin_is_locked(&lock));
    restored++;
}

#define EMULATOR_LIKE(n, v, s)                                                                     \
    {                                                                                              \
        .name = (n), .version = (v), .state_size = (s), .saving = saving, .check = check,          \
        .restored = was_restored                                                                   \
    }
static const struct emulator kinds[] = {
    EMULATOR_LIKE("test", 3, sizeof(struct test_state)),
    EMULATOR_LIKE("tesu", 3, sizeof(struct test_state)),
    EMULATOR_LIKE("test", 4, sizeof(struct test_state)),
    EMULATOR_LIKE("test", 3, sizeof(struct test_state) - 4),
    EMULATOR_LIKE("test", 3, sizeof(struct test_state) + 4),
};
static struct test_state blocks[2];
static struct emu_device device = {.emulator = &kinds[0], .state = &blocks[0], .lock = &lock};
static uint64_t blob[32];
static size_t blob_size;

static int start(void **state)
{
    (void)state;
    device.emulator = &kinds[0];
    blocks[0] = (struct test_state){.small = 7};
    for (unsigned i = 0; i < sizeof(blocks[0].bytes); i++)
        blocks[0].bytes[i] = (uint8_t)(i * 5);
    restored = 0;
    blob_size = emu_state_size(&device);
    return blob_size > sizeof(blob) || emu_state_save(&device, blob, blob_size) != 0;
}

static void there_and_back(void **state)
{
    (void)state;
    blocks[1] = blocks[0];
    assert_int_equal(blocks[1].time, 1234);
    memset(&blocks[0], 0, sizeof(blocks[0]));
    assert_int_equal(emu_state_restore(&device, blob, blob_size), 0);
    assert_memory_equal(&blocks[0], &blocks[1], sizeof(blocks[0]));
    assert_int_equal(restored, 1);
    assert_int_equal(emu_state_save(&device, blob, blob_size - 1), -ENOSPC);
}

static void assert_refused(const void *data, size_t size, int err)
{
    struct test_state before = blocks[0];

    assert_int_equal(emu_state_restore(&device, data, size), err);
    assert_memory_equal(&blocks[0], &before, sizeof(before));
    assert_int_equal(restored, 0);
    assert_false(spin_is_locked(&lock));
}

static void other_devices(void **state)
{
    static const int errors[] = {0, -ENODEV, -EPROTO, -EINVAL, -EINVAL};

    (void)state;
    for (unsigned i = 1; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        device.emulator = &kinds[i];
        assert_refused(blob, blob_size, errors[i]);
    }
}

static void truncated_and_longer(void **state)
{
    (void)state;
    for (size_t size = 0; size < blob_size; size++)
        assert_refused(blob, size, -EBADMSG);
    assert_refused(blob, blob_size + 1, -EBADMSG);
    assert_refused(blob, sizeof(blob), -EBADMSG);
}

static void each_bit_flipped(void **state)
{
    uint8_t *bytes = (uint8_t *)blob;

    (void)state;
    for (size_t bit = 0; bit < blob_size * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_refused(blob, blob_size, -EBADMSG);
        bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    assert_int_equal(emu_state_restore(&device, blob, blob_size), 0);
}

/* Whole, but made of what this device can not be in. */
static void content_is_checked(void **state)
{
    (void)state;
    blocks[0].small = 100;
    assert_int_equal(emu_state_save(&device, blob, blob_size), 0);
    blocks[0].small = 3;
    assert_refused(blob, blob_size, -EINVAL);
}

static void out_of_memory(void **state)
{
    (void)state;
    page_fail_after(1);
    assert_refused(blob, blob_size, -ENOMEM);
    page_fail_after(0);
}

static int boot(void **state)
{
    (void)state;
    host_reset();
    return page_add_range(hpa(HOST_RAM_BASE), 1 << 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(out_of_memory, start),
        cmocka_unit_test_setup(there_and_back, start),
        cmocka_unit_test_setup(other_devices, start),
        cmocka_unit_test_setup(truncated_and_longer, start),
        cmocka_unit_test_setup(each_bit_flipped, start),
        cmocka_unit_test_setup(content_is_checked, start),
    };

    return cmocka_run_group_tests(tests, boot, NULL);
}
