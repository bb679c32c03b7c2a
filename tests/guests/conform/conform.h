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
