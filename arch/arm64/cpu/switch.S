/* SPDX-License-Identifier: Apache-2.0 */
/* Switch between EL2 stacks, and the first steps on a new one. */
#include <asm_offsets.h>

    .text
/* x0 = prev, x1 = next; returns both as they are, on next's stack. What a call clobbers is more than usual: port/switch.h. */
    .global switch_stacks
switch_stacks:
    ldrb    w2, [x0, #VCPU_FP_OPEN]
    cbnz    w2, leave_fp
1:  mov     x2, sp
    stp     x29, x30, [x0, #SW_FP]
    str     x2, [x0, #SW_SP]
    ldp     x29, x30, [x1, #SW_FP]
    ldr     x2, [x1, #SW_SP]
    mov     sp, x2
    ret

/*
 * prev has FP open: not for a thread that comes. A normal VCPU loads its own traps with its world before it runs its guest,
 * and in the hypervisor it uses no FP; should it be switched away before, it passes on what it has found.
 */
leave_fp:
    ldrb    w3, [x0, #VCPU_IS_NORMAL]
    ldrb    w4, [x1, #VCPU_IS_NORMAL]
    tst     w3, w4
    b.eq    2f
    strb    w2, [x1, #VCPU_FP_OPEN]
    b       1b
2:
    stp     x29, x30, [sp, #-32]!
    stp     x0, x1, [sp, #16]
    mov     x29, sp
    bl      fp_leave
    ldp     x0, x1, [sp, #16]
    ldp     x29, x30, [sp], #32
    b       1b

/* First steps of a thread: x0 = the VCPU that ran before, x1 = itself. */
    .global switch_start_orphan
switch_start_orphan:
    ldp     x19, x20, [x1, #SW_FIRST]
    bl      sched_switch_finish
    mov     x29, xzr
    mov     x30, xzr
#ifdef CONFIG_DEBUG_LATENCY
    bl      latency_irqs_on
    mov     x30, xzr
#endif
    msr     daifclr, #3
    mov     x0, x20
    blr     x19
    brk     #1                  /* entry never returns */

/* First steps of a normal VCPU: SP = its frame, x0 and x1 as above. */
    .global switch_start_normal
switch_start_normal:
    mov     x19, x1
    bl      sched_switch_finish
    mov     x29, xzr
#ifdef CONFIG_DEBUG_LATENCY
    mov     x20, xzr            /* it comes from no exit */
#endif
    b       exit_to_guest
    .section .note.GNU-stack, "", %progbits
