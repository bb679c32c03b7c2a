// SPDX-License-Identifier: Apache-2.0
// Group A: system registers and the instructions that are traps.
#include "evil.h"

#define ENCODINGS 16384
#define CODE(op0, i) CODE_MRS(op0, (i) >> 11 & 7, (i) >> 7 & 15, (i) >> 3 & 15, (i)&7)
#define CODE_WRITE(read) ((read) & ~0x00200000u)
#define PER_LINE 10
#define CPACR_ALL (3u << 16 | 3u << 20 | 3u << 24)
#define PSTATE_D 0x200
#define MDSCR_ON (1u << 15 | 1u << 13) /* MDE, KDE */
#define UART_IBRD 0x24
#define UNMAPPED 0x200000000ul /* in no table of this program */

enum { READS = 1, WRITES = 2, ABORTS = 4 };

static uint8_t map[2][ENCODINGS];
static uint8_t scratch[4096] __attribute__((aligned(4096)));

/* Reads an encoding, and writes back what was read. */
static uint8_t try_register(uint32_t read, unsigned *strange)
{
    uint32_t write = CODE_WRITE(read);
    uint64_t value = (uintptr_t)scratch;
    struct trap trap;
    uint8_t result = 0;

    if (trap_try_code(&read, 1, 0, 0, &value, &trap))
        result |= READS;
    else if (trap.esr != ESR_UNDEF && (read >> 12 & 15) != 0)
        ++*strange; /* the ID space may say so with the syndrome of a trap (FEAT_IDST) */
    if (trap_try_code(&write, 1, value, 0, NULL, &trap))
        result |= WRITES;
    else if (TRAP_EC(trap) == EC_DABT)
        result |= ABORTS;
    else if (trap.esr != ESR_UNDEF && (read >> 12 & 15) != 0)
        ++*strange;
    return result;
}

static unsigned sweep(unsigned op0, uint8_t *to)
{
    unsigned strange = 0;

    for (unsigned i = 0; i < ENCODINGS; i++) {
        uint32_t read = CODE(op0, i);

        to[i] = register_is_own(read) ? 0 : try_register(read, &strange);
    }
    return strange;
}

static void print_map(unsigned op0)
{
    static const char *const names[] = {"", "r", "w", "rw", "a", "ra", "wa", "rwa"};
    unsigned printed = 0;

    for (unsigned i = 0; i < ENCODINGS; i++) {
        if (!map[0][i])
            continue;
        if (printed % PER_LINE == 0)
            print("%sMAP%u", printed ? "\n" : "", op0);
        print(" %04x%s", i, names[map[0][i]]);
        printed++;
    }
    print("\nMAP%u has %u\n", op0, printed);
}

/* Twice, and the same both times; the host compares the map with a reviewed one. */
static void sweep_twice(const char *name, unsigned op0)
{
    unsigned strange, changed = 0;
    uint64_t cpacr = sysreg_read(cpacr_el1);

    sysreg_write(cpacr_el1, CPACR_ALL);
    isb();
    strange = sweep(op0, map[0]) + sweep(op0, map[1]);
    sysreg_write(cpacr_el1, cpacr);
    isb();
    for (unsigned i = 0; i < ENCODINGS; i++)
        changed += map[0][i] != map[1][i];
    report(name, !strange && !changed, "%u strange, %u changed", strange, changed);
    print_map(op0);
}

static void a01_sweep(void)
{
    sweep_twice("A01.sysreg_sweep", 3);
}
TEST_CASE("A01.sysreg_sweep", 1, a01_sweep);

static void a02_debug(void)
{
    sweep_twice("A02.debug_sweep", 2);
}
TEST_CASE("A02.debug_sweep", 1, a02_debug);

static void a02_sys(void)
{
    sweep_twice("A02.sys_sweep", 1);
}
TEST_CASE("A02.sys_sweep", 1, a02_sys);

static unsigned id_writes;

static void write_ids(void)
{
    unsigned wrong = 0;

    for (unsigned i = 0; i < 64; i++) {
        uint32_t write = CODE_MSR(3, 0, 0, i / 8, i % 8);
        struct trap trap;

        wrong += trap_try_code(&write, 1, ~0ul << i, 0, NULL, &trap) || trap.esr != ESR_UNDEF;
    }
    __atomic_add_fetch(&id_writes, wrong, __ATOMIC_RELAXED);
}

static void a04_ids(void)
{
    bool ran = on_all_cpus(write_ids);

    report("A04.id_writes", ran && !id_writes, "%u writes of ID registers went through", id_writes);
}
TEST_CASE("A04.id_writes", 1, a04_ids);

/* Registers that a guest has of its own, whoever else runs on the CPU. */
static const uint32_t context[] = {
    CODE_MRS(3, 3, 13, 0, 2),  /* TPIDR_EL0 */
    CODE_MRS(3, 3, 13, 0, 3),  /* TPIDRRO_EL0 */
    CODE_MRS(3, 3, 13, 0, 5),  /* TPIDR2_EL0 */
    CODE_MRS(3, 0, 13, 0, 1),  /* CONTEXTIDR_EL1 */
    CODE_MRS(3, 0, 5, 1, 0),   /* AFSR0_EL1 */
    CODE_MRS(3, 0, 5, 1, 1),   /* AFSR1_EL1 */
    CODE_MRS(3, 0, 6, 0, 0),   /* FAR_EL1 */
    CODE_MRS(3, 0, 7, 4, 0),   /* PAR_EL1 */
    CODE_MRS(3, 0, 10, 3, 0),  /* AMAIR_EL1 */
    CODE_MRS(3, 0, 2, 0, 1),   /* TTBR1_EL1 */
    CODE_MRS(3, 0, 4, 1, 0),   /* SP_EL0 */
    CODE_MRS(3, 2, 0, 0, 0),   /* CSSELR_EL1 */
    CODE_MRS(3, 0, 14, 1, 0),  /* CNTKCTL_EL1 */
    CODE_MRS(3, 3, 14, 3, 2),  /* CNTV_CVAL_EL0 */
    CODE_MRS(3, 3, 14, 2, 2),  /* CNTP_CVAL_EL0 */
    CODE_MRS(2, 0, 0, 0, 4),   /* DBGBVR0_EL1 */
    CODE_MRS(2, 0, 0, 0, 6),   /* DBGWVR0_EL1 */
    CODE_MRS(3, 0, 4, 6, 0),   /* ICC_PMR_EL1 */
    CODE_MRS(3, 0, 12, 12, 3), /* ICC_BPR1_EL1 */
    CODE_MRS(3, 0, 2, 1, 0),   /* APIAKeyLo_EL1 */
    CODE_MRS(3, 0, 2, 1, 3),   /* APIBKeyHi_EL1 */
    CODE_MRS(3, 0, 2, 2, 1),   /* APDAKeyHi_EL1 */
    CODE_MRS(3, 0, 2, 3, 0),   /* APGAKeyLo_EL1 */
};

/* Two of these with other seeds on one CPU: what one writes the other never sees. */
static void a08_bleed(void)
{
    uint64_t end, values[COUNT(context)], rounds = 0, last = timer_now();
    unsigned wrong = 0, gaps = 0;

    for (unsigned i = 0; i < COUNT(context); i++) {
        uint32_t write = CODE_WRITE(context[i]);

        trap_try_code(&write, 1, register_value(context[i], random_word()), 0, NULL, NULL);
        values[i] = 0;
        trap_try_code(&context[i], 1, 0, 0, &values[i], NULL);
    }
    end = last + timer_us(1000 * boot_number("ms", 2000));
    while (timer_now() < end) {
        for (unsigned i = 0; i < COUNT(context); i++) {
            uint64_t value = 0;

            if (context[i] == CODE_MRS(3, 0, 6, 0, 0) && rounds)
                continue; /* FAR: what is not there for this CPU makes exceptions, which change it */
            trap_try_code(&context[i], 1, 0, 0, &value, NULL);
            wrong += value != values[i];
        }
        gaps += timer_now() - last > timer_us(1000);
        last = timer_now();
        rounds++;
    }
    report("A08.bleed", !wrong && gaps, "%u values of another, %u times preempted in %lu rounds",
           wrong, gaps, rounds);
    gic_cpu_init();
}
TEST_CASE_BY_NAME("A08.bleed", 1, a08_bleed);

static void set_debug(unsigned n, uint64_t bvr, uint64_t bcr, uint64_t wvr, uint64_t wcr)
{
    const struct {
        uint32_t code;
        uint64_t value;
    } writes[] = {
        {CODE_MSR(2, 0, 0, n, 4), bvr},
        {CODE_MSR(2, 0, 0, n, 5), bcr},
        {CODE_MSR(2, 0, 0, n, 6), wvr},
        {CODE_MSR(2, 0, 0, n, 7), wcr},
    };

    for (unsigned i = 0; i < COUNT(writes); i++)
        trap_try_code(&writes[i].code, 1, writes[i].value, 0, NULL, NULL);
}

/*
 * Watchpoints over 2 GiB each, for all exception levels that they may name, while this program itself keeps debug
 * exceptions masked: who else takes one is another guest or the hypervisor.
 */
static void a10_watch(void)
{
    const uint64_t wcr = 31ul << 24 | 0xffu << 5 | 3u << 3 | 3u << 1 | 1; /* 2 GiB, load, store */
    uint64_t end = timer_now() + timer_us(1000 * boot_number("ms", 2000));

    set_debug(0, 0x40080000, 0x1e7, 0, wcr);
    set_debug(1, 0x40080800, 0x21e7, 0x80000000, wcr | 1u << 13);
    set_debug(2, 0x40200000, 0x1e7, 0, wcr | 3u << 14);
    set_debug(3, 0, 0x1e7, ~0x7ffffffful, wcr);
    sysreg_write(mdscr_el1, MDSCR_ON);
    isb();
    while (timer_now() < end)
        relax();
    sysreg_write(mdscr_el1, 0);
    isb();
    for (unsigned i = 0; i < 4; i++)
        set_debug(i, 0, 0, 0, 0);
    report("A10.watchpoints", sysreg_read(daif) & PSTATE_D, "debug exceptions are not masked");
}
TEST_CASE_BY_NAME("A10.watchpoints", 1, a10_watch);

/* The debug channel: it looks as if nobody reads it, or is not there. */
static void a11_dcc(void)
{
    const uint32_t status = CODE_MRS(2, 3, 0, 1, 0), send = CODE_MSR(2, 3, 0, 5, 0);
    uint64_t value = 0;
    struct trap trap;
    bool fine = true;

    if (trap_try_code(&status, 1, 0, 0, &value, &trap))
        fine = !boot_is_guest() || value & 1u << 29;
    else
        fine = trap.esr == ESR_UNDEF;
    for (unsigned i = 0; i < 1000; i++)
        fine &= trap_try_code(&send, 1, 'x', 0, NULL, &trap) || trap.esr == ESR_UNDEF;
    report("A11.dcc", fine, "status 0x%lx esr 0x%lx", value, trap.esr);
}
TEST_CASE("A11.dcc", 1, a11_dcc);

/* Registers that only the maker knows: constant, or not there. (QEMU 7.2 has some and does not let them be trapped.) */
static void a14_impdef(void)
{
    uint64_t before = sysreg_read(actlr_el1), first = 0, second = 0;
    unsigned there = 0, changed = 0;

    sysreg_write(actlr_el1, ~0ul);
    isb();
    changed += sysreg_read(actlr_el1) != before;
    for (unsigned i = 0; i < ENCODINGS; i++) {
        uint32_t read = CODE(3, i), write = CODE_WRITE(read);

        if ((i >> 7 & 15) != 11 && (i >> 7 & 15) != 15)
            continue;
        if (!trap_try_code(&read, 1, 0, 0, &first, NULL))
            continue;
        there++;
        trap_try_code(&write, 1, ~0ul, 0, NULL, NULL);
        trap_try_code(&read, 1, 0, 0, &second, NULL);
        changed += first != second;
    }
    report("A14.impdef", !changed || !boot_is_guest(), "%u of %u were changed", changed, there);
}
TEST_CASE("A14.impdef", 1, a14_impdef);

static void clean_set_way(void)
{
    for (uint64_t level = 0; level < 3; level++) {
        for (uint64_t set = 0; set < 64; set++) {
            for (uint64_t way = 0; way < 4; way++) {
                uint64_t where = way << 30 | set << 6 | level << 1;

                __asm__ volatile("dc isw, %0\n\tdc csw, %0\n\tdc cisw, %0" ::"r"(where) : "memory");
            }
        }
    }
}

static void a16_set_way(void)
{
    unsigned lost = 0;
    bool ran = true;

    for (unsigned i = 0; i < sizeof(scratch); i++)
        scratch[i] = (uint8_t)(i * 7);
    __asm__ volatile("dsb sy" ::: "memory");
    if (boot_is_guest()) /* a machine of its own may well lose what it invalidates */
        ran = on_all_cpus(clean_set_way);
    for (unsigned i = 0; i < sizeof(scratch); i++)
        lost += ((volatile uint8_t *)scratch)[i] != (uint8_t)(i * 7);
    report("A16.set_way", ran && !lost, "%u bytes lost", lost);
}
TEST_CASE("A16.set_way", 1, a16_set_way);

/* Cache maintenance by address where there is no memory: nothing, or an abort, and never a device access. */
static void a17_maintenance(void)
{
    static const uint32_t codes[] = {
        0xd50b7a20, /* dc cvac, x0 */
        0xd50b7e20, /* dc civac, x0 */
        0xd5087620, /* dc ivac, x0 */
        0xd50b7b20, /* dc cvau, x0 */
        0xd50b7420, /* dc zva, x0 */
        0xd50b7520, /* ic ivau, x0 */
    };
    const uint64_t places[] = {
        UNMAPPED, HOLE, UART_BASE + UART_IBRD, GICD_BASE + 0x100, ~0xffful, 1ul << 47, HIGH_HOLE};
    unsigned strange = 0;
    struct trap trap;

    mmio_write32(UART_BASE + UART_IBRD, 0x1234);
    for (unsigned i = 0; i < COUNT(places); i++) {
        for (unsigned n = 0; n < COUNT(codes); n++)
            strange +=
                !trap_try_code(&codes[n], 1, places[i], 0, NULL, &trap) && TRAP_EC(trap) != EC_DABT;
    }
    report("A17.maintenance", !strange && mmio_read32(UART_BASE + UART_IBRD) == 0x1234,
           "%u strange exceptions, device register 0x%x", strange,
           mmio_read32(UART_BASE + UART_IBRD));
    console_init();
}
TEST_CASE("A17.maintenance", 1, a17_maintenance);

static uint64_t translate(uint64_t va)
{
    __asm__ volatile("at s1e1r, %0\n\tisb" ::"r"(va) : "memory");
    return sysreg_read(par_el1);
}

/* The guest's PAR is the guest's, though the hypervisor translates addresses too. */
static void a19_translate(void)
{
    uint64_t rom = boot_number("rom", 0), par, first = translate((uintptr_t)scratch);
    unsigned wrong = (first & 1) || (first & 0xfffffff000) != (uintptr_t)scratch;

    wrong += !(translate(UNMAPPED) & 1);
    wrong += (translate(UART_BASE) & 0xfffffff001) != UART_BASE;
    for (unsigned i = 0; i < 1000; i++) {
        par = translate((uintptr_t)scratch);
        mmio_read32(UART_BASE + UART_FR);
        wrong += sysreg_read(par_el1) != par || par != first;
        if (!rom)
            continue;
        wrong += try_store(rom, 8, random_word(), NULL);
        wrong += sysreg_read(par_el1) != par;
    }
    report("A19.translate", !wrong, "%u wrong", wrong);
}
TEST_CASE("A19.translate", 1, a19_translate);
