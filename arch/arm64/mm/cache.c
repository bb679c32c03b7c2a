// SPDX-License-Identifier: Apache-2.0
// Cache maintenance by virtual address to the point of coherency (Arm ARM D7.5).
#include <arm64/sysreg.h>

#include <arch/barrier.h>
#include <arch/cache.h>
#include <lib/string.h>

static size_t line_size(void)
{
    return 4UL << ((sysreg_read(ctr_el0) >> 16) & 0xf);
}

void arch_cache_clean(const void *addr, size_t size)
{
    size_t line = line_size();
    uintptr_t end = (uintptr_t)addr + size;

    for (uintptr_t at = ALIGN_DOWN((uintptr_t)addr, line); at < end; at += line)
        __asm__ volatile("dc cvac, %0" : : "r"(at) : "memory");
    arch_barrier_complete();
}

void arch_cache_clean_invalidate(const void *addr, size_t size)
{
    size_t line = line_size();
    uintptr_t end = (uintptr_t)addr + size;

    for (uintptr_t at = ALIGN_DOWN((uintptr_t)addr, line); at < end; at += line)
        __asm__ volatile("dc civac, %0" : : "r"(at) : "memory");
    arch_barrier_complete();
}

#define DCZID_DZP BIT(4)

static uintptr_t scrub_line(uintptr_t at, size_t line)
{
    __asm__ volatile("dc zva, %0\n\tdc civac, %0" : : "r"(at) : "memory");
    return at + line;
}

/* Block zeroing needs no read of what is overwritten; a CPU may forbid it (DCZID_EL0.DZP), or do it by other sizes. */
void arch_cache_scrub(void *page, size_t size)
{
    uintptr_t at = (uintptr_t)page, end = at + size;
    uint64_t id = sysreg_read(dczid_el0);
    size_t line = line_size();

    if (id & DCZID_DZP || 4UL << (id & 0xf) != line) {
        memset(page, 0, size);
        arch_cache_clean_invalidate(page, size);
        return;
    }
    /* Each way round is four lines: a page has at least as many. */
    while (at < end)
        at = scrub_line(scrub_line(scrub_line(scrub_line(at, line), line), line), line);
    arch_barrier_complete();
}

void arch_cache_sync_code(void)
{
    __asm__ volatile("ic ialluis" : : : "memory");
    arch_barrier_complete();
    arch_barrier_context();
}
