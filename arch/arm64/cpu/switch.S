/* SPDX-License-Identifier: Apache-2.0 */
/* Switch between EL2 stacks, and the first steps on a new one. */
#include <asm_offsets.h>

    .text
/* struct vcpu *arch_vcpu_switch(struct vcpu *prev, struct vcpu *next): returns prev, on next's stack. */
    .global arch_vcpu_switch
arch_vcpu_switch:
    ldrb    w2, [x0, #VCPU_FP_OPEN]
    cbnz    w2, leave_fp
1:  stp     x19, x20, [x0, #SW_X19]
    stp     x21, x22, [x0, #SW_X19 + 16]
    stp     x23, x24, [x0, #SW_X19 + 32]
    stp     x25, x26, [x0, #SW_X19 + 48]
    stp     x27, x28, [x0, #SW_X19 + 64]
    stp     x29, x30, [x0, #SW_X19 + 80]
    mov     x2, sp
    str     x2, [x0, #SW_SP]
    ldp     x19, x20, [x1, #SW_X19]
    ldp     x21, x22, [x1, #SW_X19 + 16]
    ldp     x23, x24, [x1, #SW_X19 + 32]
    ldp     x25, x26, [x1, #SW_X19 + 48]
    ldp     x27, x28, [x1, #SW_X19 + 64]
    ldp     x29, x30, [x1, #SW_X19 + 80]
    ldr     x2, [x1, #SW_SP]
    mov     sp, x2
    ret

/* prev has FP open: not for whoever comes. */
leave_fp:
    stp     x29, x30, [sp, #-32]!
    stp     x0, x1, [sp, #16]
    mov     x29, sp
    bl      fp_leave
    ldp     x0, x1, [sp, #16]
    ldp     x29, x30, [sp], #32
    b       1b

/* First steps of a thread: x19 = entry, x20 = argument, x0 = the VCPU that ran before. */
    .global switch_start_orphan
switch_start_orphan:
    bl      sched_switch_finish
    mov     x29, xzr
    mov     x30, xzr
    msr     daifclr, #3
    mov     x0, x20
    blr     x19
    brk     #1                  /* entry never returns */

/* First steps of a normal VCPU: SP = its frame, x19 = itself. */
    .global switch_start_normal
switch_start_normal:
    bl      sched_switch_finish
    mov     x29, xzr
    b       exit_to_guest
    .section .note.GNU-stack, "", %progbits
