// SPDX-License-Identifier: Apache-2.0
// Accesses where nothing is: the synchronous external abort that the bare machine gives.
#include "../conform.h"

/* Instructions with the address in x0 and data in x1 (x2). */
static const struct {
    const char *name;
    uint32_t code, esr;
} accesses[] = {
    {"abort.ldrb", 0x39400001, ESR_SEA_READ},     {"abort.ldrh", 0x79400001, ESR_SEA_READ},
    {"abort.ldr_w", 0xb9400001, ESR_SEA_READ},    {"abort.ldr_x", 0xf9400001, ESR_SEA_READ},
    {"abort.ldrsw", 0xb9800001, ESR_SEA_READ},    {"abort.ldr_xzr", 0xf940001f, ESR_SEA_READ},
    {"abort.ldar", 0x88dffc01, ESR_SEA_READ},     {"abort.ldp", 0xa9400801, ESR_SEA_READ},
    {"abort.ldr_post", 0xf8408401, ESR_SEA_READ}, {"abort.strb", 0x39000001, ESR_SEA_WRITE},
    {"abort.strh", 0x79000001, ESR_SEA_WRITE},    {"abort.str_w", 0xb9000001, ESR_SEA_WRITE},
    {"abort.str_x", 0xf9000001, ESR_SEA_WRITE},   {"abort.str_xzr", 0xf900001f, ESR_SEA_WRITE},
    {"abort.stlr", 0x889ffc01, ESR_SEA_WRITE},    {"abort.stp", 0xa9000801, ESR_SEA_WRITE},
    {"abort.str_pre", 0xf8008c01, ESR_SEA_WRITE},
};

static void expect_at(const char *name, uint32_t code, uint64_t addr, uint64_t far, uint32_t esr)
{
    struct trap trap = {0};
    bool done = trap_try_code(&code, 1, addr, 0, NULL, &trap);

    report(name, !done && trap.vector == 4 && trap.esr == esr && trap.far == far && trap.elr == 0,
           "executed %d vector %lu esr 0x%lx far 0x%lx elr +0x%lx", done, trap.vector, trap.esr,
           trap.far, trap.elr);
}

static void expect_fetch(const char *name, uint64_t addr)
{
    struct trap trap = {0};
    bool done = trap_try((trap_fn)addr, 0, 0, NULL, &trap);

    report(name, !done && trap.esr == ESR_SEA_FETCH && trap.far == addr && trap.elr == addr,
           "executed %d esr 0x%lx far 0x%lx elr 0x%lx", done, trap.esr, trap.far, trap.elr);
}

static void case_abort(void)
{
    uint64_t end = boot_info.ram_base + boot_info.ram_size;

    for (unsigned i = 0; i < sizeof(accesses) / sizeof(accesses[0]); i++) {
        uint64_t addr = HOLE + 64 * i;
        uint64_t far = strcmp(accesses[i].name, "abort.str_pre") ? addr : addr + 8;

        expect_at(accesses[i].name, accesses[i].code, addr, far, accesses[i].esr);
    }
    expect_at("abort.high", 0xf9400001, HIGH_HOLE + 0x2345678, HIGH_HOLE + 0x2345678, ESR_SEA_READ);
    expect_fetch("abort.fetch", EXEC_HOLE + 0x1234);
    if (end < 0x80000000)
        expect_at("abort.ram_end", 0xf9400001, end, end, ESR_SEA_READ);
    if (boot_is_guest()) {
        expect_fetch("abort.fetch_uart", EXEC_DEVICES + UART_BASE);
        expect_fetch("abort.fetch_gicd", EXEC_DEVICES + GICD_BASE);
    }
}

TEST_CASE("memory.abort", 1, case_abort);
