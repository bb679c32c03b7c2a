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

/** VMID for an address space that is about to run on this CPU; flushes this CPU's TLB at a rollover. IRQs masked. */
uint16_t vmid_get(struct arch_guest_mmu *mmu);
/** This CPU runs no guest translation any more. IRQs masked. */
void vmid_put(void);
void vmid_init(void);
