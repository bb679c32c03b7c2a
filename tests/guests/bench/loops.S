/* SPDX-License-Identifier: Apache-2.0 */
/* What is measured: x0 = rounds, x1 = address. Three instructions of each round are the loop itself. */

    .macro loop_of name
    .global loop_\name
loop_\name:
    mov x9, x0
    .balign 16
1:
    .endm

    .macro loop_end
    subs x9, x9, #1
    b.ne 1b
    ret
    .endm

loop_of empty
    nop
    loop_end

loop_of null_hvc
    mov w0, #0x4b000000
    hvc #0
    loop_end

loop_of null_smc
    mov w0, #0x4b000000
    .inst 0xd4000003 /* smc #0 */
    loop_end

loop_of psci_version
    mov w0, #0x84000000
    hvc #0
    loop_end

loop_of id_register
    mrs x2, id_aa64pfr0_el1
    loop_end

loop_of cntpct
    mrs x2, cntpct_el0
    loop_end

loop_of load
    ldr w2, [x1]
    loop_end

loop_of store
    str wzr, [x1]
    loop_end

loop_of priority_mask
    mov x2, #0xf0
    msr S3_0_C4_C6_0, x2 /* ICC_PMR_EL1 */
    loop_end

/* Vectors of the interrupt measurements: stamps at entry, before and after EOI, to where TPIDR_EL0 points. */
    .balign 2048
    .global bench_vectors
bench_vectors:
    .skip 0x280
    stp x0, x1, [sp, #-48]!
    stp x2, x3, [sp, #16]
    stp x4, x5, [sp, #32]
    isb
    mrs x1, cntvct_el0
    mrs x0, S3_0_C12_C12_0 /* ICC_IAR1_EL1 */
    msr cntv_ctl_el0, xzr
    isb
    mrs x2, cntvct_el0
    msr S3_0_C12_C12_1, x0 /* ICC_EOIR1_EL1 */
    isb
    mrs x3, cntvct_el0
    mrs x4, tpidr_el0
    stp x1, x2, [x4]
    ldr x5, [x4, #24]
    add x5, x5, #1
    stp x3, x5, [x4, #16]
    ldp x4, x5, [sp, #32]
    ldp x2, x3, [sp, #16]
    ldp x0, x1, [sp], #48
    eret
