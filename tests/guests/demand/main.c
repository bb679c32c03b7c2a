// SPDX-License-Identifier: Apache-2.0
// Memory that comes when it is touched: in every way, by two CPUs at once, what it costs; "all" touches without end.
#include <payload/arch.h>
#include <payload/boot.h>
#include <payload/console.h>
#include <payload/figures.h>
#include <payload/gic.h>
#include <payload/main.h>
#include <payload/report.h>
#include <payload/smp.h>
#include <payload/timer.h>
#include <payload/trap.h>

#define PAGE 4096ul
#define FRESH_OFFSET 0x800000ul
#define PAGES 1024u
#define RACED 256u
#define PATTERN 0x9e3779b97f4a7c15ul

static uint64_t fresh; /* the next page that nobody has touched */
static uint64_t raced;
static volatile uint32_t raced_by_second;

static uint64_t take(unsigned pages)
{
    uint64_t at = fresh;

    fresh += pages * PAGE;
    return at;
}

/* Words of the pages that are not 0, but for the first of each. */
static unsigned dirty_words(uint64_t base, unsigned pages)
{
    unsigned dirty = 0;

    for (unsigned page = 0; page < pages; page++) {
        const uint64_t *words = (const uint64_t *)(base + page * PAGE);

        for (unsigned i = 1; i < PAGE / sizeof(words[0]); i++)
            dirty += words[i] != 0;
    }
    return dirty;
}

static void measure(void)
{
    uint64_t base = take(PAGES), start = timer_now(), ticks;
    unsigned wrong = 0;

    for (unsigned page = 0; page < PAGES; page++)
        *(volatile uint64_t *)(base + page * PAGE) = PATTERN * page;
    ticks = timer_now() - start;
    figures_add("demand_fault", ticks * (1000000000 / timer_hz()) / PAGES);
    for (unsigned page = 0; page < PAGES; page++)
        wrong += *(volatile uint64_t *)(base + page * PAGE) != PATTERN * page;
    report("demand.write", wrong == 0, "%u pages", wrong);
    wrong = dirty_words(base, PAGES);
    report("demand.zero", wrong == 0, "%u words", wrong);
}

/* Loads and stores whose syndrome does not tell the register, and what is neither. */
static void touch_otherwise(void)
{
    uint64_t at = take(4), low = 1, high = 2;

    report("demand.read", *(volatile uint32_t *)at == 0, "%x", *(volatile uint32_t *)at);
    __asm__ volatile("ldp %0, %1, [%2]" : "=&r"(low), "=&r"(high) : "r"(at + PAGE) : "memory");
    report("demand.load-pair", low == 0 && high == 0, "%lx %lx", low, high);
    __asm__ volatile("stp %0, %0, [%1]" : : "r"(PATTERN), "r"(at + 3 * PAGE - 8) : "memory");
    report("demand.across",
           *(volatile uint64_t *)(at + 3 * PAGE - 8) == PATTERN &&
               *(volatile uint64_t *)(at + 3 * PAGE) == PATTERN,
           "%lx", *(volatile uint64_t *)(at + 3 * PAGE));
    at = take(1);
    __asm__ volatile("dc zva, %0" : : "r"(at) : "memory");
    report("demand.zva", *(volatile uint64_t *)at == 0, "%lx", *(volatile uint64_t *)at);
}

/* A page of zeros has no instructions. */
static void touch_by_fetch(void)
{
    uint64_t at = take(1);
    struct trap trap = {0};
    bool done = trap_try((trap_fn)at, 0, 0, NULL, &trap);

    report("demand.fetch", !done && TRAP_EC(trap) == EC_UNKNOWN && trap.elr == at, "%lx %lx",
           trap.esr, trap.elr);
}

static void race(void)
{
    for (unsigned page = 0; page < RACED; page++)
        __atomic_fetch_add((uint32_t *)(raced + page * PAGE), 1, __ATOMIC_SEQ_CST);
}

static void second_cpu(void)
{
    __atomic_store_n(&raced_by_second, 1, __ATOMIC_RELEASE);
    race();
    __atomic_store_n(&raced_by_second, 2, __ATOMIC_RELEASE);
}

static void race_pages(void)
{
    unsigned wrong = 0;

    raced = take(RACED);
    if (boot_info.cpu_count < 2 || smp_start(1, second_cpu) != 0 ||
        !timer_wait(&raced_by_second, 1, 2000)) {
        report_skip("demand.race", "no second CPU");
        return;
    }
    race();
    if (!timer_wait(&raced_by_second, 2, 5000))
        wrong++;
    for (unsigned page = 0; page < RACED; page++)
        wrong += *(volatile uint32_t *)(raced + page * PAGE) != 2;
    report("demand.race", wrong == 0, "%u pages", wrong);
}

void payload_main(void)
{
    fresh = boot_info.ram_base + FRESH_OFFSET;
    gic_init();
    figures_begin();
    measure();
    figures_print();
    touch_otherwise();
    touch_by_fetch();
    race_pages();
    while (boot_flag("all") && fresh < boot_info.ram_base + boot_info.ram_size)
        *(volatile uint64_t *)take(1) = PATTERN;
}
