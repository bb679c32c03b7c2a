// SPDX-License-Identifier: Apache-2.0
// Contract: a guest's second-stage translation (IPA to PA), Arm ARM D8 "stage 2".
#pragma once

#include <arch/addr.h>
#include <port/guest_mmu.h> /* struct arch_guest_mmu */
#include <stdbool.h>
#include <stdint.h>

enum guest_mmu_attr {
    GUEST_MMU_RAM,    /**< Normal write-back, read/write/execute */
    GUEST_MMU_ROM,    /**< Normal write-back, read/execute; writes fault */
    GUEST_MMU_DEVICE, /**< Device-nGnRE, read/write, no execute */
};

/** Bits of IPA space that a guest can have on this host (min of PARange and what the tables support). */
unsigned arch_guest_mmu_ipa_bits(void);

/** Empty address space. Orphan context. -ENOMEM. owner is the page accounting id (guest id). */
int arch_guest_mmu_init(struct arch_guest_mmu *mmu, uint32_t owner);

/**
 * Map [ipa, ipa+size) to pa. Page aligned; blocks of 2 MiB/1 GiB where alignment allows. Orphan or Normal context.
 * -ENOMEM (nothing stays mapped), -EEXIST when part is mapped, -ERANGE beyond ipa_bits.
 */
int arch_guest_mmu_map(struct arch_guest_mmu *mmu, gpa_t ipa, hpa_t pa, uint64_t size,
                       enum guest_mmu_attr attr);

/** Unmap, break-before-make, TLBI on all CPUs done on return. */
void arch_guest_mmu_unmap(struct arch_guest_mmu *mmu, gpa_t ipa, uint64_t size);

/** Software walk. 0 and *pa, *attr; -ENOENT when unmapped. Any context. */
int arch_guest_mmu_lookup(struct arch_guest_mmu *mmu, gpa_t ipa, hpa_t *pa,
                          enum guest_mmu_attr *attr);

/** The first mapped page in [*ipa, end): 0, *ipa and *pa; -ENOENT. Nothing is mapped or unmapped meanwhile. Any context. */
int arch_guest_mmu_next(struct arch_guest_mmu *mmu, gpa_t *ipa, gpa_t end, hpa_t *pa);

/** Free all tables. No CPU may have this address space loaded any more (arch_vcpu_drop() of every VCPU came first). */
void arch_guest_mmu_destroy(struct arch_guest_mmu *mmu);
