// SPDX-License-Identifier: Apache-2.0
// The ID registers that guests see.
#pragma once

#include <stdbool.h>
#include <stdint.h>

/** Build the table from this (the boot) CPU: hides all that is not virtualised. Boot. */
void idreg_init(void);
/** What guests read, 8 * CRm + op2 (op0 3, op1 0, CRn 0, CRm 0-7); unallocated ones are zero. Constant after idreg_init(). */
extern uint64_t idreg_values[64];
/** DBGDIDR of AArch32, to match. Any context. */
uint32_t idreg_dbgdidr(void);
/** Host features that decide what the port itself does. */
bool idreg_has_pauth(void);
bool idreg_has_gic_sysregs(void);
bool idreg_has_pmu(void);
bool idreg_has_idst(void);
bool idreg_has_sme(void);
bool idreg_has_mte(void);
bool idreg_has_fgt(void);
bool idreg_has_hcx(void);
bool idreg_has_ras(void);
unsigned idreg_breakpoints(void);
unsigned idreg_watchpoints(void);
