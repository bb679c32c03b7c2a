// SPDX-License-Identifier: Apache-2.0
// Reads a guest's address space node: memory, devices, aliases.
#include <hv/guest_config.h>

#include <lib/endian.h>
#include <lib/errno.h>
#include <lib/string.h>

#define IRQ_CELLS 3
#define IRQ_TYPE_SPI 0
#define IRQ_FLAG_EDGE_RISING 1
#define IRQ_FLAG_LEVEL_HIGH 4

void guest_config_add_region(struct guest_config *config, const struct guest_region_config *region,
                             struct report *report)
{
    unsigned at = config->region_count;

    if (at == CONFIG_GUEST_REGIONS_MAX) {
        guest_config_error(report, region->node, "reg", "too many regions; a guest has at most %u",
                           CONFIG_GUEST_REGIONS_MAX);
        return;
    }
    while (at > 0 && config->regions[at - 1].start > region->start) {
        config->regions[at] = config->regions[at - 1];
        at--;
    }
    config->regions[at] = *region;
    config->region_count++;
}

static bool read_cells(const struct dt_node *aspace, const char *property, struct report *report,
                       unsigned *cells)
{
    uint32_t value = 0;

    if (!guest_config_u32(report, aspace, property, UINT32_MAX, &value)) {
        return false;
    }
    if (value < 1 || value > 2) {
        guest_config_error(report, aspace, property, "must be there, <1> or <2>; give <2>");
        return false;
    }
    *cells = value;
    return true;
}

static uint64_t cells_load(const uint8_t *from, unsigned cells)
{
    return cells == 2 ? be64_load(from) : be32_load(from);
}

unsigned guest_config_reg(const struct dt_node *node, struct guest_frame frames[GUEST_FRAMES_MAX],
                          struct report *report)
{
    const struct dt_attr *attr = dt_attr(node, "reg");
    uint32_t address_cells = 2;
    uint32_t size_cells = 2;
    uint32_t entry;

    if (dt_get_u32(node->parent, "#address-cells", &address_cells) != 0 ||
        dt_get_u32(node->parent, "#size-cells", &size_cells) != 0) {
        return 0;
    }
    entry = (address_cells + size_cells) * 4;
    if (attr == NULL || attr->size == 0 || attr->size % entry != 0 ||
        attr->size / entry > GUEST_FRAMES_MAX) {
        guest_config_error(report, node, "reg",
                           "must be 1 to %u pairs of address (%u cells) and size (%u cells)",
                           GUEST_FRAMES_MAX, address_cells, size_cells);
        return 0;
    }
    for (unsigned i = 0; i < attr->size / entry; i++) {
        const uint8_t *at = (const uint8_t *)attr->data + (size_t)i * entry;

        frames[i].start = cells_load(at, address_cells);
        frames[i].size = cells_load(at + (size_t)address_cells * 4, size_cells);
    }
    return attr->size / entry;
}

/* Guests find each other by the name, which therefore has the form of a guest's. */
static void read_shared(const struct dt_node *node, struct guest_region_config *region,
                        struct report *report)
{
    guest_config_string(report, node, "bulkhead,shared", &region->shared);
    if (region->shared == NULL) {
        return;
    }
    if (strlen(region->shared) >= GUEST_NAME_MAX) {
        guest_config_error(report, node, "bulkhead,shared", "at most %u characters",
                           GUEST_NAME_MAX - 1);
    }
    if (region->file != NULL) {
        guest_config_error(report, node, "bulkhead,file",
                           "a guest's reset would load it under the others; remove it or "
                           "bulkhead,shared");
    }
}

static void read_fixed(const struct dt_node *node, struct guest_region_config *region,
                       unsigned count, struct report *report)
{
    region->fixed = dt_attr(node, "bulkhead,host-address") != NULL &&
                    guest_config_address(report, node, "bulkhead,host-address", &region->host);
    if (region->fixed && count > 1) {
        guest_config_error(report, node, "reg",
                           "memory with bulkhead,host-address has one address and size");
    }
    if (region->fixed && region->shared != NULL) {
        guest_config_error(report, node, "bulkhead,host-address",
                           "shared memory has no place of its own; remove it or bulkhead,shared");
    }
}

static void read_demand(const struct dt_node *node, struct guest_region_config *region,
                        struct report *report)
{
    region->demand = dt_attr(node, "bulkhead,demand") != NULL;
    if (region->demand && (region->shared != NULL || region->fixed)) {
        guest_config_error(report, node, "bulkhead,demand",
                           "shared memory and memory with bulkhead,host-address are taken at once; "
                           "remove one of the two");
    }
}

static void add_memory(struct guest_config *config, struct dt_node *node, struct report *report)
{
    static const char *const known[] = {"bulkhead,file", "bulkhead,shared", "bulkhead,host-address",
                                        "bulkhead,demand", NULL};
    struct guest_region_config region = {.kind = GUEST_REGION_MEMORY, .node = node};
    struct guest_frame frames[GUEST_FRAMES_MAX];
    unsigned count = guest_config_reg(node, frames, report);

    guest_config_known(report, node, known);
    region.read_only = dt_attr(node, "read-only") != NULL;
    guest_config_string(report, node, "bulkhead,file", &region.file);
    read_shared(node, &region, report);
    if (region.shared != NULL && count > 1) {
        guest_config_error(report, node, "reg", "shared memory has one address and size");
    }
    read_fixed(node, &region, count, report);
    read_demand(node, &region, report);
    for (unsigned i = 0; i < count; i++) {
        region.start = frames[i].start;
        region.size = frames[i].size;
        region.frame = i;
        guest_config_add_region(config, &region, report);
        region.file = NULL;
    }
}

static void add_alias(struct guest_config *config, struct dt_node *node, struct report *report)
{
    static const char *const known[] = {"bulkhead,alias", NULL};
    struct guest_region_config region = {.kind = GUEST_REGION_ALIAS, .node = node};
    struct guest_frame frames[GUEST_FRAMES_MAX];
    unsigned count = guest_config_reg(node, frames, report);
    uint32_t phandle = 0;
    uint32_t target_phandle;

    guest_config_known(report, node, known);
    dt_get_u32(node, "bulkhead,alias", &phandle);
    for (struct dt_node *at = dt_first_child(node->parent); at != NULL; at = dt_next_sibling(at)) {
        if (dt_get_u32(at, "phandle", &target_phandle) == 0 && target_phandle == phandle) {
            region.alias_of = at;
        }
    }
    if (region.alias_of == NULL || region.alias_of == node) {
        guest_config_error(report, node, "bulkhead,alias",
                           "must be the label of another region of this guest, like <&ram>");
        return;
    }
    if (count > 1) {
        guest_config_error(report, node, "reg", "an alias has one address and size");
    }
    if (count == 1) {
        region.start = frames[0].start;
        region.size = frames[0].size;
        guest_config_add_region(config, &region, report);
    }
}

/* One <type number flags>: the INTID, or 0 when it is wrong, which is then reported. */
static uint32_t read_irq(const struct dt_node *node, const uint8_t *cells, uint32_t spi_count,
                         struct report *report)
{
    uint32_t type = be32_load(cells);
    uint32_t number = be32_load(cells + 4);
    uint32_t flags = be32_load(cells + 8) & 0xf;

    if (type != IRQ_TYPE_SPI) {
        guest_config_error(report, node, "interrupts",
                           "type %u is not for a device; use 0 (shared interrupt)", type);
        return 0;
    }
    if (number >= spi_count) {
        guest_config_error(report, node, "interrupts", "no SPI %u; there are 0 to %u", number,
                           spi_count - 1);
        return 0;
    }
    if (flags != IRQ_FLAG_EDGE_RISING && flags != IRQ_FLAG_LEVEL_HIGH) {
        guest_config_error(report, node, "interrupts",
                           "trigger %u; use 1 (rising edge) or 4 (high level)", flags);
    }
    return VCPU_IRQ_SPI_BASE + number;
}

static void read_interrupts(struct guest_device_config *device, uint32_t spi_count,
                            struct report *report)
{
    const struct dt_attr *attr = dt_attr(device->node, "interrupts");
    const uint8_t *cells;

    if (attr == NULL) {
        return;
    }
    if (attr->size == 0 || attr->size % (IRQ_CELLS * 4) != 0 ||
        attr->size / (IRQ_CELLS * 4) > spi_count) {
        guest_config_error(report, device->node, "interrupts",
                           "must be groups of three cells: type, number, trigger, like <0 1 4>");
        return;
    }
    cells = attr->data;
    device->irq = read_irq(device->node, cells, spi_count, report);
    device->irq_count = attr->size / (IRQ_CELLS * 4);
    for (unsigned i = 1; i < device->irq_count; i++) {
        uint32_t irq = read_irq(device->node, cells + (size_t)i * IRQ_CELLS * 4, spi_count, report);

        if (irq != 0 && irq != device->irq + i) {
            guest_config_error(report, device->node, "interrupts",
                               "numbers of one device must follow each other; SPI %u does not",
                               irq - VCPU_IRQ_SPI_BASE);
        }
    }
}

/* Memory for what a serial port prints first. */
static void check_log_size(const struct dt_node *node, struct report *report)
{
    uint32_t size = GUEST_LOG_SIZE_MIN;

    if (guest_config_u32(report, node, "bulkhead,log-size", GUEST_LOG_SIZE_MAX, &size) &&
        size < GUEST_LOG_SIZE_MIN)
        guest_config_error(report, node, "bulkhead,log-size", "%u is too small; at least %u", size,
                           GUEST_LOG_SIZE_MIN);
}

static void add_device(struct guest_config *config, struct dt_node *node, struct report *report)
{
    struct guest_region_config region = {.kind = GUEST_REGION_VIRTUAL, .node = node};
    struct guest_device_config *device = &config->devices[config->device_count];
    const struct emulator *emulator = emulator_find(node);
    const char *compatible = "nothing";
    struct guest_frame frames[GUEST_FRAMES_MAX];
    unsigned count;

    if (emulator == NULL) {
        dt_get_string(node, "compatible", &compatible);
        guest_config_error(report, node, "compatible",
                           "no emulated device for \"%s\"; correct it or remove the node",
                           compatible);
        return;
    }
    if (config->device_count == CONFIG_GUEST_DEVICES_MAX) {
        guest_config_error(report, node, NULL, "too many devices; a guest has at most %u",
                           CONFIG_GUEST_DEVICES_MAX);
        return;
    }
    device->node = node;
    device->emulator = emulator;
    read_interrupts(device, config->spi_count, report);
    check_log_size(node, report);
    region.device = config->device_count++;
    count = guest_config_reg(node, frames, report);
    for (unsigned i = 0; i < count; i++) {
        region.start = frames[i].start;
        region.size = frames[i].size;
        region.frame = i;
        guest_config_add_region(config, &region, report);
    }
}

static void add_child(struct guest_config *config, struct dt_node *node, struct report *report)
{
    const char *type = "";

    dt_get_string(node, "device_type", &type);
    if (dt_attr(node, "bulkhead,passthrough") != NULL) {
        guest_config_passthrough(config, node, report);
    } else if (dt_attr(node, "bulkhead,alias") != NULL) {
        add_alias(config, node, report);
    } else if (str_equal(type, "memory")) {
        add_memory(config, node, report);
    } else {
        add_device(config, node, report);
    }
}

void guest_config_aspace(struct guest_config *config, struct report *report)
{
    struct dt_node *aspace = dt_child(config->node, "aspace");
    static const char *const known[] = {NULL};
    unsigned address_cells;
    unsigned size_cells;

    if (aspace == NULL) {
        guest_config_error(report, config->node, NULL,
                           "no address space; add a node aspace { } with the guest's memory");
        return;
    }
    guest_config_known(report, aspace, known);
    if (!read_cells(aspace, "#address-cells", report, &address_cells) ||
        !read_cells(aspace, "#size-cells", report, &size_cells)) {
        return;
    }
    config->device_count = 1;
    guest_config_intc(config, aspace, report);
    for (struct dt_node *node = dt_first_child(aspace); node != NULL; node = dt_next_sibling(node)) {
        if (dt_is_enabled(node) && !guest_config_is_intc(node)) {
            add_child(config, node, report);
        }
    }
}
