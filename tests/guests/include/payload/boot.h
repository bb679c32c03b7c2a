// SPDX-License-Identifier: Apache-2.0
// What the boot loader said: boot arguments and the few facts of the device tree that payloads use.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BOOT_CPUS_MAX 8

struct boot_info {
    unsigned cpu_count;
    uint64_t mpidr[BOOT_CPUS_MAX];
    unsigned gic_version;
    char psci_method[8];
    char args[256];
    uint64_t counter; /**< the virtual counter when C began */
    uint64_t ram_base, ram_size;
};
extern struct boot_info boot_info;

void boot_parse(const void *fdt);
/** Is the word NAME, or NAME=…, among the boot arguments? */
bool boot_flag(const char *name);
/** Number of NAME=number (decimal or 0x…), or fallback. */
uint64_t boot_number(const char *name, uint64_t fallback);
/** Is word one of the comma separated words of NAME=a,b,c? True also when there is no NAME=. */
bool boot_selects(const char *name, const char *word);
/** Running as a guest of Bulkhead (boot argument host=bulkhead), not on the bare machine. */
bool boot_is_guest(void);
