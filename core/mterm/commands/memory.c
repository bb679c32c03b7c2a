// SPDX-License-Identifier: Apache-2.0
// Command memory: host RAM, who holds it, where it is mapped, and what is in it.
#include <hv/guest.h>
#include <hv/mterm.h>
#include <hv/page.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/parse.h>
#include <lib/string.h>

#define DUMP_DEFAULT 256
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

static int memory_map(struct terminal *term, int argc UNUSED, char **argv UNUSED)
{
    return mterm_memory_map(term);
}

static int memory_dump(struct terminal *term, int argc, char **argv)
{
    uint64_t addr, size = DUMP_DEFAULT;

    if (parse_u64(argv[0], &addr) != 0)
        return mterm_error(term, -EINVAL, "address", argv[0]);
    if (argc > 1 && parse_size(argv[1], &size) != 0)
        return mterm_error(term, -EINVAL, "length", argv[1]);
    return mterm_memory_dump(term, addr, size);
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
