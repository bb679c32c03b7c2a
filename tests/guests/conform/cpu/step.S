/* SPDX-License-Identifier: Apache-2.0 */
/* step_start(code, x1): runs code at EL1 with one step allowed, debug exceptions open; it returns here by RET. */

    .global step_start
step_start:
    mov x20, x30
    mrs x9, mdscr_el1
    mov x10, #0xa001                /* MDE, KDE, SS */
    orr x9, x9, x10
    msr mdscr_el1, x9
    isb
    mov x10, #0x1c5                 /* EL1h, A I F */
    orr x10, x10, #(1 << 21)        /* SS */
    msr spsr_el1, x10
    msr elr_el1, x0
    adr x30, 1f
    mov x0, x1
    isb
    eret
1:  msr daifset, #8
    mov x30, x20
    ret
