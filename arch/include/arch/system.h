// SPDX-License-Identifier: Apache-2.0
// Contract: the machine as a whole.
#pragma once

#include <lib/macros.h>
#include <stdbool.h>
#include <stdint.h>

/** Power off / restart the machine through firmware; halts this CPU if firmware refuses. Any context. */
NORETURN void arch_system_off(void);
NORETURN void arch_system_reset(void);
/** Stop this CPU for good with interrupts masked. */
NORETURN void arch_system_halt(void);
/** Sleep until an interrupt is pending (WFI). IRQs masked by the caller; returns with them still masked. No guest interrupt may wake it. */
void arch_system_idle(void);
/** May any VCPU that runs call arch_system_idle(), or only the idle one? Any context. */
bool arch_system_idles_anywhere(void);
/** One line that describes the CPU this runs on ("Arm Cortex-A72 r0p3, MIDR 0x410fd083"). Normal/Orphan. */
void arch_system_cpu_name(char *buf, unsigned size);

/** Walk frames from fp: up to max return addresses into pcs; every step is checked to be mapped. Any context. */
unsigned arch_system_backtrace(uintptr_t fp, uintptr_t *pcs, unsigned max);
/**
 * The same for what this CPU's interrupt has interrupted: first the address where it was. 0 when that was a guest. IRQ
 * context.
 */
unsigned arch_system_interrupted(uintptr_t *pcs, unsigned max);
/** Frame pointer of the caller. */
uintptr_t arch_system_frame(void);
/** Print the trapped register frame, if this CPU is in an exception (panic only). */
void arch_system_dump_regs(void (*print)(const char *fmt, ...));
/** Start of the image in memory (offset 0 of the symbol table). */
uintptr_t arch_system_image_base(void);
/** DTB handed over by firmware (host-physical in x0), already mapped; size bytes are readable. NULL when none. */
const void *arch_system_fdt(uint64_t *size);

/** Start-up can not go on: code for the image's word "boot_reason", text for the early console. Boot context. */
enum boot_failure { BOOT_FAILURE_FDT = 4, BOOT_FAILURE_MEMORY = 5, BOOT_FAILURE_DEVICE = 6 };
NORETURN void arch_system_boot_failed(enum boot_failure failure, const char *text);
