// SPDX-License-Identifier: Apache-2.0
// Guest accesses to emulated devices: region, width, alignment and byte order are settled here, once for all devices.
#include <hv/emulator.h>
#include <hv/guest_parts.h>
#include <hv/upcall.h>

#include <lib/errno.h>
#include <lib/macros.h>

static uint64_t swap_bytes(uint64_t value, unsigned size)
{
    return __builtin_bswap64(value) >> (64 - 8 * size);
}

static NOINLINE int access_swapped(struct emu_device *dev, struct emu_access *access)
{
    int err;

    access->value = swap_bytes(access->value, access->size);
    err = dev->emulator->access(dev, access);
    access->value = swap_bytes(access->value, access->size);
    return err;
}

/* found is where the guest sees the device, region its own place. */
static inline int access_device(struct emu_access *access, struct guest_region *found,
                                const struct guest_region *region)
{
    uint64_t offset = access->addr.v - found->start.v;
    struct emu_device *dev = region->dev;
    unsigned size = access->size;

    if (unlikely((dev->emulator->widths & size) == 0 || (offset & (size - 1)) != 0 ||
                 size > region->size - offset))
        return -EFAULT;
    __atomic_store_n(&found->hits, found->hits + 1, __ATOMIC_RELAXED);
    access->offset = offset;
    access->frame = region->dev_reg;
    if (unlikely(access->swap))
        return access_swapped(dev, access);
    return dev->emulator->access(dev, access);
}

static NOINLINE int access_elsewhere(struct emu_access *access)
{
    struct guest_region *found = guest_region_find(access->vcpu, access->addr);
    const struct guest_region *region = found;

    if (found != NULL && found->kind == GUEST_REGION_ALIAS)
        region = found->alias_of;
    if (region == NULL || region->dev == NULL)
        return -EFAULT;
    return access_device(access, found, region);
}

/*
 * What is not a device's register is refused: nothing there, memory that is mapped anyway, a write to read-only memory,
 * an access that leaves the frame, a width that the device does not have, a misaligned one.
 */
int hv_guest_mmio(struct emu_access *access)
{
    struct guest_region *last = guest_vcpu_of(access->vcpu)->last_region;

    if (unlikely(last == NULL || !guest_region_contains(last, access->addr.v) ||
                 last->kind != GUEST_REGION_VIRTUAL))
        return access_elsewhere(access);
    return access_device(access, last, last);
}
