// SPDX-License-Identifier: Apache-2.0
// CPU_ON and CPU_OFF by all CPUs at once, in all directions: no start is lost, none is doubled (rounds=N).
#include "../conform.h"

#define LIVES 200
#define TRIES 3 /* to start another, of each life */

void secondary_start(void);

static volatile uint32_t stop;
static uint32_t successes[BOOT_CPUS_MAX], lives[BOOT_CPUS_MAX], alive[BOOT_CPUS_MAX];
static uint32_t total, doubled, wrong_answers, wrong_infos;

static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static void add(uint32_t *counter)
{
    __atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

static void try_start(unsigned cpu)
{
    int32_t answer = (int32_t)psci_call(PSCI_CPU_ON, boot_info.mpidr[cpu],
                                        (uintptr_t)secondary_start, (uintptr_t)&cpus[cpu]);

    if (answer == 0)
        add(&successes[cpu]);
    else if (answer != PSCI_ALREADY_ON && answer != PSCI_ON_PENDING)
        add(&wrong_answers);
    if ((uint64_t)psci_call(PSCI_AFFINITY_INFO, boot_info.mpidr[cpu], 0, 0) > 2)
        add(&wrong_infos);
}

/* Never CPU 0, which does not go off. */
static unsigned choose(uint32_t *state)
{
    return 1 + next_random(state) % (boot_info.cpu_count - 1);
}

static void live(void)
{
    unsigned self = this_cpu()->index;
    uint32_t random = (uint32_t)timer_now() * 2 + 1;

    if (__atomic_exchange_n(&alive[self], 1, __ATOMIC_ACQUIRE))
        add(&doubled);
    add(&lives[self]);
    add(&total);
    for (unsigned i = 0; i < TRIES && !stop; i++)
        try_start(choose(&random));
    __atomic_store_n(&alive[self], 0, __ATOMIC_RELEASE);
}

static void prepare(void)
{
    stop = 0;
    total = 0;
    doubled = 0;
    wrong_answers = 0;
    wrong_infos = 0;
    for (unsigned i = 0; i < boot_info.cpu_count; i++) {
        successes[i] = 0;
        lives[i] = 0;
        alive[i] = 0;
        if (i)
            cpus[i].fn = live;
    }
}

/* Nobody starts anybody any more; what was started before comes to its end. */
static unsigned settle(void)
{
    unsigned on = 0;

    stop = 1;
    for (unsigned i = 1; i < boot_info.cpu_count; i++)
        on += !smp_wait_off(i, 5000);
    for (unsigned i = 1; i < boot_info.cpu_count; i++)
        on += !smp_wait_off(i, 5000); /* started by one that was not off yet */
    return on;
}

/* The others start one another; this CPU, whenever it looks, starts one more. */
static bool storm(uint32_t rounds)
{
    uint64_t end = timer_now() + timer_us((10000 + 20ul * rounds) * 1000);
    uint32_t random = 0x2545f491;

    while (__atomic_load_n(&total, __ATOMIC_RELAXED) < rounds) {
        if (timer_now() >= end)
            return false;
        try_start(choose(&random));
        timer_start(false, 20);
        wfi();
        timer_stop(false);
    }
    return true;
}

static void case_smp_storm(void)
{
    uint32_t lost = 0;

    prepare();
    gic_enable(TIMER_VIRT_INTID);
    bool enough = storm((uint32_t)boot_number("rounds", LIVES));
    gic_disable(TIMER_VIRT_INTID);
    unsigned on = settle();
    for (unsigned i = 1; i < boot_info.cpu_count; i++)
        lost += successes[i] != lives[i];
    /* As in psci.race: several successes, and one life of all of them. */
    if (!boot_is_guest() && lost) {
        report_skip("smp.storm", "QEMU's CPU_ON succeeds until the target runs");
        return;
    }
    report("smp.storm", enough && !on && !lost && !doubled && !wrong_answers && !wrong_infos,
           "%u lives, %u still on, %u CPUs with another number of lives than starts, %u doubled, "
           "%u wrong answers, %u wrong states",
           total, on, lost, doubled, wrong_answers, wrong_infos);
    print("smp.storm: %u lives\n", total);
}

TEST_CASE("smp.storm", 2, case_smp_storm);
