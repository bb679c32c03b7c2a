// SPDX-License-Identifier: Apache-2.0
// Exclusives and atomic instructions between CPUs: no increment is lost, on words and on pairs.
#include "../conform.h"

#define ROUNDS 5000
#define FIELD(reg, bit) ((unsigned)((reg) >> (bit)) & 15)

static struct {
    volatile uint64_t exclusive, acquire, pair[2], add, cas, lock, locked;
} shared __attribute__((aligned(64)));
static volatile uint32_t go, finished;
static bool has_lse;

static void add_exclusive(void)
{
    uint64_t value;
    uint32_t failed;

    __asm__ volatile("1: ldxr %0, [%2]\n\tadd %0, %0, #1\n\tstxr %w1, %0, [%2]\n\tcbnz %w1, 1b"
                     : "=&r"(value), "=&r"(failed)
                     : "r"(&shared.exclusive)
                     : "memory");
    __asm__ volatile("1: ldaxr %0, [%2]\n\tadd %0, %0, #1\n\tstlxr %w1, %0, [%2]\n\tcbnz %w1, 1b"
                     : "=&r"(value), "=&r"(failed)
                     : "r"(&shared.acquire)
                     : "memory");
}

static void add_pair(void)
{
    uint64_t low, high;
    uint32_t failed;

    __asm__ volatile("1: ldaxp %0, %1, [%3]\n\tadd %0, %0, #1\n\tadd %1, %1, #2\n\t"
                     "stlxp %w2, %0, %1, [%3]\n\tcbnz %w2, 1b"
                     : "=&r"(low), "=&r"(high), "=&r"(failed)
                     : "r"(shared.pair)
                     : "memory");
}

static void add_lse(void)
{
    uint64_t one = 1, old;

    __asm__ volatile(".arch_extension lse\n\tstaddl %0, [%1]" ::"r"(one), "r"(&shared.add)
                     : "memory");
    do {
        old = shared.cas;
        one = old;
        __asm__ volatile(".arch_extension lse\n\tcasal %0, %1, [%2]"
                         : "+r"(one)
                         : "r"(old + 1), "r"(&shared.cas)
                         : "memory");
    } while (one != old);
}

/* A spinlock as kernels have it. */
static void add_locked(void)
{
    uint64_t taken;

    do {
        __asm__ volatile("1: ldaxr %0, [%1]\n\tcbz %0, 2f\n\tyield\n\tb 1b\n"
                         "2: stxr %w0, %2, [%1]"
                         : "=&r"(taken)
                         : "r"(&shared.lock), "r"(1ul)
                         : "memory");
    } while ((uint32_t)taken);
    shared.locked = shared.locked + 1;
    __asm__ volatile("stlr xzr, [%0]" ::"r"(&shared.lock) : "memory");
}

static void work(void)
{
    while (!go)
        relax();
    for (unsigned i = 0; i < ROUNDS; i++) {
        add_exclusive();
        add_pair();
        if (has_lse)
            add_lse();
        if (i % 16 == 0)
            add_locked();
    }
    __atomic_fetch_add(&finished, 1, __ATOMIC_RELEASE);
}

/* STXR without LDXR, and after CLREX: fails and stores nothing. */
static void check_monitor(void)
{
    uint32_t without, cleared;
    uint64_t before = shared.exclusive, value;

    __asm__ volatile("clrex\n\tstxr %w0, xzr, [%1]"
                     : "=&r"(without)
                     : "r"(&shared.lock)
                     : "memory");
    __asm__ volatile("ldxr %1, [%2]\n\tclrex\n\tstxr %w0, xzr, [%2]"
                     : "=&r"(cleared), "=&r"(value)
                     : "r"(&shared.exclusive)
                     : "memory");
    report("atomics.monitor", without == 1 && cleared == 1 && shared.exclusive == before, "%u %u",
           without, cleared);
}

static void case_atomics(void)
{
    uint64_t total = (uint64_t)ROUNDS * boot_info.cpu_count;

    has_lse = FIELD(sysreg_read(id_aa64isar0_el1), 20) >= 2;
    memset(&shared, 0, sizeof(shared));
    go = finished = 0;
    for (unsigned i = 1; i < boot_info.cpu_count; i++)
        smp_start(i, work);
    go = 1;
    work();
    timer_wait(&finished, boot_info.cpu_count, 20000);
    report("atomics.exclusive", shared.exclusive == total && shared.acquire == total,
           "%lu %lu of %lu", shared.exclusive, shared.acquire, total);
    report("atomics.pair", shared.pair[0] == total && shared.pair[1] == 2 * total, "%lu %lu of %lu",
           shared.pair[0], shared.pair[1], total);
    if (has_lse)
        report("atomics.lse", shared.add == total && shared.cas == total, "%lu %lu of %lu",
               shared.add, shared.cas, total);
    report("atomics.locked", shared.locked == (ROUNDS + 15) / 16 * (uint64_t)boot_info.cpu_count,
           "%lu", shared.locked);
    check_monitor();
    for (unsigned i = 1; i < boot_info.cpu_count; i++)
        smp_wait_off(i, 5000);
}

TEST_CASE("memory.atomics", 1, case_atomics);
