// SPDX-License-Identifier: Apache-2.0
// PSTATE across exceptions that a hypervisor injects: what SPSR_EL1 says, and what the handler runs with.
#include "../conform.h"

#define FIELD(reg, bit) ((unsigned)((reg) >> (bit)) & 15)
#define SCTLR_SPAN (1ul << 23)
#define SCTLR_DSSBS (1ul << 44)

#define SET_NZCV 0xd51b4201u /* msr nzcv, x1 */
#define SET_PAN 0xd500419fu
#define SET_UAO 0xd500417fu
#define SET_DIT 0xd503415fu
#define SET_SSBS 0xd503413fu
#define NOP 0xd503201fu
#define LOAD 0xb9400002u /* ldr w2, [x0] */

#define SPSR_EL1H 0x3c5u
#define SPSR_SSBS (1u << 12)
#define SPSR_PAN (1u << 22)
#define SPSR_UAO (1u << 23)
#define SPSR_DIT (1u << 24)
#define FLAGS 0xa0000000u

static bool has_pan, has_uao, has_dit, has_ssbs;

static struct {
    uint64_t daif, el, spsel, pan, uao, ssbs;
} entry;

static bool look(struct trap_frame *frame, uint64_t vector)
{
    (void)frame;
    (void)vector;
    entry.daif = sysreg_read(daif);
    entry.el = sysreg_read(currentel);
    entry.spsel = sysreg_read(spsel);
    entry.pan = has_pan ? sysreg_read(s3_0_c4_c2_3) : 0;
    entry.uao = has_uao ? sysreg_read(s3_0_c4_c2_4) : 0;
    entry.ssbs = has_ssbs ? sysreg_read(s3_3_c4_c2_6) : 0;
    return false;
}

/* An access to nothing with all of PSTATE set that this CPU has. */
static uint64_t fault_with(const uint32_t *set, unsigned count)
{
    uint32_t code[8] = {SET_NZCV};
    struct trap trap = {0};

    memcpy(code + 1, set, count * 4);
    code[count + 1] = LOAD;
    trap_set_hook(look);
    trap_try_code(code, count + 2, HOLE, FLAGS, NULL, &trap);
    trap_set_hook(NULL);
    return trap.spsr;
}

static void check_saved(void)
{
    uint32_t set[] = {has_pan ? SET_PAN : NOP, has_uao ? SET_UAO : NOP, has_dit ? SET_DIT : NOP,
                      has_ssbs ? SET_SSBS : NOP};
    uint64_t want = SPSR_EL1H | FLAGS | (has_pan ? SPSR_PAN : 0) | (has_uao ? SPSR_UAO : 0) |
                    (has_dit ? SPSR_DIT : 0) | (has_ssbs ? SPSR_SSBS : 0);
    uint64_t spsr = fault_with(set, 4);

    report("pstate.saved", spsr == want, "SPSR 0x%lx, not 0x%lx", spsr, want);
    report("pstate.entry",
           entry.daif == 0x3c0 && entry.el == 4 && entry.spsel == 1 && entry.uao == 0,
           "DAIF 0x%lx EL 0x%lx SPSel %lu UAO 0x%lx", entry.daif, entry.el, entry.spsel, entry.uao);
    report("pstate.pan_kept", !has_pan || entry.pan, "PAN 0x%lx", entry.pan);
    report("pstate.ssbs_clear", !entry.ssbs, "SSBS 0x%lx", entry.ssbs);
}

static void check_controls(void)
{
    uint64_t sctlr = sysreg_read(sctlr_el1);
    uint32_t nop = NOP;

    sysreg_write(sctlr_el1, (sctlr & ~SCTLR_SPAN) | (has_ssbs ? SCTLR_DSSBS : 0));
    isb();
    uint64_t spsr = fault_with(&nop, 1);
    sysreg_write(sctlr_el1, sctlr);
    isb();
    report("pstate.plain", spsr == (SPSR_EL1H | FLAGS), "SPSR 0x%lx", spsr);
    report("pstate.span", !has_pan || entry.pan, "PAN 0x%lx", entry.pan);
    report("pstate.dssbs", !has_ssbs || entry.ssbs, "SSBS 0x%lx", entry.ssbs);
    fault_with(&nop, 1);
    report("pstate.pan_clear", !entry.pan, "PAN 0x%lx", entry.pan);
}

static void case_pstate(void)
{
    has_pan = FIELD(sysreg_read(id_aa64mmfr1_el1), 20);
    has_uao = FIELD(sysreg_read(id_aa64mmfr2_el1), 4);
    has_dit = FIELD(sysreg_read(id_aa64pfr0_el1), 48);
    has_ssbs = FIELD(sysreg_read(id_aa64pfr1_el1), 4) == 2;
    check_saved();
    check_controls();
}

TEST_CASE("cpu.pstate", 1, case_pstate);
