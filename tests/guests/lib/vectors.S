/* SPDX-License-Identifier: Apache-2.0 */
/* Exception vectors, and the call that survives an expected exception. */

#define FRAME_SIZE 288 /* x0..x30, elr, spsr, esr, far */

    .macro vector index
    .balign 128
    sub sp, sp, #FRAME_SIZE
    stp x0, x1, [sp]
    mov x1, #\index
    b trap_entry
    .endm

    .text
    .balign 2048
    .global vectors
vectors:
    vector 0
    vector 1
    vector 2
    vector 3
    vector 4
    vector 5
    vector 6
    vector 7
    vector 8
    vector 9
    vector 10
    vector 11
    vector 12
    vector 13
    vector 14
    vector 15
    .balign 128

trap_entry:
    stp x2, x3, [sp, #16]
    stp x4, x5, [sp, #32]
    stp x6, x7, [sp, #48]
    stp x8, x9, [sp, #64]
    stp x10, x11, [sp, #80]
    stp x12, x13, [sp, #96]
    stp x14, x15, [sp, #112]
    stp x16, x17, [sp, #128]
    stp x18, x19, [sp, #144]
    stp x20, x21, [sp, #160]
    stp x22, x23, [sp, #176]
    stp x24, x25, [sp, #192]
    stp x26, x27, [sp, #208]
    stp x28, x29, [sp, #224]
    mrs x2, elr_el1
    mrs x3, spsr_el1
    mrs x4, esr_el1
    mrs x5, far_el1
    stp x30, x2, [sp, #240]
    stp x3, x4, [sp, #256]
    str x5, [sp, #272]
    mov x0, sp
    bl trap_handle
    ldp x30, x2, [sp, #240]
    ldr x3, [sp, #256]
    msr elr_el1, x2
    msr spsr_el1, x3
    ldp x2, x3, [sp, #16]
    ldp x4, x5, [sp, #32]
    ldp x6, x7, [sp, #48]
    ldp x8, x9, [sp, #64]
    ldp x10, x11, [sp, #80]
    ldp x12, x13, [sp, #96]
    ldp x14, x15, [sp, #112]
    ldp x16, x17, [sp, #128]
    ldp x18, x19, [sp, #144]
    ldp x20, x21, [sp, #160]
    ldp x22, x23, [sp, #176]
    ldp x24, x25, [sp, #192]
    ldp x26, x27, [sp, #208]
    ldp x28, x29, [sp, #224]
    ldp x0, x1, [sp], #FRAME_SIZE
    eret

/* bool trap_guard(struct trap_context *ctx, fn, a, b): ctx->regs = callee-saved registers, sp and daif. */
    .global trap_guard
trap_guard:
    stp x19, x20, [x0]
    stp x21, x22, [x0, #16]
    stp x23, x24, [x0, #32]
    stp x25, x26, [x0, #48]
    stp x27, x28, [x0, #64]
    stp x29, x30, [x0, #80]
    mov x9, sp
    mrs x10, daif
    stp x9, x10, [x0, #96]
    mov x19, x0
    mov x9, x1
    mov x0, x2
    mov x1, x3
    blr x9
    str x0, [x19, #112]
    mov x0, x19
    mov w1, #1
    b trap_leave

/* Where the handler returns to after an expected exception, with x0 = ctx. */
    .global trap_landing
trap_landing:
    mov w1, #0
trap_leave:
    ldp x19, x20, [x0]
    ldp x21, x22, [x0, #16]
    ldp x23, x24, [x0, #32]
    ldp x25, x26, [x0, #48]
    ldp x27, x28, [x0, #64]
    ldp x29, x30, [x0, #80]
    ldp x9, x10, [x0, #96]
    mov sp, x9
    msr daif, x10
    mov w0, w1
    ret

/* uint64_t el0_enter(const struct el0_entry *entry, unused): left by an exception only. */
    .global el0_enter
el0_enter:
    mov x30, x0
    ldp x0, x1, [x30]
    msr elr_el1, x0
    msr spsr_el1, x1
    ldp x0, x1, [x30, #16]
    ldp x2, x3, [x30, #32]
    ldp x4, x5, [x30, #48]
    ldp x6, x7, [x30, #64]
    .irp n, 8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30
    mov x\n, #0
    .endr
    eret

    .macro smccc_call name, insn
    .global \name
\name:
    stp x29, x30, [sp, #-32]!
    stp x19, x18, [sp, #16]
    mov x19, x0
    ldp x0, x1, [x19]
    ldp x2, x3, [x19, #16]
    ldp x4, x5, [x19, #32]
    ldp x6, x7, [x19, #48]
    ldp x8, x9, [x19, #64]
    ldp x10, x11, [x19, #80]
    ldp x12, x13, [x19, #96]
    ldp x14, x15, [x19, #112]
    ldp x16, x17, [x19, #128]
    .inst \insn /* assemblers differ in what they let EL1 code say */
    stp x0, x1, [x19]
    stp x2, x3, [x19, #16]
    stp x4, x5, [x19, #32]
    stp x6, x7, [x19, #48]
    stp x8, x9, [x19, #64]
    stp x10, x11, [x19, #80]
    stp x12, x13, [x19, #96]
    stp x14, x15, [x19, #112]
    stp x16, x17, [x19, #128]
    ldp x19, x18, [sp, #16]
    ldp x29, x30, [sp], #32
    ret
    .endm

    smccc_call smccc_hvc, 0xd4000002
    smccc_call smccc_smc, 0xd4000003
