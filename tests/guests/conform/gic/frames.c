// SPDX-License-Identifier: Apache-2.0
// Frames and registers of the other version, and how redistributors are found and woken.
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
