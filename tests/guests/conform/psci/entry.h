/* SPDX-License-Identifier: Apache-2.0 */
/* CPUs that say how CPU_ON has started them. */
#pragma once

#define ENTRY_SLOT_SIZE 16

#ifndef __ASSEMBLY__
#include <stdint.h>

/** Left by the CPU that was started, in memory; entry.S knows the places. */
struct entry_record {
    uint64_t count; /**< starts so far */
    uint64_t context, slot, el, daif, spsel, sctlr, mpidr;
} __attribute__((aligned(64)));

/** Makes ready for counting starts from 0. */
void entry_prepare(void);
/** Address to start a CPU at; slot 0 to 7. */
uintptr_t entry_address(unsigned slot);
/** Waits until count CPUs have been started; a copy of what the last one left. False after five seconds. */
bool entry_wait(uint64_t count, struct entry_record *record);
/** Lets those that were started up to count switch themselves off, and waits until cpu has. */
bool entry_release(uint64_t count, unsigned cpu);
#endif
