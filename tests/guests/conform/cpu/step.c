// SPDX-License-Identifier: Apache-2.0
// Single-step over instructions that a hypervisor emulates: each has its step exception right behind it, once.
#include "user.h"

#define STEPS_MAX 12
#define ESR_STEP_SAME 0xce000022u  /* EC 0x33, IL, no exclusive, debug exception */
#define ESR_STEP_LOWER 0xca000022u /* EC 0x32 */
#define ESR_ISV                                                                                    \
    0x01000000u /* clear where an exception return, not an instruction, was before: free */
#define MDSCR_SS 1ul
#define MDSCR_DEBUG 0xa001ul
#define NOP 0xd503201fu
#define PRIORITY (GICD_BASE + GICD_IPRIORITYR + 52)

uint64_t step_start(uint64_t code, uint64_t x1);

static uint32_t code_at[BOOT_CPUS_MAX][16] __attribute__((aligned(64)));

static struct {
    uint64_t base, end; /* end: offset behind the last instruction */
    unsigned count;
    uint64_t elr[STEPS_MAX];
    uint32_t esr[STEPS_MAX], wrong;
} steps;

static void stop(void)
{
    sysreg_write(mdscr_el1, sysreg_read(mdscr_el1) & ~MDSCR_SS);
    isb();
}

static bool on_step(struct trap_frame *frame, uint64_t vector)
{
    unsigned ec = (unsigned)(frame->esr >> 26) & 0x3f;

    (void)vector;
    if (ec != EC_STEP && ec != EC_STEP_LOW) {
        stop();
        return false;
    }
    steps.wrong += (frame->spsr & SPSR_SS) != 0;
    if (steps.count < STEPS_MAX) {
        steps.elr[steps.count] = frame->elr - steps.base;
        steps.esr[steps.count] = (uint32_t)frame->esr & ~ESR_ISV;
        steps.count++;
    }
    if (frame->elr - steps.base == steps.end || steps.count == STEPS_MAX) {
        stop();
        return false;
    }
    frame->spsr |= SPSR_SS;
    return true;
}

static void judge(const char *name, unsigned count, unsigned size, uint32_t esr)
{
    bool right = steps.count == count && !steps.wrong;

    for (unsigned i = 0; i < steps.count && i < count; i++)
        right &= steps.elr[i] == (i + 1) * size && steps.esr[i] == esr;
    report(name, right, "%u steps for %u instructions, at +0x%lx +0x%lx +0x%lx, esr 0x%x, SS %u",
           steps.count, count, steps.elr[0], steps.elr[1], steps.elr[2], steps.esr[0], steps.wrong);
}

static void begin(uint64_t base, uint64_t end)
{
    memset(&steps, 0, sizeof(steps));
    steps.base = base;
    steps.end = end;
    trap_set_hook(on_step);
}

/* The instruction between two others, at EL1. */
static uint64_t step_over(const char *name, uint32_t code, uint64_t x0)
{
    uint32_t *to = code_at[this_cpu()->index];
    struct trap trap = {0};

    memcpy(to, (uint32_t[]){NOP, code, NOP, 0xd65f03c0}, 16);
    trap_sync_code(to, 16);
    begin((uintptr_t)to, 12);
    trap_try(step_start, (uintptr_t)to, x0, NULL, &trap);
    trap_set_hook(NULL);
    stop();
    judge(name, 3, 4, ESR_STEP_SAME);
    return trap.x[1];
}

static void step_user(const char *name, uint64_t spsr, const uint32_t *code, unsigned size)
{
    struct el0_entry user = {.spsr = spsr | SPSR_SS, .x = {USER_DEVICES + PRIORITY}};
    struct trap trap;
    uint32_t dummy = 0;

    /* one run only to learn where the code is */
    user_run(&dummy, 1, &user, &trap);
    begin(user.pc, 12);
    sysreg_write(mdscr_el1, sysreg_read(mdscr_el1) | MDSCR_DEBUG);
    isb();
    user_run(code, 3, &user, &trap);
    trap_set_hook(NULL);
    stop();
    judge(name, 12 / size, size, ESR_STEP_LOWER);
}

/* An access that aborts is not stepped: SPSR.SS is still set. */
static void step_abort(void)
{
    uint32_t *to = code_at[this_cpu()->index];
    struct trap trap = {0};

    memcpy(to, (uint32_t[]){NOP, 0xb9400001, NOP, 0xd65f03c0}, 16);
    trap_sync_code(to, 16);
    begin((uintptr_t)to, 12);
    trap_try(step_start, (uintptr_t)to, HOLE, NULL, &trap);
    trap_set_hook(NULL);
    stop();
    report("step.abort",
           steps.count == 1 && trap.esr == ESR_SEA_READ && trap.elr == steps.base + 4 &&
               trap.spsr & SPSR_SS,
           "%u steps, esr 0x%lx elr +0x%lx spsr 0x%lx", steps.count, trap.esr,
           trap.elr - steps.base, trap.spsr);
}

static void case_step(void)
{
    uint64_t mdscr = sysreg_read(mdscr_el1);

    __asm__ volatile("msr oslar_el1, xzr\n\tisb");
    step_over("step.nop", NOP, 0);
    step_over("step.hvc", 0xd4000002, SMCCC_UNKNOWN);
    if (!strcmp(boot_info.psci_method, "smc") || boot_is_guest())
        step_over("step.smc", 0xd4000003, SMCCC_UNKNOWN);
    step_over("step.mrs", CODE_MRS(3, 0, 0, 6, 0), 0);     /* ID_AA64ISAR0_EL1 */
    step_over("step.msr", CODE_MSR(3, 3, 14, 2, 2), ~0ul); /* CNTP_CVAL_EL0 */
    mmio_write32(PRIORITY, 0x80a0c0e0);
    uint64_t value = step_over("step.load", 0xb9400001, PRIORITY);
    report("step.load_value", value == 0x80a0c0e0, "0x%lx", value);
    step_over("step.store", 0xb900001f, PRIORITY);
    report("step.store_value", mmio_read32(PRIORITY) == 0, "0x%x", mmio_read32(PRIORITY));
    step_abort();
    user_open();
    step_user("step.user", SPSR_EL0, (uint32_t[]){NOP, 0xb9400001, NOP}, 4);
    if (user_has_aarch32()) {
        step_user("step.a32", SPSR_A32, (uint32_t[]){0xe320f000, 0xe5901000, 0xe320f000}, 4);
        step_user("step.t32", SPSR_T32, (uint32_t[]){0xbf00bf00, 0x6801bf00, 0xbf00bf00}, 2);
    }
    user_close();
    sysreg_write(mdscr_el1, mdscr);
}

TEST_CASE("cpu.step", 1, case_step);
