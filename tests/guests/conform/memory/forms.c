// SPDX-License-Identifier: Apache-2.0
// Loads and stores of all forms on a device register: done right, or an external abort that changes nothing.
#include "../cpu/user.h"

#define REGISTER (GICD_BASE + GICD_IPRIORITYR + 56)
#define VALUE 0xf080a0c0u
#define ESR_WNR 0x40ul
#define DATA 0x1111111180808080ul
#define FIELD(reg, bit) ((unsigned)((reg) >> (bit)) & 15)

enum needs { ALWAYS, LSE, RCPC, RCPC2, LOR };

/* x0 = address (or near it), x1 = data, x2 = more data. */
struct form {
    const char *name;
    uint32_t code;
    int32_t at;    /* added to the address in x0 */
    uint64_t want; /* x1 after a load; the register after a store */
    enum needs needs;
};

static const struct form loads[] = {
    {"form.ldur", 0xb85fc001, 4, VALUE, ALWAYS}, /* ldur w1, [x0, #-4] */
    {"form.ldurb", 0x385ff001, 1, 0xc0, ALWAYS}, /* ldurb w1, [x0, #-1] */
    {"form.ldursw", 0xb89fc001, 4, 0xfffffffff080a0c0, ALWAYS},
    {"form.ldr_lsl", 0xb8627801, -0x40, VALUE, ALWAYS},  /* ldr w1, [x0, x2, lsl #2], x2 = 16 */
    {"form.ldr_uxtw", 0xb8624801, -0x10, VALUE, ALWAYS}, /* ldr w1, [x0, w2, uxtw] */
    {"form.ldarb", 0x08dffc01, 0, 0xc0, ALWAYS},
    {"form.ldapr", 0xb8bfc001, 0, VALUE, RCPC},
    {"form.ldaprb", 0x38bfc001, 0, 0xc0, RCPC},
    {"form.ldapur", 0x995fc001, 4, VALUE, RCPC2},
    {"form.ldapursw", 0x999fc001, 4, 0xfffffffff080a0c0, RCPC2},
    {"form.ldlar", 0x88df7c01, 0, VALUE, LOR},
    {"form.ldtr", 0xb8400801, 0, VALUE, ALWAYS},
    {"form.ldtrb", 0x38400801, 0, 0xc0, ALWAYS},
    {"form.ldtrsb_x", 0x38800801, 0, 0xffffffffffffffc0, ALWAYS},
    {"form.ldtrsb_w", 0x38c00801, 0, 0xffffffc0, ALWAYS},
    {"form.ldtrsw", 0xb8800801, 0, 0xfffffffff080a0c0, ALWAYS},
};

static const struct form stores[] = {
    {"form.stur", 0xb81fc001, 4, 0x80808080, ALWAYS},
    {"form.sturb", 0x381ff001, 1, 0xf080a080, ALWAYS},
    {"form.str_lsl", 0xb8227801, -0x40, 0x80808080, ALWAYS},
    {"form.stlrb", 0x089ffc01, 0, 0xf080a080, ALWAYS},
    {"form.stllr", 0x889f7c01, 0, 0x80808080, LOR},
    {"form.stlur", 0x991fc001, 4, 0x80808080, RCPC2},
    {"form.sttr", 0xb8000801, 0, 0x80808080, ALWAYS},
    {"form.sttrb", 0x38000801, 0, 0xf080a080, ALWAYS},
    {"form.strb_wzr", 0x3900001f, 0, 0xf080a000, ALWAYS},
};

/* Without a syndrome that says which register and what size. */
static const struct form strange[] = {
    {"form.ldp_w", 0x29400801, 0, ESR_SEA_READ, ALWAYS},
    {"form.ldp_x", 0xa9400801, 0, ESR_SEA_READ, ALWAYS},
    {"form.ldpsw", 0x69400801, 0, ESR_SEA_READ, ALWAYS},
    {"form.ldnp", 0x28400801, 0, ESR_SEA_READ, ALWAYS},
    {"form.ldp_pre", 0x29ff8801, 4, ESR_SEA_READ, ALWAYS},
    {"form.ldr_post", 0xb8404401, 0, ESR_SEA_READ, ALWAYS},
    {"form.ldr_pre", 0xb85fcc01, 4, ESR_SEA_READ, ALWAYS},
    {"form.ldrb_post", 0x38401401, 0, ESR_SEA_READ, ALWAYS},
    {"form.ldrsw_post", 0xb8804401, 0, ESR_SEA_READ, ALWAYS},
    {"form.ldxr", 0x885f7c01, 0, ESR_SEA_READ, ALWAYS},
    {"form.ldaxr", 0x885ffc01, 0, ESR_SEA_READ, ALWAYS},
    {"form.ldxp", 0x887f0801, 0, ESR_SEA_READ, ALWAYS},
    {"form.ldr_s", 0xbd400001, 0, ESR_SEA_READ, ALWAYS},
    {"form.ldr_d", 0xfd400001, 0, ESR_SEA_READ, ALWAYS},
    {"form.ldr_q", 0x3dc00001, 0, ESR_SEA_READ, ALWAYS},
    {"form.ldr_b", 0x3d400001, 0, ESR_SEA_READ, ALWAYS},
    {"form.ldp_q", 0xad400801, 0, ESR_SEA_READ, ALWAYS},
    {"form.ld1", 0x4c407801, 0, ESR_SEA_READ, ALWAYS},
    {"form.ld1_lane", 0x0d408001, 0, ESR_SEA_READ, ALWAYS},
    {"form.cas", 0x88a17c02, 0, ESR_SEA_READ, LSE},
    {"form.casp", 0x08227c04, 0, ESR_SEA_READ, LSE},
    {"form.swp", 0xb8218002, 0, ESR_SEA_READ, LSE},
    {"form.ldadd", 0xb8210002, 0, ESR_SEA_READ, LSE},
    {"form.stset", 0xb821301f, 0, ESR_SEA_READ, LSE},
    {"form.stp_w", 0x29000801, 0, ESR_SEA_WRITE, ALWAYS},
    {"form.stp_x", 0xa9000801, 0, ESR_SEA_WRITE, ALWAYS},
    {"form.stnp", 0x28000801, 0, ESR_SEA_WRITE, ALWAYS},
    {"form.stp_post", 0x28808801, 0, ESR_SEA_WRITE, ALWAYS},
    {"form.str_post", 0xb8004401, 0, ESR_SEA_WRITE, ALWAYS},
    {"form.str_pre", 0xb81fcc01, 4, ESR_SEA_WRITE, ALWAYS},
    {"form.strb_pre", 0x381ffc01, 1, ESR_SEA_WRITE, ALWAYS},
    {"form.str_s", 0xbd000001, 0, ESR_SEA_WRITE, ALWAYS},
    {"form.str_q", 0x3d800001, 0, ESR_SEA_WRITE, ALWAYS},
    {"form.st1", 0x4c007801, 0, ESR_SEA_WRITE, ALWAYS},
};

static bool available(enum needs needs)
{
    uint64_t isar0 = sysreg_read(id_aa64isar0_el1), isar1 = sysreg_read(id_aa64isar1_el1);

    switch (needs) {
    case LSE:
        return FIELD(isar0, 20) >= 2;
    case RCPC:
        return FIELD(isar1, 20) >= 1;
    case RCPC2:
        return FIELD(isar1, 20) >= 2;
    case LOR:
        return FIELD(sysreg_read(id_aa64mmfr1_el1), 16);
    default:
        return true;
    }
}

/* The instruction at EL1, ended by BRK so that all registers can be looked at. */
static struct trap run(const struct form *form)
{
    uint32_t code[] = {0xd2800202, 0xd503201f, form->code, 0xd4200000}; /* mov x2, #16 */
    uint64_t base = USER_DEVICES + REGISTER; /* open for EL0, as LDTR and STTR want */
    struct trap trap = {0};

    mmio_write32(REGISTER, VALUE);
    trap_try_code(code, 4, base + (int64_t)form->at, DATA, NULL, &trap);
    return trap;
}

static bool at_end(const struct trap *trap)
{
    return TRAP_EC(*trap) == EC_BRK && trap->elr == 12;
}

static void check_done(const struct form *form, bool is_load)
{
    struct trap trap = run(form);
    uint64_t value = is_load ? trap.x[1] : mmio_read32(REGISTER);

    report(form->name,
           at_end(&trap) && value == form->want &&
               trap.x[0] == USER_DEVICES + REGISTER + (uint64_t)(int64_t)form->at,
           "esr 0x%lx value 0x%lx, not 0x%lx", trap.esr, value, form->want);
}

static void check_strange(const struct form *form)
{
    struct trap trap = run(form);
    uint64_t x0 = USER_DEVICES + REGISTER + (uint64_t)(int64_t)form->at;

    if (!boot_is_guest() && at_end(&trap)) {
        report(form->name, true, "-");
        return;
    }
    /* an atomic both reads and writes: either may be what failed */
    if (form->needs == LSE)
        trap.esr &= ~ESR_WNR;
    report(form->name,
           trap.esr == form->want && trap.elr == 8 && trap.far == USER_DEVICES + REGISTER &&
               trap.x[0] == x0 && trap.x[1] == DATA && trap.x[2] == 16 &&
               mmio_read32(REGISTER) == VALUE,
           "esr 0x%lx elr +0x%lx far 0x%lx x0 0x%lx x1 0x%lx register 0x%x", trap.esr, trap.elr,
           trap.far, trap.x[0], trap.x[1], mmio_read32(REGISTER));
}

/* Accesses that are not of the register's own size and place; an alignment fault comes first on most CPUs. */
static void check_unaligned(void)
{
    static const struct form forms[] = {
        {"form.unaligned_load", 0xb9400001, 1, ESR_SEA_READ, ALWAYS},
        {"form.unaligned_half", 0x79400001, 1, ESR_SEA_READ, ALWAYS},
        {"form.unaligned_store", 0xb9000001, 2, ESR_SEA_WRITE, ALWAYS},
    };

    for (unsigned i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        struct trap trap = run(&forms[i]);
        bool alignment = (trap.esr & ~ESR_WNR) == 0x96000021;

        if (!boot_is_guest() && at_end(&trap)) {
            report_skip(forms[i].name, "this emulator does unaligned accesses to devices");
            continue;
        }
        report(forms[i].name,
               (alignment || trap.esr == forms[i].want) && trap.elr == 8 &&
                   mmio_read32(REGISTER) == VALUE,
               "esr 0x%lx elr +0x%lx register 0x%x", trap.esr, trap.elr, mmio_read32(REGISTER));
    }
}

/* Big-endian data of EL0. */
static void check_big_endian(void)
{
    uint64_t sctlr = sysreg_read(sctlr_el1);
    uint32_t code[] = {0xb9400001, 0xb9000002, 0xd4000001}; /* ldr w1; str w2; svc */
    struct el0_entry user = {.spsr = SPSR_EL0, .x = {USER_DEVICES + REGISTER, 0, 0x10203040, 0}};
    struct trap trap = {0};

    if (!FIELD(sysreg_read(id_aa64mmfr0_el1), 8) && !FIELD(sysreg_read(id_aa64mmfr0_el1), 16))
        return;
    mmio_write32(REGISTER, VALUE);
    sysreg_write(sctlr_el1, sctlr | 1u << 24);
    isb();
    user_run(code, 3, &user, &trap);
    sysreg_write(sctlr_el1, sctlr);
    isb();
    report("form.big_endian",
           TRAP_EC(trap) == EC_SVC && trap.x[1] == 0xc0a080f0 && mmio_read32(REGISTER) == 0x40302010,
           "esr 0x%lx load 0x%lx register 0x%x", trap.esr, trap.x[1], mmio_read32(REGISTER));
}

static void case_forms(void)
{
    user_open();
    for (unsigned i = 0; i < sizeof(loads) / sizeof(loads[0]); i++) {
        if (available(loads[i].needs))
            check_done(&loads[i], true);
    }
    for (unsigned i = 0; i < sizeof(stores) / sizeof(stores[0]); i++) {
        if (available(stores[i].needs))
            check_done(&stores[i], false);
    }
    for (unsigned i = 0; i < sizeof(strange) / sizeof(strange[0]); i++) {
        if (available(strange[i].needs))
            check_strange(&strange[i]);
    }
    check_unaligned();
    check_big_endian();
    mmio_write32(REGISTER, 0);
    user_close();
}

TEST_CASE("memory.forms", 1, case_forms);
