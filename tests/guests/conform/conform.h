// SPDX-License-Identifier: Apache-2.0
// What all conformance cases share. A case is a function registered by TEST_CASE, in the folder of its group.
#pragma once

#include <payload/arch.h>
#include <payload/boot.h>
#include <payload/cases.h>
#include <payload/console.h>
#include <payload/gic.h>
#include <payload/psci.h>
#include <payload/report.h>
#include <payload/smp.h>
#include <payload/string.h>
#include <payload/timer.h>
#include <payload/trap.h>

#define HOLE 0x0b000000ul         /* nothing on QEMU virt, nothing in the default guest map */
#define EXEC_DEVICES 0x3f40000000 /* devices once more, executable in stage 1 */
#define EXEC_HOLE 0x3f80000000
#define HIGH_HOLE 0x3fc0000000

#define ESR_UNDEF 0x02000000u
#define ESR_SEA_READ 0x96000010u
#define ESR_SEA_WRITE 0x96000050u
#define ESR_SEA_FETCH 0x86000010u

/* FP registers: v0..v31 all derived from seed; the number of registers that differ. */
void fp_fill(uint64_t seed);
uint64_t fp_mismatches(uint64_t seed);

/** The devices as the start found them. */
#define FOUND_WORDS 3 /* INTIDs 0 to 95 */
struct found {
    uint32_t uart_fr, uart_ibrd, uart_fbrd, uart_lcrh, uart_cr, uart_ifls, uart_imsc, uart_ris;
    uint32_t uart_dmacr, gic_ctlr, cntv_ctl, cntp_ctl;
    uint32_t enabled[FOUND_WORDS], pending[FOUND_WORDS], active[FOUND_WORDS];
};
extern struct found found;
