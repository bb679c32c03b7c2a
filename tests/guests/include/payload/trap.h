// SPDX-License-Identifier: Apache-2.0
// Exceptions: expected ones are recorded and survived, interrupts are dispatched, the rest ends the test.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
    EC_UNKNOWN = 0x00,
    EC_FP = 0x07,
    EC_ILLEGAL = 0x0e,
    EC_SVC32 = 0x11,
    EC_SVC = 0x15,
    EC_SYSREG = 0x18,
    EC_SVE = 0x19,
    EC_IABT = 0x21,
    EC_PC_ALIGN = 0x22,
    EC_DABT = 0x25,
    EC_BRK = 0x3c
};

struct trap {
    uint64_t vector; /**< index of the vector, 0..15; 4 = synchronous, EL1h */
    uint64_t esr, far, elr, spsr;
    uint64_t x[2]; /**< x0 and x1 when it was taken */
};
#define TRAP_EC(trap) ((unsigned)((trap).esr >> 26) & 0x3f)

typedef uint64_t (*trap_fn)(uint64_t a, uint64_t b);

/** Calls fn(a, b). True: it returned, *result (may be NULL) is its value. False: it took the exception in *trap. */
bool trap_try(trap_fn fn, uint64_t a, uint64_t b, uint64_t *result, struct trap *trap);
/** The same for instruction words (followed by a RET that this adds); *trap.elr is relative to the first. */
bool trap_try_code(const uint32_t *code, unsigned count, uint64_t a, uint64_t b, uint64_t *result,
                   struct trap *trap);
/** Encodings for trap_try_code: MRS X0, Sop0_op1_Cn_Cm_op2 and MSR …, X0. */
#define CODE_MRS(op0, op1, crn, crm, op2)                                                          \
    (0xd5200000u | (uint32_t)(op0) << 19 | (op1) << 16 | (crn) << 12 | (crm) << 8 | (op2) << 5)
#define CODE_MSR(op0, op1, crn, crm, op2) (CODE_MRS(op0, op1, crn, crm, op2) & ~0x00200000u)

/** The same at EL0 (AArch32: A32 words) with x0 and x1 of *trap; an SVC is added, and true means that it was reached. */
bool trap_try_el0(const uint32_t *code, unsigned count, bool aarch32, struct trap *trap);

typedef void (*irq_handler)(uint32_t intid);
/** One handler an INTID, on all CPUs; it runs with interrupts masked, between acknowledge and EOI. */
void irq_set_handler(uint32_t intid, irq_handler handler);
/** Interrupts without a handler, and spurious acknowledges, since start. */
extern volatile uint32_t irq_unexpected, irq_spurious;
