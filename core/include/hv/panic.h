// SPDX-License-Identifier: Apache-2.0
// Stopping the machine on the hypervisor's own bugs, with registers and a symbolised back-trace. Room: base.
#pragma once

#include <lib/macros.h>

/** Print cause, CPU, VCPU, registers and back-trace, stop all CPUs. Any context. */
NORETURN PRINTF(1, 2) void panic(const char *fmt, ...);

/** For bugs of the hypervisor only; never reachable from guest, operator, DTB or image input. */
#ifdef CONFIG_ASSERT
#define ASSERT(cond)                                                                               \
    do {                                                                                           \
        if (unlikely(!(cond)))                                                                     \
            panic_assert(#cond, __FILE_NAME__, __LINE__);                                          \
    } while (0)
#else
#define ASSERT(cond) ((void)sizeof(!(cond)))
#endif
/** Out of line, so that an ASSERT costs a compare and a branch. */
NORETURN void panic_assert(const char *cond, const char *file, int line);

/** Lines that describe what is running (current VCPU); handed in by the scheduler so that base need not know it. */
extern void (*panic_describe_hook)(void (*print)(const char *fmt, ...));

/** Print an address as "function+0x12". Any context. */
void panic_print_symbol(void (*print)(const char *fmt, ...), unsigned long addr);
/** Print the back-trace that starts at a frame pointer. Any context. */
void panic_print_backtrace(void (*print)(const char *fmt, ...), unsigned long fp);
/** Direct, lock-free print to the early console. Any context. */
PRINTF(1, 2) void panic_print(const char *fmt, ...);
