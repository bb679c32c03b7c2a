// SPDX-License-Identifier: Apache-2.0
// Walks of translation tables that lie where no RAM is: an external abort on the walk, with the level of the table.
#include "tables.h"

#define ESR_WALK_LOAD 0x96000014u
#define ESR_WALK_STORE 0x96000054u
#define ESR_WALK_FETCH 0x86000014u
#define ESR_WALK_AT 0x96000154u /* cache maintenance or address translation instruction */

static void judge(const char *name, struct trap trap, uint64_t esr, uint64_t far)
{
    report(name, trap.esr == esr && trap.far == far && trap.vector == 4,
           "vector %lu esr 0x%lx far 0x%lx, not 0x%lx 0x%lx", trap.vector, trap.esr, trap.far, esr,
           far);
}

static void check_holes(struct tables *t, const char *names[])
{
    uint64_t va = tables_base(t) + 0x4568;

    for (unsigned level = tables_first_level(t); level <= 3; level++) {
        uint64_t root = (uintptr_t)t->root;

        if (level == tables_first_level(t))
            root = HOLE;
        else
            *tables_entry(t, va, level - 1) = HOLE | DESC_TABLE;
        tables_use(t, root);
        judge(names[0], tables_load(va), ESR_WALK_LOAD | level, va);
        judge(names[1], tables_store(va), ESR_WALK_STORE | level, va);
        judge(names[2], tables_fetch(va & ~3ul), ESR_WALK_FETCH | level, va & ~3ul);
        if (level > tables_first_level(t))
            *tables_entry(t, va, level - 1) = 0;
    }
}

/* Device registers as a table: whatever they say, no access to them gets a general register of this instruction. */
static void check_device(const char *name, struct tables *t, uint64_t root)
{
    uint64_t va = tables_base(t);
    struct trap trap;

    tables_use(t, root);
    trap = tables_load(va);
    report(name, TRAP_EC(trap) == EC_DABT && trap.far == va && trap.elr == 0 && trap.x[1] == 0,
           "esr 0x%lx far 0x%lx x1 0x%lx", trap.esr, trap.far, trap.x[1]);
    if (boot_is_guest())
        judge(name, trap, ESR_WALK_LOAD | tables_first_level(t), va);
}

static void check_at(struct tables *t)
{
    uint32_t code = 0xd5087800; /* at s1e1r, x0 */
    uint64_t va = tables_base(t);
    struct trap trap = {0};

    tables_use(t, HOLE);
    bool done = trap_try_code(&code, 1, va, 0, NULL, &trap);
    report("walk.at",
           !done && (trap.esr & ~0x40ul) == ((ESR_WALK_AT & ~0x40u) | 1) && trap.far == va,
           "executed %d esr 0x%lx far 0x%lx", done, trap.esr, trap.far);
}

static void case_walk(void)
{
    static const char *names[][3] = {
        {"walk.4k.load", "walk.4k.store", "walk.4k.fetch"},
        {"walk.16k.load", "walk.16k.store", "walk.16k.fetch"},
        {"walk.64k.load", "walk.64k.store", "walk.64k.fetch"},
    };
    struct tables t;

    for (unsigned granule = 12; granule <= 16; granule += 2) {
        if (!tables_have(granule))
            continue;
        tables_init(&t, granule, 39);
        check_holes(&t, names[(granule - 12) / 2]);
    }
    tables_init(&t, 12, 39);
    check_device("walk.uart", &t, UART_BASE);
    check_device("walk.gicd", &t, GICD_BASE);
    check_at(&t);
    tables_end();
}

TEST_CASE("memory.walk", 1, case_walk);
