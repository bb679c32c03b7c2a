// SPDX-License-Identifier: Apache-2.0
// A hypervisor for tests of guests: RAM, boot bundle, device tree, scheduler and worker on the host port.

#include "fixture.h"

#include <arch/mmu.h>
#include <elf.h>
#include <hv/bundle.h>
#include <hv/clock.h>
#include <hv/dt.h>
#include <hv/heap.h>
#include <hv/hrtimer.h>
#include <hv/page.h>
#include <hv/thread.h>
#include <hv/upcall.h>
#include <hv/vcpu.h>
#include <hv/workqueue.h>
#include <lib/endian.h>
#include <libfdt.h>
#include <port/host.h>
#include <port/machine.h>
#include <stdio.h>
#include <string.h>

#define BUNDLE_BASE (HOST_RAM_BASE + (128ULL << 20))
#define BUNDLE_SIZE (1U << 20)
#define BLOB_SIZE 16384

static uint8_t blob[BLOB_SIZE] __attribute__((aligned(8)));
static const struct fixture_edit *tree_edits;
static unsigned tree_edit_count;
static const char *open_node;

/* Images */

size_t fixture_image(uint8_t *to, uint64_t text_offset, uint64_t image_size, size_t size)
{
    memset(to, 0x5a, size);
    memset(to, 0, 64);
    le64_store(to + 8, text_offset);
    le64_store(to + 16, image_size);
    le64_store(to + 24, 0xa);
    memcpy(to + 56, "ARM\x64", 4);
    return size;
}

size_t fixture_elf(uint8_t *to, uint64_t physical, uint64_t mem_size, size_t size)
{
    Elf64_Ehdr header = {
        .e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
        .e_type = ET_EXEC,
        .e_machine = EM_AARCH64,
        .e_version = EV_CURRENT,
        .e_entry = physical,
        .e_phoff = sizeof(header),
        .e_ehsize = sizeof(header),
        .e_phentsize = sizeof(Elf64_Phdr),
        .e_phnum = 1,
    };
    Elf64_Phdr segment = {
        .p_type = PT_LOAD,
        .p_flags = PF_R | PF_X,
        .p_offset = sizeof(header) + sizeof(segment),
        .p_vaddr = physical,
        .p_paddr = physical,
        .p_filesz = size - sizeof(header) - sizeof(segment),
        .p_memsz = mem_size,
        .p_align = 4,
    };

    memset(to, 0x7e, size);
    memcpy(to, &header, sizeof(header));
    memcpy(to + sizeof(header), &segment, sizeof(segment));
    return size;
}

/* Bundle */

static char *bundle_at;

static void bundle_pad(void)
{
    while ((uintptr_t)bundle_at % 4 != 0)
        *bundle_at++ = 0;
}

static void bundle_add(const char *name, const void *data, size_t size)
{
    bundle_at += sprintf(bundle_at, "070701%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zx%08x",
                         1, 0100644, 0, 0, 1, 0, size, 0, 0, 0, 0, strlen(name) + 1, 0);
    memcpy(bundle_at, name, strlen(name) + 1);
    bundle_at += strlen(name) + 1;
    bundle_pad();
    memcpy(bundle_at, data, size);
    bundle_at += size;
    bundle_pad();
}

static size_t own_dtb(uint8_t *to, size_t size)
{
    int err = fdt_create(to, (int)size) | fdt_finish_reservemap(to) | fdt_begin_node(to, "") |
              fdt_begin_node(to, "chosen") |
              fdt_property_u64(to, "linux,initrd-start", 0x40c00000) | fdt_end_node(to) |
              fdt_end_node(to) | fdt_finish(to);

    return err == 0 ? fdt_totalsize(to) : 0;
}

int fixture_bundle(const char *name, const void *data, size_t size)
{
    static uint8_t file[65536] __attribute__((aligned(8)));
    uint64_t start = BUNDLE_BASE;
    struct dt_node *chosen = dt_find("/chosen");
    uint8_t range[8];

    bundle_at = arch_mmu_linear(hpa(start));
    memset(bundle_at, 0, BUNDLE_SIZE);
    bundle_add("linux", file, fixture_image(file, 0, 0x300000, 40000));
    bundle_add("elf", file, fixture_elf(file, 0x40100000, 0x8000, 4096));
    memset(file, 0xa5, sizeof(file));
    bundle_add("initrd", file, 5000);
    bundle_add("raw", file, 1000);
    bundle_add("garbage", file, 4096);
    bundle_add("empty", file, 0);
    bundle_add("own.dtb", file, own_dtb(file, sizeof(file)));
    if (name != NULL)
        bundle_add(name, data, size);
    bundle_add("TRAILER!!!", "", 0);
    if (chosen == NULL && dt_add_node(dt_root(), "chosen", &chosen) != 0)
        return -1;
    be64_store(range, start);
    dt_set_attr(chosen, "linux,initrd-start", range, sizeof(range));
    be64_store(range, start + BUNDLE_SIZE);
    dt_set_attr(chosen, "linux,initrd-end", range, sizeof(range));
    return bundle_init();
}

/* Tree */

static bool edit_matches(const struct fixture_edit *edit)
{
    size_t size = strcspn(open_node, "@");

    return strlen(edit->node) == size && strncmp(edit->node, open_node, size) == 0;
}

static void put(const char *name, const void *data, int size)
{
    for (unsigned i = 0; i < tree_edit_count; i++)
        if (edit_matches(&tree_edits[i]) && strcmp(tree_edits[i].property, name) == 0)
            return;
    fdt_property(blob, name, data, size);
}

static void begin(const char *name)
{
    open_node = name;
    fdt_begin_node(blob, name);
    for (unsigned i = 0; i < tree_edit_count; i++)
        if (edit_matches(&tree_edits[i]) && !tree_edits[i].remove)
            fdt_property(blob, tree_edits[i].property, tree_edits[i].data, tree_edits[i].size);
}

static void end(void)
{
    fdt_end_node(blob);
}

static void put_string(const char *name, const char *value)
{
    put(name, value, (int)strlen(value) + 1);
}

static void put_cells(const char *name, unsigned count, const uint32_t *cells)
{
    uint32_t raw[8];

    for (unsigned i = 0; i < count; i++)
        be32_store(&raw[i], cells[i]);
    put(name, raw, (int)count * 4);
}

#define PUT_CELLS(name, ...)                                                                       \
    put_cells(name, sizeof((uint32_t[]){__VA_ARGS__}) / 4, (uint32_t[]){__VA_ARGS__})

static void put_aspace(void)
{
    begin("aspace");
    PUT_CELLS("#address-cells", 2);
    PUT_CELLS("#size-cells", 2);
    begin("memory@40000000");
    put_string("device_type", "memory");
    PUT_CELLS("reg", 0, 0x40000000, 0, 0x1000000);
    PUT_CELLS("phandle", 7);
    end();
    begin("rom@0");
    put_string("device_type", "memory");
    PUT_CELLS("reg", 0, 0, 0, 0x10000);
    put("read-only", NULL, 0);
    put_string("bulkhead,file", "raw");
    end();
    begin("mirror@80000000");
    PUT_CELLS("reg", 0, 0x80000000, 0, 0x10000);
    PUT_CELLS("bulkhead,alias", 7);
    end();
    begin("dev0@9000000");
    put_string("compatible", "test,device");
    PUT_CELLS("reg", 0, 0x09000000, 0, 0x1000, 0, 0x09002000, 0, 0x100);
    PUT_CELLS("interrupts", 0, 1, 4, 0, 2, 4);
    end();
    begin("dev1@9010000");
    put_string("compatible", "test,other");
    PUT_CELLS("reg", 0, 0x09010000, 0, 0x1000);
    PUT_CELLS("interrupts", 0, 5, 1);
    end();
    end();
}

static void put_guest(const char *name)
{
    begin(name);
    put_string("compatible", "bulkhead,guest");
    put_string("bulkhead,kernel", "linux");
    put_string("bulkhead,initrd", "initrd");
    begin("vcpus");
    PUT_CELLS("bulkhead,count", 2);
    begin("vcpu@1");
    PUT_CELLS("reg", 1);
    PUT_CELLS("bulkhead,priority", 4);
    end();
    end();
    put_aspace();
    begin("chosen");
    put_string("bootargs", "console=ttyAMA0");
    end();
    end();
}

int fixture_tree(const struct fixture_edit *edits, unsigned count)
{
    static const char *const old[] = {"/guests", "/templates"};

    for (unsigned i = 0; i < 2; i++)
        if (dt_find(old[i]) != NULL && dt_delete_node(dt_find(old[i])) != 0)
            return -1;
    tree_edits = edits;
    tree_edit_count = count;
    fdt_create(blob, sizeof(blob));
    fdt_finish_reservemap(blob);
    begin("");
    begin("guests");
    put_guest("linux0");
    end();
    begin("templates");
    put_guest("basic");
    end();
    end();
    if (fdt_finish(blob) != 0)
        return -1;
    return dt_load_fdt(dt_root(), blob, fdt_totalsize(blob));
}

const void *fixture_blob(size_t *size)
{
    *size = fdt_totalsize(blob);
    return blob;
}

/* Report */

static void report_line(struct report *report, const char *text)
{
    struct fixture_report *own = report->priv;

    own->used +=
        (size_t)snprintf(own->text + own->used, sizeof(own->text) - own->used, "%s\n", text);
    if (own->used >= sizeof(own->text))
        own->used = sizeof(own->text) - 1;
}

void fixture_report_init(struct fixture_report *report)
{
    memset(report, 0, sizeof(*report));
    report->report.line = report_line;
    report->report.priv = report;
}

/* Hypervisor */

int fixture_init(void)
{
    int err;

    machine_start(1);
    err = page_claim_range(hpa(BUNDLE_BASE), BUNDLE_SIZE, PAGE_OWNER_MISC);
    if (err == 0)
        err = workqueue_start();
    if (err == 0)
        err = guest_init();
    return err != 0 ? err : fixture_bundle(NULL, NULL, 0);
}

struct run {
    void (*fn)(void *arg);
    void *arg;
};

static int run_thread(void *arg)
{
    struct run *run = arg;

    run->fn(run->arg);
    return 0;
}

void fixture_run(void (*fn)(void *arg), void *arg)
{
    struct run run = {fn, arg};

    machine_call(run_thread, &run);
}

void fixture_census(struct fixture_census *census)
{
    struct page_stats pages;
    struct heap_stats heap;

    page_get_stats(&pages);
    heap_get_stats(&heap);
    census->free = pages.free;
    census->objects = heap.objects;
    census->bytes = heap.bytes_used;
    census->vcpus = vcpu_count();
    census->timers = hrtimer_count(0);
}

bool fixture_census_equal(const struct fixture_census *before)
{
    struct fixture_census after;

    fixture_census(&after);
    if (after.free == before->free && after.objects == before->objects &&
        after.bytes == before->bytes && after.vcpus == before->vcpus && fixture_device.alive == 0)
        return true;
    fprintf(stderr, "census: free %+ld, objects %+ld, bytes %+ld, VCPUs %+d, devices %u\n",
            (long)(after.free - before->free), (long)(after.objects - before->objects),
            (long)(after.bytes - before->bytes), (int)(after.vcpus - before->vcpus),
            fixture_device.alive);
    return false;
}

/* Guests */

void (*fixture_action[2])(struct vcpu *vcpu);
unsigned fixture_rounds[2];

static void guest_code(struct vcpu *vcpu)
{
    fixture_rounds[vcpu->subid]++;
    if (fixture_action[vcpu->subid] != NULL)
        fixture_action[vcpu->subid](vcpu);
    else
        hv_vcpu_wait(vcpu);
}

void fixture_guest_reset(void)
{
    memset(fixture_action, 0, sizeof(fixture_action));
    memset(fixture_rounds, 0, sizeof(fixture_rounds));
    memset(&fixture_device, 0, sizeof(fixture_device));
    host_guest_code = guest_code;
}

struct guest *fixture_create(struct fixture_report *report)
{
    fixture_report_init(report);
    if (guest_create("linux0", NULL, &report->report) != 0)
        fputs(report->text, stderr);
    return guest_find("linux0");
}

void fixture_settle(void)
{
    thread_sleep(NS_PER_MS);
}

enum vcpu_state fixture_state(struct guest *guest, unsigned vcpu)
{
    uint32_t reasons;

    return vcpu_logical_state(guest->vcpus[vcpu], &reasons);
}
