// SPDX-License-Identifier: Apache-2.0
// Instructions that the payloads need by name: system registers, barriers, device accesses.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define sysreg_read(name)                                                                          \
    ({                                                                                             \
        uint64_t value_;                                                                           \
        __asm__ volatile("mrs %0, " #name : "=r"(value_));                                         \
        value_;                                                                                    \
    })
#define sysreg_write(name, value)                                                                  \
    __asm__ volatile("msr " #name ", %0" ::"r"((uint64_t)(value)) : "memory")

static inline void isb(void)
{
    __asm__ volatile("isb" ::: "memory");
}

static inline void dsb(void)
{
    __asm__ volatile("dsb sy" ::: "memory");
}

static inline void irq_enable(void)
{
    __asm__ volatile("msr daifclr, #2\n\tisb" ::: "memory");
}

static inline void irq_disable(void)
{
    __asm__ volatile("msr daifset, #2" ::: "memory");
}

static inline void wfi(void)
{
    __asm__ volatile("dsb sy\n\twfi" ::: "memory");
}

/** In every spin: under -icount it hands the machine to the next CPU. */
static inline void relax(void)
{
    __asm__ volatile("yield" ::: "memory");
}

#define MMIO_ACCESSORS(bits)                                                                       \
    static inline uint##bits##_t mmio_read##bits(uintptr_t addr)                                   \
    {                                                                                              \
        return *(volatile uint##bits##_t *)addr;                                                   \
    }                                                                                              \
    static inline void mmio_write##bits(uintptr_t addr, uint##bits##_t v)                          \
    {                                                                                              \
        *(volatile uint##bits##_t *)addr = v;                                                      \
    }
MMIO_ACCESSORS(8)
MMIO_ACCESSORS(16)
MMIO_ACCESSORS(32)
MMIO_ACCESSORS(64)
