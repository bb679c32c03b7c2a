// SPDX-License-Identifier: Apache-2.0
// Touches addresses where nothing is, and expects the aborts that hardware gives.
#include <payload/arch.h>
#include <payload/boot.h>
#include <payload/main.h>
#include <payload/report.h>
#include <payload/trap.h>

#define HOLE 0x0b000000ul
#define LDR_W0_X0 0xb9400000u
#define STR_W1_X0 0xb9000001u

void payload_main(void)
{
    uint64_t addr = boot_number("addr", HOLE);
    uint32_t load = LDR_W0_X0, store = STR_W1_X0;
    struct trap trap = {0};

    bool done = trap_try_code(&load, 1, addr, 0, NULL, &trap);
    report("unmapped.load", !done && trap.esr == 0x96000010 && trap.far == addr && !trap.elr,
           "returned %d esr 0x%lx far 0x%lx elr +0x%lx", done, trap.esr, trap.far, trap.elr);
    done = trap_try_code(&store, 1, addr, 0, NULL, &trap);
    report("unmapped.store", !done && trap.esr == 0x96000050 && trap.far == addr && !trap.elr,
           "returned %d esr 0x%lx far 0x%lx elr +0x%lx", done, trap.esr, trap.far, trap.elr);
}
