// SPDX-License-Identifier: Apache-2.0
// The cases of the conformance payload, one function each; a name is what "case=" selects.
#pragma once

#include <payload/arch.h>
#include <payload/boot.h>
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

void case_id(void);
void case_sysreg(void);
void case_exception(void);
void case_abort(void);
void case_mmio(void);
void case_pl011(void);
void case_psci(void);
void case_smccc(void);
void case_gic(void);
void case_gic_order(void);
void case_gic_many(void);
void case_sgi(void);
void case_timer(void);
void case_timer_edges(void);
void case_fp(void);
void case_smp(void);
void case_smp_sgi(void);
void case_smp_cycle(void);

/* FP registers: v0..v31 all derived from seed; the number of registers that differ. */
void fp_fill(uint64_t seed);
uint64_t fp_mismatches(uint64_t seed);
