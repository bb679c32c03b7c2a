// SPDX-License-Identifier: Apache-2.0
// Who may use the timers' registers: what is not EL1's is UNDEFINED, EL0 has what CNTKCTL_EL1 grants.
#include "timer.h"

#define REG(op1, crm, op2) ((op1) << 8 | (crm) << 4 | (op2))
#define REG_READ(reg) CODE_MRS(3, (reg) >> 8, 14, (reg) >> 4 & 15, (reg)&15)
#define REG_WRITE(reg) CODE_MSR(3, (reg) >> 8, 14, (reg) >> 4 & 15, (reg)&15)

#define EL0PCTEN 1u
#define EL0VCTEN 2u
#define EVNTEN 4u
#define EL0VTEN 0x100u
#define EL0PTEN 0x200u

struct foreign {
    const char *name;
    uint16_t reg;
    bool can_read; /* only its writing is wrong */
};

static const struct foreign foreign[] = {
    {"timer.undef_cntpct_write", REG(3, 0, 1), true},
    {"timer.undef_cntvct_write", REG(3, 0, 2), true},
    {"timer.undef_cntvoff", REG(4, 0, 3), false},
    {"timer.undef_cnthctl", REG(4, 1, 0), false},
    {"timer.undef_cnthp_tval", REG(4, 2, 0), false},
    {"timer.undef_cnthp_ctl", REG(4, 2, 1), false},
    {"timer.undef_cnthp_cval", REG(4, 2, 2), false},
    {"timer.undef_cnthv_tval", REG(4, 3, 0), false},
    {"timer.undef_cnthv_ctl", REG(4, 3, 1), false},
    {"timer.undef_cnthv_cval", REG(4, 3, 2), false},
    {"timer.undef_cntkctl_el12", REG(5, 1, 0), false},
    {"timer.undef_cntp_ctl_el02", REG(5, 2, 1), false},
    {"timer.undef_cntv_ctl_el02", REG(5, 3, 1), false},
    {"timer.undef_cntps_tval", REG(7, 2, 0), false},
    {"timer.undef_cntps_ctl", REG(7, 2, 1), false},
    {"timer.undef_cntps_cval", REG(7, 2, 2), false},
};

static bool is_undefined(uint32_t word)
{
    struct trap trap;

    return !trap_try_code(&word, 1, 0, 0, NULL, &trap) && trap.esr == ESR_UNDEF;
}

static void case_timer_foreign(void)
{
    uint64_t cval = timer_cval(true), hz = timer_hz();

    for (unsigned i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
        const struct foreign *one = &foreign[i];
        bool reading = one->can_read || is_undefined(REG_READ(one->reg));
        bool writing = is_undefined(REG_WRITE(one->reg));

        report(one->name, reading && writing, "read %d write %d", reading, writing);
    }
    /* EL1 is the highest exception level of the bare machine, and may write it there. */
    if (boot_is_guest())
        report("timer.undef_cntfrq_write",
               is_undefined(REG_WRITE(REG(3, 0, 0))) && timer_hz() == hz, "%lu", timer_hz());
    report("timer.own_untouched", timer_cval(true) == cval && !(timer_ctl(true) & TIMER_ENABLE),
           "CVAL 0x%lx CTL %u", timer_cval(true), timer_ctl(true));
}

TEST_CASE("timer.foreign", 1, case_timer_foreign);

/* EL0 */

struct el0_register {
    const char *name;
    uint32_t grant; /* one of these bits of CNTKCTL_EL1 */
    uint16_t reg;
    bool writable;
    uint32_t read32, write32; /* A32: MRC and MCR, MRRC and MCRR, with r0 and r1 */
    unsigned ec32;
};

#define MRC(crm, op2) (0xee100f10u | 14 << 16 | (crm) | (op2) << 5)
#define MCR(crm, op2) (0xee000f10u | 14 << 16 | (crm) | (op2) << 5)
#define MRRC(op1) (0xec500f00u | 1 << 16 | (op1) << 4 | 14)
#define MCRR(op1) (0xec400f00u | 1 << 16 | (op1) << 4 | 14)
#define EC_CP15_32 0x03
#define EC_CP15_64 0x04

static const struct el0_register el0_registers[] = {
    {"cntfrq", EL0PCTEN | EL0VCTEN, REG(3, 0, 0), false, MRC(0, 0), 0, EC_CP15_32},
    {"cntpct", EL0PCTEN, REG(3, 0, 1), false, MRRC(0), 0, EC_CP15_64},
    {"cntvct", EL0VCTEN, REG(3, 0, 2), false, MRRC(1), 0, EC_CP15_64},
    {"cntp_tval", EL0PTEN, REG(3, 2, 0), true, MRC(2, 0), MCR(2, 0), EC_CP15_32},
    {"cntp_ctl", EL0PTEN, REG(3, 2, 1), true, MRC(2, 1), MCR(2, 1), EC_CP15_32},
    {"cntp_cval", EL0PTEN, REG(3, 2, 2), true, MRRC(2), MCRR(2), EC_CP15_64},
    {"cntv_tval", EL0VTEN, REG(3, 3, 0), true, MRC(3, 0), MCR(3, 0), EC_CP15_32},
    {"cntv_ctl", EL0VTEN, REG(3, 3, 1), true, MRC(3, 1), MCR(3, 1), EC_CP15_32},
    {"cntv_cval", EL0VTEN, REG(3, 3, 2), true, MRRC(3), MCRR(3), EC_CP15_64},
};
#define EL0_REGISTERS (sizeof(el0_registers) / sizeof(el0_registers[0]))

static void set_grant(uint32_t value)
{
    sysreg_write(cntkctl_el1, value);
    isb();
}

/* One instruction at EL0; what it left in x0 and x1, or the exception. */
static bool el0_run(const struct el0_register *one, bool write, bool aarch32, struct trap *trap)
{
    uint32_t word = write ? (aarch32 ? one->write32 : REG_WRITE(one->reg))
                          : (aarch32 ? one->read32 : REG_READ(one->reg));

    return trap_try_el0(&word, 1, aarch32, trap);
}

/* Granted or not by each bit alone: works, or comes to EL1 with the class of a trapped register. */
static bool follows_grants(const struct el0_register *one, bool write, bool aarch32)
{
    static const uint32_t grants[] = {0, EL0PCTEN, EL0VCTEN, EVNTEN, EL0VTEN, EL0PTEN, 0x303};

    for (unsigned i = 0; i < sizeof(grants) / sizeof(grants[0]); i++) {
        struct trap trap = {.x = {0, 0}};

        set_grant(grants[i]);
        bool ok = el0_run(one, write, aarch32, &trap);

        if (ok != !!(grants[i] & one->grant))
            return false;
        if (!ok && TRAP_EC(trap) != (aarch32 ? one->ec32 : EC_SYSREG))
            return false;
    }
    return true;
}

static uint64_t value32(const struct trap *trap, bool wide)
{
    return wide ? trap->x[0] << 32 >> 32 | trap->x[1] << 32 : trap->x[0] & 0xffffffff;
}

/* The counters as EL0 reads them lie between EL1's readings. */
static bool counts(bool physical, bool aarch32)
{
    struct trap trap = {.x = {0, 0}};
    uint64_t before = timer_count(physical), seen;
    bool ok = el0_run(&el0_registers[physical ? 1 : 2], false, aarch32, &trap);

    seen = aarch32 ? value32(&trap, true) : trap.x[0];
    return ok && before <= seen && seen <= timer_count(physical);
}

/* What EL0 writes is what EL1 reads, and the other way round. */
static bool is_same_timer(bool physical, bool aarch32)
{
    const struct el0_register *tval = &el0_registers[physical ? 3 : 6];
    uint64_t wanted = timer_count(physical) + 0x123456789a, seen;
    struct trap trap = {.x = {aarch32 ? (uint32_t)wanted : wanted, wanted >> 32}};
    bool ok = el0_run(tval + 2, true, aarch32, &trap) && timer_cval(physical) == wanted;

    trap.x[0] = trap.x[1] = 0;
    ok = ok && el0_run(tval + 2, false, aarch32, &trap) &&
         (aarch32 ? value32(&trap, true) : trap.x[0]) == wanted;
    trap.x[0] = TIMER_ENABLE | TIMER_IMASK;
    ok = ok && el0_run(tval + 1, true, aarch32, &trap) && timer_ctl(physical) == 3;
    ok = ok && el0_run(tval + 1, false, aarch32, &trap) && value32(&trap, false) == 3;
    trap.x[0] = 0x1000000;
    wanted += 0x1000000 - 0x123456789a;
    ok = ok && el0_run(tval, true, aarch32, &trap);
    seen = timer_cval(physical);
    ok = ok && seen - wanted < timer_us(1000000);
    ok = ok && el0_run(tval, false, aarch32, &trap) && value32(&trap, false) <= 0x1000000;
    timer_stop(physical);
    return ok;
}

static void check_el0(bool aarch32)
{
    uint32_t reads = 0, writes = 0;

    for (unsigned i = 0; i < EL0_REGISTERS; i++) {
        const struct el0_register *one = &el0_registers[i];

        if (!follows_grants(one, false, aarch32))
            reads |= 1u << i;
        if (one->writable && !follows_grants(one, true, aarch32))
            writes |= 1u << i;
    }
    timer_stop(true);
    timer_stop(false);
    report(aarch32 ? "timer.el0_a32_grants" : "timer.el0_grants", !reads && !writes,
           "reads 0x%x writes 0x%x, by order of registers", reads, writes);
    set_grant(0x303);
    bool virt = counts(false, aarch32), phys = counts(true, aarch32);
    report(aarch32 ? "timer.el0_a32_counters" : "timer.el0_counters", virt && phys,
           "virtual %d physical %d", virt, phys);
    virt = is_same_timer(false, aarch32);
    phys = is_same_timer(true, aarch32);
    report(aarch32 ? "timer.el0_a32_timers" : "timer.el0_timers", virt && phys,
           "virtual %d physical %d", virt, phys);
    set_grant(0);
}

static void case_timer_el0(void)
{
    bool has_aarch32 = (sysreg_read(id_aa64pfr0_el1) & 15) == 2;
    uint32_t kept = (uint32_t)sysreg_read(cntkctl_el1);

    check_el0(false);
    if (has_aarch32)
        check_el0(true);
    else
        report_skip("timer.el0_a32", "EL0 is 64-bit only");
    set_grant(kept);
}

TEST_CASE("timer.el0", 1, case_timer_el0);
