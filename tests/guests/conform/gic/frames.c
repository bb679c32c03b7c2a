// SPDX-License-Identifier: Apache-2.0
// Frames and registers of the other version, of others and of nobody, and how redistributors are found and woken.
#include "gic_case.h"

static uint64_t load32(uint64_t addr, uint64_t unused)
{
    (void)unused;
    return mmio_read32(addr);
}

static void case_gic_other_version(void)
{
    static const uint8_t ops[][3] = {{4, 6, 0}, {12, 8, 0}, {12, 11, 5}, {12, 12, 0}, {12, 12, 4}};
    struct trap trap;
    unsigned wrong = 0;

    if (gic_version == 3) {
        bool ok = trap_try(load32, GICC_BASE + GICC_IAR, 0, NULL, &trap);

        report("gic.no_gicc", !ok && (trap.esr & ~0x01ff0000ul & ~0x8000ul) == ESR_SEA_READ,
               "ok %d ESR 0x%lx", ok, trap.esr);
    } else {
        for (unsigned i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
            uint32_t code = CODE_MRS(3, 0, ops[i][0], ops[i][1], ops[i][2]);

            wrong += trap_try_code(&code, 1, 0, 0, NULL, &trap) || trap.esr != ESR_UNDEF;
        }
        report("gic.no_icc", !wrong, "%u not UNDEFINED", wrong);
    }
}

TEST_CASE("gic.other_version", 1, case_gic_other_version);

static void case_gic_redist(void)
{
    unsigned wrong = 0;

    if (gic_version != 3)
        return;
    for (unsigned i = 0; i < boot_info.cpu_count; i++) {
        uintptr_t base = gic_redist(i);
        uint64_t typer = base ? mmio_read64(base + GICR_TYPER) : 0;

        wrong += !base || (typer >> 8 & 0xffff) != i ||
                 !!(typer & GICR_TYPER_LAST) != (i == boot_info.cpu_count - 1);
    }
    report("gic.redist_found", !wrong, "%u wrong", wrong);
    uintptr_t own = gic_redist(this_cpu()->index);
    uint32_t awake = mmio_read32(own + GICR_WAKER);
    mmio_write32(own + GICR_WAKER, 2);
    uint32_t asleep = mmio_read32(own + GICR_WAKER);
    mmio_write32(own + GICR_WAKER, 0);
    report("gic.redist_waker",
           (awake & 6) == 0 && (asleep & 6) == 6 && (mmio_read32(own + GICR_WAKER) & 6) == 0,
           "0x%x 0x%x", awake, asleep);
}

TEST_CASE("gic.redist", 1, case_gic_redist);

/* Behind the redistributor that says it is the last. */
static void case_gic_behind_last(void)
{
    static const uint32_t offsets[] = {0, GICR_TYPER, GICR_SGI_FRAME + GICD_ISENABLER, 0x1fffc};
    uintptr_t behind;
    unsigned wrong = 0;

    if (gic_version != 3)
        return;
    behind = gic_redist(boot_info.cpu_count - 1) + 2 * GICR_SGI_FRAME;
    for (unsigned i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
        struct trap trap;
        bool ok = trap_try(load32, behind + offsets[i], 0, NULL, &trap);

        wrong += ok || (trap.esr & ~0x01ff0000ul & ~0x8000ul) != ESR_SEA_READ;
    }
    report("gic.behind_last", !wrong, "%u answered", wrong);
}

TEST_CASE("gic.behind_last", 1, case_gic_behind_last);

/* What only a hypervisor has: list registers and the rest of ICH_, and registers of EL2 and EL3. */
static void case_gic_hypervisor(void)
{
    static const uint8_t registers[][4] = {
        {4, 12, 8, 0},  {4, 12, 9, 0},  {4, 12, 9, 5},  {4, 12, 11, 0}, {4, 12, 11, 1},
        {4, 12, 11, 2}, {4, 12, 11, 3}, {4, 12, 11, 5}, {4, 12, 11, 7}, {4, 12, 12, 0},
        {4, 12, 12, 3}, {4, 12, 13, 0}, {6, 12, 12, 4}, {6, 12, 12, 5}, {6, 12, 12, 7},
        {4, 0, 0, 0},   {4, 0, 0, 5},   {4, 1, 0, 0},   {4, 1, 1, 0},   {4, 1, 1, 1},
        {4, 1, 1, 2},   {4, 2, 0, 0},   {4, 2, 1, 0},   {4, 2, 1, 2},   {4, 4, 0, 0},
        {4, 4, 0, 1},   {4, 4, 1, 0},   {4, 5, 2, 0},   {4, 6, 0, 4},   {4, 12, 0, 0},
        {4, 14, 0, 3},  {4, 14, 1, 0},  {4, 14, 2, 1},  {6, 1, 1, 0},   {6, 12, 0, 0}};
    unsigned wrong = 0;

    for (unsigned i = 0; i < sizeof(registers) / sizeof(registers[0]); i++) {
        const uint8_t *reg = registers[i];
        uint32_t read = CODE_MRS(3, reg[0], reg[1], reg[2], reg[3]);
        uint32_t write = CODE_MSR(3, reg[0], reg[1], reg[2], reg[3]);
        struct trap trap;

        wrong += trap_try_code(&read, 1, 0, 0, NULL, &trap) || trap.esr != ESR_UNDEF;
        wrong += trap_try_code(&write, 1, 0, 0, NULL, &trap) || trap.esr != ESR_UNDEF;
    }
    report("gic.hypervisor", !wrong, "%u not UNDEFINED", wrong);
}

TEST_CASE("gic.hypervisor", 1, case_gic_hypervisor);
