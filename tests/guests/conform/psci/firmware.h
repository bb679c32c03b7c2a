// SPDX-License-Identifier: Apache-2.0
// Asking the firmware: numbers of SMCCC and PSCI that only its cases need, and verdicts on answers.
#pragma once

#include "../conform.h"

#define SMCCC_64 0x40000000u
#define PSCI_FIRST 0x84000000u
#define PSCI_COUNT 32 /* ids that SMCCC gives to PSCI */

#define PSCI_CPU_SUSPEND_32 0x84000001u
#define PSCI_AFFINITY_INFO_32 0x84000004u
#define PSCI_MIGRATE_INFO_UP_CPU 0xc4000007u
#define PSCI_SYSTEM_RESET2_32 0x84000012u

#define PSCI_SUCCESS 0
#define PSCI_DENIED (-3)

#define AFFINITY_ON 0
#define AFFINITY_OFF 1
#define AFFINITY_ON_PENDING 2

/** PASS when the lower 32 bits of the answer, which are all that 32-bit calls define, are that number. */
bool expect_answer(const char *name, int64_t got, int64_t want);
/** What PSCI_FEATURES says: is there such a function? */
bool psci_has(uint32_t id);

/** For loops that wait for another CPU: a few turns are spun, from then on this CPU sleeps for a moment. IRQs masked. */
void wait_a_little(unsigned spins);
/** Waits until AFFINITY_INFO calls a CPU off; false after five seconds. IRQs masked. */
bool wait_off(unsigned cpu);
