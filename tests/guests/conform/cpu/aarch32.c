// SPDX-License-Identifier: Apache-2.0
// AArch32 processes under an AArch64 kernel: calls, undefined and trapped instructions, conditions, IT blocks.
#include "user.h"

#define A32_SVC 0xef000007u
#define ESR_SVC32 0x46000007u
#define CNTKCTL_ALL 0x303ul       /* counters and timers open for EL0 */
#define PRIORITY_BITS 0xf8f8f8f8u /* of an interrupt controller with 32 priorities */
#define FAR_FUTURE 0x7fffffffu
#define SCTLR_NTWI (1ul << 16) /* EL0 may wait */

/* Two T32 halfwords, in the order of execution. */
#define T32(first, second) ((uint32_t)(second) << 16 | (first))
#define T32_NOP 0xbf00u
#define T32_SVC7 0xdf07u

static bool run(uint64_t spsr, const uint32_t *code, unsigned count, struct trap *trap, uint64_t r0,
                uint64_t r1)
{
    struct el0_entry user = {.spsr = spsr, .x = {r0, r1, 0x22222222, 0x33333333}};

    user_run(code, count, &user, trap);
    return trap->vector == 12 && trap->esr == ESR_SVC32;
}

static void expect_undef(const char *name, uint64_t spsr, uint32_t code)
{
    struct el0_entry user = {.spsr = spsr};
    struct trap trap = {0};

    user_run(&code, 1, &user, &trap);
    report(name, trap.vector == 12 && trap.esr == ESR_UNDEF && trap.elr == 0 && trap.spsr == spsr,
           "vector %lu esr 0x%lx elr +0x%lx spsr 0x%lx", trap.vector, trap.esr, trap.elr, trap.spsr);
}

static void check_calls(void)
{
    uint32_t svc_t = T32(T32_NOP, T32_SVC7), udf_t = T32(T32_NOP, 0xde01);
    uint32_t hvc = 0xe1400070, smc = 0xe1600070;
    struct el0_entry user = {.spsr = SPSR_T32};
    struct trap trap = {0};

    user_run(&svc_t, 1, &user, &trap);
    report("aarch32.svc_t32",
           trap.vector == 12 && trap.esr == 0x44000007 && trap.elr == 4 && trap.spsr == SPSR_T32,
           "vector %lu esr 0x%lx elr +0x%lx", trap.vector, trap.esr, trap.elr);
    user_run(&udf_t, 1, &user, &trap);
    report("aarch32.udf_t32", trap.vector == 12 && (trap.esr >> 26) == 0 && trap.elr == 2,
           "vector %lu esr 0x%lx elr +0x%lx", trap.vector, trap.esr, trap.elr);
    expect_undef("aarch32.udf", SPSR_A32, 0xe7f000f0);
    expect_undef("aarch32.hvc", SPSR_A32, hvc);
    expect_undef("aarch32.smc", SPSR_A32, smc);
    expect_undef("aarch32.midr", SPSR_A32, 0xee100f10);  /* mrc p15, 0, r0, c0, c0, 0 */
    expect_undef("aarch32.sctlr", SPSR_A32, 0xee110f10); /* mrc p15, 0, r0, c1, c0, 0 */
    expect_undef("aarch32.ttbr0", SPSR_A32, 0xee020f10); /* mcr p15, 0, r0, c2, c0, 0 */
}

/* Reads that EL0 may do, natively or by emulation: the same values as in AArch64. */
static void check_reads(void)
{
    struct trap trap = {0};
    uint32_t tpidr[] = {0xee1d0f70, A32_SVC}; /* mrc p15, 0, r0, c13, c0, 3 */
    uint32_t freq[] = {0xee1e0f10, A32_SVC};  /* mrc p15, 0, r0, c14, c0, 0 */
    uint32_t virt[] = {0xec510f1e, A32_SVC};  /* mrrc p15, 1, r0, r1, c14 */
    uint32_t phys[] = {0xec510f0e, A32_SVC};  /* mrrc p15, 0, r0, r1, c14 */

    sysreg_write(tpidrro_el0, 0x89abcdef);
    bool done = run(SPSR_A32, tpidr, 2, &trap, 0, 0);
    report("aarch32.tpidruro", done && trap.x[0] == 0x89abcdef, "esr 0x%lx r0 0x%lx", trap.esr,
           trap.x[0]);
    done = run(SPSR_A32, freq, 2, &trap, 0, 0);
    report("aarch32.cntfrq", done && trap.x[0] == timer_hz(), "esr 0x%lx r0 0x%lx", trap.esr,
           trap.x[0]);
    for (unsigned i = 0; i < 2; i++) {
        uint64_t before = i ? sysreg_read(cntpct_el0) : sysreg_read(cntvct_el0);

        done = run(SPSR_A32, i ? phys : virt, 2, &trap, 0, 0);
        uint64_t seen = (trap.x[1] << 32) | (uint32_t)trap.x[0];
        uint64_t after = i ? sysreg_read(cntpct_el0) : sysreg_read(cntvct_el0);
        report(i ? "aarch32.cntpct" : "aarch32.cntvct", done && seen >= before && seen <= after,
               "esr 0x%lx 0x%lx, not 0x%lx to 0x%lx", trap.esr, seen, before, after);
    }
}

static void check_timer(void)
{
    uint32_t cval[] = {0xec410f2e, A32_SVC};             /* mcrr p15, 2, r0, r1, c14 */
    uint32_t ctl[] = {0xee0e0f32, 0xee1e2f32, A32_SVC};  /* mcr, mrc r2 c14, c2, 1 */
    uint32_t tval[] = {0xee0e0f12, 0xee1e2f12, A32_SVC}; /* mcr, mrc r2 c14, c2, 0 */
    uint32_t cval_r[] = {0xec532f2e, A32_SVC};           /* mrrc p15, 2, r2, r3, c14 */
    struct trap trap = {0};
    bool done = run(SPSR_A32, cval, 2, &trap, 0x12345678, 0x7abcdef0);

    report("aarch32.cntp_cval", done && sysreg_read(cntp_cval_el0) == 0x7abcdef012345678,
           "esr 0x%lx 0x%lx", trap.esr, sysreg_read(cntp_cval_el0));
    done = run(SPSR_A32, cval_r, 2, &trap, 0, 0);
    report("aarch32.cntp_cval_read", done && trap.x[2] == 0x12345678 && trap.x[3] == 0x7abcdef0,
           "esr 0x%lx 0x%lx 0x%lx", trap.esr, trap.x[2], trap.x[3]);
    done = run(SPSR_A32, ctl, 3, &trap, TIMER_IMASK, 0);
    report("aarch32.cntp_ctl",
           done && trap.x[2] == TIMER_IMASK && sysreg_read(cntp_ctl_el0) == TIMER_IMASK,
           "esr 0x%lx r2 0x%lx", trap.esr, trap.x[2]);
    done = run(SPSR_A32, tval, 3, &trap, FAR_FUTURE, 0);
    report("aarch32.cntp_tval",
           done && trap.x[2] <= FAR_FUTURE && trap.x[2] > FAR_FUTURE - timer_hz(),
           "esr 0x%lx r2 0x%lx", trap.esr, trap.x[2]);
    sysreg_write(cntp_ctl_el0, 0);
    sysreg_write(cntkctl_el1, 0);
    isb();
    uint32_t read = 0xee1e0f32;
    struct el0_entry user = {.spsr = SPSR_A32};
    user_run(&read, 1, &user, &trap);
    report("aarch32.cntp_closed", (trap.esr >> 26) == 3 && trap.elr == 0, "esr 0x%lx", trap.esr);
    sysreg_write(cntkctl_el1, CNTKCTL_ALL);
    isb();
}

/* The condition of a trapped instruction fails: nothing happens. */
static void check_conditions(void)
{
    uint32_t skipped[] = {0x1e1e2f32, 0x1c532f2e, A32_SVC}; /* mrcne, mrrcne with Z set */
    uint32_t load[] = {0x15902000, A32_SVC};                /* ldrne r2, [r0] */
    struct trap trap = {0};
    bool done = run(SPSR_A32 | SPSR_Z, skipped, 3, &trap, 0, 0);

    report("aarch32.condition",
           done && trap.elr == 12 && trap.x[2] == 0x22222222 && trap.x[3] == 0x33333333,
           "esr 0x%lx elr +0x%lx r2 0x%lx", trap.esr, trap.elr, trap.x[2]);
    done = run(SPSR_A32 | SPSR_Z, load, 2, &trap, USER_DEVICES + HOLE, 0);
    report("aarch32.condition_load", done && trap.elr == 8, "esr 0x%lx elr +0x%lx", trap.esr,
           trap.elr);
}

/* WFI waits for an interrupt, masked or not; one whose condition fails for nothing. */
static void check_wfi(void)
{
    uint64_t sctlr = sysreg_read(sctlr_el1);
    uint32_t wait[] = {0xe320f003, A32_SVC};                            /* wfi */
    uint32_t skipped[] = {0x1320f003, 0x1320f003, A32_SVC};             /* wfine with Z set */
    uint32_t it_block[] = {T32(0xbf1c, 0xbf30), T32(0xbf30, T32_SVC7)}; /* itt ne; wfine twice */
    struct el0_entry user = {.spsr = SPSR_T32 | SPSR_Z};
    struct trap trap = {0};

    sysreg_write(sctlr_el1, sctlr | SCTLR_NTWI);
    isb();
    bool done = run(SPSR_A32 | SPSR_Z, skipped, 3, &trap, 0, 0);
    report("aarch32.wfi_condition", done && trap.elr == 12, "esr 0x%lx elr +0x%lx", trap.esr,
           trap.elr);
    user_run(it_block, 2, &user, &trap);
    report("aarch32.wfi_it_block", trap.esr == 0x44000007 && trap.elr == 8, "esr 0x%lx elr +0x%lx",
           trap.esr, trap.elr);
    gic_enable(TIMER_VIRT_INTID);
    timer_start(false, 1000);
    done = run(SPSR_A32, wait, 2, &trap, 0, 0);
    report("aarch32.wfi", done && trap.elr == 8, "esr 0x%lx elr +0x%lx", trap.esr, trap.elr);
    timer_stop(false);
    gic_disable(TIMER_VIRT_INTID);
    sysreg_write(sctlr_el1, sctlr);
    isb();
}

/* ITTE EQ: two trapped instructions run, the third is for NE; behind it nothing is conditional any more. */
static void check_it_block(void)
{
    uint32_t code[] = {T32(T32_NOP, 0xbf06),   /* itte eq */
                       T32(0xee1e, 0x2f32),    /* mrceq p15, 0, r2, c14, c2, 1 */
                       T32(0x6803, 0x2105),    /* ldreq r3, [r0]; movne r1, #5 */
                       T32(0x2009, T32_SVC7)}; /* movs r0, #9; svc #7 */
    struct el0_entry user = {.spsr = SPSR_T32 | SPSR_Z,
                             .x = {USER_DEVICES + GICD_BASE + GICD_IPRIORITYR + 52, 0x1111, 2, 3}};
    struct trap trap = {0};

    sysreg_write(cntp_ctl_el0, TIMER_IMASK);
    mmio_write32(GICD_BASE + GICD_IPRIORITYR + 52, 0x80a0c0e0);
    user_run(code, 4, &user, &trap);
    sysreg_write(cntp_ctl_el0, 0);
    report("aarch32.it_block",
           trap.esr == 0x44000007 && trap.x[0] == 9 && trap.x[1] == 0x1111 &&
               trap.x[2] == TIMER_IMASK && trap.x[3] == 0x80a0c0e0,
           "esr 0x%lx elr +0x%lx r0 0x%lx r1 0x%lx r2 0x%lx r3 0x%lx", trap.esr, trap.elr,
           trap.x[0], trap.x[1], trap.x[2], trap.x[3]);
    mmio_write32(GICD_BASE + GICD_IPRIORITYR + 52, 0);
    /* an abort inside the block: SPSR says how far it was */
    code[2] = T32(0x6803, 0x2105);
    user.x[0] = USER_DEVICES + HOLE;
    user_run(code, 4, &user, &trap);
    report("aarch32.it_abort",
           trap.esr == 0x92000010 && trap.elr == 8 && (trap.spsr & 0x0600fc00) == 0x00000c00,
           "esr 0x%lx elr +0x%lx spsr 0x%lx", trap.esr, trap.elr, trap.spsr);
}

/* Device registers with all widths and the last of the general registers; pairs have no syndrome. */
static void check_mmio(void)
{
    uint64_t at = GICD_BASE + GICD_IPRIORITYR + 56;
    uint32_t loads[] = {0xe590e000, 0xe5d0c001, 0xe1d0b0d3,
                        A32_SVC};                          /* ldr lr; ldrb r12, #1; ldrsb r11, #3 */
    uint32_t stores[] = {0xe5801000, 0xe5c02002, A32_SVC}; /* str r1; strb r2, [r0, #2] */
    uint32_t pair = 0xe1c020d0, multiple = 0xe890000c, post = 0xe4901004; /* ldrd, ldm, ldr post */
    struct trap trap = {0};

    mmio_write32(at, 0xf080a0c0);
    bool done = run(SPSR_A32, loads, 4, &trap, USER_DEVICES + at, 0);
    report("aarch32.mmio_load",
           done && trap.x[14] == 0xf080a0c0 && trap.x[12] == 0xa0 && trap.x[11] == 0xfffffff0,
           "esr 0x%lx lr 0x%lx r12 0x%lx r11 0x%lx", trap.esr, trap.x[14], trap.x[12], trap.x[11]);
    done = run(SPSR_A32, stores, 3, &trap, USER_DEVICES + at, 0x10203040);
    report("aarch32.mmio_store", done && (mmio_read32(at) & PRIORITY_BITS) == 0x10203040,
           "esr 0x%lx 0x%x", trap.esr, mmio_read32(at));
    mmio_write32(at, 0);
    if (!boot_is_guest())
        return;
    for (unsigned i = 0; i < 3; i++) {
        uint32_t code = i == 0 ? pair : i == 1 ? multiple : post;
        struct el0_entry user = {.spsr = SPSR_A32, .x = {USER_DEVICES + at, 1, 2, 3}};

        user_run(&code, 1, &user, &trap);
        report("aarch32.mmio_strange",
               trap.esr == 0x92000010 && trap.elr == 0 && trap.x[0] == USER_DEVICES + at &&
                   trap.x[1] == 1 && trap.x[2] == 2 && trap.x[3] == 3,
               "%u esr 0x%lx elr +0x%lx", i, trap.esr, trap.elr);
    }
}

/* FP registers, which a hypervisor may load only now. */
static void check_fp(void)
{
    uint32_t code[] = {0xee000a10, 0xee101a10, A32_SVC}; /* vmov s0, r0; vmov r1, s0 */
    uint32_t skipped[] = {0x1e101a10, A32_SVC};          /* vmovne r1, s0 */
    struct trap trap = {0};
    bool done = run(SPSR_A32, code, 3, &trap, 0x12345678, 0);

    report("aarch32.fp", done && trap.x[1] == 0x12345678, "esr 0x%lx r1 0x%lx", trap.esr, trap.x[1]);
    done = run(SPSR_A32 | SPSR_Z, skipped, 2, &trap, 0, 7);
    report("aarch32.fp_condition", done && trap.x[1] == 7, "esr 0x%lx r1 0x%lx", trap.esr,
           trap.x[1]);
}

static void case_aarch32(void)
{
    uint64_t cntkctl = sysreg_read(cntkctl_el1);

    if (!user_has_aarch32()) {
        report_skip("aarch32", "this CPU has none");
        return;
    }
    user_open();
    sysreg_write(cntkctl_el1, CNTKCTL_ALL);
    isb();
    check_calls();
    check_reads();
    check_timer();
    check_conditions();
    check_wfi();
    check_it_block();
    check_mmio();
    check_fp();
    sysreg_write(cntkctl_el1, cntkctl);
    user_close();
}

TEST_CASE("cpu.aarch32", 1, case_aarch32);
