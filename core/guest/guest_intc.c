// SPDX-License-Identifier: Apache-2.0
// Reads what a guest's interrupt controller is to be: its version, frames and number of interrupts, or the default.
#include <hv/guest_config.h>

#include <arch/guest_irq.h>
#include <lib/macros.h>

/* QEMU virt's map. */
#define GICD_BASE 0x08000000
#define GICC_BASE 0x08010000
#define GICR_BASE 0x080a0000
#define GICD_V3_SIZE 0x10000
#define GICD_V2_SIZE 0x1000
#define GICC_SIZE 0x2000
#define GICC_DIR 0x1000 /* a page of its own, emulated */
#define GICR_STRIDE 0x20000
#define GICV2_VCPUS_MAX 8

static unsigned intc_node_version(const struct dt_node *node, unsigned host)
{
    if (dt_is_compatible(node, "bulkhead,gic")) {
        return host;
    }
    if (dt_is_compatible(node, "arm,gic-v3")) {
        return 3;
    }
    return dt_is_compatible(node, "arm,gic-400") || dt_is_compatible(node, "arm,cortex-a15-gic")
               ? 2
               : 0;
}

static unsigned host_intc_version(void)
{
    switch (arch_guest_irq_version()) {
    case GUEST_IRQ_V2:
        return 2;
    case GUEST_IRQ_V3:
        return 3;
    default:
        return 0;
    }
}

/* Fills the two frames from reg, or with the default map. */
static bool read_intc_frames(const struct guest_config *config, const struct dt_node *node,
                             struct guest_frame frames[GUEST_FRAMES_MAX], struct report *report)
{
    bool v3 = config->intc_version == 3;

    if (node != NULL && dt_attr(node, "reg") != NULL) {
        unsigned count = guest_config_reg(node, frames, report);

        if (count == 1 || count > 2) {
            guest_config_error(report, node, "reg", "must have two frames: distributor and %s",
                               v3 ? "redistributors" : "CPU interface");
        }
        return count == 2;
    }
    frames[0].start = GICD_BASE;
    frames[0].size = v3 ? GICD_V3_SIZE : GICD_V2_SIZE;
    frames[1].start = v3 ? GICR_BASE : GICC_BASE;
    frames[1].size = v3 ? (uint64_t)GICR_STRIDE * MAX(config->vcpu_count, 1U) : GICC_SIZE;
    return true;
}

static void add_intc_regions(struct guest_config *config, struct dt_node *node,
                             const struct guest_frame *frames, struct report *report)
{
    struct guest_region_config region = {.kind = GUEST_REGION_VIRTUAL,
                                         .node = node,
                                         .start = frames[0].start,
                                         .size = frames[0].size};
    uint64_t gicv_size;
    hpa_t gicv;

    guest_config_add_region(config, &region, report);
    region.frame = 1;
    region.start = frames[1].start;
    region.size = frames[1].size;
    if (config->intc_version == 3 && region.size < (uint64_t)GICR_STRIDE * config->vcpu_count) {
        guest_config_error(report, node, "reg",
                           "redistributors need 0x20000 bytes for each of %u VCPUs",
                           config->vcpu_count);
    }
    if (config->intc_version == 2) {
        arch_guest_irq_gicv(&gicv, &gicv_size);
        region.kind = GUEST_REGION_HOST;
        region.host = gicv.v;
        region.size = MIN(region.size, gicv_size);
        region.direct = MIN(region.size, (uint64_t)GICC_DIR);
    }
    guest_config_add_region(config, &region, report);
}

static void read_spi_count(struct guest_config *config, const struct dt_node *node,
                           struct report *report)
{
    static const char *const known[] = {"bulkhead,spi-count", NULL};

    config->spi_count = GUEST_SPI_DEFAULT;
    if (node == NULL) {
        return;
    }
    guest_config_known(report, node, known);
    if (guest_config_u32(report, node, known[0], GUEST_SPI_MAX, &config->spi_count) &&
        config->spi_count < GUEST_SPI_MIN) {
        guest_config_error(report, node, known[0], "%u is too small; at least %u",
                           config->spi_count, GUEST_SPI_MIN);
    }
}

/* node: the controller's own, or NULL for the default one. It becomes device 0. */
static void add_intc(struct guest_config *config, struct dt_node *aspace, struct dt_node *node,
                     struct report *report)
{
    static const char *const compatibles[] = {"arm,gic-v3", "arm,gic-400", "arm,cortex-a15-gic"};
    struct dt_node *named = node != NULL ? node : aspace;
    unsigned host = host_intc_version();
    unsigned wanted = node != NULL ? intc_node_version(node, host) : host;
    struct guest_device_config *device = &config->devices[0];
    struct guest_frame frames[GUEST_FRAMES_MAX];

    read_spi_count(config, node, report);
    if (host == 0) {
        guest_config_error(report, named, NULL,
                           "this host's interrupt controller can not be virtualised: no guests");
        return;
    }
    if (wanted != host) {
        guest_config_error(report, named, "compatible",
                           "a GICv%u guest can not run on this GICv%u host; use \"bulkhead,gic\"",
                           wanted, host);
        return;
    }
    if (wanted == 2 && config->vcpu_count > GICV2_VCPUS_MAX) {
        guest_config_error(report, named, NULL, "a GICv2 guest has at most %u VCPUs; give it less",
                           GICV2_VCPUS_MAX);
        return;
    }
    config->intc_version = wanted;
    device->node = named;
    for (unsigned i = wanted == 3 ? 0 : 1; i < ARRAY_SIZE(compatibles); i++) {
        if (device->emulator == NULL && (wanted == 2 || i == 0)) {
            device->emulator = emulator_find_compatible(compatibles[i]);
        }
    }
    if (device->emulator == NULL) {
        guest_config_error(report, named, "compatible", "this build has no emulated GICv%u", wanted);
        return;
    }
    if (read_intc_frames(config, node, frames, report)) {
        add_intc_regions(config, named, frames, report);
    }
}

/* NULL: none, the default is meant. */
static struct dt_node *find_intc(struct dt_node *aspace, struct report *report)
{
    struct dt_node *found = NULL;

    for (struct dt_node *node = dt_first_child(aspace); node != NULL; node = dt_next_sibling(node)) {
        if (!dt_is_enabled(node) || !guest_config_is_intc(node)) {
            continue;
        }
        if (found != NULL) {
            guest_config_error(report, node, NULL,
                               "second interrupt controller; a guest has one, remove it");
        }
        found = found != NULL ? found : node;
    }
    return found;
}

bool guest_config_is_intc(const struct dt_node *node)
{
    return intc_node_version(node, 1) != 0;
}

void guest_config_intc(struct guest_config *config, struct dt_node *aspace, struct report *report)
{
    add_intc(config, aspace, find_intc(aspace, report), report);
}

const char *guest_config_name(const struct guest_config *config, const struct dt_node *node)
{
    return node->parent == config->node ? "interrupt-controller" : node->name;
}
