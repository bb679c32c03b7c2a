/* SPDX-License-Identifier: Apache-2.0 */
/* EL2 vectors: exits of guests store straight into the frame of their VCPU; EL2's own exceptions check SP first. */
#include <asm_offsets.h>

/* Stores x0-x29 of the frame at sp. */
    .macro  save_x0_x29
    stp     x0, x1, [sp, #0]
    stp     x2, x3, [sp, #16]
    stp     x4, x5, [sp, #32]
    stp     x6, x7, [sp, #48]
    stp     x8, x9, [sp, #64]
    stp     x10, x11, [sp, #80]
    stp     x12, x13, [sp, #96]
    stp     x14, x15, [sp, #112]
    stp     x16, x17, [sp, #128]
    stp     x18, x19, [sp, #144]
    stp     x20, x21, [sp, #160]
    stp     x22, x23, [sp, #176]
    stp     x24, x25, [sp, #192]
    stp     x26, x27, [sp, #208]
    stp     x28, x29, [sp, #224]
    .endm

/* x30, ELR, SPSR complete the frame. Leaves ELR in x22 and SPSR in x23. */
    .macro  save_rest
    mrs     x22, elr_el2
    mrs     x23, spsr_el2
    stp     x30, x22, [sp, #240]
    str     x23, [sp, #256]
    .endm

/*
 * A guest exit. SP is the top of the VCPU's stack, where its frame lives; frame.vcpu is set once. What follows it has
 * x19 = VCPU, x0, x1 = VCPU, frame.
 */
    .macro  guest_exit
    sub     sp, sp, #FRAME_SIZE
    save_x0_x29
    save_rest
    ldr     x19, [sp, #FRAME_VCPU]
    mrs     x20, cntpct_el0
    mov     x29, xzr
    mov     x1, sp
    mov     x0, x19
    str     x20, [x19, #VCPU_EXIT_START]
    .endm

    .macro  guest_exit_sync
    .align  7
    guest_exit
    mrs     x2, esr_el2
    b       guest_sync
    .endm

/* x20 = offset of the cause's statistics in the VCPU. */
    .macro  guest_exit_to handler, stat
    .align  7
    guest_exit
    mov     x20, #\stat
#ifdef CONFIG_DEBUG_LATENCY
    bl      latency_exit_begin
    mov     x1, sp
    mov     x0, x19
#endif
    bl      \handler
    b       exit_account
    .endm

/*
 * An exception of EL2 itself. Stacks lie in the lower half of slots of twice their size, so the bit of that size is
 * clear in every good SP. The test needs no free register: two subtractions swap SP and x0.
 */
    .macro  check_stack
    sub     sp, sp, #FRAME_SIZE
    add     sp, sp, x0
    sub     x0, sp, x0
    tbnz    x0, #STACK_SHIFT, stack_overflow
    sub     x0, sp, x0
    sub     sp, sp, x0
    .endm

    .macro  vector target
    .align  7
    b       \target
    .endm

    .section .vectors, "ax"
    .align  11
    .global vectors
vectors:
    vector  el2_bad             /* EL2t: SP_EL0 is never used */
    vector  el2_bad
    vector  el2_bad
    vector  el2_bad
    vector  el2_sync
    vector  el2_irq
    vector  el2_irq             /* FIQ: Group 0 where EL2 owns it, same handler */
    vector  el2_bad
    guest_exit_sync
    guest_exit_to hv_irq, VCPU_STAT_INTERRUPT
    guest_exit_to hv_irq, VCPU_STAT_INTERRUPT
    guest_exit_to trap_guest_serror, VCPU_STAT_OTHER
    guest_exit_sync             /* AArch32 EL0 under an AArch64 EL1 */
    guest_exit_to hv_irq, VCPU_STAT_INTERRUPT
    guest_exit_to hv_irq, VCPU_STAT_INTERRUPT
    guest_exit_to trap_guest_serror, VCPU_STAT_OTHER

    .text

/* x2 = ESR: handler and place of the statistics by exception class. */
guest_sync:
#ifdef CONFIG_DEBUG_LATENCY
    mov     x21, x2
    bl      latency_exit_begin
    mov     x2, x21
    mov     x1, sp
    mov     x0, x19
#endif
    adrp    x3, trap_classes
    add     x3, x3, #:lo12:trap_classes
    ubfx    x4, x2, #26, #6
    add     x3, x3, x4, lsl #4
    ldp     x4, x20, [x3]
    blr     x4

/* One more exit of the cause at x19 + x20. */
exit_account:
    mrs     x3, cntpct_el0
    ldr     x4, [x19, #VCPU_EXIT_START]
    add     x20, x19, x20
    ldp     x0, x1, [x20]
    ldr     x2, [x20, #STAT_MAX]
    sub     x3, x3, x4
    add     x0, x0, #1
    add     x1, x1, x3
    stp     x0, x1, [x20]
    cmp     x3, x2
    b.hi    2f

/* SP = frame, x19 = VCPU, interrupts masked: the only way into a guest. With CONFIG_DEBUG_LATENCY x20 = exit's statistics or 0. */
    .global exit_to_guest
exit_to_guest:
    ldr     w0, [x19, #VCPU_EXIT_WORK]
    cbnz    w0, 1f
#ifdef CONFIG_DEBUG_LATENCY
    mov     x1, x20
    mov     x0, x19
    bl      latency_exit_end
#endif
    ldr     x23, [sp, #FRAME_SPSR]
    ldp     x30, x22, [sp, #FRAME_LR]
    msr     elr_el2, x22
    msr     spsr_el2, x23
    ldp     x0, x1, [sp, #0]
    ldp     x2, x3, [sp, #16]
    ldp     x4, x5, [sp, #32]
    ldp     x6, x7, [sp, #48]
    ldp     x8, x9, [sp, #64]
    ldp     x10, x11, [sp, #80]
    ldp     x12, x13, [sp, #96]
    ldp     x14, x15, [sp, #112]
    ldp     x16, x17, [sp, #128]
    ldp     x18, x19, [sp, #144]
    ldp     x20, x21, [sp, #160]
    ldp     x22, x23, [sp, #176]
    ldp     x24, x25, [sp, #192]
    ldp     x26, x27, [sp, #208]
    ldp     x28, x29, [sp, #224]
    add     sp, sp, #FRAME_SIZE
    eret
    dsb     nsh                 /* no speculation past ERET */
    isb
1:  mov     x0, x19
    bl      hv_exit_to_guest
    b       exit_to_guest
2:  str     x3, [x20, #STAT_MAX]
    b       exit_to_guest

/* An interrupt of hypervisor code: the interrupted C keeps its callee-saved registers by itself. */
el2_irq:
    check_stack
    stp     x0, x1, [sp, #0]
    stp     x2, x3, [sp, #16]
    stp     x4, x5, [sp, #32]
    stp     x6, x7, [sp, #48]
    stp     x8, x9, [sp, #64]
    stp     x10, x11, [sp, #80]
    stp     x12, x13, [sp, #96]
    stp     x14, x15, [sp, #112]
    stp     x16, x17, [sp, #128]
    str     x18, [sp, #144]
    stp     x22, x23, [sp, #176]
    str     x29, [sp, #232]
    save_rest
    stp     x29, x22, [sp, #-16]!   /* a frame record for back-traces */
    mov     x29, sp
#ifdef CONFIG_DEBUG_LATENCY
    bl      latency_irqs_off
#endif
    bl      hv_irq
    .global el2_irq_return
el2_irq_return:
    bl      sched_preempt_irq
el2_return:
    add     sp, sp, #16
#ifdef CONFIG_DEBUG_LATENCY
    ldr     x0, [sp, #FRAME_SPSR]
    tbnz    x0, #7, 1f          /* PSTATE.I: it was masked before */
    bl      latency_irqs_on
1:
#endif
    ldr     x0, [sp, #256]
    ldp     x30, x1, [sp, #240]
    msr     elr_el2, x1
    msr     spsr_el2, x0
    ldr     x29, [sp, #232]
    ldp     x22, x23, [sp, #176]
    ldr     x18, [sp, #144]
    ldp     x16, x17, [sp, #128]
    ldp     x14, x15, [sp, #112]
    ldp     x12, x13, [sp, #96]
    ldp     x10, x11, [sp, #80]
    ldp     x8, x9, [sp, #64]
    ldp     x6, x7, [sp, #48]
    ldp     x4, x5, [sp, #32]
    ldp     x2, x3, [sp, #16]
    ldp     x0, x1, [sp, #0]
    add     sp, sp, #FRAME_SIZE
    eret
    dsb     nsh
    isb

el2_sync:
    check_stack
    save_x0_x29
    save_rest
    stp     x29, x22, [sp, #-16]!
    mov     x29, sp
#ifdef CONFIG_DEBUG_LATENCY
    bl      latency_irqs_off
#endif
    add     x0, sp, #16
    mov     x1, xzr
    bl      trap_el2_sync
    b       el2_return          /* a thread may use FP from now on */

el2_bad:
    check_stack
    save_x0_x29
    save_rest
    stp     x29, x22, [sp, #-16]!
    mov     x29, sp
    add     x0, sp, #16
    mov     x1, #1
    bl      trap_el2_sync

/* x0 and SP are mixed up here: x0 = SP before the exception minus FRAME_SIZE, SP = that plus the old x0. */
stack_overflow:
    msr     tpidr_el0, x1       /* the machine is about to stop: no guest will run again */
    msr     tpidrro_el0, x0
    sub     x0, sp, x0
    adrp    x1, emergency_stack_top
    add     x1, x1, :lo12:emergency_stack_top
    mov     sp, x1
    mrs     x1, tpidr_el0
    sub     sp, sp, #FRAME_SIZE
    save_x0_x29
    save_rest
    stp     x29, x22, [sp, #-16]!
    mov     x29, sp
    mrs     x1, tpidrro_el0
    add     x1, x1, #FRAME_SIZE
    add     x0, sp, #16
    bl      trap_stack_overflow

    .section .bss.emergency, "aw", %nobits
    .align  4
    .space  4096
emergency_stack_top:
    .section .note.GNU-stack, "", %progbits
