// SPDX-License-Identifier: Apache-2.0
// Host port: RAM as a memory file, its linear map, and a window in which the hypervisor maps pages
// of it anew.

#include <arch/mmu.h>
#include <fcntl.h>
#include <lib/bitmap.h>
#include <lib/errno.h>
#include <port/host.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define WINDOW_SIZE (256ULL << 20)
#define WINDOW_PAGES (WINDOW_SIZE / PAGE_SIZE)
#define RAM_ALIGN (1ULL << 30)
#define IMAGE_SIZE (2ULL << 20)
/** What the file has room for, from address 0 on: other machines have RAM elsewhere. */
#define SPACE_SIZE (64ULL << 30)

uintptr_t host_ram;
static uint64_t ram_low = HOST_RAM_BASE, ram_end = HOST_RAM_BASE + HOST_RAM_SIZE;
static hpa_t image_start = {HOST_RAM_BASE};
static uint64_t image_size = IMAGE_SIZE;
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

/* The file from ram_low to ram_end, where the linear map has it. */
static bool map_linear(void)
{
    return mmap(arch_mmu_linear(hpa(ram_low)), ram_end - ram_low, PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_FIXED | MAP_NORESERVE, ram_file, (off_t)ram_low) != MAP_FAILED;
}

__attribute__((constructor)) static void mmu_power_on(void)
{
    uintptr_t space = (uintptr_t)reserve(SPACE_SIZE + RAM_ALIGN);

    space = (space + RAM_ALIGN - 1) & ~(uintptr_t)(RAM_ALIGN - 1);
    host_ram = space + HOST_RAM_BASE;
    ram_file = memfd_create("ram", MFD_CLOEXEC);
    probe_file = memfd_create("probe", MFD_CLOEXEC);
    if (ram_file < 0 || probe_file < 0 || ftruncate(ram_file, (off_t)SPACE_SIZE) != 0 ||
        !map_linear()) {
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
    bool is_ram = pa.v >= ram_low && pa.v < ram_end;
    int flags = is_ram ? MAP_SHARED | MAP_FIXED : MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
    int prot = attr == MMU_RO || attr == MMU_RX ? PROT_READ : PROT_READ | PROT_WRITE;
    size_t first = (va - window) / PAGE_SIZE;

    if (!in_window(va, size) || (va | pa.v | size) & ~PAGE_MASK)
        return -EINVAL;
    for (size_t i = 0; i < size / PAGE_SIZE; i++)
        if (bitmap_test(mapped, first + i))
            return -EEXIST;
    if (mmap((void *)va, size, prot, flags, is_ram ? ram_file : -1, is_ram ? (off_t)pa.v : 0) ==
        MAP_FAILED)
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
    if (pa.v > SPACE_SIZE || size > SPACE_SIZE - pa.v)
        return -ENOMEM;
    ram_low = pa.v < ram_low ? pa.v : ram_low;
    ram_end = pa.v + size > ram_end ? pa.v + size : ram_end;
    return map_linear() ? 0 : -ENOMEM;
}

void host_set_image(hpa_t start, uint64_t size)
{
    image_start = start;
    image_size = size;
}

void arch_mmu_image_range(hpa_t *start, uint64_t *size)
{
    *start = image_start;
    *size = image_size;
}

/*
 * The kernel tells: a write from an unreadable page fails with EFAULT. By the bare system call,
 * which the sanitizer does not check.
 */
/* RAM, and the pages of the window that are mapped; RAM may be above or below it. */
int arch_mmu_next(uintptr_t *va, size_t *size, enum mmu_attr *attr)
{
    uintptr_t ram = host_ram + (ram_low - HOST_RAM_BASE),
              end = host_ram + (ram_end - HOST_RAM_BASE);
    size_t page = *va <= window ? 0 : (*va - window) / PAGE_SIZE;
    size_t first =
        page >= WINDOW_PAGES ? WINDOW_PAGES : bitmap_find_set(mapped, WINDOW_PAGES, page);
    bool in_ram = *va < end;

    *attr = MMU_RW;
    if (first < WINDOW_PAGES && (!in_ram || window < ram)) {
        *va = window + first * PAGE_SIZE;
        *size = (bitmap_find_zero(mapped, WINDOW_PAGES, first) - first) * PAGE_SIZE;
        return 1;
    }
    *va = *va < ram ? ram : *va;
    *size = in_ram ? end - *va : 0;
    return in_ram;
}

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
