/* SPDX-License-Identifier: Apache-2.0 */
/* Where CPU_ON starts a CPU in the cases about how it does that. MMU and caches stay off: what is stored is in memory. */
#include "entry.h"

/* void entry_slots[8]: each leaves its own number and the context in entry_record, waits until it may go, and is off. */
    .text
    .balign ENTRY_SLOT_SIZE
    .global entry_slots
entry_slots:
    .irp slot, 0, 1, 2, 3, 4, 5, 6, 7
    mov x1, #\slot
    b record
    .balign ENTRY_SLOT_SIZE
    .endr

record:
    adrp x2, entry_record
    add x2, x2, :lo12:entry_record
    mrs x3, currentel
    mrs x4, daif
    mrs x5, spsel
    mrs x6, sctlr_el1
    mrs x7, mpidr_el1
    stp x1, x3, [x2, #16]
    stp x4, x5, [x2, #32]
    stp x6, x7, [x2, #48]
    ldr x8, [x2]
    add x8, x8, #1
    str x0, [x2, #8]
    dmb sy
    str x8, [x2] /* the last one: with it the record is complete */
    dsb sy
    adrp x2, entry_control
    add x2, x2, :lo12:entry_control
1:  yield
    ldr x3, [x2]
    cmp x3, x8
    b.lo 1b
    ldr x3, [x2, #8]
    ldr x0, =0x84000002 /* CPU_OFF */
    cbnz x3, 2f
    .inst 0xd4000002 /* HVC #0 */
    b .
2:  .inst 0xd4000003 /* SMC #0 */
    b .
