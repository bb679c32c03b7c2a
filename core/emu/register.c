// SPDX-License-Identifier: Apache-2.0
// Register tables of emulated devices: accesses and resets that need no code of the device's own.
#include <hv/emulator.h>

#include <lib/errno.h>
#include <lib/macros.h>
#include <lib/string.h>

static uint64_t ones(unsigned size)
{
    return UINT64_MAX >> (64 - 8 * size);
}

static const struct emu_register *register_find(const struct emulator *emulator, uint64_t offset)
{
    unsigned low = 0, high = emulator->register_count;

    while (low < high) {
        unsigned middle = (low + high) / 2;
        const struct emu_register *reg = &emulator->registers[middle];

        if (offset < reg->offset)
            high = middle;
        else if (offset - reg->offset >= reg->size)
            low = middle + 1;
        else
            return reg;
    }
    return NULL;
}

static uint64_t place_load(const struct emu_device *dev, const struct emu_register *reg)
{
    uint64_t value = 0;

    if (!reg->has_place)
        return reg->reset;
    memcpy(&value, (const uint8_t *)dev->state + reg->place, reg->size);
    return value;
}

static void place_store(struct emu_device *dev, const struct emu_register *reg, uint64_t value)
{
    memcpy((uint8_t *)dev->state + reg->place, &value, reg->size);
}

static uint64_t register_read(struct emu_device *dev, const struct emu_register *reg)
{
    if ((reg->flags & EMU_REGISTER_WO) != 0)
        return 0;
    return reg->read != NULL ? reg->read(dev) : place_load(dev, reg);
}

/* bytes: those that the access writes. */
static void register_write(struct emu_device *dev, const struct emu_register *reg, uint64_t value,
                           uint64_t bytes)
{
    uint64_t old = place_load(dev, reg);
    uint64_t mask = reg->mask & bytes;
    uint64_t now = (old & ~mask) | (value & mask);

    if ((reg->flags & EMU_REGISTER_RO) != 0)
        return;
    if ((reg->flags & EMU_REGISTER_W1C) != 0)
        now = old & ~(value & mask);
    else if ((reg->flags & EMU_REGISTER_W1S) != 0)
        now = old | (value & mask);
    else if (reg->has_place)
        value |= old & ~bytes;
    if (reg->has_place)
        place_store(dev, reg, now);
    if (reg->write != NULL)
        reg->write(dev, value);
}

int emu_register_access_locked(struct emu_device *dev, struct emu_access *access)
{
    const struct emu_register *reg =
        access->frame == 0 ? register_find(dev->emulator, access->offset) : NULL;
    unsigned shift;

    if (reg == NULL) {
        if (!access->is_write)
            access->value = 0;
        return 0;
    }
    if (access->size > reg->size || (reg->widths != 0 && (reg->widths & access->size) == 0))
        return -EFAULT;
    shift = (unsigned)(access->offset - reg->offset) * 8;
    if (access->is_write)
        register_write(dev, reg, (access->value & ones(access->size)) << shift,
                       ones(access->size) << shift);
    else
        access->value = (register_read(dev, reg) >> shift) & ones(access->size);
    return 0;
}

static irqflags_t lock(struct emu_device *dev) NO_THREAD_SAFETY
{
    return dev->lock != NULL ? spin_lock_irqsave(dev->lock) : 0;
}

static void unlock(struct emu_device *dev, irqflags_t flags) NO_THREAD_SAFETY
{
    if (dev->lock != NULL)
        spin_unlock_irqrestore(dev->lock, flags);
}

int emu_register_access(struct emu_device *dev, struct emu_access *access)
{
    irqflags_t flags = lock(dev);
    int err = emu_register_access_locked(dev, access);

    if (err == 0 && access->is_write && dev->emulator->changed != NULL)
        dev->emulator->changed(dev);
    unlock(dev, flags);
    return err;
}

void emu_register_reset(struct emu_device *dev)
{
    const struct emulator *emulator = dev->emulator;
    irqflags_t flags = lock(dev);

    for (unsigned i = 0; i < emulator->register_count; i++) {
        const struct emu_register *reg = &emulator->registers[i];

        if (reg->has_place && (reg->flags & EMU_REGISTER_KEEP) == 0)
            place_store(dev, reg, reg->reset);
    }
    if (emulator->changed != NULL)
        emulator->changed(dev);
    unlock(dev, flags);
}
