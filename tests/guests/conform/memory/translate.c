// SPDX-License-Identifier: Apache-2.0
// Address translation instructions: PAR_EL1 for each kind of mapping, and for accesses of EL0.
#include "tables.h"

#define PAR_F 1ul
#define PAR_ADDRESS 0x0000fffffffff000ul
#define PAR_FST(par) (((par) >> 1) & 0x3f)
#define PAR_ATTR(par) ((par) >> 56)
#define PAR_SH(par) (((par) >> 7) & 3)

enum kind { E1R, E1W, E0R, E0W };

static uint64_t page[512] __attribute__((aligned(4096)));

static uint64_t translate(enum kind kind, uint64_t va)
{
    static const uint32_t codes[] = {0xd5087800, 0xd5087820, 0xd5087840, 0xd5087860};
    uint32_t code[] = {codes[kind], 0xd5033fdf}; /* at …, x0; isb */

    sysreg_write(par_el1, 0xfff);
    if (!trap_try_code(code, 2, va, 0, NULL, NULL))
        return ~0ul;
    return sysreg_read(par_el1);
}

static void expect(const char *name, uint64_t va, uint64_t pa, unsigned attr, unsigned readable)
{
    static const char *suffix[] = {".e1r", ".e1w", ".e0r", ".e0w"};
    char full[48];
    size_t n = strlen(name);

    memcpy(full, name, n);
    for (enum kind kind = E1R; kind <= E0W; kind++) {
        uint64_t par = translate(kind, va);
        bool right;

        memcpy(full + n, suffix[kind], 5);
        if (readable & 1u << kind)
            right = !(par & PAR_F) && (par & PAR_ADDRESS) == (pa & PAR_ADDRESS) &&
                    PAR_ATTR(par) == attr;
        else
            right = par & PAR_F && PAR_FST(par) == 0x0f && !(par & 0x300);
        report(full, right, "PAR 0x%lx", par);
    }
}

static void expect_fault(const char *name, uint64_t va, unsigned fst)
{
    uint64_t par = translate(E1R, va);

    report(name, par & PAR_F && PAR_FST(par) == fst && !(par & 0x300), "PAR 0x%lx", par);
}

#define ALL 15u
#define EL1_ALL 3u
#define EL1_READ 1u
#define ALL_READ 5u

static void case_translate(void)
{
    struct tables t;
    uint64_t va;

    tables_init(&t, 12, 39);
    va = tables_base(&t);
    tables_map(&t, va, (uintptr_t)page, DESC_RAM, 3);
    tables_map(&t, va + 0x1000, (uintptr_t)page, DESC_RAM | DESC_EL0, 3);
    tables_map(&t, va + 0x2000, (uintptr_t)page, DESC_RAM | DESC_READ_ONLY, 3);
    tables_map(&t, va + 0x3000, (uintptr_t)page, DESC_RAM | DESC_READ_ONLY | DESC_EL0, 3);
    tables_map(&t, va + 0x4000, UART_BASE, DESC_DEVICE | DESC_AF, 3);
    tables_map(&t, va + 0x5000, HOLE, DESC_DEVICE | DESC_AF, 3);
    tables_map(&t, va + 0x6000, (uintptr_t)page, DESC_RAM & ~DESC_AF, 3);
    tables_use(&t, (uintptr_t)t.root);
    expect("at.ram", va + 0x10, (uintptr_t)page, 0xff, EL1_ALL);
    expect("at.user", va + 0x1010, (uintptr_t)page, 0xff, ALL);
    expect("at.read_only", va + 0x2010, (uintptr_t)page, 0xff, EL1_READ);
    expect("at.user_read_only", va + 0x3010, (uintptr_t)page, 0xff, ALL_READ);
    expect("at.device", va + 0x4010, UART_BASE, 0x04, EL1_ALL);
    expect("at.hole", va + 0x5010, HOLE, 0x04, EL1_ALL);
    expect_fault("at.access", va + 0x6010, 0x0b);
    expect_fault("at.translation3", va + 0x7010, 0x07);
    expect_fault("at.translation2", va + 0x40000000 - 0x1000, 0x06);
    expect_fault("at.translation1", va + 0x80000000, 0x05);
    expect_fault("at.outside", va - 0x1000, 0x04);
    tables_end();
}

TEST_CASE("memory.translate", 1, case_translate);
