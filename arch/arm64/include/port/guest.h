// SPDX-License-Identifier: Apache-2.0
// The machine part of a guest: stage 2 and the offset of its virtual time.
#pragma once

#include <arch/guest_mmu.h>
#include <arch/smp.h>
#include <stdbool.h>

struct arch_guest {
    struct arch_guest_mmu mmu;
    uint64_t time_offset; /* CNTVOFF_EL2: host counter minus guest counter */
    uint64_t stopped_at;  /* host counter when virtual time was stopped */
    bool time_stopped;
    uint32_t last_vcpu
        [SMP_CPUS_MAX]; /* subid + 1 of the VCPU that ran last on each CPU: same VMID, other TLB entries */
};
