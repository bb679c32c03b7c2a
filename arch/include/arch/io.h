// SPDX-License-Identifier: Apache-2.0
// Contract: device register access, one access of exactly that width, in program order with other device accesses.
#pragma once

#include <stdint.h>

/** Value of a register. */
static inline uint8_t arch_io_read8(const volatile void *addr);
static inline uint16_t arch_io_read16(const volatile void *addr);
static inline uint32_t arch_io_read32(const volatile void *addr);
static inline uint64_t arch_io_read64(const volatile void *addr);
/** Write a register; it may reach the device later: arch_barrier_complete() waits for it. */
static inline void arch_io_write8(volatile void *addr, uint8_t value);
static inline void arch_io_write16(volatile void *addr, uint16_t value);
static inline void arch_io_write32(volatile void *addr, uint32_t value);
static inline void arch_io_write64(volatile void *addr, uint64_t value);

#include <port/io.h>
