// SPDX-License-Identifier: Apache-2.0
// Contract: the hypervisor's own address space (EL2 stage 1).
#pragma once

#include <arch/addr.h>
#include <stddef.h>
#include <stdint.h>

enum mmu_attr {
    MMU_RW,     /**< Normal write-back memory, no execute */
    MMU_RO,     /**< Normal write-back memory, read-only, no execute */
    MMU_RX,     /**< Normal write-back memory, read-only, executable */
    MMU_DEVICE, /**< Device-nGnRE, no execute */
};

/** Window of virtual addresses that core may hand out (guarded stacks, device mappings). Any time after boot. */
void arch_mmu_window(uintptr_t *base, size_t *size);

/**
 * Map [pa, pa+size) at va. All page aligned; the largest possible blocks are used.
 * Orphan context or boot; takes an internal lock. -ENOMEM (nothing stays mapped), -EEXIST when part is mapped already.
 */
int arch_mmu_map(uintptr_t va, hpa_t pa, size_t size, enum mmu_attr attr);

/** Unmap and flush the TLBs of all CPUs. Unmapped parts are ignored. Same contexts as arch_mmu_map(). */
void arch_mmu_unmap(uintptr_t va, size_t size);

/** Virtual address of host RAM in the linear map; the caller knows that pa is RAM. Any context. */
static inline void *arch_mmu_linear(hpa_t pa);
/** Inverse of arch_mmu_linear(); also right for the image itself. Any context. */
static inline hpa_t arch_mmu_hpa(const void *va);

/** Add RAM to the linear map (boot only, before the page allocator knows the range). 0 or -ENOMEM. */
int arch_mmu_map_ram(hpa_t pa, uint64_t size);

/** Physical range of the hypervisor image with BSS and boot stack: never free RAM. */
void arch_mmu_image_range(hpa_t *start, uint64_t *size);

/**
 * True when every byte of [va, va+size) is mapped readable Normal memory: for the shell's dump commands and
 * the back-trace walker. Any context.
 */
int arch_mmu_is_readable(uintptr_t va, size_t size);

/**
 * The first mapped range at or above *va, as long as its attributes are the same: 1, with *va moved to its start; 0 when there
 * is none. What is mapped or unmapped meanwhile may be left out. Any context; a step for each page or block.
 */
int arch_mmu_next(uintptr_t *va, size_t *size, enum mmu_attr *attr);

#include <port/mmu.h>
