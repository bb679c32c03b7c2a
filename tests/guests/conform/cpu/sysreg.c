// SPDX-License-Identifier: Apache-2.0
// System registers: those of higher levels are UNDEFINED, those of EL1 keep what is written.
#include "../conform.h"

static void check_higher_levels(void)
{
    static const struct {
        const char *name;
        uint32_t code;
    } regs[] = {
        {"hcr_el2", CODE_MRS(3, 4, 1, 1, 0)},        {"vttbr_el2", CODE_MRS(3, 4, 2, 1, 0)},
        {"sctlr_el2", CODE_MRS(3, 4, 1, 0, 0)},      {"vbar_el2", CODE_MRS(3, 4, 12, 0, 0)},
        {"cntvoff_el2", CODE_MRS(3, 4, 14, 0, 3)},   {"cnthp_ctl_el2", CODE_MRS(3, 4, 14, 2, 1)},
        {"ich_hcr_el2", CODE_MRS(3, 4, 12, 11, 0)},  {"ich_vtr_el2", CODE_MRS(3, 4, 12, 11, 1)},
        {"ich_lr0_el2", CODE_MRS(3, 4, 12, 12, 0)},  {"scr_el3", CODE_MRS(3, 6, 1, 1, 0)},
        {"cntps_ctl_el1", CODE_MRS(3, 7, 14, 2, 1)},
    };
    char name[40] = "sysreg.";

    for (unsigned i = 0; i < sizeof(regs) / sizeof(regs[0]); i++) {
        uint32_t write = regs[i].code & ~0x00200000u;
        struct trap r = {0}, w = {0};
        bool done = trap_try_code(&regs[i].code, 1, 0, 0, NULL, &r);

        done |= trap_try_code(&write, 1, 0, 0, NULL, &w);
        memcpy(name + 7, regs[i].name, strlen(regs[i].name) + 1);
        report(name, !done && r.esr == ESR_UNDEF && w.esr == ESR_UNDEF,
               "executed %d, esr of read 0x%lx, of write 0x%lx", done, r.esr, w.esr);
    }
}

static void check_kept(void)
{
    uint64_t pattern = 0x5a5a12345678a5a5;
    uint64_t old = sysreg_read(tpidr_el0);

    sysreg_write(tpidr_el0, pattern);
    sysreg_write(tpidrro_el0, ~pattern);
    sysreg_write(contextidr_el1, 0x12345678);
    sysreg_write(par_el1, 0x1000);
    gic_enable(TIMER_VIRT_INTID);
    timer_start(false, 5000);
    while (!(sysreg_read(cntv_ctl_el0) & TIMER_ISTATUS))
        wfi();
    timer_stop(false);
    gic_disable(TIMER_VIRT_INTID);
    report("sysreg.kept",
           sysreg_read(tpidr_el0) == pattern && sysreg_read(tpidrro_el0) == ~pattern &&
               sysreg_read(contextidr_el1) == 0x12345678 &&
               (sysreg_read(par_el1) & 0xf000) == 0x1000,
           "lost across WFI");
    sysreg_write(tpidr_el0, old);
}

static void check_set_way(void)
{
    __asm__ volatile("dc cisw, %0\n\tdc csw, %0\n\tdsb sy" ::"r"(0ul) : "memory");
    report("sysreg.set_way", true, "-");
}

static void check_translate(void)
{
    uint64_t addr = (uintptr_t)&cpus, par;

    __asm__ volatile("at s1e1r, %0\n\tisb" ::"r"(addr));
    par = sysreg_read(par_el1);
    report("at.valid", !(par & 1) && (par & 0xfffffffff000) == (addr & ~0xffful), "PAR 0x%lx", par);
    __asm__ volatile("at s1e1r, %0\n\tisb" ::"r"(0xc0000000ul));
    par = sysreg_read(par_el1);
    report("at.invalid", (par & 0x7f) == 0x0b, "PAR 0x%lx", par); /* F, translation fault level 1 */
}

static void check_constant(const char *name, uint32_t read)
{
    uint32_t write = read & ~0x00200000u;
    uint64_t before = 0, after = 0;
    bool done = trap_try_code(&read, 1, 0, 0, &before, NULL);

    trap_try_code(&write, 1, ~before, 0, NULL, NULL);
    done &= trap_try_code(&read, 1, 0, 0, &after, NULL);
    trap_try_code(&write, 1, before, 0, NULL, NULL);
    report(name, !boot_is_guest() || (done && before == after), "0x%lx then 0x%lx", before, after);
}

/* Only the highest exception level may write it; bare, that is this one. */
static void check_frequency(void)
{
    uint32_t write = CODE_MSR(3, 3, 14, 0, 0);
    struct trap trap = {0};
    bool done;

    if (!boot_is_guest())
        return;
    done = trap_try_code(&write, 1, timer_hz(), 0, NULL, &trap);
    report("sysreg.cntfrq_write", !done && trap.esr == ESR_UNDEF, "executed %d esr 0x%lx", done,
           trap.esr);
}

static void case_sysreg(void)
{
    check_higher_levels();
    check_frequency();
    check_kept();
    check_set_way();
    check_translate();
    check_constant("sysreg.actlr", CODE_MRS(3, 0, 1, 0, 1));
}

TEST_CASE("cpu.sysreg", 1, case_sysreg);
