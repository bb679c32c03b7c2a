// SPDX-License-Identifier: Apache-2.0
// Host port: stage 2 as a list of mapped ranges.
#pragma once

#include <lib/list.h>
#include <stdint.h>

struct arch_guest_mmu {
    struct list ranges; /**< struct host_range, unordered, disjoint */
    uint32_t owner;
    uint32_t range_count;
};
