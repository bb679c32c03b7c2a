// SPDX-License-Identifier: Apache-2.0
// Symbols of the linker script and of head.S.
#pragma once

#include <lib/macros.h>
#include <stdint.h>

extern char _head[], __text_end[], __rodata_end[], __data_end[], __file_end[], __boot_stack[],
    __boot_stack_top[], _end[];

/** What a secondary CPU reads with its MMU off; layout is known to head.S. */
struct boot_secondary {
    uint64_t percpu_offset;
    uint64_t stack_top;
    uint64_t cpu;
    uint64_t root;
};

void secondary_entry(void);
/** Leave the reason code, print text on the early UART, stop. */
NORETURN void boot_stop(uint32_t reason, const char *text);

/* Called from head.S. */
void boot_map(uint64_t fdt);
NORETURN void boot_primary(uint64_t fdt);
NORETURN void boot_secondary(unsigned cpu);
