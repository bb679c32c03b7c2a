// SPDX-License-Identifier: Apache-2.0
// Stage 1 of every granule that the CPU has: pages, blocks, each fault at each level, corners of TCR_EL1.
#include "tables.h"

#define ESR_LOAD 0x96000000u
#define ESR_STORE 0x96000040u
#define ESR_FETCH 0x86000000u
#define FAULT_ADDRESS 0x00u
#define FAULT_TRANSLATION 0x04u
#define FAULT_ACCESS 0x08u
#define FAULT_PERMISSION 0x0cu
#define FAR_ADDRESS (1ul << 44) /* beyond the 40 bits that TCR.IPS of start.S says */

static uint64_t data[3 * 65536 / 8] __attribute__((aligned(65536)));
static char name[48];

static const char *named(const struct tables *t, const char *what)
{
    size_t n = strlen(what);

    memcpy(name, "stage1.4k.", 10);
    name[7] = t->granule == 12 ? '4' : t->granule == 14 ? '1' : '6';
    if (t->granule != 12) {
        memcpy(name + 8, t->granule == 14 ? "6k." : "4k.", 3);
        memcpy(name + 11, what, n + 1);
    } else {
        memcpy(name + 10, what, n + 1);
    }
    return name;
}

static void judge(const char *what, const struct trap *trap, uint64_t esr, uint64_t far)
{
    report(what, trap->esr == esr && trap->far == far && trap->vector == 4,
           "vector %lu esr 0x%lx far 0x%lx, not 0x%lx 0x%lx", trap->vector, trap->esr, trap->far,
           esr, far);
}

static void check_pages(struct tables *t)
{
    uint64_t va = tables_base(t), page = 1ul << t->granule;
    volatile uint64_t *at = (uint64_t *)va;

    tables_map(t, va, (uintptr_t)data, DESC_RAM, 3);
    tables_map(t, va + page, (uintptr_t)data + 65536, DESC_RAM | DESC_READ_ONLY, 3);
    tables_map(t, va + 2 * page, (uintptr_t)data, DESC_RAM & ~DESC_AF, 3);
    tables_map(t, va + 3 * page, (uintptr_t)data, DESC_RAM | DESC_PXN, 3);
    tables_map(t, va + 4 * page, FAR_ADDRESS, DESC_RAM, 3);
    tables_use(t, (uintptr_t)t->root);
    data[1] = 0x1111;
    data[8192] = 0x2222;
    at[0] = 0x3333;
    report(named(t, "page"), at[1] == 0x1111 && data[0] == 0x3333 && at[page / 8] == 0x2222,
           "0x%lx 0x%lx 0x%lx", at[1], data[0], at[page / 8]);
    struct trap trap = tables_store(va + page + 8);
    judge(named(t, "page_read_only"), &trap, ESR_STORE | FAULT_PERMISSION | 3, va + page + 8);
    trap = tables_load(va + 2 * page);
    judge(named(t, "page_access"), &trap, ESR_LOAD | FAULT_ACCESS | 3, va + 2 * page);
    trap = tables_fetch(va + 3 * page);
    judge(named(t, "page_fetch"), &trap, ESR_FETCH | FAULT_PERMISSION | 3, va + 3 * page);
    trap = tables_load(va + 4 * page);
    judge(named(t, "page_address"), &trap, ESR_LOAD | FAULT_ADDRESS | 3, va + 4 * page);
}

static void check_translation_faults(struct tables *t)
{
    for (unsigned level = tables_first_level(t); level <= 3; level++) {
        uint64_t va = tables_base(t) + 7 * tables_span(t, level) + 16;
        struct trap trap = tables_load(va);
        char what[] = "translation0";

        what[11] = (char)('0' + level);
        judge(named(t, what), &trap, ESR_LOAD | FAULT_TRANSLATION | level, va);
    }
}

static void check_blocks(struct tables *t)
{
    for (unsigned level = t->granule == 12 ? 1 : 2; level <= 2; level++) {
        uint64_t span = tables_span(t, level), va = tables_base(t) + 2 * span;
        uint64_t offset = (uintptr_t)data & (span - 1);
        uint64_t block = (uintptr_t)data - offset;
        char what[] = "block0";
        struct trap trap;

        what[5] = (char)('0' + level);
        tables_map(t, va, block, DESC_RAM, level);
        tables_map(t, va + span, block, DESC_RAM | DESC_READ_ONLY, level);
        tables_map(t, va + 2 * span, block, DESC_RAM & ~DESC_AF, level);
        tables_use(t, (uintptr_t)t->root);
        data[3] = 0x4444;
        *(volatile uint64_t *)(va + offset + 32) = 0x5555;
        report(named(t, what),
               *(volatile uint64_t *)(va + offset + 24) == 0x4444 && data[4] == 0x5555, "0x%lx",
               data[4]);
        trap = tables_store(va + span + offset);
        judge(named(t, "block_read_only"), &trap, ESR_STORE | FAULT_PERMISSION | level,
              va + span + offset);
        trap = tables_load(va + 2 * span + offset);
        judge(named(t, "block_access"), &trap, ESR_LOAD | FAULT_ACCESS | level,
              va + 2 * span + offset);
    }
}

static void check_granule(unsigned granule)
{
    struct tables t;

    tables_init(&t, granule, 39);
    check_pages(&t);
    check_translation_faults(&t);
    check_blocks(&t);
}

/* Sizes of the address space, so first levels, from the smallest to the largest. */
static void check_sizes(unsigned granule)
{
    static const uint8_t sizes[] = {25, 30, 36, 42, 47, 48};
    unsigned wrong = 0;

    for (unsigned i = 0; i < sizeof(sizes); i++) {
        struct tables t;
        uint64_t va, last;

        tables_init(&t, granule, sizes[i]);
        va = tables_base(&t);
        last = ~0ul << granule;
        tables_map(&t, va, (uintptr_t)data, DESC_RAM, 3);
        tables_map(&t, last, (uintptr_t)data, DESC_RAM, 3);
        tables_use(&t, (uintptr_t)t.root);
        data[0] = 0x6000 + i;
        wrong += *(volatile uint64_t *)va != 0x6000 + i;
        wrong += *(volatile uint64_t *)last != 0x6000 + i;
        struct trap trap = tables_load(va - 8);
        wrong += trap.esr != (ESR_LOAD | FAULT_TRANSLATION) || trap.far != va - 8;
        if (sizes[i] == 48)
            report(named(&t, "sizes"), !wrong, "%u wrong, esr 0x%lx", wrong, trap.esr);
    }
}

static void check_controls(void)
{
    struct tables t;
    uint64_t va, tagged;
    struct trap trap;

    tables_init(&t, 12, 39);
    va = tables_base(&t);
    tagged = va ^ (0x5aul << 56);
    tables_map(&t, va, (uintptr_t)data, DESC_RAM, 3);
    data[0] = 0x7777;
    t.tcr = TCR_EPD1;
    tables_use(&t, (uintptr_t)t.root);
    trap = tables_load(va);
    judge("stage1.disabled", &trap, ESR_LOAD | FAULT_TRANSLATION, va);
    t.tcr = 0;
    tables_use(&t, (uintptr_t)t.root);
    trap = tables_load(tagged);
    judge("stage1.tag_fault", &trap, ESR_LOAD | FAULT_TRANSLATION, tagged);
    t.tcr = TCR_TBI1;
    tables_use(&t, (uintptr_t)t.root);
    report("stage1.tag_ignored", *(volatile uint64_t *)tagged == 0x7777, "0x%lx",
           *(volatile uint64_t *)tagged);
    t.tcr = 0;
    tables_use(&t, FAR_ADDRESS);
    trap = tables_load(va);
    judge("stage1.root_address", &trap, ESR_LOAD | FAULT_ADDRESS, va);
}

/* What a table says now holds after a TLB invalidation, also for the CPU that did not do it. */
static volatile uint32_t phase;
static volatile uint64_t seen;
static struct tables shared_tables;

static void other_cpu(void)
{
    volatile uint64_t *at = (uint64_t *)tables_base(&shared_tables);

    tables_use(&shared_tables, (uintptr_t)shared_tables.root);
    seen = *at;
    phase = 1;
    while (phase != 2)
        relax();
    seen = *at;
    tables_end();
    phase = 3;
}

static void check_remote(void)
{
    uint64_t va;

    tables_init(&shared_tables, 12, 39);
    va = tables_base(&shared_tables);
    tables_map(&shared_tables, va, (uintptr_t)data, DESC_RAM, 3);
    data[0] = 0x1234;
    data[8192] = 0x5678;
    phase = 0;
    smp_start(1, other_cpu);
    bool done = timer_wait(&phase, 1, 5000);
    uint64_t before = seen;
    tables_map(&shared_tables, va, (uintptr_t)&data[8192], DESC_RAM, 3);
    __asm__ volatile(
        "dsb ishst\n\ttlbi vaae1is, %0\n\tdsb ish\n\tisb" ::"r"((va >> 12) & 0xfffffffffff)
        : "memory");
    phase = 2;
    done &= timer_wait(&phase, 3, 5000) && smp_wait_off(1, 5000);
    report("stage1.remote_tlbi", done && before == 0x1234 && seen == 0x5678, "0x%lx then 0x%lx",
           before, seen);
}

static void case_stage1(void)
{
    for (unsigned granule = 12; granule <= 16; granule += 2) {
        if (!tables_have(granule))
            continue;
        check_granule(granule);
        check_sizes(granule);
    }
    check_controls();
    tables_end();
    if (boot_info.cpu_count > 1)
        check_remote();
}

TEST_CASE("memory.stage1", 1, case_stage1);
