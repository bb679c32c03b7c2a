/* SPDX-License-Identifier: Apache-2.0 */
/* Entry of the boot CPU and of those started by PSCI: MMU on, stack, vectors, C. */

    .section .text.start, "ax"
    .global _start
_start:
    mov x20, x0
    ldr x19, =cpus
    bl cpu_setup
    ldr x0, =_bss_start
    ldr x1, =_bss_end
1:  cmp x0, x1
    b.hs 2f
    stp xzr, xzr, [x0], #16
    b 1b
2:  ldr x0, =boot_stack_top
    mov sp, x0
    ldr x19, =cpus
    str x0, [x19]
    mov x0, x20
    bl payload_start
    b .

    .global secondary_start
secondary_start:
    mov x19, x0
    bl cpu_setup
    ldr x0, [x19]
    mov sp, x0
    mov x0, x19
    bl payload_secondary
    b .

/* Identity map, caches on, vectors, FP open, x19 = struct cpu. */
cpu_setup:
    ldr x0, =vectors
    msr vbar_el1, x0
    msr tpidr_el1, x19
    mov x0, #(3 << 20)
    msr cpacr_el1, x0
    mov x0, #0xff04 /* attribute 0: Device-nGnRE, 1: Normal write-back */
    msr mair_el1, x0
    ldr x0, =0x280803519 /* 4 KiB, 39 bits, write-back inner shareable, no TTBR1, 40-bit output */
    msr tcr_el1, x0
    ldr x0, =identity_map
    msr ttbr0_el1, x0
    isb
    tlbi vmalle1
    dsb nsh
    isb
    ldr x0, =0x30d0198d /* RES1, EOS, EIS; I, C, M; SA, SA0 */
    msr sctlr_el1, x0
    isb
    ret

    .data
    .balign 4096
    .global identity_map
identity_map:
    .quad 0x0060000000000401                 /* 0..1 GiB: devices, never executed by accident */
    .quad 0x0000000000000705 | 0x40000000    /* 1..2 GiB: RAM */
    .quad 0x0000000000000745 | 0x40000000    /* 2..3 GiB: the same RAM for EL0 */
    .fill 250, 8, 0
    .quad 0x0000000000000401                 /* 253..254 GiB: the devices again, executable */
    .quad 0x0000000000000705 | 0x3f80000000  /* 254..255 GiB: nothing there, executable */
    .quad 0x0060000000000401 | 0x3fc0000000  /* 255..256 GiB: nothing there, device attribute */
    .fill 256, 8, 0

    .bss
    .balign 16
    .skip 16384
boot_stack_top:
