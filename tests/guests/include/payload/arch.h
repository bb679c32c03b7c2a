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

/* One plain instruction each: a hypervisor gets no syndrome for pairs and write-back forms. */
#define MMIO_ACCESSORS(bits, suffix, reg)                                                          \
    static inline uint##bits##_t mmio_read##bits(uintptr_t addr)                                   \
    {                                                                                              \
        uint##bits##_t value;                                                                      \
        __asm__ volatile("ldr" suffix " %" reg "0, [%1]" : "=r"(value) : "r"(addr) : "memory");    \
        return value;                                                                              \
    }                                                                                              \
    static inline void mmio_write##bits(uintptr_t addr, uint##bits##_t value)                      \
    {                                                                                              \
        __asm__ volatile("str" suffix " %" reg "0, [%1]" ::"rZ"(value), "r"(addr) : "memory");     \
    }
MMIO_ACCESSORS(8, "b", "w")
MMIO_ACCESSORS(16, "h", "w")
MMIO_ACCESSORS(32, "", "w")
MMIO_ACCESSORS(64, "", "x")
