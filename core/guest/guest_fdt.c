// SPDX-License-Identifier: Apache-2.0
// Generates the device tree that a guest's kernel sees, from the guest's checked configuration.
#include <hv/guest_config.h>

#include <arch/fdt_guest.h>
#include <arch/vcpu.h>
#include <lib/endian.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>
#include <libfdt.h>

#define PHANDLE_INTC 1
#define PHANDLE_CLOCK 2
#define CLOCK_HZ 24000000
#define IRQ_PPI 1
#define IRQ_LEVEL_HIGH 4
#define NODE_NAME_MAX 48

/* One tree being written: the first error stays and later calls do nothing. */
struct writer {
    const struct guest_config *config;
    const struct guest_layout *layout;
    void *fdt;
    int err;
};

static void put(struct writer *w, const char *name, const void *data, int size)
{
    if (w->err == 0) {
        w->err = fdt_property(w->fdt, name, data, size);
    }
}

static void put_cells(struct writer *w, const char *name, const uint32_t *cells, unsigned count)
{
    uint32_t raw[16];

    for (unsigned i = 0; i < count; i++) {
        be32_store(&raw[i], cells[i]);
    }
    put(w, name, raw, (int)(count * sizeof(raw[0])));
}

static void put_u32(struct writer *w, const char *name, uint32_t value)
{
    put_cells(w, name, &value, 1);
}

static void put_u64(struct writer *w, const char *name, uint64_t value)
{
    uint8_t raw[8];

    be64_store(raw, value);
    put(w, name, raw, sizeof(raw));
}

static void put_string(struct writer *w, const char *name, const char *value)
{
    put(w, name, value, (int)strlen(value) + 1);
}

static void put_flag(struct writer *w, const char *name)
{
    put(w, name, NULL, 0);
}

static void begin(struct writer *w, const char *name)
{
    if (w->err == 0) {
        w->err = fdt_begin_node(w->fdt, name);
    }
}

static void begin_at(struct writer *w, const char *name, uint64_t address)
{
    char text[NODE_NAME_MAX];

    fmt_snprintf(text, sizeof(text), "%s@%llx", name, (unsigned long long)address);
    begin(w, text);
}

static void end(struct writer *w)
{
    if (w->err == 0) {
        w->err = fdt_end_node(w->fdt);
    }
}

/* Properties that the generator writes itself, or that mean something in the configuration only. */
static bool is_own_property(const char *name)
{
    static const char *const own[] = {
        "reg", "phandle", "linux,phandle", "status", "interrupt-parent", "clocks", "clock-names"};

    for (unsigned i = 0; i < ARRAY_SIZE(own); i++) {
        if (str_equal(name, own[i])) {
            return true;
        }
    }
    return str_starts_with(name, "bulkhead,");
}

static void copy_properties(struct writer *w, const struct dt_node *node)
{
    LIST_FOR_EACH(attr, &node->attrs, struct dt_attr, link) {
        if (!is_own_property(attr->name)) {
            put(w, attr->name, attr->data, (int)attr->size);
        }
    }
}

/* All frames of a node, in the order of its reg. */
static void write_reg(struct writer *w, const struct dt_node *node)
{
    uint32_t cells[16];
    unsigned count = 0;
    const struct guest_region_config *found;

    do {
        found = NULL;
        for (unsigned i = 0; i < w->config->region_count; i++) {
            if (w->config->regions[i].node == node && w->config->regions[i].frame == count / 4) {
                found = &w->config->regions[i];
            }
        }
        if (found != NULL && count + 4 <= ARRAY_SIZE(cells)) {
            cells[count++] = (uint32_t)(found->start >> 32);
            cells[count++] = (uint32_t)found->start;
            cells[count++] = (uint32_t)(found->size >> 32);
            cells[count++] = (uint32_t)found->size;
        }
    } while (found != NULL && count < ARRAY_SIZE(cells));
    put_cells(w, "reg", cells, count);
}

static const struct dt_node *first_console(const struct guest_config *config)
{
    for (unsigned i = 1; i < config->device_count; i++) {
        if (dt_is_compatible(config->devices[i].node, "arm,pl011")) {
            return config->devices[i].node;
        }
    }
    return NULL;
}

static void write_chosen(struct writer *w)
{
    const struct dt_node *chosen = dt_child(w->config->node, "chosen");
    const struct dt_node *console = first_console(w->config);
    const struct guest_image *initrd = &w->layout->initrd;
    char path[NODE_NAME_MAX];

    begin(w, "chosen");
    if (chosen != NULL) {
        copy_properties(w, chosen);
    }
    if (console != NULL && (chosen == NULL || dt_attr(chosen, "stdout-path") == NULL)) {
        fmt_snprintf(path, sizeof(path), "/%s", console->name);
        put_string(w, "stdout-path", path);
    }
    if (initrd->data != NULL) {
        put_u64(w, "linux,initrd-start", initrd->addr);
        put_u64(w, "linux,initrd-end", initrd->addr + initrd->size);
    }
    end(w);
}

static void write_memory(struct writer *w)
{
    for (unsigned i = 0; i < w->config->region_count; i++) {
        const struct guest_region_config *region = &w->config->regions[i];
        uint32_t cells[4] = {(uint32_t)(region->start >> 32), (uint32_t)region->start,
                             (uint32_t)(region->size >> 32), (uint32_t)region->size};

        if (region->kind == GUEST_REGION_MEMORY && !region->read_only && region->shared == NULL) {
            begin_at(w, "memory", region->start);
            put_string(w, "device_type", "memory");
            put_cells(w, "reg", cells, ARRAY_SIZE(cells));
            end(w);
        }
    }
}

static void write_cpus(struct writer *w)
{
    begin(w, "cpus");
    put_u32(w, "#address-cells", 1);
    put_u32(w, "#size-cells", 0);
    for (unsigned i = 0; i < w->config->vcpu_count; i++) {
        uint64_t affinity = arch_vcpu_affinity(i);

        begin_at(w, "cpu", affinity);
        put_string(w, "device_type", "cpu");
        put_string(w, "compatible", arch_guest_cpu_compatible());
        put_string(w, "enable-method", "psci");
        put_u32(w, "reg", (uint32_t)affinity);
        end(w);
    }
    end(w);
    begin(w, "psci");
    put(w, "compatible", "arm,psci-1.0\0arm,psci-0.2", sizeof("arm,psci-1.0\0arm,psci-0.2"));
    put_string(w, "method", "hvc");
    end(w);
}

static void write_timer(struct writer *w)
{
    /* GICv2 bindings want the mask of CPUs a PPI goes to. */
    uint32_t mask = w->config->intc_version == 2 ? (1U << w->config->vcpu_count) - 1 : 0;
    uint32_t ppi[4];
    uint32_t cells[12];

    arch_guest_timer_ppis(ppi);
    for (unsigned i = 0; i < 4; i++) {
        cells[3 * i] = IRQ_PPI;
        cells[3 * i + 1] = ppi[i];
        cells[3 * i + 2] = mask << 8 | IRQ_LEVEL_HIGH;
    }
    begin(w, "timer");
    put_string(w, "compatible", "arm,armv8-timer");
    put_cells(w, "interrupts", cells, ARRAY_SIZE(cells));
    put_flag(w, "always-on");
    end(w);
}

static void write_intc(struct writer *w)
{
    const struct dt_node *node = w->config->devices[0].node;
    uint64_t start = 0;

    for (unsigned i = 0; i < w->config->region_count; i++) {
        if (w->config->regions[i].node == node && w->config->regions[i].frame == 0) {
            start = w->config->regions[i].start;
        }
    }
    begin_at(w, "interrupt-controller", start);
    put_string(w, "compatible", w->config->intc_version == 3 ? "arm,gic-v3" : "arm,cortex-a15-gic");
    put_flag(w, "interrupt-controller");
    put_u32(w, "#interrupt-cells", 3);
    put_u32(w, "phandle", PHANDLE_INTC);
    write_reg(w, node);
    end(w);
}

static void write_clock(struct writer *w)
{
    begin(w, "apb-pclk");
    put_string(w, "compatible", "fixed-clock");
    put_u32(w, "#clock-cells", 0);
    put_u32(w, "clock-frequency", CLOCK_HZ);
    put_string(w, "clock-output-names", "clk24mhz");
    put_u32(w, "phandle", PHANDLE_CLOCK);
    end(w);
}

/* Drivers of PrimeCells find them on the AMBA bus by this compatible and by their bus clock. */
static void write_primecell(struct writer *w, const struct dt_node *node)
{
    static const uint32_t clocks[] = {PHANDLE_CLOCK, PHANDLE_CLOCK};

    if (dt_is_compatible(node, "arm,pl011")) {
        put_cells(w, "clocks", clocks, 2);
        put(w, "clock-names", "uartclk\0apb_pclk", sizeof("uartclk\0apb_pclk"));
    } else if (dt_is_compatible(node, "arm,primecell")) {
        put_cells(w, "clocks", clocks, 1);
        put_string(w, "clock-names", "apb_pclk");
    }
}

static void write_devices(struct writer *w)
{
    for (unsigned i = 1; i < w->config->device_count; i++) {
        const struct dt_node *node = w->config->devices[i].node;

        begin(w, node->name);
        copy_properties(w, node);
        write_reg(w, node);
        write_primecell(w, node);
        end(w);
    }
}

/* No RAM for the kernel to use as it likes: a node for a driver that knows whom it shares with. */
static void write_shared(struct writer *w)
{
    for (unsigned i = 0; i < w->config->region_count; i++) {
        const struct guest_region_config *region = &w->config->regions[i];

        if (region->shared == NULL) {
            continue;
        }
        begin_at(w, "shared-memory", region->start);
        put_string(w, "compatible", "bulkhead,shared-memory");
        put_string(w, "bulkhead,shared", region->shared);
        write_reg(w, region->node);
        if (region->read_only) {
            put_flag(w, "read-only");
        }
        end(w);
    }
}

static void write_root(struct writer *w)
{
    begin(w, "");
    put_string(w, "compatible", "linux,dummy-virt");
    put_string(w, "model", "Bulkhead guest");
    put_u32(w, "#address-cells", 2);
    put_u32(w, "#size-cells", 2);
    put_u32(w, "interrupt-parent", PHANDLE_INTC);
    write_chosen(w);
    write_memory(w);
    write_shared(w);
    write_cpus(w);
    write_timer(w);
    write_intc(w);
    write_clock(w);
    write_devices(w);
    end(w);
}

int guest_fdt_build(const struct guest_config *config, const struct guest_layout *layout, void *buf,
                    size_t size)
{
    struct writer w = {.config = config, .layout = layout, .fdt = buf};

    w.err = fdt_create(buf, (int)size);
    if (w.err == 0) {
        w.err = fdt_finish_reservemap(buf);
    }
    write_root(&w);
    if (w.err == 0) {
        w.err = fdt_finish(buf);
    }
    if (w.err == -FDT_ERR_NOSPACE) {
        return -ENOSPC;
    }
    return w.err == 0 ? 0 : -EINVAL;
}
