// SPDX-License-Identifier: Apache-2.0
// Host port: RAM is one memory file; the linear map is a shared mapping of all of it.
#pragma once

/** Host-physical addresses of RAM: [HOST_RAM_BASE, HOST_RAM_BASE + HOST_RAM_SIZE). */
#define HOST_RAM_BASE 0x40000000ULL
#define HOST_RAM_SIZE 0x100000000ULL

/** Where HOST_RAM_BASE is mapped; aligned to 1 GiB like HOST_RAM_BASE itself. */
extern uintptr_t host_ram;

static inline void *arch_mmu_linear(hpa_t pa)
{
    return (void *)(host_ram + (uintptr_t)(pa.v - HOST_RAM_BASE));
}

static inline hpa_t arch_mmu_hpa(const void *va)
{
    return hpa((uintptr_t)va - host_ram + HOST_RAM_BASE);
}
