// SPDX-License-Identifier: Apache-2.0
// Stage 2, port-private part: loading it on a CPU, VMIDs.
#pragma once

#include <arch/guest_mmu.h>
#include <hv/vcpu.h>

/** VTCR_EL2, no guest loaded. Every CPU, once. */
void stage2_init_cpu(void);
/** Load the VCPU's guest's translation on this CPU. IRQs masked. */
void stage2_load(struct vcpu *vcpu);
/** Load an empty translation. IRQs masked. */
void stage2_unload(void);

/* VMIDs: what each CPU has loaded. Set by itself, and by whoever begins a new generation. */
struct vmid_cpu {
    uint64_t active;   /* 0: nothing */
    uint64_t reserved; /* what it had loaded at the last rollover */
    bool flush_pending;
} ALIGNED(32);
extern struct vmid_cpu vmid_cpus[SMP_CPUS_MAX];
extern uint64_t vmid_generation; /* in steps of 1 << VMID_BITS_MAX */

#define VMID_BITS_MAX 16
#define VMID_NUMBER(id) ((uint16_t)(id))

/** VMID for an address space that is about to run on this CPU; flushes its TLB at a rollover. IRQs masked. */
uint16_t vmid_get_slow(struct arch_guest_mmu *mmu, struct vmid_cpu *cpu);

/** The same if it has one already and the TLB is right; false: vmid_get_slow(). */
static inline bool vmid_get(struct arch_guest_mmu *mmu, struct vmid_cpu *cpu, uint16_t *vmid)
{
    uint64_t id = __atomic_load_n(&mmu->vmid, __ATOMIC_ACQUIRE);

    if (unlikely(id == 0))
        return false;
    /* Publish first, look at the generation after: a rollover either sees this number or is seen here. */
    __atomic_store_n(&cpu->active, id, __ATOMIC_SEQ_CST);
    *vmid = VMID_NUMBER(id);
    return (id ^ __atomic_load_n(&vmid_generation, __ATOMIC_SEQ_CST)) >> VMID_BITS_MAX == 0 &&
           !cpu->flush_pending;
}
/** This CPU runs no guest translation any more. IRQs masked. */
void vmid_put(void);
void vmid_init(void);
