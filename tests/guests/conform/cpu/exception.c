// SPDX-License-Identifier: Apache-2.0
// Exceptions that stay in the guest: syndrome and return address as on hardware.
#include "../conform.h"

static void expect(const char *name, uint32_t code, uint64_t a, uint64_t esr, uint64_t elr)
{
    struct trap trap = {0};
    bool done = trap_try_code(&code, 1, a, 0, NULL, &trap);

    report(name, !done && trap.vector == 4 && trap.esr == esr && trap.elr == elr,
           "executed %d vector %lu esr 0x%lx elr +0x%lx", done, trap.vector, trap.esr, trap.elr);
}

static void check_illegal_return(const char *name, uint64_t spsr)
{
    /* msr spsr_el1, x0; adr x1, .+12; msr elr_el1, x1; eret; nop */
    static const uint32_t code[] = {0xd5184000, 0x10000061, 0xd5184021, 0xd69f03e0, 0xd503201f};
    struct trap trap = {0};
    bool done = trap_try_code(code, 5, spsr, 0, NULL, &trap);

    report(name, !done && trap.esr == 0x3a000000, "executed %d esr 0x%lx", done, trap.esr);
}

/* The immediate of each instruction is in the syndrome, all of it. */
static void check_immediates(const char *name, uint32_t code, uint32_t esr, uint64_t elr)
{
    unsigned wrong = 0;

    for (uint32_t bit = 0; bit <= 16; bit++) {
        uint32_t imm = bit == 16 ? 0xffff : 1u << bit, word = code | imm << 5;
        struct trap trap = {0};

        trap_try_code(&word, 1, 0, 0, NULL, &trap);
        wrong += trap.esr != (esr | imm) || trap.elr != elr;
    }
    report(name, !wrong, "%u of 17", wrong);
}

/* SPSR.IL makes the return itself legal and the next instruction illegal; what is saved says IL again. */
static void check_illegal_state(void)
{
    static const uint32_t code[] = {0xd5184000, 0x10000061, 0xd5184021, 0xd69f03e0, 0xd503201f};
    struct trap trap = {0};

    trap_try_code(code, 5, 0x1003c5, 0, NULL, &trap);
    report("exception.illegal_state",
           trap.esr == 0x3a000000 && trap.elr == 16 && trap.spsr == 0x1003c5 && trap.vector == 4,
           "vector %lu esr 0x%lx elr +0x%lx spsr 0x%lx", trap.vector, trap.esr, trap.elr, trap.spsr);
}

static void case_exception(void)
{
    uint64_t odd = (uintptr_t)case_exception + 2;
    uint32_t branch = 0xd61f0000; /* br x0 */
    struct trap trap = {0};

    expect("exception.svc", 0xd40000a1, 0, 0x56000005, 4);
    expect("exception.brk", 0xd42000a0, 0, 0xf2000005, 0);
    expect("exception.udf", 0x00000000, 0, ESR_UNDEF, 0);
    expect("exception.hlt", 0xd4400020, 0, ESR_UNDEF, 0);
    expect("exception.stage1", 0xb9400000, 0xc0000000, 0x96000005, 0);
    bool done = trap_try_code(&branch, 1, odd, 0, NULL, &trap);
    report("exception.pc_align", !done && trap.esr == 0x8a000000 && trap.far == odd,
           "executed %d esr 0x%lx far 0x%lx", done, trap.esr, trap.far);
    check_illegal_return("exception.eret_el2h", 0x3c9);
    check_illegal_return("exception.eret_el3h", 0x3cd);
    check_illegal_return("exception.eret_reserved", 0x3c2);
    check_illegal_return("exception.eret_el1_aarch32", 0x1d3);
    check_illegal_state();
    check_immediates("exception.svc_all", 0xd4000001, 0x56000000, 4);
    check_immediates("exception.brk_all", 0xd4200000, 0xf2000000, 0);
}

TEST_CASE("cpu.exception", 1, case_exception);
