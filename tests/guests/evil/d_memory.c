// SPDX-License-Identifier: Apache-2.0
// Group D: addresses and the accesses that emulation decodes.
#include "evil.h"

#define GIB (1ul << 30)
#define ANY_ENTRY 4 /* of the identity map: 4..5 GiB, unused */
#define ANY_VA (ANY_ENTRY * GIB)
#define BLOCK_DEVICE 0x0060000000000401ul
#define UART_IBRD 0x24
#define SPI_SCRATCH 52
#define TAG(addr) (((addr) ^ 0x5a17c0de5a17c0deul) * 0x9e3779b97f4a7c15ul)

extern uint64_t identity_map[];

static void map_any(uint64_t entry)
{
    ((volatile uint64_t *)identity_map)[ANY_ENTRY] = entry;
    __asm__ volatile("dsb sy\n\ttlbi vmalle1\n\tdsb sy\n\tisb" ::: "memory");
}

/* Every address bit beyond the guest's memory by itself: none leads back to something lower. */
static void d03_high(void)
{
    unsigned answered = 0, strange = 0, tried = 0;
    struct trap trap = {0};

    for (unsigned bit = 33; bit < 48; bit++) {
        map_any(BLOCK_DEVICE | 1ul << bit);
        for (uint64_t offset = 0; offset < GIB; offset += GIB / 4, tried++) {
            if (try_load(ANY_VA + offset + 0x9000, 4, NULL, &trap))
                answered++;
            else
                strange +=
                    TRAP_EC(trap) != EC_DABT || (!is_external_abort(&trap) && (trap.esr & 0x3c));
        }
    }
    map_any(0);
    report("D03.high", (!answered || !boot_is_guest()) && !strange,
           "%u of %u answered, %u strange, the last esr 0x%lx", answered, tried, strange, trap.esr);
}
TEST_CASE("D03.high", 1, d03_high);

static uint64_t tag_start(void)
{
    return ((uintptr_t)_bss_end + 0xfffff) & ~0xffffful;
}

/* Tags in all memory behind the program; a second look later, and each is still there. */
static void d04_tags(void)
{
    uint64_t end = MEMORY_END(boot_info),
             until = timer_now() + timer_us(1000 * boot_number("ms", 500));
    unsigned wrong = 0;

    for (uint64_t at = tag_start(); at < end; at += 64)
        *(volatile uint64_t *)at = TAG(at);
    while (timer_now() < until)
        relax();
    for (uint64_t at = tag_start(); at < end; at += 64)
        wrong += *(volatile uint64_t *)at != TAG(at);
    report("D04.tags", !wrong, "%u of them changed", wrong);
}
TEST_CASE_BY_NAME("D04.tags", 1, d04_tags);

/* Nothing of an earlier guest's tags is in the memory of a new one. */
static void d15_clean(void)
{
    uint64_t end = MEMORY_END(boot_info);
    unsigned left = 0;

    for (uint64_t at = tag_start(); at < end; at += 64)
        left += *(volatile uint64_t *)at == TAG(at);
    report("D15.clean", !left, "%u words of another guest", left);
}
TEST_CASE_BY_NAME("D15.clean", 1, d15_clean);

/* Misaligned device accesses of every width: an abort, or just these bytes. */
static void d06_misaligned(void)
{
    const uint64_t places[] = {UART_BASE + UART_IBRD, GICD_BASE + GICD_IPRIORITYR + SPI_SCRATCH,
                               0x09010000};
    unsigned aborts = 0, done = 0, strange = 0;
    struct trap trap;

    if (!boot_is_guest()) {
        report_skip("D06.misaligned", "stage 1 sends them on; the machine itself need not decode");
        return;
    }
    for (unsigned i = 0; i < COUNT(places) * 8 * 4; i++) {
        uint64_t addr = places[i / 32] + (i / 4 & 7);
        unsigned width = 1u << (i & 3);
        uint64_t value = 0;

        if (try_load(addr, width, &value, &trap))
            done++;
        else if (TRAP_EC(trap) == EC_DABT && trap.far == addr)
            aborts++;
        else
            strange++;
        strange += width < 8 && value >> (8 * width);
        strange += !try_store(addr, width, value, &trap) && TRAP_EC(trap) != EC_DABT;
    }
    report("D06.misaligned", !strange, "%u strange", strange);
    print("evil: D06.misaligned: %u executed, %u aborts\n", done, aborts);
    console_init();
}
TEST_CASE("D06.misaligned", 1, d06_misaligned);

/* Register 31 is zero and no stack pointer, at every device. */
static void d07_xzr(void)
{
    const uint64_t places[] = {UART_BASE + UART_IBRD, GICD_BASE + GICD_IPRIORITYR + SPI_SCRATCH};
    /* mov x9, sp; store or load of wzr; mov x10, sp; sub x0, x9, x10 */
    uint32_t store[] = {0x910003e9, 0xb900001f, 0x910003ea, 0xcb0a0120};
    uint32_t load[] = {0x910003e9, 0xb940001f, 0x910003ea, 0xcb0a0120};
    uint64_t moved = 0, total = 0;
    unsigned wrong = 0;

    for (unsigned i = 0; i < COUNT(places); i++) {
        mmio_write32(places[i], 0x40);
        wrong += !trap_try_code(load, 4, places[i], 0, &moved, NULL);
        total |= moved;
        wrong += mmio_read32(places[i]) != 0x40;
        wrong += !trap_try_code(store, 4, places[i], 0, &moved, NULL);
        total |= moved;
        wrong += mmio_read32(places[i]) != 0;
    }
    report("D07.xzr", !wrong && !total, "%u wrong, stack moved by 0x%lx", wrong, total);
    console_init();
}
TEST_CASE("D07.xzr", 1, d07_xzr);

static uint32_t raced[4] __attribute__((aligned(64)));
static volatile uint32_t race_over;

/* Rewrites the instruction that traps on the other VCPU: load, store, pair, another register, no access at all. */
static void rewrite(void)
{
    static const uint32_t codes[] = {0xb9400001, 0xb9000001, 0x29400801, 0x39400002, 0xd503201f};

    for (unsigned i = 0; !race_over; i++) {
        __atomic_store_n(&raced[0], codes[i % COUNT(codes)], __ATOMIC_RELEASE);
        __asm__ volatile("dc cvau, %0\n\tdsb ish\n\tic ivau, %0\n\tdsb ish" ::"r"(raced)
                         : "memory");
    }
}

static void d10_rewrite(void)
{
    uint64_t rounds = boot_number("n", 2000), place = UART_BASE + UART_IBRD;
    unsigned strange = 0;
    struct trap trap;

    raced[0] = 0xd503201f;
    raced[1] = 0xd65f03c0; /* ret */
    race_over = 0;
    __asm__ volatile("dc cvau, %0\n\tdsb ish\n\tic ialluis\n\tdsb ish\n\tisb" ::"r"(raced)
                     : "memory");
    bool started = smp_start(1, rewrite) == 0;

    for (uint64_t i = 0; i < rounds; i++) {
        if (!trap_try((trap_fn)(uintptr_t)raced, place, i, NULL, &trap))
            strange += TRAP_EC(trap) != EC_DABT || (trap.far != place && trap.far != place + 4);
    }
    race_over = 1;
    started &= smp_wait_off(1, 10000);
    console_init();
    report("D10.rewrite", started && !strange, "%u strange exceptions", strange);
}
TEST_CASE("D10.rewrite", 2, d10_rewrite);
