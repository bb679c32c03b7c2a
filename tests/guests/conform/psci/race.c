// SPDX-License-Identifier: Apache-2.0
// CPU_ON raced for by all CPUs: one of them wins, and the target starts as the winner wants (rounds=N).
#include "firmware.h"

#include "entry.h"

#define ROUNDS 200

static volatile uint32_t round_now, answered, stop;
static volatile int32_t answers[BOOT_CPUS_MAX];

struct tally {
    unsigned no_winner, many_winners, wrong_answer, wrong_start, stuck;
};

static unsigned target(void)
{
    return boot_info.cpu_count - 1;
}

static uint64_t context_of(uint32_t number, unsigned racer)
{
    return (uint64_t)number << 32 | 0xa5a50000u | racer;
}

static void race(uint32_t number)
{
    unsigned self = this_cpu()->index;

    answers[self] = (int32_t)psci_call(PSCI_CPU_ON, boot_info.mpidr[target()], entry_address(self),
                                       context_of(number, self));
    __atomic_fetch_add(&answered, 1, __ATOMIC_RELEASE);
}

static void race_rounds(void)
{
    uint32_t done = 0;

    __atomic_fetch_add(&answered, 1, __ATOMIC_RELEASE);
    while (!stop) {
        for (unsigned spins = 0; round_now == done && !stop; spins++)
            wait_a_little(spins);
        if (stop)
            return;
        done = round_now;
        race(done);
    }
}

static bool wait_answers(unsigned count)
{
    uint64_t end = timer_now() + timer_us(10000000);

    for (unsigned spins = 0; __atomic_load_n(&answered, __ATOMIC_ACQUIRE) < count; spins++) {
        if (timer_now() >= end)
            return false;
        wait_a_little(spins);
    }
    return true;
}

/* The round's answers, and the start that came of them. */
static void judge(uint32_t number, struct tally *tally)
{
    unsigned winners = 0, winner = 0;
    struct entry_record seen;

    for (unsigned i = 0; i < target(); i++) {
        if (answers[i] == PSCI_SUCCESS) {
            winners++;
            winner = i;
        } else if (answers[i] != PSCI_ALREADY_ON && answers[i] != PSCI_ON_PENDING) {
            tally->wrong_answer++;
        }
    }
    tally->no_winner += winners == 0;
    tally->many_winners += winners > 1;
    if (!entry_wait(number, &seen) || !entry_release(number, target())) {
        tally->stuck++;
        return;
    }
    tally->wrong_start +=
        seen.count != number || seen.slot != winner || seen.context != context_of(number, winner);
}

static bool start_racers(void)
{
    unsigned started = 0;

    answered = 0;
    round_now = 0;
    stop = 0;
    entry_prepare();
    for (unsigned i = 1; i < target(); i++)
        started += smp_start(i, race_rounds) == 0;
    return started == target() - 1 && wait_answers(started);
}

static void case_on_race(void)
{
    uint32_t rounds = (uint32_t)boot_number("rounds", ROUNDS), number = 0;
    struct tally tally = {0};
    unsigned left = 0;

    if (!report("psci.race_ready", start_racers(), "%u came", answered))
        return;
    while (number < rounds && !tally.stuck) {
        answered = 0;
        number++;
        __atomic_store_n(&round_now, number, __ATOMIC_RELEASE);
        race(number);
        if (wait_answers(target()))
            judge(number, &tally);
        else
            tally.stuck++;
    }
    stop = 1;
    for (unsigned i = 1; i < target(); i++)
        left += !wait_off(i);
    /* DEN 0022, 6.6: from the first success to the start all others are told "pending". QEMU has no such state. */
    if (!boot_is_guest() && tally.many_winners) {
        report_skip("psci.race", "QEMU's CPU_ON succeeds until the target runs");
        return;
    }
    report("psci.race",
           !tally.no_winner && !tally.many_winners && !tally.wrong_answer && !tally.wrong_start &&
               !tally.stuck && !left,
           "round %u: %u without winner, %u with several, %u wrong answers, %u wrong starts, "
           "%u stuck, %u not off",
           number, tally.no_winner, tally.many_winners, tally.wrong_answer, tally.wrong_start,
           tally.stuck, left);
    print("psci.race: %u rounds of %u\n", number, target());
}

TEST_CASE("psci.race", 3, case_on_race);
