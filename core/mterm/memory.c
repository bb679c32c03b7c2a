// SPDX-License-Identifier: Apache-2.0
// The hypervisor's own map and the bytes of RAM, for command memory: what touches the MMU.
#include <arch/mmu.h>
#include <hv/mterm.h>
#include <hv/page.h>
#include <hv/vmap.h>
#include <lib/errno.h>
#include <lib/string.h>

#define DUMP_MAX 0x10000
#define DUMP_LINE 16u

typedef unsigned long long ull;

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

int mterm_memory_map(struct terminal *term)
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

int mterm_memory_dump(struct terminal *term, uint64_t addr, uint64_t size)
{
    const char *refusal = dump_refusal(addr, size);

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
