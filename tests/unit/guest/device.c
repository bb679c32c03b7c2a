// SPDX-License-Identifier: Apache-2.0
// Emulated devices of the tests.

#include "fixture.h"

#include <hv/emulator.h>
#include <hv/heap.h>
#include <lib/errno.h>

struct fixture_device fixture_device;

static int device_probe(struct emu_device *dev)
{
    int err = fixture_device.fail_probe;

    fixture_device.fail_probe = 0;
    if (err != 0)
        return err;
    dev->priv = heap_zalloc(100);
    if (dev->priv == NULL)
        return -ENOMEM;
    fixture_device.alive++;
    fixture_device.dev = dev;
    return 0;
}

static void device_reset(struct emu_device *dev)
{
    (void)dev;
    fixture_device.resets++;
}

static int device_access(struct emu_device *dev, struct emu_access *access)
{
    (void)dev;
    fixture_device.accesses++;
    fixture_device.last = *access;
    if (!access->is_write)
        access->value = fixture_device.answer;
    return fixture_device.result;
}

static void device_remove(struct emu_device *dev)
{
    heap_free(dev->priv);
    fixture_device.alive--;
}

static const char *const device_match[] = {"test,device", NULL};
static const struct emulator device_emulator = {
    .name = "test-device",
    .match = device_match,
    .state_size = 64,
    .widths = EMU_WIDTH_8 | EMU_WIDTH_32,
    .probe = device_probe,
    .reset = device_reset,
    .access = device_access,
    .remove = device_remove,
};
EMULATOR(device_emulator);

static const char *const other_match[] = {"test,other", NULL};
static const struct emulator other_emulator = {
    .name = "test-other",
    .match = other_match,
    .widths = EMU_WIDTH_32 | EMU_WIDTH_64,
    .access = device_access,
};
EMULATOR(other_emulator);
