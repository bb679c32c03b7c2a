// SPDX-License-Identifier: Apache-2.0
// Code at EL0, AArch64 and AArch32, with all that it starts and ends with; devices are at USER_DEVICES for it.
#pragma once

#include "../conform.h"

#define USER_DEVICES 0xc0000000ul

#define SPSR_EL0 0x3c0u /* AArch64, all masked */
#define SPSR_A32 0x1d0u
#define SPSR_T32 0x1f0u
#define SPSR_SS (1u << 21)
#define SPSR_Z (1u << 30)

/** Maps USER_DEVICES, and no more. */
void user_open(void);
void user_close(void);
/** Runs code of count 32-bit words until its exception, *trap; elr is relative to the first word. Sets start->pc. */
void user_run(const uint32_t *code, unsigned count, struct el0_entry *start, struct trap *trap);

bool user_has_aarch32(void);
