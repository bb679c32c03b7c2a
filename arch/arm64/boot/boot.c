// SPDX-License-Identifier: Apache-2.0
// First C code: the early map with the MMU still off, then the way into core.
#include <arm64/boot.h>
#include <arm64/stage1.h>
#include <arm64/sysreg.h>

#include <arch/console.h>
#include <arch/mmu.h>
#include <arch/percpu.h>
#include <arch/system.h>
#include <hv/upcall.h>
#include <lib/macros.h>

/* The loader's DTB is mapped for at most this many bytes; QEMU pads its own to 1 MiB. */
#define FDT_WINDOW (4UL << 20)
#define BLOCK_2M (2UL << 20)

static uint64_t boot_fdt;

/* The compiler reads it in every protected function; set once before any of them can return. */
uintptr_t __stack_chk_guard;

void boot_map(uint64_t fdt)
{
    uintptr_t base = (uintptr_t)_head;

    stage1_map_early(base, (uintptr_t)__text_end, MMU_RX);
    stage1_map_early((uintptr_t)__text_end, (uintptr_t)__rodata_end, MMU_RO);
    stage1_map_early((uintptr_t)__rodata_end, (uintptr_t)__data_end, MMU_RW);
    stage1_map_early((uintptr_t)__data_end, (uintptr_t)__file_end, MMU_RO);
    stage1_map_early((uintptr_t)__file_end, (uintptr_t)__boot_stack - PAGE_SIZE, MMU_RW);
    stage1_map_early((uintptr_t)__boot_stack, ALIGN_UP((uintptr_t)_end, BLOCK_2M), MMU_RW);
    stage1_map_early(ALIGN_DOWN(fdt, BLOCK_2M), ALIGN_DOWN(fdt, BLOCK_2M) + FDT_WINDOW, MMU_RW);
#ifdef CONFIG_EARLY_UART_PL011
    stage1_map_early(CONFIG_EARLY_UART_BASE, CONFIG_EARLY_UART_BASE + PAGE_SIZE, MMU_DEVICE);
#endif
}

void boot_primary(uint64_t fdt)
{
    boot_fdt = fdt;
    /* No entropy source is known yet; the low byte 0 ends a string overrun. */
    __stack_chk_guard = (sysreg_read(cntpct_el0) * 0x9e3779b97f4a7c15UL) << 8;
    hv_main();
}

void boot_secondary(unsigned cpu)
{
    hv_secondary_main(cpu);
}

const void *arch_system_fdt(uint64_t *size)
{
    *size = ALIGN_DOWN(boot_fdt, BLOCK_2M) + FDT_WINDOW - boot_fdt;
    return (const void *)boot_fdt;
}

uintptr_t arch_system_image_base(void)
{
    return (uintptr_t)_head;
}

void arch_mmu_image_range(hpa_t *start, uint64_t *size)
{
    *start = hpa((uintptr_t)_head);
    *size = (uintptr_t)_end - (uintptr_t)_head;
}

void arch_system_boot_failed(enum boot_failure failure, const char *text)
{
    boot_stop((uint32_t)failure, text);
}
