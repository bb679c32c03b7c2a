// SPDX-License-Identifier: Apache-2.0
// Cache maintenance: by set and way over all levels, by address where RAM is and where it is not.
#include "tables.h"

#define SECONDS_MAX 2
#define DC_ZVA 0xd50b7420u
#define RAM_WORDS 64

static uint64_t data[RAM_WORDS] __attribute__((aligned(2048)));

static void all_sets_and_ways(unsigned level)
{
    bool wide = ((sysreg_read(id_aa64mmfr2_el1) >> 20) & 15) != 0;
    uint64_t size;

    sysreg_write(csselr_el1, level << 1);
    isb();
    size = sysreg_read(ccsidr_el1);
    unsigned line = (unsigned)(size & 7) + 4;
    unsigned ways = (unsigned)(size >> 3) & (wide ? 0x1fffff : 0x3ff);
    unsigned sets = wide ? (unsigned)(size >> 32) & 0xffffff : (unsigned)(size >> 13) & 0x7fff;
    unsigned shift = ways ? (unsigned)__builtin_clz(ways) : 0;

    for (uint64_t way = 0; way <= ways; way++) {
        for (uint64_t set = 0; set <= sets; set++) {
            uint64_t value = way << shift | set << line | level << 1;

            __asm__ volatile("dc csw, %0\n\tdc cisw, %0" ::"r"(value) : "memory");
        }
    }
    dsb();
}

static void check_set_way(void)
{
    uint64_t clidr = sysreg_read(clidr_el1), start = timer_now();
    unsigned levels = 0;

    for (unsigned i = 0; i < RAM_WORDS; i++)
        data[i] = i * 0x0101010101010101;
    for (unsigned level = 0; level < 7 && (clidr >> (3 * level)) & 7; level++) {
        all_sets_and_ways(level);
        levels++;
    }
    unsigned wrong = 0;
    for (unsigned i = 0; i < RAM_WORDS; i++)
        wrong += data[i] != i * 0x0101010101010101;
    report("cache.set_way", levels && !wrong, "%u levels, %u words changed", levels, wrong);
    report("cache.set_way_time", timer_now() - start < timer_hz() * SECONDS_MAX, "%lu us",
           (timer_now() - start) / timer_us(1));
    sysreg_write(csselr_el1, 0);
}

static void check_zeroing(void)
{
    uint64_t dczid = sysreg_read(dczid_el0);
    unsigned words = 1u << (dczid & 15), wrong = 0;
    uint64_t at = (uintptr_t)data + 24;

    if (dczid & 16 || words > 2 * RAM_WORDS)
        return;
    memset(data, 0xff, sizeof(data));
    __asm__ volatile("dc zva, %0" ::"r"(at) : "memory");
    for (unsigned i = 0; i < RAM_WORDS; i++)
        wrong += data[i] != (i < words / 2 ? 0 : ~0ul);
    report("cache.zva", !wrong, "%u words", wrong);
}

/* Nothing behind the address: no operation or an abort with the cause of cache maintenance, and no store. */
static void check_address(const char *name, uint32_t code, uint64_t addr)
{
    struct trap trap = {0};
    bool done = trap_try_code(&code, 1, addr, 0, NULL, &trap);

    report(name,
           done || (TRAP_EC(trap) == EC_DABT && trap.esr & 0x100 && trap.far == addr && !trap.elr),
           "esr 0x%lx far 0x%lx", trap.esr, trap.far);
}

static const struct {
    const char *name;
    uint32_t code;
} operations[] = {
    {"ivac", 0xd5087620},  {"cvac", 0xd50b7a20}, {"cvau", 0xd50b7b20},
    {"civac", 0xd50b7e20}, {"ivau", 0xd50b7520},
};

static void check_places(void)
{
    static const struct {
        const char *name;
        uint64_t addr;
    } places[] = {
        {"hole", EXEC_HOLE},
        {"device", UART_BASE},
        {"top", ~0ul - 63},
        {"unmapped", 0x100000000},
    };
    char name[40] = "cache.";

    for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        for (unsigned k = 0; k < sizeof(operations) / sizeof(operations[0]); k++) {
            size_t n = strlen(places[i].name);

            memcpy(name + 6, places[i].name, n);
            name[6 + n] = '.';
            memcpy(name + 7 + n, operations[k].name, strlen(operations[k].name) + 1);
            check_address(name, operations[k].code, places[i].addr);
        }
    }
}

static void check_zeroing_nothing(void)
{
    uint32_t code = DC_ZVA;
    struct trap trap = {0};
    bool done = trap_try_code(&code, 1, EXEC_HOLE + 8, 0, NULL, &trap);

    report("cache.zva_hole", !done && (trap.esr & ~0x100ul) == ESR_SEA_WRITE && trap.elr == 0,
           "executed %d esr 0x%lx far 0x%lx", done, trap.esr, trap.far);
    report("cache.zva_hole_far", (trap.far & ~63ul) == EXEC_HOLE, "0x%lx", trap.far);
}

/* Instructions written as data run after maintenance, again and again at the same place. */
static void check_code(void)
{
    unsigned wrong = 0;

    for (unsigned i = 0; i < 64; i++) {
        uint32_t code = 0xd2800000 | i << 5; /* mov x0, #i */
        uint64_t result = ~0ul;

        trap_try_code(&code, 1, 0, 0, &result, NULL);
        wrong += result != i;
    }
    report("cache.code", !wrong, "%u of 64", wrong);
    __asm__ volatile("ic iallu\n\tic ialluis\n\tdsb sy\n\tisb" ::: "memory");
}

static void case_cache(void)
{
    check_set_way();
    check_zeroing();
    check_places();
    check_zeroing_nothing();
    check_code();
}

TEST_CASE("memory.cache", 1, case_cache);
