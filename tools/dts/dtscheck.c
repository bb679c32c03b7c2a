// SPDX-License-Identifier: Apache-2.0
// Host program behind tools/dtscheck: the hypervisor's own checks on configuration files, for a host that a device tree describes.
// usage: dtscheck HOST.dtb BUNDLE.cpio|- FILE.dtb...
// Prints what the hypervisor would say, a line each. Exit status: 0 no errors, 1 errors, 2 could not be done.

#include <arch/mmu.h>
#include <arch/smp.h>
#include <hv/bundle.h>
#include <hv/cpu.h>
#include <hv/dt.h>
#include <hv/guest.h>
#include <hv/guest_config.h>
#include <hv/init.h>
#include <hv/log.h>
#include <hv/smp.h>
#include <lib/errno.h>
#include <libfdt.h>
#include <port/host.h>
#include <port/mmu.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where QEMU's virt machine has image and device tree when it starts the hypervisor itself. */
#define IMAGE_OFFSET 0x200000
#define IMAGE_SIZE 0x200000
#define FDT_OFFSET 0x8000000
#define FDT_SLACK 4096
#define BUNDLE_ALIGN 0x200000

struct file {
    void *data;
    size_t size;
};

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "dtscheck: %s: %s\n", what, why);
    exit(2);
}

static struct file read_file(const char *path)
{
    struct file file = {0};
    FILE *from = fopen(path, "rb");
    size_t room = 0, count;

    if (from == NULL)
        fail(path, "can not be read");
    do {
        room = 2 * room + 65536;
        file.data = realloc(file.data, room);
        if (file.data == NULL)
            fail(path, "out of memory");
        count = fread((char *)file.data + file.size, 1, room - file.size, from);
        file.size += count;
    } while (file.size == room);
    fclose(from);
    return file;
}

/* The first memory node's range; cells of the root are one or two each. */
static bool find_ram(const void *fdt, uint64_t *start, uint64_t *size)
{
    int cells[2] = {fdt_address_cells(fdt, 0), fdt_size_cells(fdt, 0)};
    uint64_t *values[2] = {start, size};
    int node, length = 0;
    const fdt32_t *at = NULL;

    fdt_for_each_subnode(node, fdt, 0)
    {
        const char *type = fdt_getprop(fdt, node, "device_type", NULL);

        if (at == NULL && type != NULL && strcmp(type, "memory") == 0)
            at = fdt_getprop(fdt, node, "reg", &length);
    }
    if (at == NULL || cells[0] < 1 || cells[1] < 1 || length < 4 * (cells[0] + cells[1]))
        return false;
    for (unsigned i = 0; i < 2; i++) {
        *values[i] = 0;
        for (int n = 0; n < cells[i]; n++)
            *values[i] = *values[i] << 32 | fdt32_to_cpu(*at++);
    }
    return true;
}

/* The firmware's part: image, tree and bundle in RAM. */
static void *place(const struct file *host, const struct file *bundle, uint64_t *fdt_size)
{
    uint64_t ram, size, start;
    void *fdt;
    int chosen;

    if (!find_ram(host->data, &ram, &size))
        fail("host", "its device tree has no usable memory node");
    if (arch_mmu_map_ram(hpa(ram), size) != 0)
        fail("host", "its RAM ends beyond 64 GiB, which is more than this program can model");
    if (size < 2 * (FDT_OFFSET + (uint64_t)bundle->size))
        fail("host", "has too little RAM for the files");
    host_set_image(hpa(ram + IMAGE_OFFSET), IMAGE_SIZE);
    fdt = arch_mmu_linear(hpa(ram + FDT_OFFSET));
    *fdt_size = fdt_totalsize(host->data) + FDT_SLACK;
    if (fdt_open_into(host->data, fdt, (int)*fdt_size) != 0)
        fail("host", "no usable device tree");
    if (bundle->size == 0)
        return fdt;
    start = (ram + size - bundle->size) & ~(uint64_t)(BUNDLE_ALIGN - 1);
    memcpy(arch_mmu_linear(hpa(start)), bundle->data, bundle->size);
    chosen = fdt_path_offset(fdt, "/chosen");
    if (chosen < 0)
        chosen = fdt_add_subnode(fdt, 0, "chosen");
    if (chosen < 0 || fdt_setprop_u64(fdt, chosen, "linux,initrd-start", start) != 0 ||
        fdt_setprop_u64(fdt, chosen, "linux,initrd-end", start + bundle->size) != 0)
        fail("host", "no room in its device tree for /chosen");
    return fdt;
}

static int cpu_comes_up(unsigned cpu, uint64_t hwid, uintptr_t percpu, uintptr_t stack)
{
    (void)hwid;
    (void)percpu;
    (void)stack;
    cpu_set_online(cpu);
    return 0;
}

/* The first CPU that the tree lists is the one that starts. */
static void start_cpus(void)
{
    const struct dt_node *cpus = dt_find("/cpus");
    uint64_t hwid = 0, size;

    for (const struct dt_node *node = cpus == NULL ? NULL : dt_first_child(cpus); node != NULL;
         node = dt_next_sibling(node)) {
        if (strncmp(node->name, "cpu@", 4) == 0 && dt_get_reg(node, 0, &hwid, &size) == 0)
            break;
    }
    host_smp_set_hwid(0, hwid);
    host_smp_start_hook = cpu_comes_up;
    cpu_info(0)->hwid = arch_smp_hwid();
    cpu_set_count(1);
    cpu_set_online(0);
    smp_boot();
}

static void find_gic(void)
{
    enum guest_irq_version version = GUEST_IRQ_NONE;

    if (dt_find_compatible(NULL, "arm,gic-v3") != NULL)
        version = GUEST_IRQ_V3;
    else if (dt_find_compatible(NULL, "arm,gic-400") != NULL ||
             dt_find_compatible(NULL, "arm,cortex-a15-gic") != NULL)
        version = GUEST_IRQ_V2;
    host_guest_irq_set(version, 4);
}

static void quiet(const char *text, size_t size)
{
    (void)text;
    (void)size;
}

static void boot(const struct file *host, const struct file *bundle)
{
    uint64_t limit;
    size_t size;
    void *fdt;

    if (fdt_check_full(host->data, host->size) != 0)
        fail("host", "no usable device tree");
    host_reset();
    log_set_sink(quiet);
    fdt = place(host, bundle, &limit);
    if (init_memory(fdt, limit, &size) != 0 || dt_init() != 0 ||
        dt_load_fdt(dt_root(), fdt, size) != 0)
        fail("host", "the hypervisor would not start with its device tree");
    start_cpus();
    find_gic();
    if (bundle->size != 0 && bundle_init() != 0)
        fail("files", "no usable bundle");
}

static void print_line(struct report *report, const char *text)
{
    (void)report;
    puts(text);
}

int main(int argc, char **argv)
{
    struct report report = {.line = print_line};
    bool without_files = argc > 2 && strcmp(argv[2], "-") == 0;
    struct file host, bundle = {0};

    if (argc < 3)
        fail("usage", "dtscheck HOST.dtb BUNDLE.cpio|- FILE.dtb...");
    host = read_file(argv[1]);
    if (!without_files)
        bundle = read_file(argv[2]);
    boot(&host, &bundle);
    for (int i = 3; i < argc; i++) {
        struct file file = read_file(argv[i]);
        int err = guest_load_tree(file.data, file.size, argv[i], &report);

        if (err != 0)
            fail(argv[i], error_name(err));
        free(file.data);
    }
    free(host.data);
    free(bundle.data);
    return guest_config_check_all(without_files, &report) == 0 && report.errors == 0 ? 0 : 1;
}
