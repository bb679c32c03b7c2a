// SPDX-License-Identifier: Apache-2.0
// Memory that only a guest's configuration can have: read-only (rom=ADDRESS, with this program in it) and the same bytes
// or registers at a second address (alias=ADDRESS of alias-of=ADDRESS, uart-alias=ADDRESS).
#include "tables.h"

#define PROGRAM 0x40080000ul /* where guest.ld puts this */
#define ROM_COMPARED 4096
#define FIELD(reg, bit) ((unsigned)((reg) >> (bit)) & 15)
#define PAR_SAMPLE 0x12345000ul

static __attribute__((noinline, aligned(16))) uint64_t rom_function(uint64_t a, uint64_t b)
{
    return a + 3 * b;
}

static void check_reads(uint64_t rom)
{
    uint64_t result = 0;
    trap_fn in_rom = (trap_fn)(rom + ((uintptr_t)rom_function - PROGRAM));
    bool done = trap_try(in_rom, 2, 5, &result, NULL);

    report("rom.content", !memcmp((const void *)rom, (const void *)PROGRAM, ROM_COMPARED), "-");
    report("rom.execute", done && result == 17, "returned %d with %lu", done, result);
}

static void check_writes(uint64_t rom)
{
    static const struct {
        const char *name;
        uint32_t code;
        bool lse;
    } writes[] = {
        {"rom.strb", 0x39000001, false},  {"rom.str_w", 0xb9000001, false},
        {"rom.str_x", 0xf9000001, false}, {"rom.str_xzr", 0xf900001f, false},
        {"rom.stp", 0xa9000801, false},   {"rom.str_post", 0xf8008401, false},
        {"rom.str_q", 0x3d800001, false}, {"rom.stlr", 0xc89ffc01, false},
        {"rom.zva", 0xd50b7420, false},   {"rom.swp", 0xf8218002, true},
        {"rom.ldadd", 0xf8210002, true},
    };
    uint64_t at = rom + 128, before = *(volatile uint64_t *)at;
    bool has_lse = FIELD(sysreg_read(id_aa64isar0_el1), 20) >= 2;

    for (unsigned i = 0; i < sizeof(writes) / sizeof(writes[0]); i++) {
        struct trap trap = {0};

        if (writes[i].lse && !has_lse)
            continue;
        sysreg_write(par_el1, PAR_SAMPLE);
        bool done = trap_try_code(&writes[i].code, 1, at, ~before, NULL, &trap);
        report(writes[i].name,
               !done && trap.esr == ESR_SEA_WRITE && trap.far == at && trap.elr == 0 &&
                   trap.x[0] == at && *(volatile uint64_t *)at == before &&
                   (sysreg_read(par_el1) & 0xfffff000) == PAR_SAMPLE,
               "executed %d esr 0x%lx far 0x%lx x0 0x%lx PAR 0x%lx", done, trap.esr, trap.far,
               trap.x[0], sysreg_read(par_el1));
    }
}

/* A load-exclusive is fine, the store is the abort. */
static void check_exclusive(uint64_t rom)
{
    uint32_t code[] = {0xc85f7c02, 0xc8037c01}; /* ldxr x2, [x0]; stxr w3, x1, [x0] */
    uint64_t at = rom + 64, before = *(volatile uint64_t *)at;
    struct trap trap = {0};
    bool done = trap_try_code(code, 2, at, ~before, NULL, &trap);

    report("rom.stxr",
           !done && trap.esr == ESR_SEA_WRITE && trap.elr == 4 && trap.x[2] == before &&
               *(volatile uint64_t *)at == before,
           "executed %d esr 0x%lx elr +0x%lx", done, trap.esr, trap.elr);
}

/* Cache maintenance is no write; a translation for writing is stage 1's business. */
static void check_harmless(uint64_t rom)
{
    uint32_t codes[] = {0xd50b7a20, 0xd50b7e20, 0xd50b7520, 0xd5087820};
    unsigned aborts = 0;

    for (unsigned i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
        aborts += !trap_try_code(&codes[i], 1, rom, 0, NULL, NULL);
    report("rom.maintenance", !aborts && !(sysreg_read(par_el1) & 1), "%u aborts, PAR 0x%lx",
           aborts, sysreg_read(par_el1));
}

/* Tables in read-only memory: walks read them, and an address that they do not map faults in stage 1. */
static void check_tables(uint64_t rom)
{
    struct tables t;
    struct trap trap;
    uint64_t va, first = *(volatile uint64_t *)rom;

    tables_init(&t, 12, 39);
    va = tables_base(&t);
    tables_map(&t, va, rom, DESC_RAM, 3);
    tables_use(&t, (uintptr_t)t.root);
    report("rom.mapped", *(volatile uint64_t *)va == first, "0x%lx", *(volatile uint64_t *)va);
    trap = tables_store(va + 24);
    report("rom.mapped_store", trap.esr == ESR_SEA_WRITE && trap.far == va + 24,
           "esr 0x%lx far 0x%lx", trap.esr, trap.far);
    tables_end();
}

static void case_rom(void)
{
    uint64_t rom = boot_number("rom", 0);

    if (!rom) {
        report_skip("rom", "no read-only memory here");
        return;
    }
    check_reads(rom);
    check_writes(rom);
    check_exclusive(rom);
    check_harmless(rom);
    check_tables(rom);
}

static void case_alias(void)
{
    volatile uint64_t *alias = (uint64_t *)boot_number("alias", 0);
    volatile uint64_t *original = (uint64_t *)boot_number("alias-of", 0);
    uint64_t uart = boot_number("uart-alias", 0);
    uint32_t failed;
    uint64_t value;

    if (!alias || !original) {
        report_skip("alias", "no region at two addresses here");
        return;
    }
    original[0] = 0x1111;
    original[511] = 0x2222;
    alias[1] = 0x3333;
    report("alias.memory", alias[0] == 0x1111 && alias[511] == 0x2222 && original[1] == 0x3333,
           "0x%lx 0x%lx 0x%lx", alias[0], alias[511], original[1]);
    __asm__ volatile("1: ldxr %1, [%2]\n\tadd %1, %1, #1\n\tstxr %w0, %1, [%2]\n\tcbnz %w0, 1b"
                     : "=&r"(failed), "=&r"(value)
                     : "r"(alias)
                     : "memory");
    report("alias.exclusive", original[0] == 0x1112, "0x%lx", original[0]);
    report("alias.device",
           mmio_read32(uart + UART_PERIPHID0) == mmio_read32(UART_BASE + UART_PERIPHID0) &&
               mmio_read32(uart + UART_CR) == mmio_read32(UART_BASE + UART_CR),
           "0x%x", mmio_read32(uart + UART_PERIPHID0));
}

TEST_CASE("memory.rom", 1, case_rom);
TEST_CASE("memory.alias", 1, case_alias);
