// SPDX-License-Identifier: Apache-2.0
// Exceptions: expected ones are recorded and survived, interrupts are dispatched, the rest ends the test.
#pragma once

#include <stdbool.h>
#include <stddef.h>
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
    EC_STEP_LOW = 0x32,
    EC_STEP = 0x33,
    EC_BRK = 0x3c
};

/** What the vectors save; a hook may change what is returned to. */
struct trap_frame {
    uint64_t x[31];
    uint64_t elr, spsr, esr, far;
};

struct trap {
    uint64_t vector; /**< index of the vector, 0..15; 4 = synchronous, EL1h */
    uint64_t esr, far, elr, spsr;
    uint64_t x[31]; /**< general registers at the exception */
};
#define TRAP_EC(trap) ((unsigned)((trap).esr >> 26) & 0x3f)

/** Called first with each exception of this CPU that is no interrupt. True: go on from the frame as it is now. */
typedef bool (*trap_hook)(struct trap_frame *frame, uint64_t vector);
void trap_set_hook(trap_hook hook);

/** Makes words written as data visible as instructions. */
void trap_sync_code(const void *code, size_t size);

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

/** Where code at EL0 sees the payload's data: RAM + this. */
#define EL0_ALIAS 0x40000000ul
/** What code at EL0 starts with; known to vectors.S. */
struct el0_entry {
    uint64_t pc, spsr, x[8];
};
/** For trap_try: goes to EL0, which is left by an exception only. */
uint64_t el0_enter(uint64_t entry, uint64_t unused);

/** The same at EL0 (AArch32: A32 words) with x0 and x1 of *trap; an SVC is added, and true means that it was reached. */
bool trap_try_el0(const uint32_t *code, unsigned count, bool aarch32, struct trap *trap);

typedef void (*irq_handler)(uint32_t intid);
/** One handler an INTID, on all CPUs; it runs with interrupts masked, between acknowledge and EOI. */
void irq_set_handler(uint32_t intid, irq_handler handler);
/** Takes FIQs instead, whose acknowledge is its own business; NULL: they are dispatched like IRQs. */
extern void (*fiq_handler)(void);
/** Interrupts without a handler, and spurious acknowledges, since start. */
extern volatile uint32_t irq_unexpected, irq_spurious;
