// SPDX-License-Identifier: Apache-2.0
// Decides where kernel, initrd and device tree of a guest go, and checks that they fit.
#include <hv/guest_config.h>

#include <hv/bundle.h>
#include <hv/heap.h>
#include <lib/elf.h>
#include <lib/endian.h>
#include <lib/errno.h>
#include <lib/linux_image.h>
#include <lib/string.h>
#include <libfdt.h>

#define RAW_OFFSET 0x80000
/* Linux, Documentation/arm64/booting: at most 2 MiB, which is also the alignment that lets one block map it. */
#define DTB_MAX 0x200000
#define DTB_ALIGN 0x200000

static bool find_file(const struct guest_config *config, const char *property, const char *name,
                      struct guest_image *image, struct report *report)
{
    if (name == NULL) {
        return false;
    }
    if (bundle_find(name, &image->data, &image->size) != 0) {
        guest_config_error(report, config->node, property, "the boot bundle has no file \"%s\"",
                           name);
        return false;
    }
    if (image->size == 0) {
        guest_config_error(report, config->node, property, "file \"%s\" is empty", name);
        return false;
    }
    image->mem_size = image->size;
    return true;
}

static void check_fits(const struct guest_config *config, const char *property,
                       const struct guest_image *image, struct report *report)
{
    if (guest_config_memory(config, image->addr, image->mem_size) == NULL) {
        guest_config_error(report, config->node, property,
                           "0x%llx, size 0x%llx: not inside the guest's memory; give it more",
                           (unsigned long long)image->addr, (unsigned long long)image->mem_size);
    }
}

static void plan_image(const struct guest_config *config, uint64_t ram_start,
                       struct guest_layout *layout, struct report *report)
{
    struct guest_image *kernel = &layout->kernel;
    struct linux_image header;
    int err = linux_image_parse(kernel->data, kernel->size, &header);

    if (err != 0) {
        guest_config_error(report, config->node, "bulkhead,kernel",
                           "\"%s\" is no arm64 Linux image: %s; see bulkhead,format",
                           config->kernel, error_name(err));
        return;
    }
    kernel->addr = config->has_load
                       ? config->load
                       : ALIGN_UP(ram_start, LINUX_IMAGE_BASE_ALIGN) + header.text_offset;
    kernel->mem_size = MAX(header.image_size, kernel->size);
    layout->entry = kernel->addr;
    if ((kernel->addr - header.text_offset) % LINUX_IMAGE_BASE_ALIGN != 0) {
        guest_config_error(report, config->node, "bulkhead,load",
                           "0x%llx: must be a multiple of 2 MiB plus the image's offset 0x%llx",
                           (unsigned long long)kernel->addr, (unsigned long long)header.text_offset);
    }
    check_fits(config, "bulkhead,kernel", kernel, report);
}

static void plan_elf(const struct guest_config *config, struct guest_layout *layout,
                     struct report *report)
{
    struct guest_image *kernel = &layout->kernel;
    struct elf_segment segment;
    struct elf_info info;
    int err = elf_check(kernel->data, kernel->size, &info);

    if (err != 0) {
        guest_config_error(report, config->node, "bulkhead,kernel",
                           "\"%s\" is no ELF program for arm64: %s; see bulkhead,format",
                           config->kernel, error_name(err));
        return;
    }
    if (config->has_load) {
        guest_config_error(report, config->node, "bulkhead,load",
                           "an ELF program says itself where it goes; remove the property");
    }
    kernel->addr = info.low;
    kernel->mem_size = info.high - info.low;
    layout->entry = info.entry_physical;
    for (unsigned i = 0; i < info.segments; i++) {
        if (elf_segment(kernel->data, kernel->size, i, &segment) == 0 &&
            guest_config_memory(config, segment.physical, segment.mem_size) == NULL) {
            guest_config_error(report, config->node, "bulkhead,kernel",
                               "segment at 0x%llx, size 0x%llx: not in the guest's memory; "
                               "link it for that",
                               (unsigned long long)segment.physical,
                               (unsigned long long)segment.mem_size);
            return;
        }
    }
}

static void plan_kernel(const struct guest_config *config, uint64_t ram_start,
                        struct guest_layout *layout, struct report *report)
{
    struct guest_image *kernel = &layout->kernel;

    if (!find_file(config, "bulkhead,kernel", config->kernel, kernel, report)) {
        return;
    }
    if (config->format == GUEST_FORMAT_IMAGE) {
        plan_image(config, ram_start, layout, report);
    } else if (config->format == GUEST_FORMAT_ELF) {
        plan_elf(config, layout, report);
    } else {
        kernel->addr = config->has_load ? config->load : ram_start + RAW_OFFSET;
        layout->entry = kernel->addr;
        check_fits(config, "bulkhead,kernel", kernel, report);
    }
    if (config->has_entry) {
        layout->entry = config->entry;
    }
    if (kernel->mem_size != 0 && guest_config_memory(config, layout->entry, 4) == NULL) {
        guest_config_error(report, config->node, "bulkhead,entry",
                           "0x%llx is not in the guest's memory", (unsigned long long)layout->entry);
    }
}

/* Where a hand-written device tree says that the initrd is. */
static bool initrd_from_dtb(const void *fdt, uint64_t *addr)
{
    int chosen = fdt_path_offset(fdt, "/chosen");
    const void *value;
    int size;

    if (chosen < 0) {
        return false;
    }
    value = fdt_getprop(fdt, chosen, "linux,initrd-start", &size);
    if (value == NULL || (size != 4 && size != 8)) {
        return false;
    }
    *addr = size == 8 ? be64_load(value) : be32_load(value);
    return true;
}

/* Reads the file that replaces the generated tree. */
static void plan_own_dtb(const struct guest_config *config, struct guest_layout *layout,
                         struct report *report)
{
    struct guest_image *dtb = &layout->dtb;
    void *copy;

    if (!find_file(config, "bulkhead,dtb", config->dtb, dtb, report)) {
        return;
    }
    if (dtb->size > DTB_MAX) {
        guest_config_error(report, config->node, "bulkhead,dtb", "\"%s\" has more than 2 MiB",
                           config->dtb);
        return;
    }
    copy = heap_alloc(dtb->size); /* libfdt wants it 8-byte aligned */
    if (copy == NULL) {
        guest_config_error(report, config->node, "bulkhead,dtb", "no memory to check it");
        return;
    }
    memcpy(copy, dtb->data, dtb->size);
    if (fdt_check_full(copy, dtb->size) != 0) {
        guest_config_error(report, config->node, "bulkhead,dtb",
                           "\"%s\" is no flattened device tree, or a damaged one; make it with dtc",
                           config->dtb);
    } else if (config->initrd != NULL && !initrd_from_dtb(copy, &layout->initrd.addr)) {
        guest_config_error(report, config->node, "bulkhead,dtb",
                           "has no /chosen linux,initrd-start for bulkhead,initrd; add it");
    }
    heap_free(copy);
}

/* Highest place for size bytes below top; 0 when there is none above bottom. */
static uint64_t place_below(uint64_t bottom, uint64_t top, uint64_t size, uint64_t align)
{
    uint64_t addr = top - bottom < size ? 0 : ALIGN_DOWN(top - size, align);

    return addr < bottom ? 0 : addr;
}

/* Initrd at the top of RAM, the device tree below it, both above (or clear of) the kernel. */
static void plan_others(const struct guest_config *config, const struct guest_region_config *ram,
                        struct guest_layout *layout, struct report *report)
{
    const struct guest_image *kernel = &layout->kernel;
    uint64_t kernel_end = kernel->addr + kernel->mem_size;
    uint64_t bottom = kernel->addr - ram->start < ram->size ? kernel_end : ram->start;
    uint64_t top = ram->start + ram->size;

    if (layout->initrd.data != NULL && config->dtb == NULL) {
        layout->initrd.addr = place_below(bottom, top, layout->initrd.mem_size, PAGE_SIZE);
        if (layout->initrd.addr == 0) {
            guest_config_error(report, config->node, "bulkhead,initrd",
                               "no room above the kernel for 0x%zx bytes; give the guest more "
                               "memory",
                               layout->initrd.size);
            return;
        }
        top = layout->initrd.addr;
    }
    layout->dtb.addr = place_below(bottom, top, layout->dtb.mem_size, DTB_ALIGN);
    if (layout->dtb.addr == 0) {
        layout->dtb.addr = place_below(bottom, top, layout->dtb.mem_size, PAGE_SIZE);
    }
    if (layout->dtb.addr == 0) {
        guest_config_error(report, ram->node, "reg",
                           "no room above the kernel for the device tree; give the guest more "
                           "memory");
    }
}

static bool images_overlap(const struct guest_image *a, const struct guest_image *b)
{
    return a->mem_size != 0 && b->mem_size != 0 &&
           (a->addr < b->addr ? b->addr - a->addr < a->mem_size : a->addr - b->addr < b->mem_size);
}

/* With a hand-written tree the initrd goes where that says: anywhere. */
static void check_initrd(const struct guest_config *config, const struct guest_layout *layout,
                         struct report *report)
{
    const struct guest_image *initrd = &layout->initrd;

    check_fits(config, "bulkhead,initrd", initrd, report);
    if (images_overlap(initrd, &layout->kernel) || images_overlap(initrd, &layout->dtb)) {
        guest_config_error(report, config->node, "bulkhead,initrd",
                           "at 0x%llx it overlaps the kernel or the device tree; move it",
                           (unsigned long long)initrd->addr);
    }
}

void guest_layout_plan(const struct guest_config *config, struct guest_layout *layout,
                       struct report *report)
{
    const struct guest_region_config *ram = guest_config_ram(config);
    unsigned before = report->errors;

    if (ram == NULL || ram->size == 0 || ram->start + ram->size < ram->start) {
        return; /* said already, and without RAM nothing has a place */
    }
    plan_kernel(config, ram->start, layout, report);
    if (config->initrd != NULL) {
        find_file(config, "bulkhead,initrd", config->initrd, &layout->initrd, report);
    }
    layout->dtb.mem_size = GUEST_FDT_SIZE;
    plan_own_dtb(config, layout, report);
    if (report->errors != before) {
        return;
    }
    plan_others(config, ram, layout, report);
    if (report->errors == before && layout->initrd.data != NULL) {
        check_initrd(config, layout, report);
    }
}
