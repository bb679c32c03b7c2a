// SPDX-License-Identifier: Apache-2.0
// Command memory: host RAM, who holds it, where it is mapped, and what is in it.
#include <arch/mmu.h>
#include <hv/guest.h>
#include <hv/mterm.h>
#include <hv/page.h>
#include <hv/vmap.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/parse.h>
#include <lib/string.h>

#define DUMP_DEFAULT 256
#define DUMP_MAX 0x10000
#define DUMP_LINE 16u
#define OWNER_TEXT 64

typedef unsigned long long ull;

static void print_range(struct terminal *term, const char *kind, hpa_t start, uint64_t size)
{
    term_printf(term, "%-9s 0x%010llx..0x%010llx %9llu KiB", kind, (ull)start.v,
                (ull)(start.v + size - 1), (ull)(size >> 10));
}

static int print_ranges(struct terminal *term)
{
    const char *what;
    uint64_t size;
    hpa_t start;

    for (unsigned i = 0; page_ram_range(i, &start, &size); i++) {
        print_range(term, "ram:", start, size);
        term_printf(term, "\n");
    }
    for (unsigned i = 0; page_reserved_range(i, &start, &size, &what); i++) {
        if (term_interrupted(term))
            return -EINTR;
        print_range(term, "reserved:", start, size);
        term_printf(term, " %s\n", what);
    }
    return 0;
}

static int memory_show(struct terminal *term, int argc UNUSED, char **argv UNUSED)
{
    uint64_t orders[PAGE_ORDER_MAX + 1], largest;
    struct page_stats stats;
    int err;

    page_get_stats(&stats);
    term_printf(term, "total:    %llu KiB\n", (ull)(stats.total >> 10));
    term_printf(term, "free:     %llu KiB, largest range %llu KiB\n", (ull)(stats.free >> 10),
                (ull)(stats.largest_free >> 10));
    term_printf(term, "used:     %llu KiB\n",
                (ull)((stats.total - stats.free - stats.reserved) >> 10));
    term_printf(term, "reserved: %llu KiB\n", (ull)(stats.reserved >> 10));
    term_printf(term, "requests: %llu, %llu of them failed\n",
                (ull)(stats.alloc_count + stats.fail_count), (ull)stats.fail_count);
    err = print_ranges(term);
    if (err != 0)
        return err;
    page_get_free(orders, &largest);
    term_printf(term, "ORDER  BLOCK KIB  FREE BLOCKS\n");
    for (unsigned order = 0; order <= PAGE_ORDER_MAX; order++)
        term_printf(term, "%5u %10llu %12llu\n", order, (ull)((PAGE_SIZE << order) >> 10),
                    (ull)orders[order]);
    return 0;
}

static void owner_text(uint32_t owner, char *buf, size_t size)
{
    static const char *const names[] = {
        [PAGE_OWNER_NONE] = "(reserved)",   [PAGE_OWNER_HEAP] = "(heap)",
        [PAGE_OWNER_TABLES] = "(tables)",   [PAGE_OWNER_STACK] = "(stacks)",
        [PAGE_OWNER_PERCPU] = "(CPU data)", [PAGE_OWNER_MISC] = "(others)",
    };

    if (owner < ARRAY_SIZE(names)) {
        str_copy(buf, names[owner], size);
        return;
    }
    if (guest_memory_owner(owner, buf, size))
        return;
    if (owner >= PAGE_OWNER_SHARED)
        (void)fmt_snprintf(buf, size, "shared memory %u, gone", owner - PAGE_OWNER_SHARED);
    else
        (void)fmt_snprintf(buf, size, "guest %u, being made or gone", owner - PAGE_OWNER_GUEST);
}

static int memory_owners(struct terminal *term, int argc UNUSED, char **argv UNUSED)
{
    char text[OWNER_TEXT];
    uint32_t owner;
    uint64_t bytes;

    term_printf(term, "OWNER                               PAGES        KIB\n");
    for (unsigned i = 0; page_owner_at(i, &owner, &bytes); i++) {
        if (term_interrupted(term))
            return -EINTR;
        owner_text(owner, text, sizeof(text));
        term_puts_cell(term, text, 30);
        term_printf(term, " %10llu %10llu\n", (ull)(bytes / PAGE_SIZE), (ull)(bytes >> 10));
    }
    return 0;
}

/* A part of the map that is of one kind. */
struct part {
    uintptr_t start;
    size_t size;
    enum mmu_attr attr;
    const char *kind;
    char owner[VMAP_OWNER_MAX];
};

static void part_end_at(struct part *part, uintptr_t end)
{
    if (end > part->start && end - part->start < part->size)
        part->size = end - part->start;
}

static void describe_window(struct part *part)
{
    struct vmap_range range;

    part->kind = "window";
    if (!vmap_next(part->start, &range))
        return;
    if (range.start > part->start) {
        part_end_at(part, range.start);
        return;
    }
    part_end_at(part, range.start + range.size);
    part->kind = range.is_stack ? "stack" : "device";
    str_copy(part->owner, range.owner, sizeof(part->owner));
}

/* The hypervisor itself, and RAM around it. */
static void describe_linear(struct part *part)
{
    static const char *const of_image[] = {
        [MMU_RW] = "data", [MMU_RO] = "rodata", [MMU_RX] = "text", [MMU_DEVICE] = "device"};
    uint64_t size;
    uintptr_t start;
    hpa_t image;

    arch_mmu_image_range(&image, &size);
    start = (uintptr_t)arch_mmu_linear(image);
    part_end_at(part, start);
    part_end_at(part, start + size);
    if (part->start - start < size)
        part->kind = of_image[part->attr];
    else
        part->kind = part->attr == MMU_DEVICE ? "device" : "linear map";
}

static int memory_map(struct terminal *term, int argc UNUSED, char **argv UNUSED)
{
    static const char *const rights[] = {
        [MMU_RW] = "rw-", [MMU_RO] = "r--", [MMU_RX] = "r-x", [MMU_DEVICE] = "rw-"};
    uintptr_t base;
    size_t window;
    struct part part;

    arch_mmu_window(&base, &window);
    for (uintptr_t at = 0;; at = part.start + part.size) {
        part = (struct part){.start = at};
        if (!arch_mmu_next(&part.start, &part.size, &part.attr))
            return 0;
        if (term_interrupted(term))
            return -EINTR;
        if (part.start - base < window)
            describe_window(&part);
        else
            describe_linear(&part);
        term_printf(term, "0x%012llx..0x%012llx %10llu KiB %s %-10s ", (ull)part.start,
                    (ull)(part.start + part.size - 1), (ull)(part.size >> 10), rights[part.attr],
                    part.kind);
        term_puts_escaped(term, part.owner, strlen(part.owner));
        term_printf(term, "\n");
    }
}

static bool ranges_meet(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
    return a < b + b_size && b < a + a_size;
}

/* Why these bytes are not shown, or NULL. */
static const char *dump_refusal(uint64_t addr, uint64_t size)
{
    struct vmap_range range;
    uint64_t reserved_size;
    const char *what;
    hpa_t start;

    if (size == 0 || size > DUMP_MAX)
        return "LENGTH must be 1 to 65536";
    if (addr + size < addr)
        return "goes beyond the last address";
    for (uintptr_t at = 0; vmap_next(at, &range); at = range.start + range.size) {
        if (!range.is_stack && ranges_meet(addr, size, range.host.v, range.size))
            return "device registers: a read may change their state";
    }
    if (!page_is_ram(hpa(addr), size))
        return "not all of it is RAM; \"memory show\" lists where RAM is";
    for (unsigned i = 0; page_reserved_range(i, &start, &reserved_size, &what); i++) {
        if (str_equal(what, "firmware") && ranges_meet(addr, size, start.v, reserved_size))
            return "belongs to the firmware";
    }
    if (!arch_mmu_is_readable((uintptr_t)arch_mmu_linear(hpa(addr)), size))
        return "not mapped by the hypervisor";
    return NULL;
}

static void dump_line(struct terminal *term, uint64_t addr, unsigned count)
{
    uint8_t bytes[DUMP_LINE];
    char text[DUMP_LINE + 1];

    memcpy(bytes, arch_mmu_linear(hpa(addr)), count);
    term_printf(term, "0x%010llx ", (ull)addr);
    for (unsigned i = 0; i < DUMP_LINE; i++) {
        if (i < count)
            term_printf(term, " %02x", bytes[i]);
        else
            term_printf(term, "   ");
        text[i] = '\0';
        if (i < count)
            text[i] = bytes[i] >= 0x20 && bytes[i] < 0x7f ? (char)bytes[i] : '.';
    }
    text[count] = '\0';
    term_printf(term, "  %s\n", text);
}

static int memory_dump(struct terminal *term, int argc, char **argv)
{
    uint64_t addr, size = DUMP_DEFAULT;
    const char *refusal;

    if (parse_u64(argv[0], &addr) != 0)
        return mterm_error(term, -EINVAL, "address", argv[0]);
    if (argc > 1 && parse_size(argv[1], &size) != 0)
        return mterm_error(term, -EINVAL, "length", argv[1]);
    refusal = dump_refusal(addr, size);
    if (refusal != NULL) {
        term_printf(term, "ERROR: 0x%llx, 0x%llx bytes: %s\n", (ull)addr, (ull)size, refusal);
        return -EINVAL;
    }
    for (uint64_t at = 0; at < size; at += DUMP_LINE) {
        if (term_interrupted(term))
            return -EINTR;
        dump_line(term, addr + at, (unsigned)MIN((uint64_t)DUMP_LINE, size - at));
    }
    return 0;
}

static const struct command_verb memory_verbs[] = {
    {
        .name = "show",
        .usage = "",
        .help = "RAM: ranges, reservations, what is free and in blocks of which size",
        .run = memory_show,
    },
    {
        .name = "owners",
        .usage = "",
        .help = "who holds how many pages: the hypervisor's parts, guests, shared memory",
        .run = memory_owners,
    },
    {
        .name = "map",
        .usage = "",
        .help = "the hypervisor's own address space, as the MMU has it",
        .run = memory_map,
    },
    {
        .name = "dump",
        .usage = "ADDRESS [LENGTH]",
        .help = "bytes of RAM at a host-physical address; 256 of them, at most 64K",
        .min_args = 1,
        .max_args = 2,
        .run = memory_dump,
    },
};
static const struct command memory = {
    .name = "memory",
    .group = "Host",
    .help = "host RAM: what is free, who has it, where it is mapped, what is in it",
    .details = "A block of order N has 4 KiB << N. Dump reads RAM only: what is no RAM, belongs\n"
               "to the firmware or is not mapped is refused with the reason.\n",
    .verbs = memory_verbs,
    .verb_count = ARRAY_SIZE(memory_verbs),
};
COMMAND(memory);
