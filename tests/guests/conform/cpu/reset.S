/* SPDX-License-Identifier: Apache-2.0 */
/* What CPU_ON starts first: x0 = struct reset_dump, which takes all registers; then the usual start. */

    .global reset_probe
reset_probe:
    stp x1, x2, [x0, #8]
    stp x3, x4, [x0, #24]
    stp x5, x6, [x0, #40]
    stp x7, x8, [x0, #56]
    stp x9, x10, [x0, #72]
    stp x11, x12, [x0, #88]
    stp x13, x14, [x0, #104]
    stp x15, x16, [x0, #120]
    stp x17, x18, [x0, #136]
    stp x19, x20, [x0, #152]
    stp x21, x22, [x0, #168]
    stp x23, x24, [x0, #184]
    stp x25, x26, [x0, #200]
    stp x27, x28, [x0, #216]
    stp x29, x30, [x0, #232]
    mov x1, sp
    str x1, [x0, #248]
    add x1, x0, #256
    .irp reg, sp_el0, tpidr_el0, tpidrro_el0, tpidr_el1, vbar_el1, mair_el1, ttbr0_el1, ttbr1_el1, \
        tcr_el1, contextidr_el1, elr_el1, esr_el1, far_el1, par_el1, cntkctl_el1, csselr_el1, \
        cntv_ctl_el0, cntp_ctl_el0, mdscr_el1, afsr0_el1, amair_el1, sctlr_el1, cpacr_el1, spsr_el1, \
        currentel, daif, spsel, mpidr_el1
    mrs x2, \reg
    str x2, [x1], #8
    .endr
    mov x3, #(3 << 20)
    msr cpacr_el1, x3
    isb
    .arch_extension fp
    .arch_extension simd
    mov x4, #0
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    umov x2, v\n\().d[0]
    umov x3, v\n\().d[1]
    orr x4, x4, x2
    orr x4, x4, x3
    .endr
    mrs x2, fpcr
    mrs x3, fpsr
    orr x4, x4, x2
    orr x4, x4, x3
    str x4, [x1]
    dsb sy
    ldr x0, [x0]
    b secondary_start

/* Everything that the probe looks at gets a value; the CPU is switched off next. */
    .global reset_dirty
reset_dirty:
    mov x0, #0x5550
    .irp reg, sp_el0, tpidr_el0, tpidrro_el0, ttbr1_el1, contextidr_el1, elr_el1, esr_el1, far_el1, \
        par_el1, afsr0_el1, amair_el1, spsr_el1
    msr \reg, x0
    .endr
    mov x0, #3
    msr cntkctl_el1, x0
    mov x0, #2
    msr cntv_ctl_el0, x0
    msr cntp_ctl_el0, x0
    msr csselr_el1, x0
    mov x0, #0x2000
    msr mdscr_el1, x0
    ret
