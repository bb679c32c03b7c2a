// SPDX-License-Identifier: Apache-2.0
// Host port: device registers are plain memory, unless a test has put a handler over the range
// (host_io_handler).
#pragma once

uint64_t host_io_read(const volatile void *addr, unsigned size);
void host_io_write(volatile void *addr, unsigned size, uint64_t value);

static inline uint8_t arch_io_read8(const volatile void *addr)
{
    return (uint8_t)host_io_read(addr, 1);
}

static inline uint16_t arch_io_read16(const volatile void *addr)
{
    return (uint16_t)host_io_read(addr, 2);
}

static inline uint32_t arch_io_read32(const volatile void *addr)
{
    return (uint32_t)host_io_read(addr, 4);
}

static inline uint64_t arch_io_read64(const volatile void *addr)
{
    return host_io_read(addr, 8);
}

static inline void arch_io_write8(volatile void *addr, uint8_t value)
{
    host_io_write(addr, 1, value);
}

static inline void arch_io_write16(volatile void *addr, uint16_t value)
{
    host_io_write(addr, 2, value);
}

static inline void arch_io_write32(volatile void *addr, uint32_t value)
{
    host_io_write(addr, 4, value);
}

static inline void arch_io_write64(volatile void *addr, uint64_t value)
{
    host_io_write(addr, 8, value);
}
