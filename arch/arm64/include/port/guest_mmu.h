// SPDX-License-Identifier: Apache-2.0
// Stage 2 of one guest: root table, VMID with its generation.
#pragma once

#include <hv/spinlock.h>
#include <stdint.h>

struct arch_guest_mmu {
    struct spinlock lock; /* tables */
    uint64_t *root;       /* ARM64_S2_ROOT_PAGES concatenated tables */
    uint64_t root_hpa;    /* the same for VTTBR_EL2 */
    uint64_t vmid;        /* generation << 16 | VMID; 0 = none yet; atomic */
    uint32_t owner;       /* page accounting */
    uint32_t table_pages;
};
