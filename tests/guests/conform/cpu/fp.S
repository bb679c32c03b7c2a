/* SPDX-License-Identifier: Apache-2.0 */
/* FP/SIMD registers filled and compared: v0..v31 hold seed + number in both halves. */

    .arch_extension fp
    .arch_extension simd

    .global fp_fill
fp_fill:
    mov x1, x0
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    dup v\n\().2d, x1
    add x1, x1, #1
    .endr
    mov x1, #0x00c00000 /* rounding towards zero */
    msr fpcr, x1
    mov x1, #0x0000001f
    msr fpsr, x1
    ret

    .global fp_mismatches
fp_mismatches:
    mov x1, x0
    mov x0, #0
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    umov x2, v\n\().d[0]
    umov x3, v\n\().d[1]
    cmp x2, x1
    ccmp x3, x1, #0, eq
    cinc x0, x0, ne
    add x1, x1, #1
    .endr
    mrs x2, fpcr
    mov x3, #0x00c00000
    cmp x2, x3
    cinc x0, x0, ne
    mrs x2, fpsr
    cmp x2, #0x1f
    cinc x0, x0, ne
    ret
