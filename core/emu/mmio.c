// SPDX-License-Identifier: Apache-2.0
// Guest accesses to emulated devices: region, width, alignment and byte order are settled here, once for all devices.
#include <hv/emulator.h>
#include <hv/guest.h>
#include <hv/upcall.h>

#include <arch/vcpu.h>
#include <lib/errno.h>
#include <lib/macros.h>

static uint64_t swap_bytes(uint64_t value, unsigned size)
{
    return __builtin_bswap64(value) >> (64 - 8 * size);
}

/*
 * What is not a device's register is refused: nothing there, memory that is mapped anyway, a write to read-only memory,
 * an access that leaves the frame, a width that the device does not have, a misaligned one.
 */
int hv_guest_mmio(struct vcpu *vcpu, struct mmio_access *access)
{
    struct guest_region *region = guest_region_find(vcpu, access->addr);
    struct emu_access emu;
    struct emu_device *dev;
    bool swap;
    int err;

    if (unlikely(region == NULL)) {
        return -EFAULT;
    }
    emu.offset = access->addr.v - region->start.v;
    if (unlikely(region->kind != GUEST_REGION_VIRTUAL)) {
        if (region->kind != GUEST_REGION_ALIAS || region->alias_of->dev == NULL) {
            return -EFAULT;
        }
        region = region->alias_of;
    }
    dev = region->dev;
    emu.size = access->size;
    if (unlikely((dev->emulator->widths & emu.size) == 0 || (emu.offset & (emu.size - 1)) != 0 ||
                 emu.size > region->size - emu.offset)) {
        return -EFAULT;
    }
    __atomic_store_n(&region->hits, region->hits + 1, __ATOMIC_RELAXED);
    swap = arch_vcpu_is_big_endian(vcpu);
    emu.vcpu = vcpu;
    emu.frame = region->dev_reg;
    emu.is_write = access->is_write;
    emu.value = swap ? swap_bytes(access->value, emu.size) : access->value;
    err = dev->emulator->access(dev, &emu);
    if (!access->is_write) {
        access->value = swap ? swap_bytes(emu.value, emu.size) : emu.value;
    }
    return err;
}
