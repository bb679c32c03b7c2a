// SPDX-License-Identifier: Apache-2.0
// Translation tables of any granule for the upper half of the address space.
#include "tables.h"

#define POOL_PAGES 8
#define POOL_PAGE 65536
#define LEVEL_LAST 3
#define ADDRESS 0x0000fffffffff000ul
#define TCR_UPPER 0xffff0000ul
#define CODE_LOAD 0xf9400001u
#define CODE_STORE 0xf9000001u

static uint8_t pool[POOL_PAGES][POOL_PAGE] __attribute__((aligned(POOL_PAGE)));
static unsigned pool_used;
static uint64_t tcr_before;

bool tables_have(unsigned granule)
{
    uint64_t mmfr0 = sysreg_read(id_aa64mmfr0_el1);

    if (granule == 12)
        return ((mmfr0 >> 28) & 15) != 15;
    if (granule == 14)
        return ((mmfr0 >> 20) & 15) != 0;
    return ((mmfr0 >> 24) & 15) != 15;
}

static uint64_t *new_table(void)
{
    uint8_t *table = pool[pool_used++ % POOL_PAGES];

    memset(table, 0, POOL_PAGE);
    return (uint64_t *)table;
}

void tables_init(struct tables *tables, unsigned granule, unsigned bits)
{
    pool_used = 0;
    *tables = (struct tables){.granule = granule, .bits = bits, .root = new_table()};
}

unsigned tables_first_level(const struct tables *tables)
{
    unsigned stride = tables->granule - 3;

    return LEVEL_LAST + 1 - (tables->bits - tables->granule + stride - 1) / stride;
}

uint64_t tables_span(const struct tables *tables, unsigned level)
{
    return 1ul << (tables->granule + (tables->granule - 3) * (LEVEL_LAST - level));
}

uint64_t tables_base(const struct tables *tables)
{
    return ~0ul << tables->bits;
}

uint64_t *tables_entry(struct tables *tables, uint64_t va, unsigned level)
{
    uint64_t *table = tables->root;
    uint64_t offset = va & ~tables_base(tables);

    for (unsigned at = tables_first_level(tables);; at++) {
        uint64_t *entry = &table[offset / tables_span(tables, at)];

        if (at == level)
            return entry;
        if (!(*entry & DESC_VALID))
            *entry = (uintptr_t)new_table() | DESC_TABLE;
        table = (uint64_t *)(*entry & ADDRESS);
        offset &= tables_span(tables, at) - 1;
    }
}

void tables_map(struct tables *tables, uint64_t va, uint64_t pa, uint64_t attr, unsigned level)
{
    *tables_entry(tables, va, level) = (pa & ~(tables_span(tables, level) - 1)) | attr |
                                       (level == LEVEL_LAST ? DESC_PAGE : DESC_VALID);
}

static void set(uint64_t tcr, uint64_t root)
{
    dsb();
    sysreg_write(tcr_el1, tcr);
    sysreg_write(ttbr1_el1, root);
    isb();
    __asm__ volatile("tlbi vmalle1" ::: "memory");
    dsb();
    isb();
}

void tables_use(const struct tables *tables, uint64_t root)
{
    static const uint8_t tg1[] = {[12] = 2, [14] = 1, [16] = 3};
    uint64_t tcr = sysreg_read(tcr_el1);

    if (!tcr_before)
        tcr_before = tcr;
    tcr = (tcr_before & ~TCR_UPPER) | (uint64_t)tg1[tables->granule] << 30 | 3ul << 28 | 1ul << 26 |
          1ul << 24 | (uint64_t)(64 - tables->bits) << 16;
    if (tables->tcr & TCR_IPS)
        tcr &= ~TCR_IPS;
    set(tcr | tables->tcr, root);
}

void tables_end(void)
{
    set(tcr_before, 0);
    tcr_before = 0;
}

static struct trap try(uint32_t code, uint64_t va)
{
    struct trap trap = {0};

    trap_try_code(&code, 1, va, 0, NULL, &trap);
    return trap;
}

struct trap tables_load(uint64_t va)
{
    return try(CODE_LOAD, va);
}

struct trap tables_store(uint64_t va)
{
    return try(CODE_STORE, va);
}

struct trap tables_fetch(uint64_t va)
{
    struct trap trap = {0};

    trap_try((trap_fn)va, 0, 0, NULL, &trap);
    return trap;
}
