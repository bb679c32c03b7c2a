// SPDX-License-Identifier: Apache-2.0
// Instances of device emulators in a guest.
#include <hv/guest_parts.h>

#include <hv/heap.h>
#include <lib/errno.h>
#include <lib/string.h>

#define DEVICE_NAME_MAX 32

TABLE_DECLARE(emulators, struct emulator);

static bool emulator_matches(const struct emulator *emulator, const char *compatible)
{
    for (const char *const *match = emulator->match; *match != NULL; match++) {
        if (str_equal(*match, compatible)) {
            return true;
        }
    }
    return false;
}

const struct emulator *emulator_find_compatible(const char *compatible)
{
    TABLE_FOREACH(emulators, struct emulator, iter) {
        if (emulator_matches(*iter, compatible)) {
            return *iter;
        }
    }
    return NULL;
}

const struct emulator *emulator_at(unsigned index)
{
    return index < TABLE_COUNT(emulators) ? TABLE_AT(emulators, index) : NULL;
}

const struct emulator *emulator_find(const struct dt_node *node)
{
    const struct emulator *found = NULL;
    const char *compatible = NULL;

    while (found == NULL && (compatible = dt_next_string(node, "compatible", compatible)) != NULL) {
        found = emulator_find_compatible(compatible);
    }
    return found;
}

/* Node name without unit address, on the heap. */
static char *device_name(const char *node_name)
{
    char name[DEVICE_NAME_MAX];
    const char *at = strchr(node_name, '@');
    size_t size = at != NULL ? (size_t)(at - node_name) : strlen(node_name);

    size = MIN(size, sizeof(name) - 1);
    memcpy(name, node_name, size);
    name[size] = '\0';
    return heap_strdup(name);
}

static int device_create(struct guest *guest, const struct guest_device_config *config,
                         struct emu_device **out)
{
    struct emu_device *dev = heap_zalloc(sizeof(*dev));
    int err = -ENOMEM;

    if (dev == NULL) {
        return -ENOMEM;
    }
    dev->emulator = config->emulator;
    dev->guest = guest;
    dev->node = config->node;
    dev->irq = config->irq;
    dev->irq_count = config->irq_count;
    dev->name = device_name(guest->config != NULL ? guest_config_name(guest->config, config->node)
                                                  : config->node->name);
    dev->state = heap_zalloc(MAX(config->emulator->state_size, 1U));
    if (dev->name != NULL && dev->state != NULL) {
        err = dev->emulator->probe != NULL ? dev->emulator->probe(dev) : 0;
    }
    if (err != 0) {
        heap_free(dev->state);
        heap_free((void *)dev->name);
        heap_free(dev);
        return err;
    }
    list_add_tail(&guest->devices, &dev->link);
    *out = dev;
    return 0;
}

int emu_device_create(struct guest *guest, struct dt_node *node, struct emu_device **out)
{
    struct guest_device_config config = {.node = node, .emulator = emulator_find(node)};
    uint32_t number;

    if (config.emulator == NULL) {
        return -ENODEV;
    }
    if (dt_get_u32_at(node, "interrupts", 1, &number) == 0) {
        config.irq = VCPU_IRQ_SPI_BASE + number;
        config.irq_count = 1;
    }
    return device_create(guest, &config, out);
}

void emu_device_destroy(struct emu_device *dev)
{
    list_remove(&dev->link);
    if (dev->emulator->remove != NULL) {
        dev->emulator->remove(dev);
    }
    heap_free(dev->state);
    heap_free((void *)dev->name);
    heap_free(dev);
}

void emu_device_irq(struct emu_device *dev, unsigned n, bool level)
{
    if (n < dev->irq_count) {
        guest_irq_line(dev->guest, dev->irq + n, level);
    }
}

static void find_frame(const struct emu_device *dev, unsigned frame, uint64_t *start, uint64_t *size)
{
    const struct guest_config *config = dev->guest->config;

    *start = *size = 0;
    if (config == NULL) { /* a guest that was not made from a configuration */
        (void)dt_get_reg(dev->node, frame, start, size);
        return;
    }
    for (unsigned i = 0; i < config->region_count; i++) {
        if (config->regions[i].node == dev->node && config->regions[i].frame == frame) {
            *start = config->regions[i].start;
            *size = config->regions[i].size;
            return;
        }
    }
}

uint64_t emu_device_frame_start(const struct emu_device *dev, unsigned frame)
{
    uint64_t start, size;

    find_frame(dev, frame, &start, &size);
    return start;
}

uint64_t emu_device_frame_size(const struct emu_device *dev, unsigned frame)
{
    uint64_t start, size;

    find_frame(dev, frame, &start, &size);
    return size;
}

static void connect_regions(struct guest *guest, unsigned index, struct emu_device *dev)
{
    const struct guest_config *config = guest->config;

    for (unsigned i = 0; i < config->region_count; i++) {
        enum guest_region_kind kind = config->regions[i].kind;

        if ((kind == GUEST_REGION_VIRTUAL || kind == GUEST_REGION_HOST) &&
            config->regions[i].device == index) {
            guest->map->regions[i]->dev = dev;
        }
    }
}

/* The interrupt controller's part of each VCPU, once the controller (device 0) exists. */
static int create_vcpu_parts(struct guest *guest)
{
    int err = guest->intc_ops == NULL ? -ENODEV : 0;

    for (unsigned i = 0; i < guest->vcpu_count && err == 0; i++) {
        err = guest->intc_ops->vcpu_init(guest->vcpus[i]);
    }
    return err;
}

static void destroy_vcpu_parts(struct guest *guest)
{
    for (unsigned i = 0; i < guest->vcpu_count; i++) {
        if (guest->intc_ops != NULL && guest->vcpus[i]->irq != NULL) {
            guest->intc_ops->vcpu_exit(guest->vcpus[i]);
            guest->vcpus[i]->irq = NULL;
        }
    }
}

int guest_devices_create(struct guest *guest, struct report *report)
{
    const struct guest_config *config = guest->config;
    struct emu_device *dev;

    guest->intc_version = config->intc_version;
    for (unsigned i = 0; i < config->device_count; i++) {
        int err = device_create(guest, &config->devices[i], &dev);

        if (err == 0) {
            connect_regions(guest, i, dev);
            err = i == 0 ? create_vcpu_parts(guest) : 0;
        }
        if (err != 0) {
            guest_config_error(report, config->devices[i].node, NULL,
                               "emulated device \"%s\" can not be made: %s",
                               config->devices[i].emulator->name, error_name(err));
            return err;
        }
    }
    return 0;
}

void guest_devices_destroy(struct guest *guest)
{
    struct list *last;

    /* The interrupt controller is the first: it goes when nobody can raise a line any more. */
    while ((last = list_last(&guest->devices)) != NULL) {
        if (last == list_first(&guest->devices)) {
            destroy_vcpu_parts(guest);
        }
        emu_device_destroy(LIST_ENTRY(last, struct emu_device, link));
    }
    guest->intc_ops = NULL;
}

void guest_devices_reset(struct guest *guest)
{
    LIST_FOR_EACH(dev, &guest->devices, struct emu_device, link) {
        if (dev->emulator->reset != NULL) {
            dev->emulator->reset(dev);
        }
    }
    for (unsigned i = 0; i < guest->vcpu_count; i++) {
        guest->intc_ops->vcpu_reset(guest->vcpus[i]);
    }
}
