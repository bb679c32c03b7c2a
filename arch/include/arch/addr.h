// SPDX-License-Identifier: Apache-2.0
// Contract: address types; a host-physical and a guest-physical address can not be mixed up by accident.
#pragma once

#include <stdint.h>

/** Host-physical address (what EL2 stage 1 and stage 2 produce). */
typedef struct {
    uint64_t v;
} hpa_t;

/** Guest-physical address (IPA: what guest stage 1 produces and stage 2 consumes). */
typedef struct {
    uint64_t v;
} gpa_t;

/** A number as an address of the type; .v is the way back. Any context. */
static inline hpa_t hpa(uint64_t v)
{
    return (hpa_t){v};
}

/** The same for a guest's. */
static inline gpa_t gpa(uint64_t v)
{
    return (gpa_t){v};
}

#define PAGE_SHIFT 12
#define PAGE_SIZE (1UL << PAGE_SHIFT)
#define PAGE_MASK (~(PAGE_SIZE - 1))
