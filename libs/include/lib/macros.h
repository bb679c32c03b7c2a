// SPDX-License-Identifier: Apache-2.0
// Compiler attributes, alignment, bit and bit-field helpers that every layer uses.
#ifndef LIB_MACROS_H
#define LIB_MACROS_H

#include <stddef.h>
#include <stdint.h>

// Attributes

#ifndef PACKED
#define PACKED __attribute__((packed))
#endif
#ifndef ALIGNED
#define ALIGNED(n) __attribute__((aligned(n)))
#endif
#ifndef NORETURN
#define NORETURN __attribute__((noreturn))
#endif
#ifndef PRINTF
#define PRINTF(format_index, first_arg) __attribute__((format(printf, format_index, first_arg)))
#endif
#ifndef MUST_CHECK
#define MUST_CHECK __attribute__((warn_unused_result))
#endif
#ifndef SECTION
#define SECTION(name) __attribute__((section(name)))
#endif
// For functions of the exit path whose locals are scalars and structs of scalars: nothing there can be overrun.
#ifndef NO_STACK_PROTECTOR
#define NO_STACK_PROTECTOR __attribute__((no_stack_protector))
#endif
#ifndef WEAK
#define WEAK __attribute__((weak))
#endif
#ifndef UNUSED
#define UNUSED __attribute__((unused))
#endif
#ifndef USED
#define USED __attribute__((used))
#endif
#ifndef NOINLINE
#define NOINLINE __attribute__((noinline))
#endif
#ifndef ALWAYS_INLINE
#define ALWAYS_INLINE inline __attribute__((always_inline))
#endif
// Keeps a section alive under --gc-sections even where __start_/__stop_ references do not (lld).
#ifndef RETAIN
#if __has_attribute(retain)
#define RETAIN __attribute__((retain))
#else
#define RETAIN
#endif
#endif

#ifndef likely
#define likely(x) __builtin_expect(!!(x), 1)
#endif
#ifndef unlikely
#define unlikely(x) __builtin_expect(!!(x), 0)
#endif

#ifndef static_assert
#define static_assert _Static_assert
#endif

// Objects

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#endif

#ifndef container_of
#define container_of(ptr, type, member) ((type *)((uintptr_t)(ptr)-offsetof(type, member)))
#endif

// Each argument may be evaluated twice: pass values, not calls with effects.
#ifndef MIN
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#endif
#ifndef MAX
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#endif

// Alignment, in 64 bits; `align` is a power of two. ALIGN_UP wraps to 0 at the top of the range.

#define ALIGN_DOWN(x, align) ((uint64_t)(x) & ~((uint64_t)(align)-1))
#define ALIGN_UP(x, align) (((uint64_t)(x) + ((uint64_t)(align)-1)) & ~((uint64_t)(align)-1))
#define IS_ALIGNED(x, align) (((uint64_t)(x) & ((uint64_t)(align)-1)) == 0)
#define IS_POWER_OF_2(x) ((x) != 0 && ((uint64_t)(x) & ((uint64_t)(x)-1)) == 0)

// Bits and bit fields, in 64 bits

#define BIT(n) (UINT64_C(1) << (n))
// Mask of the bits hi..lo, both included.
#define BITS(hi, lo) ((~UINT64_C(0) >> (63 - (hi))) & (~UINT64_C(0) << (lo)))

// Constant-expression forms; `mask` is a non-zero run of adjacent bits.
#define FIELD_SHIFT(mask) __builtin_ctzll(mask)
#define FIELD_PREP(mask, value) (((uint64_t)(value) << FIELD_SHIFT(mask)) & (mask))
#define FIELD_GET(mask, reg) (((uint64_t)(reg) & (mask)) >> FIELD_SHIFT(mask))

static inline uint64_t field_get(uint64_t mask, uint64_t reg)
{
    return FIELD_GET(mask, reg);
}

// The value shifted into place; bits that do not fit the mask are dropped.
static inline uint64_t field_prep(uint64_t mask, uint64_t value)
{
    return FIELD_PREP(mask, value);
}

// `reg` with the field `mask` replaced by `value`.
static inline uint64_t field_set(uint64_t mask, uint64_t reg, uint64_t value)
{
    return (reg & ~mask) | FIELD_PREP(mask, value);
}

#endif
