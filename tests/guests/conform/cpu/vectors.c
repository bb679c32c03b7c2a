// SPDX-License-Identifier: Apache-2.0
// Each origin of an exception has its vector: EL1 with SP_EL0, EL1 with SP_EL1, EL0 in AArch64 and in AArch32.
#include "user.h"

#define SPSEL_0 0xd50040bfu
#define A64_LOAD 0xb9400001u /* ldr w1, [x0] */
#define A64_SVC 0xd40000a1u
#define A32_LOAD 0xe5901000u /* ldr r1, [r0] */
#define A32_SVC 0xef000005u
#define SCTLR_NTWI (1ul << 16)
#define SPSR_EL1T 0x3c4u
#define SPSR_EL1H 0x3c5u
#define SPSR_INCIDENTAL 0xf0000c00ul /* condition flags; BTYPE, which need not be valid for these */

static void judge(const char *name, const struct trap *trap, const struct trap *want)
{
    report(name,
           trap->vector == want->vector && trap->esr == want->esr && trap->elr == want->elr &&
               (trap->spsr & ~SPSR_INCIDENTAL) == want->spsr,
           "vector %lu esr 0x%lx elr +0x%lx spsr 0x%lx", trap->vector, trap->esr, trap->elr,
           trap->spsr);
}

static void check_el1(void)
{
    uint32_t svc_t[] = {SPSEL_0, A64_SVC}, load_t[] = {SPSEL_0, A64_LOAD};
    uint32_t svc = A64_SVC, load = A64_LOAD;
    struct trap trap = {0};

    trap_try_code(svc_t, 2, 0, 0, NULL, &trap);
    judge("vector.el1t.svc", &trap,
          &(struct trap){.vector = 0, .esr = 0x56000005, .elr = 8, .spsr = SPSR_EL1T});
    trap_try_code(load_t, 2, HOLE, 0, NULL, &trap);
    judge("vector.el1t.abort", &trap,
          &(struct trap){.vector = 0, .esr = ESR_SEA_READ, .elr = 4, .spsr = SPSR_EL1T});
    trap_try_code(&svc, 1, 0, 0, NULL, &trap);
    judge("vector.el1h.svc", &trap,
          &(struct trap){.vector = 4, .esr = 0x56000005, .elr = 4, .spsr = SPSR_EL1H});
    trap_try_code(&load, 1, HOLE, 0, NULL, &trap);
    judge("vector.el1h.abort", &trap,
          &(struct trap){.vector = 4, .esr = ESR_SEA_READ, .elr = 0, .spsr = SPSR_EL1H});
}

static void check_el0(void)
{
    uint32_t svc = A64_SVC, load = A64_LOAD, undef = CODE_MRS(3, 0, 0, 1, 0);
    struct el0_entry user = {.spsr = SPSR_EL0, .x = {USER_DEVICES + HOLE}};
    struct trap trap = {0};

    user_run(&svc, 1, &user, &trap);
    judge("vector.el0.svc", &trap,
          &(struct trap){.vector = 8, .esr = 0x56000005, .elr = 4, .spsr = SPSR_EL0});
    user_run(&load, 1, &user, &trap);
    judge("vector.el0.abort", &trap,
          &(struct trap){.vector = 8, .esr = 0x92000010, .elr = 0, .spsr = SPSR_EL0});
    report("vector.el0.far", trap.far == USER_DEVICES + HOLE, "0x%lx", trap.far);
    user_run(&undef, 1, &user, &trap);
    report("vector.el0.undef", trap.vector == 8 && trap.elr == 0, "vector %lu elr +0x%lx",
           trap.vector, trap.elr);
}

/* Where EL1 says so, a process that waits traps to EL1 and no further; else it waits until an interrupt is there. */
static void check_wait(void)
{
    uint32_t wait = 0xd503207f, code[] = {0xd503207f, A64_SVC};
    struct el0_entry user = {.spsr = SPSR_EL0};
    uint64_t sctlr = sysreg_read(sctlr_el1);
    struct trap trap = {0};

    user_run(&wait, 1, &user, &trap);
    judge("vector.el0.wfi", &trap,
          &(struct trap){.vector = 8, .esr = 0x07e00000, .elr = 0, .spsr = SPSR_EL0});
    sysreg_write(sctlr_el1, sctlr | SCTLR_NTWI);
    isb();
    gic_enable(TIMER_VIRT_INTID);
    timer_start(false, 2000);
    user_run(code, 2, &user, &trap);
    bool due = sysreg_read(cntv_ctl_el0) & TIMER_ISTATUS;
    timer_stop(false);
    gic_disable(TIMER_VIRT_INTID);
    sysreg_write(sctlr_el1, sctlr);
    isb();
    report("vector.el0.wfi_waits", TRAP_EC(trap) == EC_SVC && due, "esr 0x%lx due %d", trap.esr,
           due);
}

static void check_aarch32(void)
{
    uint32_t svc = A32_SVC, load = A32_LOAD, udf = 0xe7f000f0;
    struct el0_entry user = {.spsr = SPSR_A32, .x = {USER_DEVICES + HOLE}};
    struct trap trap = {0};

    user_run(&svc, 1, &user, &trap);
    judge("vector.aarch32.svc", &trap,
          &(struct trap){.vector = 12, .esr = 0x46000005, .elr = 4, .spsr = SPSR_A32});
    user_run(&load, 1, &user, &trap);
    judge("vector.aarch32.abort", &trap,
          &(struct trap){.vector = 12, .esr = 0x92000010, .elr = 0, .spsr = SPSR_A32});
    report("vector.aarch32.far", trap.far == USER_DEVICES + HOLE, "0x%lx", trap.far);
    user_run(&udf, 1, &user, &trap);
    judge("vector.aarch32.undef", &trap,
          &(struct trap){.vector = 12, .esr = ESR_UNDEF, .elr = 0, .spsr = SPSR_A32});
}

static void case_vectors(void)
{
    check_el1();
    user_open();
    check_el0();
    check_wait();
    if (user_has_aarch32())
        check_aarch32();
    else
        report_skip("vector.aarch32", "this CPU has none");
    user_close();
}

TEST_CASE("cpu.vectors", 1, case_vectors);
