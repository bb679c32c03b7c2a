// SPDX-License-Identifier: Apache-2.0
// Trap handling inside the port.
#pragma once

#include <arm64/sysreg.h>

#include <hv/vcpu.h>
#include <lib/macros.h>
#include <stdbool.h>
#include <stdint.h>

/* Entered from vectors.S on the VCPU's stack, IRQs masked. */
void trap_guest_serror(struct vcpu *vcpu, struct arm64_frame *frame);
/* Returns only when a thread may go on with the instruction. */
void trap_el2_sync(struct arm64_frame *frame, bool unexpected);
NORETURN void trap_stack_overflow(struct arm64_frame *frame, uint64_t sp);

/* Handlers by exception class. */
typedef void (*trap_handler)(struct vcpu *vcpu, struct arm64_frame *frame, uint64_t esr);
/** Place of register n of an emulated access: writes to XZR go nowhere, reads are zero. */
static inline uint64_t *trap_register(struct arm64_frame *frame, unsigned n)
{
    if (likely(n != 31))
        return &frame->x[n];
    frame->xzr = 0;
    return &frame->xzr;
}

/** Row of the dispatch table in vectors.S, 16 bytes. */
struct trap_class {
    trap_handler handler;
    uint64_t stat; /**< offset of its struct exit_stat in struct vcpu */
};
extern const struct trap_class trap_classes[];
void trap_sysreg(struct vcpu *vcpu, struct arm64_frame *frame, uint64_t esr);
void trap_aarch32(struct vcpu *vcpu, struct arm64_frame *frame, uint64_t esr);
void trap_data_abort(struct vcpu *vcpu, struct arm64_frame *frame, uint64_t esr);
void trap_instruction_abort(struct vcpu *vcpu, struct arm64_frame *frame, uint64_t esr);

/**
 * Access to a register by its key (SYSREG_KEY) as trapped instructions make it. 0: done; positive: the instruction is to
 * run again, the register is the guest's now; negative: there is no such register.
 */
int trap_sysreg_access(struct vcpu *vcpu, unsigned key, bool is_write, uint64_t *value);

/** Would the trapped AArch32 instruction, which says its condition, have been executed with these flags? */
bool trap_condition_holds(uint64_t esr, uint64_t spsr);
void trap_skip_aarch32(struct arm64_frame *frame, uint64_t esr);
/**
 * Step over the emulated instruction: PC, IT state of AArch32, single-step state (a debugger that
 * steps gets its exception after this instruction).
 */
static inline void trap_skip(struct arm64_frame *frame, uint64_t esr)
{
    if (unlikely(frame->spsr & SPSR_M_AARCH32)) {
        trap_skip_aarch32(frame, esr);
        return;
    }
    frame->elr += 4;
    frame->spsr &= ~(SPSR_SS | SPSR_BTYPE);
}
/** Remember the latest fault of the frame's VCPU, without an address; PC as it is. */
void trap_fault_record(struct arm64_frame *frame, uint64_t esr);
/** Take an exception to EL1 as hardware would (Arm ARM D1.3 "exception entry"). */
void trap_inject(struct arm64_frame *frame, uint64_t esr, uint64_t far, bool set_far);
void trap_inject_undef(struct arm64_frame *frame, uint64_t esr);
/** An abort; iss: its status and the bits of the cause that hardware would show (WnR, CM). */
void trap_inject_abort(struct arm64_frame *frame, bool instruction, uint64_t iss, uint64_t far);
