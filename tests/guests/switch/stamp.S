/* SPDX-License-Identifier: Apache-2.0 */
/* Stamps without end: struct sample { mine last stamp of this guest before, other's last, first after }. */

    .arch_extension fp

/* bool switch_stamp(uint64_t *mine, const uint64_t *other, uint64_t gap, uint64_t sample[3]) */
    .global switch_stamp
switch_stamp:
    mov x9, #0
    mrs x5, cntpct_el0
    .balign 16
    /* FP first: who comes back has to have its registers before it stamps. */
1:  fmov d0, x9
    mrs x6, cntpct_el0
    str x6, [x0]
    sub x7, x6, x5
    mov x5, x6
    cmp x7, x2
    b.lo 1b
    ldr x8, [x1]
    sub x5, x6, x7
    stp x5, x8, [x3]
    str x6, [x3, #16]
    ret
