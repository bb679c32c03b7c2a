// SPDX-License-Identifier: Apache-2.0
// Group B: exceptions, vectors and translation tables that lead nowhere.
#include "evil.h"

#define TCR_EPD1 (1ul << 23)
#define TCR_HALF1 (1ul << 24 | 1ul << 26 | 3ul << 28) /* write-back, inner shareable */
#define TCR_T1SZ(n) ((uint64_t)(n) << 16)
#define TCR_TG1(n) ((uint64_t)(n) << 30)
#define TCR_IPS(n) ((uint64_t)(n) << 32)
#define TCR_HA (1ul << 39)
#define TCR_HD (1ul << 40)
#define TG1_4K 2
#define VA_HALF1 0xffffff8000000000ul
#define EC_BREAKPOINT 0x31
#define FSC(trap) ((unsigned)(trap).esr & 0x3f)

static uint64_t empty_table[512] __attribute__((aligned(4096)));

static void set_half1(uint64_t tcr, uint64_t ttbr)
{
    sysreg_write(ttbr1_el1, ttbr);
    sysreg_write(tcr_el1, tcr);
    __asm__ volatile("isb\n\ttlbi vmalle1\n\tdsb sy\n\tisb" ::: "memory");
}

/* A branch to where nothing is, misaligned: the one or the other abort, with the address. */
static void b03_branch(void)
{
    uint32_t branch = 0xd61f0000; /* br x0 */
    uint64_t target = EXEC_HOLE + 2;
    struct trap trap = {0};
    bool done = trap_try_code(&branch, 1, target, 0, NULL, &trap);

    report("B03.branch",
           !done && trap.far == target && (trap.esr == 0x8a000000 || trap.esr == ESR_SEA_FETCH),
           "executed %d esr 0x%lx far 0x%lx", done, trap.esr, trap.far);
}
TEST_CASE("B03.branch", 1, b03_branch);

static void fault_at(uint64_t vectors)
{
    sysreg_write(vbar_el1, vectors);
    isb();
    __asm__ volatile("brk #0");
}

static void b06_unmapped(void)
{
    fault_at(HOLE);
}
TEST_CASE_BY_NAME("B06.vbar_unmapped", 1, b06_unmapped);

static void b06_device(void)
{
    fault_at(EXEC_DEVICES + UART_BASE);
}
TEST_CASE_BY_NAME("B06.vbar_device", 1, b06_device);

static void b06_no_address(void)
{
    fault_at(1ul << 47);
}
TEST_CASE_BY_NAME("B06.vbar_no_address", 1, b06_no_address);

/* Tables where there is no memory: an external abort or an address size fault, and no device access. */
static void b07_tables(void)
{
    const uint64_t places[] = {HOLE,      UART_BASE,    GICD_BASE,    GICD_BASE + 0x1000,
                               GICR_BASE, 0x3ffffff000, 0xfffffff000, 0xfffffffff000};
    uint64_t tcr = sysreg_read(tcr_el1), ttbr = sysreg_read(ttbr1_el1);
    struct trap trap = {0}, first = {0};
    unsigned strange = 0;

    if (!boot_is_guest()) {
        report_skip("B07.tables", "on the bare machine there are devices behind these addresses");
        return;
    }
    for (unsigned i = 0; i < 2 * COUNT(places); i++) {
        uint32_t load = 0xf9400000; /* ldr x0, [x0] */
        bool done;

        set_half1((tcr & ~TCR_EPD1) | TCR_HALF1 | TCR_T1SZ(25) | TCR_TG1(TG1_4K), places[i / 2]);
        if (i % 2)
            done = trap_try((trap_fn)VA_HALF1, 0, 0, NULL, &trap);
        else
            done = trap_try_code(&load, 1, VA_HALF1, 0, NULL, &trap);
        set_half1(tcr, ttbr);
        if ((done || (FSC(trap) > 3 && FSC(trap) != 0x10 && FSC(trap) >> 2 != 5)) && !strange++)
            first = trap;
    }
    report("B07.tables", !strange, "%u strange, the first esr 0x%lx far 0x%lx", strange, first.esr,
           first.far);
}
TEST_CASE("B07.tables", 1, b07_tables);

/* Every size, granule and output size of the upper half, legal or not, over an empty table. */
static void b09_tcr(void)
{
    uint64_t tcr = sysreg_read(tcr_el1), ttbr = sysreg_read(ttbr1_el1);
    uint64_t base = tcr & ~(TCR_EPD1 | TCR_IPS(7));
    uint32_t load = 0xf9400000; /* ldr x0, [x0] */
    struct trap trap = {0};
    unsigned strange = 0;

    for (unsigned i = 0; i < 64 * 4; i++) {
        for (uint64_t ips = 0; ips < 8; ips += 7) {
            set_half1(base | TCR_HALF1 | TCR_T1SZ(i / 4) | TCR_TG1(i % 4) | TCR_IPS(ips),
                      (uintptr_t)empty_table);
            strange +=
                trap_try_code(&load, 1, ~0xffful, 0, NULL, &trap) || TRAP_EC(trap) != EC_DABT;
            set_half1(tcr, ttbr);
        }
    }
    report("B09.tcr", !strange, "%u strange, the last esr 0x%lx", strange, trap.esr);
}
TEST_CASE("B09.tcr", 1, b09_tcr);

/* A table in ROM whose access flag hardware wants to set. rom= names it; its descriptors are blocks without the flag. */
static void b09_rom_table(void)
{
    uint64_t rom = boot_number("rom", 0), tcr = sysreg_read(tcr_el1);
    uint64_t ttbr = sysreg_read(ttbr1_el1), before, after;
    uint32_t store = 0xf9000000; /* str x0, [x0] */
    struct trap trap = {0};
    bool done;

    if (!rom) {
        report_skip("B09.rom_table", "no rom=");
        return;
    }
    before = mmio_read64(rom);
    set_half1((tcr & ~TCR_EPD1) | TCR_HALF1 | TCR_T1SZ(25) | TCR_TG1(TG1_4K) | TCR_HA | TCR_HD, rom);
    done = trap_try_code(&store, 1, VA_HALF1 + 0x40000, 0, NULL, &trap);
    set_half1(tcr, ttbr);
    after = mmio_read64(rom);
    report("B09.rom_table", !done && TRAP_EC(trap) == EC_DABT && before == after,
           "executed %d esr 0x%lx, 0x%lx became 0x%lx", done, trap.esr, before, after);
}
TEST_CASE("B09.rom_table", 1, b09_rom_table);

static void sweep_calls(const char *name, uint32_t base)
{
    uint32_t step = (uint32_t)boot_number("step", 15);
    unsigned executed = 0, undefined = 0, other = 0;

    for (uint32_t imm = 1; imm < 0x10000; imm += step) {
        uint32_t code = base | imm << 5;
        uint64_t value = 0;
        struct trap trap;
        bool done = trap_try_code(&code, 1, PSCI_SYSTEM_OFF, 0, &value, &trap);

        executed += done && value == ~0ul;
        undefined += !done && trap.esr == ESR_UNDEF;
        other += done ? value != ~0ul : trap.esr != ESR_UNDEF;
    }
    report(name, !other, "%u strange answers", other);
    print("evil: %s: %u refused, %u undefined\n", name, executed, undefined);
}

static void b10_immediates(void)
{
    uint32_t step = (uint32_t)boot_number("step", 15);
    unsigned wrong = 0;
    struct trap trap;

    for (uint32_t imm = 0; imm < 0x10000; imm += step) {
        uint32_t svc = 0xd4000001u | imm << 5, brk = 0xd4200000u | imm << 5;

        wrong += trap_try_code(&svc, 1, 0, 0, NULL, &trap) || trap.esr != (0x56000000u | imm);
        wrong += trap_try_code(&brk, 1, 0, 0, NULL, &trap) || trap.esr != (0xf2000000u | imm);
    }
    report("B10.svc_brk", !wrong, "%u wrong", wrong);
    if (!boot_is_guest())
        return;
    sweep_calls("B10.hvc", 0xd4000002);
    sweep_calls("B10.smc", 0xd4000003);
}
TEST_CASE("B10.immediates", 1, b10_immediates);

/* A breakpoint of its own, and BRK, with debug exceptions open: both are this guest's. */
static void b12_debug(void)
{
    static const uint32_t clear[] = {CODE_MSR(2, 0, 0, 0, 4), CODE_MSR(2, 0, 0, 0, 5)};
    static const uint32_t where = 0x10000000;                            /* adr x0, . */
    static const uint32_t code[] = {0xd50348ff, 0xd503201f, 0xd4200020}; /* daifclr D; nop; brk */
    struct trap brk = {0}, hit = {0};
    uint64_t base = 0;

    sysreg_write(mdscr_el1, 1u << 15 | 1u << 13); /* MDE, KDE */
    sysreg_write(oslar_el1, 0);
    isb();
    trap_try_code(code, 3, 0, 0, NULL, &brk);
    trap_try_code(&where, 1, 0, 0, &base, NULL);
    sysreg_write(dbgbvr0_el1, base + 4);
    sysreg_write(dbgbcr0_el1, 0x1e3); /* EL1, all of the word, on */
    isb();
    trap_try_code(code, 3, 0, 0, NULL, &hit);
    for (unsigned i = 0; i < COUNT(clear); i++)
        trap_try_code(&clear[i], 1, 0, 0, NULL, NULL);
    sysreg_write(mdscr_el1, 0);
    isb();
    report("B12.debug", brk.esr == 0xf2000001 && TRAP_EC(hit) == EC_BREAKPOINT && hit.elr == 4,
           "brk esr 0x%lx, breakpoint esr 0x%lx elr +0x%lx", brk.esr, hit.esr, hit.elr);
}
TEST_CASE("B12.debug", 1, b12_debug);

/* EL0's BRK and undefined instruction come to EL1's vector for it. */
static void b12_el0(void)
{
    static const uint32_t brk = 0xd4200060, undefined = 0;
    struct trap trap = {0}, other = {0};

    trap_try_el0(&brk, 1, false, &trap);
    trap_try_el0(&undefined, 1, false, &other);
    report("B12.el0",
           trap.vector == 8 && trap.esr == 0xf2000003 && other.vector == 8 && other.esr == ESR_UNDEF,
           "vectors %lu %lu esr 0x%lx 0x%lx", trap.vector, other.vector, trap.esr, other.esr);
}
TEST_CASE("B12.el0", 1, b12_el0);

/* Execution in devices: an abort, never a read of a register. */
static void b18_fetch(void)
{
    static const uint64_t pages[] = {UART_BASE, GICD_BASE,           GICD_BASE + 0x100,
                                     GICR_BASE, GICR_BASE + 0x10000, 0x09010000};
    unsigned wrong = 0;
    struct trap trap = {0};

    if (!boot_is_guest()) {
        report_skip("B18.fetch", "QEMU executes its devices");
        return;
    }
    for (unsigned i = 0; i < COUNT(pages); i++) {
        uint64_t target = EXEC_DEVICES + pages[i];

        wrong += trap_try((trap_fn)target, 0, 0, NULL, &trap) || trap.esr != ESR_SEA_FETCH ||
                 trap.far != target;
    }
    report("B18.fetch", !wrong, "%u wrong, the last esr 0x%lx", wrong, trap.esr);
}
TEST_CASE("B18.fetch", 1, b18_fetch);

/* Stores to ROM of every kind: an abort, and the same content as before. */
static void b22_rom(void)
{
    static const uint32_t stores[] = {
        0xf9000001, /* str x1, [x0] */
        0x39000001, /* strb w1, [x0] */
        0xa9000401, /* stp x1, x1, [x0] */
        0xf8008401, /* str x1, [x0], #8 */
        0xc89ffc01, /* stlr x1, [x0] */
        0xd50b7420, /* dc zva, x0 */
    };
    uint64_t rom = boot_number("rom", 0), before, sum = 0;
    unsigned wrong = 0;
    struct trap trap = {0};

    if (!rom) {
        report_skip("B22.rom", "no rom=");
        return;
    }
    before = mmio_read64(rom);
    for (unsigned i = 0; i < COUNT(stores); i++) {
        wrong += trap_try_code(&stores[i], 1, rom, ~before, NULL, &trap);
        wrong += !is_external_abort(&trap) || trap.far != rom || !(trap.esr & 1u << 6);
    }
    for (unsigned i = 0; i < 512; i++)
        sum += mmio_read64(rom + 8 * i) != before;
    report("B22.rom", !wrong && !sum, "%u wrong, the last esr 0x%lx; %lu words changed", wrong,
           trap.esr, sum);
}
TEST_CASE("B22.rom", 1, b22_rom);
