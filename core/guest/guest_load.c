// SPDX-License-Identifier: Apache-2.0
// Copies a guest's images and device tree into its memory, as its plan says.
#include <hv/guest_parts.h>

#include <arch/cache.h>
#include <hv/bundle.h>
#include <hv/clock.h>
#include <hv/heap.h>
#include <hv/thread.h>
#include <lib/elf.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <libfdt.h>

/* A guest whose caches are off reads memory itself: what is written goes there. */
static int load_bytes(struct guest *guest, uint64_t addr, const void *data, uint64_t size,
                      uint64_t mem_size)
{
    const uint8_t *from = data;
    uint64_t since = clock_now();
    uint8_t *to;

    for (uint64_t done = 0; done < mem_size;) {
        int64_t room = guest_region_bytes(guest, addr + done, false, &to);
        uint64_t here, copied;

        if (room < 0) {
            return (int)room;
        }
        here = MIN(MIN((uint64_t)room, mem_size - done), GUEST_PIECE_SIZE);
        copied = done < size ? MIN(here, size - done) : 0;
        memcpy(to, from + done, copied);
        memset(to + copied, 0, here - copied);
        arch_cache_clean(to, here);
        done += here;
        thread_give_way(&since);
    }
    return 0;
}

static int load_elf(struct guest *guest, const struct guest_image *kernel)
{
    struct elf_segment segment;
    int err = 0;

    for (unsigned i = 0; err == 0; i++) {
        err = elf_segment(kernel->data, kernel->size, i, &segment);
        if (err == 0) {
            err = load_bytes(guest, segment.physical, segment.data, segment.file_size,
                             segment.mem_size);
        }
    }
    return err == -ENOENT ? 0 : err;
}

static int load_kernel(struct guest *guest)
{
    const struct guest_image *kernel = &guest->layout->kernel;

    if (guest->config->format == GUEST_FORMAT_ELF) {
        return load_elf(guest, kernel);
    }
    return load_bytes(guest, kernel->addr, kernel->data, kernel->size, kernel->mem_size);
}

static int load_dtb(struct guest *guest)
{
    const struct guest_image *dtb = &guest->layout->dtb;
    void *buffer;
    int err;

    if (dtb->data != NULL) {
        return load_bytes(guest, dtb->addr, dtb->data, dtb->size, dtb->size);
    }
    buffer = heap_alloc(dtb->mem_size);
    if (buffer == NULL) {
        return -ENOMEM;
    }
    err = guest_fdt_build(guest->config, guest->layout, buffer, dtb->mem_size);
    if (err == 0) {
        err = load_bytes(guest, dtb->addr, buffer, fdt_totalsize(buffer), fdt_totalsize(buffer));
    }
    heap_free(buffer);
    return err;
}

static int load_region_files(struct guest *guest)
{
    const struct guest_config *config = guest->config;
    int err = 0;

    for (unsigned i = 0; i < config->region_count && err == 0; i++) {
        const struct guest_region_config *region = &config->regions[i];
        const void *data;
        size_t size;

        if (region->file == NULL) {
            continue;
        }
        err = bundle_find(region->file, &data, &size);
        if (err == 0) {
            err = load_bytes(guest, region->start, data, size, size);
        }
    }
    return err;
}

int guest_load(struct guest *guest, struct report *report)
{
    const struct guest_image *initrd = &guest->layout->initrd;
    int err = load_region_files(guest);

    if (err == 0) {
        err = load_kernel(guest);
    }
    if (err == 0 && initrd->data != NULL) {
        err = load_bytes(guest, initrd->addr, initrd->data, initrd->size, initrd->mem_size);
    }
    if (err == 0) {
        err = load_dtb(guest);
    }
    arch_cache_sync_code();
    if (err == -ENOSPC) {
        guest_config_error(report, guest->node, NULL,
                           "its device tree has more than 0x%x bytes; shorten chosen or devices",
                           GUEST_FDT_SIZE);
    } else if (err != 0) {
        guest_config_error(report, guest->node, NULL, "loading failed: %s", error_name(err));
    }
    return err;
}
