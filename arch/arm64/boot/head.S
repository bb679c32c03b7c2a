/* SPDX-License-Identifier: Apache-2.0 */
/* Entry of the image: header, checks, relocation, MMU on; for the boot CPU and for secondaries. */
#include <arm64/reason.h>

#define IMAGE_FLAGS 0xa /* little endian, 4 KiB pages, anywhere in memory */

#define HCR_HOST ((1 << 31) | (1 << 5) | (1 << 4) | (1 << 3)) /* RW; AMO, IMO, FMO: EL2 takes interrupts */
#define SCTLR_EL2_RES1 0x30c50830
#define SCTLR_EL2_ON (SCTLR_EL2_RES1 | (1 << 0) | (1 << 2) | (1 << 3) | (1 << 12) | (1 << 19))
#define MAIR_VALUE 0x44ff04 /* 0: Device-nGnRE, 1: Normal write-back, 2: Normal non-cacheable */
#define TCR_EL2_BASE 0x80803510 /* RES1, 4 KiB granule, inner shareable, write-back, T0SZ 16 */
#define FDT_MAGIC_LE 0xedfe0dd0

    .macro  address reg, sym
    adrp    \reg, \sym
    add     \reg, \reg, :lo12:\sym
    .endm

    .section .head.text, "ax"
    .global _head
_head:
    b       primary_entry
    .long   0
    .quad   0                   /* text offset */
    .quad   _image_size
    .quad   IMAGE_FLAGS
    .quad   0, 0, 0
    .ascii  "ARM\x64"
    .long   0

/* x0: physical address of the DTB (Linux boot protocol). Keeps it in x21. */
primary_entry:
    msr     daifset, #0xf
    mov     x21, x0
    mrs     x1, CurrentEL
    cmp     x1, #(2 << 2)
    b.ne    not_el2
    address x1, _head
    tst     x1, #0x1fffff
    b.ne    misaligned
    bl      el2_setup
    bl      clear_bss
    bl      relocate
    address x1, early_vectors
    msr     vbar_el2, x1
    isb
    cbz     x21, no_dtb
    tst     x21, #7
    b.ne    no_dtb
    ldr     w1, [x21]
    ldr     w2, =FDT_MAGIC_LE
    cmp     w1, w2
    b.ne    no_dtb
    address x1, __boot_stack_top
    mov     sp, x1
    mov     x29, xzr
    mov     x0, x21
    bl      boot_map
    bl      invalidate_data
    address x0, stage1_root
    bl      mmu_on
    mov     x29, xzr
    mov     x30, xzr
    mov     x0, x21
    b       boot_primary

/* x0: physical address of struct boot_secondary {percpu offset, stack top, cpu, root table}. */
    .global secondary_entry
secondary_entry:
    msr     daifset, #0xf
    mov     x20, x0
    mrs     x1, CurrentEL
    cmp     x1, #(2 << 2)
    b.ne    stop
    bl      el2_setup
    ldr     x0, [x20, #24]
    bl      mmu_on
    ldp     x1, x2, [x20]
    ldr     x0, [x20, #16]
    msr     tpidr_el2, x1
    mov     sp, x2
    mov     x29, xzr
    mov     x30, xzr
    b       boot_secondary

/* Firmware leaves arbitrary values: every EL2 control register is written in full. */
el2_setup:
    ldr     x1, =HCR_HOST
    msr     hcr_el2, x1
    ldr     x1, =SCTLR_EL2_RES1
    msr     sctlr_el2, x1
    mov     x1, #0x33ff
    orr     x1, x1, #(1 << 8)       /* TZ */
    orr     x1, x1, #(1 << 10)      /* TFP */
    msr     cptr_el2, x1
    mrs     x1, id_aa64dfr0_el1
    ubfx    x1, x1, #8, #4          /* PMUVer: HPMN counts only where there is a PMU */
    cbz     x1, 1f
    cmp     x1, #0xf
    b.eq    1f
    mrs     x1, pmcr_el0
    ubfx    x1, x1, #11, #5
    b       2f
1:  mov     x1, xzr
2:  msr     mdcr_el2, x1
    msr     cnthctl_el2, xzr
    msr     cntvoff_el2, xzr
    msr     hstr_el2, xzr
    msr     vttbr_el2, xzr
    msr     tpidr_el2, xzr
    mov     x1, #1
    msr     spsel, x1
    isb
    ret

clear_bss:
    address x0, __file_end
    address x1, _end
1:  stp     xzr, xzr, [x0], #16
    stp     xzr, xzr, [x0], #16
    stp     xzr, xzr, [x0], #16
    stp     xzr, xzr, [x0], #16
    cmp     x0, x1
    b.lo    1b
    ret

/*
 * The image is linked at 0: add its address to every pointer in it. The table is that of tools/relocs.py:
 * an even word is the place of one, an odd one tells with bits 1 to 63 which of the next 63 words are.
 */
relocate:
    address x0, reloc_table
    address x1, reloc_table_end
    adrp    x2, _head
1:  cmp     x0, x1
    b.hs    4f
    ldr     x3, [x0], #8
    tbnz    x3, #0, 2f
    add     x4, x2, x3
    ldr     x5, [x4]
    add     x5, x5, x2
    str     x5, [x4], #8
    b       1b
2:  lsr     x3, x3, #1
    rbit    x3, x3
3:  clz     x6, x3                  /* the next one's number */
    ldr     x5, [x4, x6, lsl #3]
    add     x5, x5, x2
    str     x5, [x4, x6, lsl #3]
    mov     x5, #(1 << 63)
    lsr     x5, x5, x6
    bics    x3, x3, x5
    b.ne    3b
    add     x4, x4, #(63 * 8)
    b       1b
4:  ret

/* What was written with caches off must not be hidden by stale lines once they are on. */
invalidate_data:
    address x0, __text_end
    address x1, _end
    mrs     x2, ctr_el0
    ubfx    x2, x2, #16, #4
    mov     x3, #4
    lsl     x2, x3, x2
1:  dc      ivac, x0
    add     x0, x0, x2
    cmp     x0, x1
    b.lo    1b
    dsb     sy
    ret

/* x0: root table. */
mmu_on:
    ldr     x1, =MAIR_VALUE
    msr     mair_el2, x1
    ldr     x1, =TCR_EL2_BASE
    mrs     x2, id_aa64mmfr0_el1
    and     x2, x2, #0xf
    cmp     x2, #5                  /* 48 bits: no 52-bit descriptors here */
    mov     x3, #5
    csel    x2, x2, x3, lo
    orr     x1, x1, x2, lsl #16
    msr     tcr_el2, x1
    msr     ttbr0_el2, x0
    address x1, vectors
    msr     vbar_el2, x1
    dsb     sy
    tlbi    alle2
    ic      iallu
    dsb     sy
    isb
    ldr     x1, =SCTLR_EL2_ON
    msr     sctlr_el2, x1
    isb
    ret

not_el2:
    mov     w0, #BOOT_REASON_NOT_EL2
    address x1, text_not_el2
    b       boot_stop
misaligned:
    mov     w0, #BOOT_REASON_MISALIGNED
    address x1, text_misaligned
    b       boot_stop
no_dtb:
    mov     w0, #BOOT_REASON_NO_DTB
    address x1, text_no_dtb
    b       boot_stop

/* w0: reason code, x1: text. Works at any exception level, with or without MMU, without a stack. */
    .global boot_stop
boot_stop:
    adrp    x2, boot_reason
    str     w0, [x2, :lo12:boot_reason]
#ifdef CONFIG_EARLY_UART_PL011
    ldr     x2, =CONFIG_EARLY_UART_BASE
1:  ldrb    w3, [x1], #1
    cbz     w3, stop
2:  ldr     w4, [x2, #0x18]         /* UARTFR */
    tbnz    w4, #5, 2b              /* TXFF */
    str     w3, [x2]
    b       1b
#endif
stop:
    wfi
    b       stop

/* An exception before the MMU is on: most likely the DTB pointer was no address of RAM. */
    .align  11
early_vectors:
    .rept   16
    .align  7
    b       no_dtb
    .endr

    .section .rodata.boot, "a"
text_not_el2:
    .asciz  "\r\nBulkhead: not entered at EL2. Start the machine with virtualization (QEMU: -M virt,virtualization=on).\r\n"
text_misaligned:
    .asciz  "\r\nBulkhead: the image is not at a 2 MiB boundary. Load it at one.\r\n"
text_no_dtb:
    .asciz  "\r\nBulkhead: x0 holds no device tree. Pass the address of a DTB (8-byte aligned, in RAM).\r\n"

    .section .data.boot, "aw"
    .align  3
    .global boot_reason
boot_reason:
    .word   BOOT_REASON_NONE
    .word   0
    .section .note.GNU-stack, "", %progbits
