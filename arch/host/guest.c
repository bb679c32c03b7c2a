// SPDX-License-Identifier: Apache-2.0
// Host port: stage 2 as a list of ranges, virtual time as an offset.

#include <arch/guest.h>
#include <arch/time.h>
#include <arch/vcpu.h>
#include <hv/guest.h>
#include <hv/heap.h>
#include <lib/errno.h>

#define IPA_BITS 40

struct host_range {
    struct list link;
    uint64_t ipa;
    uint64_t pa;
    uint64_t size;
    enum guest_mmu_attr attr;
};

unsigned arch_guest_mmu_ipa_bits(void)
{
    return IPA_BITS;
}

int arch_guest_mmu_init(struct arch_guest_mmu *mmu, uint32_t owner)
{
    list_init(&mmu->ranges);
    mmu->owner = owner;
    mmu->range_count = 0;
    return 0;
}

static struct host_range *find_overlap(struct arch_guest_mmu *mmu, uint64_t ipa, uint64_t size)
{
    LIST_FOR_EACH(range, &mmu->ranges, struct host_range, link)
        if (range->ipa < ipa + size && ipa < range->ipa + range->size)
            return range;
    return NULL;
}

static int add_range(struct arch_guest_mmu *mmu, uint64_t ipa, uint64_t pa, uint64_t size,
                     enum guest_mmu_attr attr)
{
    struct host_range *range = heap_zalloc(sizeof(*range));

    if (range == NULL)
        return -ENOMEM;
    range->ipa = ipa;
    range->pa = pa;
    range->size = size;
    range->attr = attr;
    list_add_tail(&mmu->ranges, &range->link);
    mmu->range_count++;
    return 0;
}

static void remove_range(struct arch_guest_mmu *mmu, struct host_range *range)
{
    list_remove(&range->link);
    mmu->range_count--;
    heap_free(range);
}

int arch_guest_mmu_map(struct arch_guest_mmu *mmu, gpa_t ipa, hpa_t pa, uint64_t size,
                       enum guest_mmu_attr attr)
{
    if ((ipa.v | pa.v | size) & ~PAGE_MASK || size == 0)
        return -EINVAL;
    if (size > 1ULL << IPA_BITS || ipa.v > (1ULL << IPA_BITS) - size)
        return -ERANGE;
    if (find_overlap(mmu, ipa.v, size) != NULL)
        return -EEXIST;
    return add_range(mmu, ipa.v, pa.v, size, attr);
}

/*
 * Keeps what lies outside [start, end) of a range. A split that finds no memory keeps only the
 * lower rest.
 */
static void cut_range(struct arch_guest_mmu *mmu, struct host_range *range, uint64_t start,
                      uint64_t end)
{
    uint64_t range_end = range->ipa + range->size;

    if (end < range_end)
        add_range(mmu, end, range->pa + (end - range->ipa), range_end - end, range->attr);
    if (start > range->ipa)
        range->size = start - range->ipa;
    else
        remove_range(mmu, range);
}

void arch_guest_mmu_unmap(struct arch_guest_mmu *mmu, gpa_t ipa, uint64_t size)
{
    struct host_range *range;

    while ((range = find_overlap(mmu, ipa.v, size)) != NULL)
        cut_range(mmu, range, ipa.v, ipa.v + size);
}

int arch_guest_mmu_lookup(struct arch_guest_mmu *mmu, gpa_t ipa, hpa_t *pa,
                          enum guest_mmu_attr *attr)
{
    struct host_range *range = find_overlap(mmu, ipa.v, 1);

    if (range == NULL)
        return -ENOENT;
    *pa = hpa(range->pa + (ipa.v - range->ipa));
    *attr = range->attr;
    return 0;
}

int arch_guest_mmu_next(struct arch_guest_mmu *mmu, gpa_t *ipa, gpa_t end, hpa_t *pa)
{
    enum guest_mmu_attr attr;

    for (; ipa->v < end.v; ipa->v += PAGE_SIZE) {
        if (arch_guest_mmu_lookup(mmu, *ipa, pa, &attr) == 0)
            return 0;
    }
    return -ENOENT;
}

void arch_guest_mmu_destroy(struct arch_guest_mmu *mmu)
{
    LIST_FOR_EACH_SAFE(range, &mmu->ranges, struct host_range, link)
        remove_range(mmu, range);
}

int arch_guest_init(struct guest *guest)
{
    arch_vcpu_time_reset(guest);
    return arch_guest_mmu_init(&guest->arch.mmu, guest->id);
}

void arch_guest_destroy(struct guest *guest)
{
    arch_guest_mmu_destroy(&guest->arch.mmu);
}

void arch_vcpu_time_stop(struct guest *guest)
{
    if (guest->arch.time_stopped)
        return;
    guest->arch.time_stopped = true;
    guest->arch.time_stopped_at = arch_time_counter();
}

void arch_vcpu_time_start(struct guest *guest)
{
    if (!guest->arch.time_stopped)
        return;
    guest->arch.time_stopped = false;
    if (!guest->host_counter)
        guest->arch.time_offset += arch_time_counter() - guest->arch.time_stopped_at;
}

void arch_vcpu_time_reset(struct guest *guest)
{
    guest->arch.time_stopped = false;
    guest->arch.time_offset = guest->host_counter ? 0 : arch_time_counter();
}
