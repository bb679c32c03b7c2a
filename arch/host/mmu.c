// SPDX-License-Identifier: Apache-2.0
// Host port: RAM as a memory file, its linear map, and a window in which the hypervisor maps pages
// of it anew.

#include <arch/mmu.h>
#include <fcntl.h>
#include <lib/bitmap.h>
#include <lib/errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define WINDOW_SIZE (256ULL << 20)
#define WINDOW_PAGES (WINDOW_SIZE / PAGE_SIZE)
#define RAM_ALIGN (1ULL << 30)
#define IMAGE_SIZE (2ULL << 20)

uintptr_t host_ram;
static int ram_file = -1;
static int probe_file = -1;
static uintptr_t window;
static BITMAP(mapped, WINDOW_PAGES);

static void *reserve(size_t size)
{
    void *addr = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (addr == MAP_FAILED) {
        perror("host port: address space");
        abort();
    }
    return addr;
}

__attribute__((constructor)) static void mmu_power_on(void)
{
    uintptr_t space = (uintptr_t)reserve(HOST_RAM_SIZE + RAM_ALIGN);

    host_ram = (space + RAM_ALIGN - 1) & ~(uintptr_t)(RAM_ALIGN - 1);
    ram_file = memfd_create("ram", MFD_CLOEXEC);
    probe_file = memfd_create("probe", MFD_CLOEXEC);
    if (ram_file < 0 || probe_file < 0 || ftruncate(ram_file, (off_t)HOST_RAM_SIZE) != 0 ||
        mmap((void *)host_ram, HOST_RAM_SIZE, PROT_READ | PROT_WRITE,
             MAP_SHARED | MAP_FIXED | MAP_NORESERVE, ram_file, 0) == MAP_FAILED) {
        perror("host port: RAM");
        abort();
    }
    window = (uintptr_t)reserve(2 * WINDOW_SIZE);
    window = (window + WINDOW_SIZE - 1) & ~(uintptr_t)(WINDOW_SIZE - 1);
}

void arch_mmu_window(uintptr_t *base, size_t *size)
{
    *base = window;
    *size = WINDOW_SIZE;
}

static bool in_window(uintptr_t va, size_t size)
{
    return va >= window && va - window < WINDOW_SIZE && size <= WINDOW_SIZE - (va - window);
}

int arch_mmu_map(uintptr_t va, hpa_t pa, size_t size, enum mmu_attr attr)
{
    bool is_ram = pa.v >= HOST_RAM_BASE && pa.v - HOST_RAM_BASE < HOST_RAM_SIZE;
    int flags = is_ram ? MAP_SHARED | MAP_FIXED : MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
    int prot = attr == MMU_RO || attr == MMU_RX ? PROT_READ : PROT_READ | PROT_WRITE;
    size_t first = (va - window) / PAGE_SIZE;

    if (!in_window(va, size) || (va | pa.v | size) & ~PAGE_MASK)
        return -EINVAL;
    for (size_t i = 0; i < size / PAGE_SIZE; i++)
        if (bitmap_test(mapped, first + i))
            return -EEXIST;
    if (mmap((void *)va, size, prot, flags, is_ram ? ram_file : -1,
             is_ram ? (off_t)(pa.v - HOST_RAM_BASE) : 0) == MAP_FAILED)
        return -ENOMEM;
    bitmap_set_range(mapped, first, size / PAGE_SIZE);
    return 0;
}

void arch_mmu_unmap(uintptr_t va, size_t size)
{
    if (!in_window(va, size) || size == 0)
        return;
    mmap((void *)va, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1,
         0);
    bitmap_clear_range(mapped, (va - window) / PAGE_SIZE, size / PAGE_SIZE);
}

int arch_mmu_map_ram(hpa_t pa, uint64_t size)
{
    bool fits = pa.v >= HOST_RAM_BASE && pa.v - HOST_RAM_BASE <= HOST_RAM_SIZE &&
                size <= HOST_RAM_SIZE - (pa.v - HOST_RAM_BASE);

    return fits ? 0 : -ENOMEM;
}

void arch_mmu_image_range(hpa_t *start, uint64_t *size)
{
    *start = hpa(HOST_RAM_BASE);
    *size = IMAGE_SIZE;
}

/*
 * The kernel tells: a write from an unreadable page fails with EFAULT. By the bare system call,
 * which the sanitizer does not check.
 */
int arch_mmu_is_readable(uintptr_t va, size_t size)
{
    uintptr_t last = va + size - 1;

    if (size == 0 || last < va)
        return false;
    for (uintptr_t page = va & PAGE_MASK; page <= last; page += PAGE_SIZE) {
        if (syscall(SYS_pwrite64, probe_file, page, 1UL, 0L) != 1)
            return false;
        if (page + PAGE_SIZE < page)
            break;
    }
    return true;
}
