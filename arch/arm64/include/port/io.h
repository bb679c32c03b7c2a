// SPDX-License-Identifier: Apache-2.0
// Device register access: single loads and stores that the syndrome of an outer hypervisor can describe.
#pragma once

static inline uint8_t arch_io_read8(const volatile void *addr)
{
    uint8_t value;

    __asm__ volatile("ldrb %w0, [%1]\n\tdmb oshld" : "=r"(value) : "r"(addr) : "memory");
    return value;
}

static inline void arch_io_write8(volatile void *addr, uint8_t value)
{
    __asm__ volatile("dmb oshst\n\tstrb %w0, [%1]" : : "r"(value), "r"(addr) : "memory");
}

static inline uint16_t arch_io_read16(const volatile void *addr)
{
    uint16_t value;

    __asm__ volatile("ldrh %w0, [%1]\n\tdmb oshld" : "=r"(value) : "r"(addr) : "memory");
    return value;
}

static inline void arch_io_write16(volatile void *addr, uint16_t value)
{
    __asm__ volatile("dmb oshst\n\tstrh %w0, [%1]" : : "r"(value), "r"(addr) : "memory");
}

static inline uint32_t arch_io_read32(const volatile void *addr)
{
    uint32_t value;

    __asm__ volatile("ldr %w0, [%1]\n\tdmb oshld" : "=r"(value) : "r"(addr) : "memory");
    return value;
}

static inline void arch_io_write32(volatile void *addr, uint32_t value)
{
    __asm__ volatile("dmb oshst\n\tstr %w0, [%1]" : : "r"(value), "r"(addr) : "memory");
}

static inline uint64_t arch_io_read64(const volatile void *addr)
{
    uint64_t value;

    __asm__ volatile("ldr %x0, [%1]\n\tdmb oshld" : "=r"(value) : "r"(addr) : "memory");
    return value;
}

static inline void arch_io_write64(volatile void *addr, uint64_t value)
{
    __asm__ volatile("dmb oshst\n\tstr %x0, [%1]" : : "r"(value), "r"(addr) : "memory");
}
