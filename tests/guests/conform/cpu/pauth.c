// SPDX-License-Identifier: Apache-2.0
// Pointer authentication and branch targets: instructions work with the guest's keys, and BTYPE ends with an emulated one.
#include "../memory/tables.h"

#define FIELD(reg, bit) ((unsigned)((reg) >> (bit)) & 15)
#define SCTLR_ENIA (1ul << 31)
#define PRIORITY (GICD_BASE + GICD_IPRIORITYR + 56)
#define PAGE 4096

static uint8_t pages[2 * PAGE] __attribute__((aligned(PAGE)));

static uint64_t pacga(uint64_t value, uint64_t modifier)
{
    uint32_t code = 0x9ac13000; /* pacga x0, x0, x1 */
    uint64_t result = 0;

    trap_try_code(&code, 1, value, modifier, &result, NULL);
    return result;
}

static void check_keys(void)
{
    uint64_t first, second, third;

    sysreg_write(s3_0_c2_c3_0, 0x1111111122222222);
    sysreg_write(s3_0_c2_c3_1, 0x3333333344444444);
    isb();
    first = pacga(0x5555, 7);
    sysreg_write(s3_0_c2_c3_0, 0x9111111122222222);
    isb();
    second = pacga(0x5555, 7);
    sysreg_write(s3_0_c2_c3_0, 0x1111111122222222);
    isb();
    third = pacga(0x5555, 7);
    report("pauth.generic", first && first == third && first != second, "0x%lx 0x%lx 0x%lx", first,
           second, third);
}

static void check_pointers(void)
{
    uint32_t code[] = {0xdac10020, 0xaa0003e2, 0xdac11020,
                       0xd4200000}; /* pacia, mov x2, autia, brk */
    uint64_t sctlr = sysreg_read(sctlr_el1), pointer = (uintptr_t)pages;
    struct trap trap = {0};

    sysreg_write(s3_0_c2_c1_0, 0x0123456789abcdef);
    sysreg_write(s3_0_c2_c1_1, 0xfedcba9876543210);
    sysreg_write(sctlr_el1, sctlr | SCTLR_ENIA);
    isb();
    trap_try_code(code, 4, pointer, 5, NULL, &trap);
    sysreg_write(sctlr_el1, sctlr);
    isb();
    report("pauth.pointer",
           TRAP_EC(trap) == EC_BRK && trap.x[0] == pointer && trap.x[2] != pointer &&
               (trap.x[2] & 0x7fffffffff) == pointer,
           "esr 0x%lx signed 0x%lx authenticated 0x%lx", trap.esr, trap.x[2], trap.x[0]);
}

/* The load is the target of a branch, on a page that is not guarded; the next instruction is on one that is. */
static void check_branch_type(void)
{
    uint32_t jump = 0xd61f0020; /* br x1 */
    uint32_t *end = (uint32_t *)&pages[PAGE];
    struct trap trap = {0};
    struct tables t;
    uint64_t va;

    end[-1] = 0xb9400001; /* ldr w1, [x0] */
    end[0] = 0xd65f03c0;  /* ret */
    trap_sync_code(end - 1, 8);
    tables_init(&t, 12, 39);
    va = tables_base(&t);
    tables_map(&t, va, (uintptr_t)pages, DESC_RAM, 3);
    tables_map(&t, va + PAGE, (uintptr_t)pages + PAGE, DESC_RAM | DESC_GP, 3);
    tables_use(&t, (uintptr_t)t.root);
    bool done = trap_try_code(&jump, 1, PRIORITY, va + PAGE - 4, NULL, &trap);
    bool guarded = !trap_try_code(&jump, 1, PRIORITY, va + PAGE, NULL, &trap);
    tables_end();
    report("bti.emulated", done, "a branch target exception after an emulated load");
    report("bti.guarded", guarded && (trap.esr >> 26) == 0x0d, "guarded %d esr 0x%lx", guarded,
           trap.esr);
}

static void case_pauth(void)
{
    uint64_t isar1 = sysreg_read(id_aa64isar1_el1);

    if (FIELD(isar1, 24) || FIELD(isar1, 28))
        check_keys();
    if (FIELD(isar1, 4) || FIELD(isar1, 8))
        check_pointers();
    if (FIELD(sysreg_read(id_aa64pfr1_el1), 0))
        check_branch_type();
}

TEST_CASE("cpu.pauth", 1, case_pauth);
