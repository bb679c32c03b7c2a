// SPDX-License-Identifier: Apache-2.0
// Talks with another guest through memory that both map: shm= its address, me= 0 or 1; watch= only reads, and must not write.
#include <payload/arch.h>
#include <payload/boot.h>
#include <payload/main.h>
#include <payload/report.h>
#include <payload/trap.h>

#define SHM 0x50000000ul
#define ROUNDS 20
#define WORDS 512
#define PATTERN 0x9e3779b97f4a7c15ul
#define STR_W1_X0 0xb9000001u

/* A page of the words that each has counted to, a page of its own for each of them. */
static volatile uint64_t *words(uint64_t base, unsigned page)
{
    return (volatile uint64_t *)base + (uint64_t)page * WORDS;
}

static void wait_for(volatile uint64_t *word, uint64_t value)
{
    while (__atomic_load_n(word, __ATOMIC_ACQUIRE) < value)
        relax();
}

static void write_pattern(uint64_t base, unsigned me)
{
    for (unsigned i = 0; i < WORDS; i++)
        words(base, 1 + me)[i] = PATTERN * (i + 1) + me;
}

static unsigned pattern_errors(uint64_t base, unsigned me)
{
    unsigned errors = 0;

    for (unsigned i = 0; i < WORDS; i++)
        errors += words(base, 1 + me)[i] != PATTERN * (i + 1) + me;
    return errors;
}

static void talk(uint64_t base, unsigned me)
{
    volatile uint64_t *count = words(base, 0);
    unsigned errors;

    report("share.clear", count[me] == 0 && words(base, 1 + me)[WORDS - 1] == 0, "%lx", count[me]);
    write_pattern(base, me);
    for (uint64_t round = 1; round <= ROUNDS; round++) {
        __atomic_store_n(&count[me], round, __ATOMIC_RELEASE);
        wait_for(&count[1 - me], round);
    }
    errors = pattern_errors(base, 1 - me);
    report("share.peer", errors == 0, "%u words are wrong", errors);
}

static void watch(uint64_t base)
{
    uint32_t store = STR_W1_X0;
    struct trap trap = {0};
    unsigned errors;
    bool done;

    wait_for(&words(base, 0)[0], ROUNDS);
    errors = pattern_errors(base, 0);
    report("share.watch", errors == 0, "%u words are wrong", errors);
    done = trap_try_code(&store, 1, base, 0, NULL, &trap);
    report("share.read-only", !done && trap.far == base, "wrote it: far 0x%lx", trap.far);
}

void payload_main(void)
{
    uint64_t base = boot_number("shm", SHM);

    if (boot_flag("watch"))
        watch(base);
    else
        talk(base, (unsigned)boot_number("me", 0));
}
