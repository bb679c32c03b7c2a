// SPDX-License-Identifier: Apache-2.0
// Register tables: what each kind of register does with reads, writes, narrow ones, and a reset; and the tables of all devices.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <hv/emulator.h>
#include <lib/errno.h>
#include <lib/macros.h>
#include <string.h>

TABLE_DECLARE(emulators, struct emulator);

struct test_state {
    uint32_t plain, masked, clear, set, kept;
    uint64_t wide;
    uint8_t byte;
};

static struct spinlock lock = SPINLOCK_INIT;
static unsigned changes, writes;
static uint64_t written;

static uint64_t read_hook(struct emu_device *dev)
{
    const struct test_state *s = dev->state;

    return s->plain + 1;
}

static void write_hook(struct emu_device *dev, uint64_t value)
{
    (void)dev;
    assert_true(spin_is_locked(&lock));
    writes++;
    written = value;
}

static void changed(struct emu_device *dev)
{
    (void)dev;
    assert_true(spin_is_locked(&lock));
    changes++;
}

#define PLACE(member) EMU_PLACE(struct test_state, member)

static const struct emu_register registers[] = {
    {.offset = 0x00, .size = 4, .mask = UINT32_MAX, .reset = 0x11223344, PLACE(plain)},
    {.offset = 0x04, .size = 4, .mask = 0xff0, .reset = 0xf000000f, PLACE(masked)},
    {.offset = 0x08, .size = 4, .mask = 0xff, .flags = EMU_REGISTER_W1C, PLACE(clear)},
    {.offset = 0x0c, .size = 4, .mask = 0xff, .flags = EMU_REGISTER_W1S, PLACE(clear)},
    {.offset = 0x10,
     .size = 4,
     .flags = EMU_REGISTER_RO | EMU_REGISTER_KEEP,
     .write = write_hook,
     PLACE(plain)},
    {.offset = 0x14, .size = 4, .mask = 0xff, .flags = EMU_REGISTER_WO, PLACE(set)},
    {.offset = 0x18, .size = 4, .flags = EMU_REGISTER_RO, .read = read_hook},
    EMU_CONSTANT(0x1c, 0xcafe),
    {.offset = 0x20, .size = 8, .mask = UINT64_MAX, .reset = 0x0102030405060708, PLACE(wide)},
    {.offset = 0x28, .size = 4, .write = write_hook},
    {.offset = 0x2c, .size = 4, .mask = UINT32_MAX, .flags = EMU_REGISTER_KEEP, PLACE(kept)},
    {.offset = 0x40, .size = 1, .mask = 0xff, .write = write_hook, PLACE(byte)},
    {.offset = 0x44, .size = 4, .widths = EMU_WIDTH_32, .reset = 5},
};

static const struct emulator emulator = {.name = "test",
                                         .state_size = sizeof(struct test_state),
                                         .widths = 15,
                                         .registers = registers,
                                         .register_count = ARRAY_SIZE(registers),
                                         .changed = changed};
static struct test_state block;
static struct emu_device device = {.emulator = &emulator, .state = &block, .lock = &lock};

static int start(void **state)
{
    (void)state;
    memset(&block, 0, sizeof(block));
    emu_register_reset(&device);
    changes = 0;
    writes = 0;
    return 0;
}

static int access(uint64_t offset, unsigned size, bool is_write, uint64_t *value)
{
    struct emu_access access = {
        .offset = offset, .size = (uint8_t)size, .is_write = is_write, .value = *value};
    int err = emu_register_access(&device, &access);

    assert_false(spin_is_locked(&lock));
    *value = access.value;
    return err;
}

static uint64_t get(uint64_t offset, unsigned size)
{
    uint64_t value = 0x5a5a5a5a5a5a5a5a;

    assert_int_equal(access(offset, size, false, &value), 0);
    return value;
}

static void put(uint64_t offset, unsigned size, uint64_t value)
{
    assert_int_equal(access(offset, size, true, &value), 0);
}

static void reset_values(void **state)
{
    (void)state;
    assert_int_equal(get(0x00, 4), 0x11223344);
    assert_int_equal(get(0x04, 4), 0xf000000f);
    assert_int_equal(get(0x1c, 4), 0xcafe);
    assert_int_equal(get(0x20, 8), 0x0102030405060708);
    put(0x00, 4, 1);
    put(0x20, 8, 2);
    put(0x2c, 4, 3);
    emu_register_reset(&device);
    assert_int_equal(get(0x00, 4), 0x11223344);
    assert_int_equal(get(0x20, 8), 0x0102030405060708);
    assert_int_equal(get(0x2c, 4), 3);
    assert_int_equal(changes, 4);
}

static void kinds(void **state)
{
    (void)state;
    put(0x04, 4, 0xffffffff);
    assert_int_equal(get(0x04, 4), 0xf0000fff);
    put(0x04, 4, 0);
    assert_int_equal(get(0x04, 4), 0xf000000f);
    put(0x0c, 4, 0x1ff);
    assert_int_equal(get(0x08, 4), 0xff);
    put(0x08, 4, 0x10f);
    assert_int_equal(get(0x0c, 4), 0xf0);
    put(0x10, 4, 7);
    put(0x1c, 4, 7);
    assert_int_equal(writes, 0);
    assert_int_equal(get(0x10, 4), 0x11223344);
    assert_int_equal(get(0x1c, 4), 0xcafe);
    put(0x14, 4, 0x1234);
    assert_int_equal(block.set, 0x34);
    assert_int_equal(get(0x14, 4), 0);
    assert_int_equal(get(0x18, 4), 0x11223345);
    put(0x28, 4, 99);
    assert_int_equal(writes, 1);
    assert_int_equal(written, 99);
}

static void nothing_there(void **state)
{
    (void)state;
    put(0x30, 4, 1);
    put(0x41, 1, 1);
    put(0xfffffffc, 4, 1);
    put(0x1000000000, 4, 1);
    assert_int_equal(writes, 0);
    assert_int_equal(get(0x30, 4), 0);
    assert_int_equal(get(0x41, 1), 0);
    assert_int_equal(get(0x1000000000, 8), 0);
}

static void narrow_and_wide(void **state)
{
    uint64_t value = 0;

    (void)state;
    assert_int_equal(get(0x01, 1), 0x33);
    assert_int_equal(get(0x02, 2), 0x1122);
    put(0x01, 1, 0xff);
    assert_int_equal(get(0x00, 4), 0x1122ff44);
    put(0x24, 4, 0xaabbccdd);
    assert_int_equal(get(0x20, 8), 0xaabbccdd05060708);
    put(0x27, 1, 1);
    assert_int_equal(get(0x20, 8), 0x01bbccdd05060708);
    put(0x40, 1, 0x77);
    assert_int_equal(written, 0x77);
    /* Ones written beside the bytes of the access clear nothing. */
    put(0x0c, 4, 0xff);
    put(0x09, 1, 0xff);
    assert_int_equal(get(0x08, 4), 0xff);
    assert_int_equal(access(0x00, 8, true, &value), -EFAULT);
    assert_int_equal(access(0x44, 1, false, &value), -EFAULT);
    assert_int_equal(access(0x44, 4, false, &value), 0);
    assert_int_equal(value, 5);
    assert_int_equal(get(0x00, 4), 0x1122ff44);
}

/* A row that is out of place would be found, or stored, wrong. */
static void tables_of_all_devices(void **state)
{
    unsigned tables = 0;

    (void)state;
    TABLE_FOREACH(emulators, struct emulator, iter) {
        const struct emulator *e = *iter;
        uint64_t end = 0;

        assert_true(e->version > 0 || (e->register_count == 0 && e->flat_size == NULL));
        assert_int_equal(e->flat_size != NULL, e->flat_save != NULL);
        assert_int_equal(e->flat_size != NULL, e->flat_restore != NULL);
        for (unsigned i = 0; i < e->register_count; i++) {
            const struct emu_register *reg = &e->registers[i];

            assert_true(reg->offset >= end && reg->offset % reg->size == 0);
            assert_true(!reg->has_place || reg->place + reg->size <= e->state_size);
            assert_true(reg->size == 8 || (reg->mask | reg->reset) >> (8 * reg->size) == 0);
            end = reg->offset + reg->size;
        }
        tables += e->register_count > 0;
    }
    assert_true(tables >= 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(reset_values, start),
        cmocka_unit_test_setup(kinds, start),
        cmocka_unit_test_setup(nothing_there, start),
        cmocka_unit_test_setup(narrow_and_wide, start),
        cmocka_unit_test(tables_of_all_devices),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
