// SPDX-License-Identifier: Apache-2.0
// Contract: what the guest's generated DTB says of its CPUs and timers; values of the Devicetree bindings.
#pragma once

#include <stdint.h>

/** "compatible" of the guest's cpu nodes. */
const char *arch_guest_cpu_compatible(void);
/** PPI numbers (as in the arm,armv8-timer binding): secure, non-secure, virtual, hypervisor. */
void arch_guest_timer_ppis(uint32_t ppi[4]);
