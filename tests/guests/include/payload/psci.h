// SPDX-License-Identifier: Apache-2.0
// SMCCC calls by both conduits, and PSCI's numbers.
#pragma once

#include <stdint.h>

#define PSCI_VERSION 0x84000000u
#define PSCI_CPU_SUSPEND 0xc4000001u
#define PSCI_CPU_OFF 0x84000002u
#define PSCI_CPU_ON 0xc4000003u
#define PSCI_CPU_ON_32 0x84000003u
#define PSCI_AFFINITY_INFO 0xc4000004u
#define PSCI_MIGRATE 0xc4000005u
#define PSCI_MIGRATE_INFO_TYPE 0x84000006u
#define PSCI_SYSTEM_OFF 0x84000008u
#define PSCI_SYSTEM_RESET 0x84000009u
#define PSCI_FEATURES 0x8400000au
#define PSCI_SYSTEM_SUSPEND 0xc400000eu
#define PSCI_SYSTEM_RESET2 0xc4000012u
#define SMCCC_VERSION 0x80000000u
#define SMCCC_ARCH_FEATURES 0x80000001u
#define SMCCC_UNKNOWN 0x4b000000u /* vendor hypervisor range, never assigned */

#define PSCI_NOT_SUPPORTED (-1)
#define PSCI_INVALID_PARAMETERS (-2)
#define PSCI_ALREADY_ON (-4)
#define PSCI_ON_PENDING (-5)
#define PSCI_INVALID_ADDRESS (-9)

/** All registers that a call may use: x0..x17 in and out. */
struct smccc {
    uint64_t x[18];
};
void smccc_hvc(struct smccc *regs);
void smccc_smc(struct smccc *regs);

/** A call by the conduit that the device tree names; the value of x0. */
int64_t psci_call(uint32_t id, uint64_t a, uint64_t b, uint64_t c);
void psci_system_off(void) __attribute__((noreturn));
