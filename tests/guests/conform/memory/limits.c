// SPDX-License-Identifier: Apache-2.0
// The edges of the address space: the end of RAM inside an access, the last physical address, and what is behind it.
#include "tables.h"

#define ESR_ADDRESS_SIZE 0x96000003u /* level 3 */
#define TCR_IPS_48 (5ul << 32)

static unsigned address_bits(void)
{
    static const uint8_t bits[] = {32, 36, 40, 42, 44, 48, 52};
    unsigned range = sysreg_read(id_aa64mmfr0_el1) & 15;

    return range < sizeof(bits) ? bits[range] : 48;
}

/* The part of an access that is behind RAM aborts, and registers stay. */
static void check_ram_end(void)
{
    static const struct {
        const char *name;
        uint32_t code;
        unsigned before;
        uint32_t esr;
    } accesses[] = {
        {"limit.ram_end.ldr_x", 0xf9400001, 4, ESR_SEA_READ},
        {"limit.ram_end.ldr_w", 0xb9400001, 1, ESR_SEA_READ},
        {"limit.ram_end.ldrh", 0x79400001, 1, ESR_SEA_READ},
        {"limit.ram_end.str_x", 0xf9000001, 7, ESR_SEA_WRITE},
        {"limit.ram_end.ldp", 0xa9400801, 8, ESR_SEA_READ},
        {"limit.ram_end.stp", 0xa9000801, 8, ESR_SEA_WRITE},
        {"limit.ram_end.ldr_q", 0x3dc00001, 8, ESR_SEA_READ},
    };
    uint64_t end = boot_info.ram_base + boot_info.ram_size;

    for (unsigned i = 0; i < sizeof(accesses) / sizeof(accesses[0]); i++) {
        uint64_t addr = end - accesses[i].before;
        struct trap trap = {0};
        bool done = trap_try_code(&accesses[i].code, 1, addr, 0x77, NULL, &trap);

        report(accesses[i].name,
               !done && trap.esr == accesses[i].esr && trap.elr == 0 && trap.x[0] == addr &&
                   trap.x[1] == 0x77 && (trap.far == addr || trap.far == end),
               "executed %d esr 0x%lx far 0x%lx x1 0x%lx", done, trap.esr, trap.far, trap.x[1]);
    }
}

static void check_last_address(void)
{
    unsigned bits = address_bits() < 48 ? address_bits() : 48;
    struct tables t;
    struct trap trap;
    uint64_t va;

    tables_init(&t, 12, 39);
    va = tables_base(&t);
    t.tcr = TCR_IPS_48;
    tables_map(&t, va, (1ul << bits) - 4096, DESC_RAM, 3);
    if (bits < 48)
        tables_map(&t, va + 4096, 1ul << bits, DESC_RAM, 3);
    tables_use(&t, (uintptr_t)t.root);
    trap = tables_load(va);
    if (!boot_is_guest() && !trap.esr)
        report_skip("limit.last_address", "the machine has a PCI window there");
    else
        report("limit.last_address", trap.esr == ESR_SEA_READ && trap.far == va,
               "esr 0x%lx far 0x%lx", trap.esr, trap.far);
    trap = tables_load(va + 4096);
    if (bits < 48)
        report("limit.beyond", trap.esr == ESR_ADDRESS_SIZE && trap.far == va + 4096,
               "esr 0x%lx far 0x%lx", trap.esr, trap.far);
    else
        report_skip("limit.beyond", "no descriptor can say such an address");
    tables_end();
}

static void case_limits(void)
{
    check_ram_end();
    check_last_address();
}

TEST_CASE("memory.limits", 1, case_limits);
