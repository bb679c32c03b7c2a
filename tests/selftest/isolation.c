// SPDX-License-Identifier: Apache-2.0
// Check: what guests can reach. A hash of the hypervisor's own code and constants, and every page that any stage 2 maps: RAM
// that is not reserved, of one guest only unless it is shared, with the rights of its region, nothing between the regions.
#include <arch/guest_mmu.h>
#include <arch/mmu.h>
#include <hv/guest.h>
#include <hv/heap.h>
#include <hv/page.h>
#include <hv/selftest.h>
#include <lib/bitmap.h>
#include <lib/errno.h>
#include <lib/macros.h>

#define HASH_START 0xcbf29ce484222325ULL
#define HASH_PRIME 0x100000001b3ULL
#define FAULTS_SHOWN 10

typedef unsigned long long ull;

struct audit {
    struct terminal *term;
    uint64_t *mapped; /* a bit for each page of RAM from base on */
    uint64_t base, pages_of_ram;
    uint64_t pages;
    unsigned guests, faults;
};

static uint64_t hash_range(uint64_t hash, const uint64_t *word, size_t size)
{
    for (size_t i = 0; i < size / sizeof(*word); i++)
        hash = (hash ^ word[i]) * HASH_PRIME;
    return hash;
}

/* Where the hypervisor's map has its image, what can not be written there, and the rights themselves. */
static void print_hash(struct terminal *term)
{
    uint64_t text = HASH_START, constants = HASH_START, image_size;
    enum mmu_attr attr;
    uintptr_t at, end;
    hpa_t image;
    size_t size;

    arch_mmu_image_range(&image, &image_size);
    at = (uintptr_t)arch_mmu_linear(image);
    end = at + image_size;
    for (; arch_mmu_next(&at, &size, &attr) && at < end; at += size) {
        size = MIN(size, end - at);
        if (attr == MMU_RX)
            text = hash_range(text, (const uint64_t *)at, size);
        else if (attr == MMU_RO)
            constants = hash_range(constants, (const uint64_t *)at, size);
    }
    term_printf(term, "hash: text 0x%016llx rodata 0x%016llx\n", (ull)text, (ull)constants);
}

static void fault(struct audit *audit, const struct guest *guest, uint64_t ipa, const char *what)
{
    if (audit->faults++ < FAULTS_SHOWN)
        term_printf(audit->term, "%s: 0x%llx: %s\n", guest->name, (ull)ipa, what);
}

static bool is_reserved(uint64_t pa)
{
    const char *what;
    uint64_t size;
    hpa_t start;

    for (unsigned i = 0; page_reserved_range(i, &start, &size, &what); i++) {
        if (pa - start.v < size)
            return true;
    }
    return false;
}

/* What is wrong with a page of RAM that a guest sees, or NULL. */
static const char *judge_ram(struct audit *audit, const struct guest_region *region, uint64_t pa,
                             enum guest_mmu_attr attr)
{
    uint64_t page = (pa - audit->base) >> PAGE_SHIFT;

    if (attr != (region->read_only ? GUEST_MMU_ROM : GUEST_MMU_RAM))
        return "other rights than its region";
    if (!page_is_ram(hpa(pa), PAGE_SIZE) || page >= audit->pages_of_ram)
        return "is no RAM";
    if (is_reserved(pa))
        return "is reserved RAM";
    if (region->shared || region->kind == GUEST_REGION_ALIAS)
        return NULL;
    if (bitmap_test(audit->mapped, page))
        return "is mapped twice";
    bitmap_set(audit->mapped, page);
    return NULL;
}

static const char *judge(struct audit *audit, const struct guest_region *region, uint64_t pa,
                         enum guest_mmu_attr attr)
{
    const struct guest_region *real =
        region->kind == GUEST_REGION_ALIAS ? region->alias_of : region;

    switch (real->kind) {
    case GUEST_REGION_MEMORY:
        return judge_ram(audit, region, pa, attr);
    case GUEST_REGION_HOST:
        return attr == GUEST_MMU_DEVICE ? NULL : "a device mapped as memory";
    default:
        return "an emulated device is mapped";
    }
}

static void audit_region(struct audit *audit, struct guest *guest, const struct guest_region *region)
{
    uint64_t end = region->start.v + region->size;
    enum guest_mmu_attr attr;
    const char *what;
    hpa_t pa;

    for (uint64_t ipa = region->start.v; ipa < end; ipa += PAGE_SIZE) {
        if (arch_guest_mmu_lookup(&guest->arch.mmu, gpa(ipa), &pa, &attr))
            continue;
        audit->pages++;
        what = judge(audit, region, pa.v, attr);
        if (what)
            fault(audit, guest, ipa, what);
    }
}

static void audit_gap(struct audit *audit, struct guest *guest, uint64_t from, uint64_t to)
{
    enum guest_mmu_attr attr;
    hpa_t pa;

    for (uint64_t size = PAGE_SIZE; from < to; from += size) {
        if (!arch_guest_mmu_lookup(&guest->arch.mmu, gpa(from), &pa, &attr))
            fault(audit, guest, from, "is mapped and in no region");
        /* Near the regions each page, farther away one in more and more. */
        if (size < 1UL << 30 && !(from & (2 * size - 1)))
            size *= 2;
    }
}

static int audit_guest(struct guest *guest, void *arg)
{
    const struct guest_region_map *map = guest->map;
    struct audit *audit = arg;
    uint64_t at = 0;

    if (term_interrupted(audit->term))
        return -EINTR;
    audit->guests++;
    for (unsigned i = 0; map && i < map->count; i++) {
        audit_gap(audit, guest, at, map->regions[i]->start.v);
        audit_region(audit, guest, map->regions[i]);
        at = (map->regions[i]->start.v + map->regions[i]->size + PAGE_SIZE - 1) & PAGE_MASK;
    }
    audit_gap(audit, guest, at, 1UL << arch_guest_mmu_ipa_bits());
    return 0;
}

static void span_of_ram(struct audit *audit)
{
    uint64_t size, end = 0;
    hpa_t start;

    audit->base = ~0UL;
    for (unsigned i = 0; page_ram_range(i, &start, &size); i++) {
        audit->base = MIN(audit->base, start.v);
        end = MAX(end, start.v + size);
    }
    audit->pages_of_ram = (end - audit->base) >> PAGE_SHIFT;
}

static int run(struct terminal *term, uint64_t amount)
{
    struct audit audit = {.term = term};
    int err;

    (void)amount;
    print_hash(term);
    span_of_ram(&audit);
    audit.mapped = heap_zalloc(BITMAP_WORDS(audit.pages_of_ram) * sizeof(uint64_t));
    if (!audit.mapped)
        return -ENOMEM;
    err = guest_for_each(audit_guest, &audit);
    heap_free(audit.mapped);
    term_printf(term, "stage 2: guests %u, pages %llu, faults %u\n", audit.guests, (ull)audit.pages,
                audit.faults);
    return err ? err : (audit.faults ? -EIO : 0);
}

static const struct selftest isolation = {
    .name = "isolation",
    .help = "hash of code and constants; every page of every guest is its own, with its rights",
    .run = run,
};
SELFTEST(isolation);
