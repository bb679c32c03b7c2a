// SPDX-License-Identifier: Apache-2.0
// Breakpoints and watchpoints fire for the CPU that set them, and for no other.
#include "../conform.h"

#define MDSCR_DEBUG 0xa000ul /* MDE, KDE */
#define BCR_EL1 0x1e3ul      /* enabled, EL1, four bytes */
#define WCR_EL1 (0xffu << 5 | 3u << 1 | 1u)
#define WCR_LOAD (1u << 3)
#define WCR_STORE (2u << 3)
#define ESR_BREAKPOINT 0xc6000022u
#define ESR_WATCH_LOAD 0xd6000022u
#define ESR_WATCH_STORE 0xd6000062u
#define ROUNDS_ALONE 30

static volatile uint64_t watched;
static volatile uint32_t armed, finished, fired_elsewhere;

static __attribute__((noinline)) uint64_t target(uint64_t a, uint64_t b)
{
    __asm__ volatile("msr daifclr, #8\n\tnop\n\tmsr daifset, #8" ::: "memory");
    return a + b;
}

static uint64_t touch(uint64_t value, uint64_t is_store)
{
    __asm__ volatile("msr daifclr, #8" ::: "memory");
    if (is_store)
        watched = value;
    else
        value = watched;
    __asm__ volatile("msr daifset, #8" ::: "memory");
    return value;
}

static uint64_t nop_of_target(void)
{
    const uint32_t *code = (const uint32_t *)(uintptr_t)target;

    while (*code != 0xd503201f)
        code++;
    return (uintptr_t)code;
}

static void arm_all(void)
{
    __asm__ volatile("msr oslar_el1, xzr\n\tisb");
    sysreg_write(dbgbvr0_el1, nop_of_target());
    sysreg_write(dbgbcr0_el1, BCR_EL1);
    sysreg_write(dbgwvr0_el1, (uintptr_t)&watched);
    sysreg_write(dbgwcr0_el1, WCR_EL1 | WCR_LOAD | WCR_STORE);
    sysreg_write(mdscr_el1, MDSCR_DEBUG);
    isb();
}

static void disarm_all(void)
{
    sysreg_write(dbgbcr0_el1, 0);
    sysreg_write(dbgwcr0_el1, 0);
    sysreg_write(dbgbvr0_el1, 0);
    sysreg_write(dbgwvr0_el1, 0);
    sysreg_write(mdscr_el1, 0);
    isb();
}

static void check_firing(void)
{
    struct trap trap = {0};
    bool done = trap_try(target, 1, 2, NULL, &trap);

    report("debug.breakpoint", !done && trap.esr == ESR_BREAKPOINT && trap.elr == nop_of_target(),
           "executed %d esr 0x%lx elr 0x%lx", done, trap.esr, trap.elr);
    done = trap_try(touch, 0, 0, NULL, &trap);
    report("debug.watch_load",
           !done && trap.esr == ESR_WATCH_LOAD && trap.far == (uintptr_t)&watched,
           "executed %d esr 0x%lx far 0x%lx", done, trap.esr, trap.far);
    watched = 1;
    done = trap_try(touch, 7, 1, NULL, &trap);
    report("debug.watch_store", !done && trap.esr == ESR_WATCH_STORE && watched == 1,
           "executed %d esr 0x%lx value %lu", done, trap.esr, watched);
    sysreg_write(dbgwcr0_el1, WCR_EL1 | WCR_STORE);
    isb();
    report("debug.watch_kind", trap_try(touch, 0, 0, NULL, NULL), "a load fired");
    __asm__ volatile("msr oslar_el1, %0\n\tisb" ::"r"(1ul));
    /* QEMU 7.2 looks at the wrong bit of OSLSR */
    if (trap_try(target, 1, 2, NULL, NULL))
        report("debug.os_lock", true, "-");
    else
        report_skip("debug.os_lock", "this emulator fires with the OS lock set");
    report("debug.os_lock_status", sysreg_read(oslsr_el1) == 0xa, "OSLSR 0x%lx",
           sysreg_read(oslsr_el1));
    report("debug.kept_locked",
           sysreg_read(dbgbvr0_el1) == nop_of_target() && sysreg_read(dbgbcr0_el1) == BCR_EL1,
           "0x%lx 0x%lx", sysreg_read(dbgbvr0_el1), sysreg_read(dbgbcr0_el1));
    __asm__ volatile("msr oslar_el1, xzr\n\tisb");
    report("debug.unlocked", !trap_try(target, 1, 2, NULL, NULL), "did not fire");
}

/* Others run the same code with debug exceptions open but nothing set, while CPU 0 has everything set. */
static void innocent(void)
{
    struct trap trap = {0};
    uint32_t fired = 0;

    __asm__ volatile("msr oslar_el1, xzr\n\tisb");
    sysreg_write(mdscr_el1, MDSCR_DEBUG);
    isb();
    while (!armed)
        relax();
    for (unsigned i = 0; i < ROUNDS_ALONE; i++) {
        uint64_t end = timer_now() + timer_us(1000);

        fired += !trap_try(target, 1, 2, NULL, &trap) || !trap_try(touch, i, 1, NULL, &trap);
        fired += sysreg_read(dbgbcr0_el1) != 0 || sysreg_read(dbgwvr0_el1) != 0;
        while (timer_now() < end)
            relax();
    }
    sysreg_write(mdscr_el1, 0);
    __atomic_fetch_add(&fired_elsewhere, fired, __ATOMIC_RELAXED);
    __atomic_fetch_add(&finished, 1, __ATOMIC_RELEASE);
}

static void check_private(void)
{
    unsigned missed = 0, others = boot_info.cpu_count - 1;

    armed = finished = fired_elsewhere = 0;
    for (unsigned i = 1; i <= others; i++)
        smp_start(i, innocent);
    arm_all();
    armed = 1;
    while (finished < others) {
        missed += trap_try(target, 1, 2, NULL, NULL);
        relax();
    }
    disarm_all();
    report("debug.private", !fired_elsewhere && !missed, "%u elsewhere, %u missed", fired_elsewhere,
           missed);
    for (unsigned i = 1; i <= others; i++)
        smp_wait_off(i, 5000);
}

static void case_debug(void)
{
    arm_all();
    check_firing();
    disarm_all();
    report("debug.disarmed", trap_try(target, 1, 2, NULL, NULL), "fired");
    if (boot_info.cpu_count > 1)
        check_private();
    else
        report_skip("debug.private", "needs more CPUs");
    sysreg_write(mdscr_el1, 0);
}

TEST_CASE("cpu.debug", 1, case_debug);
