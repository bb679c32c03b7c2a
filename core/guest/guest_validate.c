// SPDX-License-Identifier: Apache-2.0
// Checks of a guest's configuration that look at more than one property: address space, memory, interrupts.
#include <hv/guest_config.h>

#include <arch/guest_mmu.h>
#include <hv/bundle.h>
#include <hv/page.h>
#include <lib/bitmap.h>

#define MIB (1024 * 1024)
#define DEVICE_ALIGN 4

static void check_size(const struct guest_region_config *region, struct report *report)
{
    unsigned bits = arch_guest_mmu_ipa_bits();
    uint64_t limit = BIT(bits);
    bool mapped = region->kind != GUEST_REGION_VIRTUAL;
    uint64_t align = mapped ? PAGE_SIZE : DEVICE_ALIGN;

    if (region->size == 0) {
        guest_config_error(report, region->node, "reg", "size is 0; give the size in bytes");
    }
    if (!IS_ALIGNED(region->start, align) || !IS_ALIGNED(region->size, align)) {
        guest_config_error(report, region->node, "reg",
                           "0x%llx, size 0x%llx: both must be multiples of 0x%llx",
                           (unsigned long long)region->start, (unsigned long long)region->size,
                           (unsigned long long)align);
    }
    if (region->start >= limit || region->size > limit - region->start) {
        guest_config_error(
            report, region->node, "reg",
            "0x%llx, size 0x%llx: beyond the %u bits of guest addresses on this host",
            (unsigned long long)region->start, (unsigned long long)region->size, bits);
    }
}

static void check_overlap(const struct guest_config *config, struct report *report)
{
    const struct guest_region_config *reach = NULL; /* of those before, the one that ends last */

    for (unsigned i = 0; i < config->region_count; i++) {
        const struct guest_region_config *region = &config->regions[i];

        if (reach != NULL && region->start - reach->start < reach->size && region->size != 0) {
            guest_config_error(report, region->node, "reg",
                               "0x%llx overlaps \"%s\" (0x%llx, size 0x%llx); move one of them",
                               (unsigned long long)region->start, reach->node->name,
                               (unsigned long long)reach->start, (unsigned long long)reach->size);
        }
        if (reach == NULL || region->start - reach->start > reach->size ||
            region->size > reach->size - (region->start - reach->start)) {
            reach = region;
        }
    }
}

static const struct guest_region_config *region_of(const struct guest_config *config,
                                                   const struct dt_node *node)
{
    for (unsigned i = 0; i < config->region_count; i++) {
        if (config->regions[i].node == node && config->regions[i].frame == 0) {
            return &config->regions[i];
        }
    }
    return NULL;
}

static void check_alias(const struct guest_config *config, const struct guest_region_config *region,
                        struct report *report)
{
    const struct guest_region_config *target = region_of(config, region->alias_of);

    if (target == NULL || target->kind == GUEST_REGION_ALIAS) {
        guest_config_error(report, region->node, "bulkhead,alias",
                           "\"%s\" is no memory or device; name the region itself",
                           region->alias_of->name);
    } else if (region->size > target->size) {
        guest_config_error(report, region->node, "reg",
                           "longer than \"%s\", of which it is an alias; at most 0x%llx",
                           target->node->name, (unsigned long long)target->size);
    }
}

/* Not reported: a size that is wrong anyway, so that one mistake gives one message. */
static void check_memory(const struct guest_config *config, struct report *report)
{
    const struct guest_region_config *ram = guest_config_ram(config);
    uint64_t limit = BIT(arch_guest_mmu_ipa_bits());
    struct page_stats stats;
    uint64_t total = 0;

    if (config->device_count == 0) {
        return; /* no usable node "aspace", which has been said */
    }
    if (ram == NULL) {
        guest_config_error(report, config->node, NULL,
                           "no memory; add to aspace: memory@40000000 { device_type = \"memory\"; "
                           "reg = <0 0x40000000 0 0x10000000>; };");
        return;
    }
    for (unsigned i = 0; i < config->region_count; i++) {
        if (config->regions[i].kind == GUEST_REGION_MEMORY && config->regions[i].shared == NULL &&
            !config->regions[i].fixed && !config->regions[i].demand &&
            config->regions[i].size <= limit) {
            total += config->regions[i].size;
        }
    }
    page_get_stats(&stats);
    if (total > stats.free) {
        guest_config_error(report, ram->node, "reg",
                           "the guest has %llu MiB, the host has %llu MiB free; give it less",
                           (unsigned long long)((total + MIB - 1) / MIB),
                           (unsigned long long)(stats.free / MIB));
    }
}

static void check_irqs(const struct guest_config *config, struct report *report)
{
    BITMAP(used, GUEST_SPI_MAX) = {0};

    for (unsigned i = 1; i < config->device_count; i++) {
        const struct guest_device_config *device = &config->devices[i];

        for (unsigned n = 0; device->irq != 0 && n < device->irq_count; n++) {
            uint32_t spi = device->irq - VCPU_IRQ_SPI_BASE + n;

            if (spi >= GUEST_SPI_MAX) {
                break;
            }
            if (bitmap_test(used, spi)) {
                guest_config_error(report, device->node, "interrupts",
                                   "SPI %u belongs to another device already; use a free one", spi);
            }
            bitmap_set(used, spi);
        }
    }
}

static void check_file(const struct guest_config *config, const struct guest_region_config *region,
                       struct report *report)
{
    const void *data;
    size_t size;

    if (region->file == NULL || config->without_files) {
        return;
    }
    if (bundle_find(region->file, &data, &size) != 0) {
        guest_config_error(report, region->node, "bulkhead,file",
                           "the boot bundle has no file \"%s\"", region->file);
    } else if (size > region->size) {
        guest_config_error(report, region->node, "bulkhead,file",
                           "\"%s\" has %zu bytes, more than the region", region->file, size);
    }
}

void guest_validate(struct guest_config *config, struct report *report)
{
    for (unsigned i = 0; i < config->region_count; i++) {
        const struct guest_region_config *region = &config->regions[i];

        check_size(region, report);
        check_file(config, region, report);
        if (region->fixed) {
            guest_config_fixed(region, report);
        }
        if (region->kind == GUEST_REGION_ALIAS) {
            check_alias(config, region, report);
        }
    }
    check_overlap(config, report);
    check_memory(config, report);
    check_irqs(config, report);
}

const struct guest_region_config *guest_config_memory(const struct guest_config *config,
                                                      uint64_t start, uint64_t size)
{
    for (unsigned i = 0; i < config->region_count; i++) {
        const struct guest_region_config *region = &config->regions[i];

        if (region->kind == GUEST_REGION_MEMORY && region->shared == NULL &&
            start >= region->start && size <= region->size &&
            start - region->start <= region->size - size) {
            return region;
        }
    }
    return NULL;
}

const struct guest_region_config *guest_config_ram(const struct guest_config *config)
{
    for (unsigned i = 0; i < config->region_count; i++) {
        if (config->regions[i].kind == GUEST_REGION_MEMORY && !config->regions[i].read_only &&
            config->regions[i].shared == NULL) {
            return &config->regions[i];
        }
    }
    return NULL;
}
