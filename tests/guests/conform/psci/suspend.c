// SPDX-License-Identifier: Apache-2.0
// CPU_SUSPEND: all bits of power_state, with interrupts masked, with one pending already, power-down with an entry.
#include "firmware.h"

#define POWER_DOWN (1u << 16)
#define RESERVED 0xfcfe0000u /* power_state in its original format */
#define SLEEP_US 2000

void secondary_start(void);

static volatile int32_t down_answer;
static volatile uint32_t down_restarted, down_done;

/* The timer's interrupt ends each sleep; it stays masked, as an operating system's idle loop has it. */
static int64_t sleep(uint32_t id, uint64_t state, uint64_t entry, uint64_t us, uint64_t *slept)
{
    uint64_t start = timer_now();

    gic_enable(TIMER_VIRT_INTID);
    timer_start(false, us);
    int64_t answer = (int32_t)psci_call(id, state, entry, 0);
    *slept = timer_now() - start;
    timer_stop(false);
    gic_disable(TIMER_VIRT_INTID);
    return answer;
}

static void check_standby(const char *name, uint32_t id)
{
    uint64_t slept;
    int64_t answer = sleep(id, 0, 0, SLEEP_US, &slept);

    report(name, answer == 0 && slept >= timer_us(SLEEP_US - 100), "%ld after %lu ticks", answer,
           slept);
}

/* A state is either entered or refused; reserved bits are always refused. */
static void check_bits(void)
{
    unsigned wrong = 0, first = 0;
    uint64_t slept;

    for (unsigned bit = 0; bit < 32; bit++) {
        if (bit == 16)
            continue; /* power down, below */
        int64_t answer = sleep(PSCI_CPU_SUSPEND, 1ul << bit, 0, SLEEP_US, &slept);
        bool refused = answer == PSCI_INVALID_PARAMETERS || answer == PSCI_DENIED;
        bool entered = answer == PSCI_SUCCESS && slept >= timer_us(SLEEP_US - 100);
        bool good = RESERVED >> bit & 1 ? answer == PSCI_INVALID_PARAMETERS : refused || entered;

        if (!good && !wrong)
            first = bit;
        wrong += !good;
    }
    report("psci.suspend_bits", !wrong, "%u wrong, first bit %u", wrong, first);
}

static void check_pending(void)
{
    uint64_t start = timer_now();

    gic_send_sgi(1, 0);
    int64_t answer = (int32_t)psci_call(PSCI_CPU_SUSPEND, 0, 0, 0);
    uint64_t slept = timer_now() - start;
    uint32_t ack = gic_ack();

    gic_eoi(ack);
    report("psci.suspend_pending", answer == 0 && gic_intid(ack) == 1,
           "%ld after %lu ticks, INTID %u", answer, slept, gic_intid(ack));
}

static void check_bad_entries(void)
{
    static const uint64_t bad[] = {HOLE, UART_BASE, ~0ul, 1ul << 47, 1};
    unsigned wrong = 0;
    uint64_t slept;

    if (!boot_is_guest()) {
        report_skip("psci.suspend_entries", "QEMU has standby only and looks at no entry");
        return;
    }
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        wrong +=
            sleep(PSCI_CPU_SUSPEND, POWER_DOWN, bad[i], SLEEP_US, &slept) != PSCI_INVALID_ADDRESS;
    report("psci.suspend_entries", !wrong, "%u accepted", wrong);
}

static void case_psci_suspend(void)
{
    check_standby("psci.standby", PSCI_CPU_SUSPEND);
    check_standby("psci.standby_32", PSCI_CPU_SUSPEND_32);
    check_bits();
    check_pending();
    check_bad_entries();
}

TEST_CASE("psci.suspend", 1, case_psci_suspend);

static void after_restart(void)
{
    down_restarted = 1;
    down_done = 1;
}

/* DEN 0022, 5.4: it comes back by the entry, or, when it was only standby after all, returns success. */
static void power_down(void)
{
    struct cpu *cpu = this_cpu();

    cpu->fn = after_restart;
    gic_enable(TIMER_VIRT_INTID);
    timer_start(false, SLEEP_US);
    down_answer = (int32_t)psci_call(PSCI_CPU_SUSPEND, POWER_DOWN, (uintptr_t)secondary_start,
                                     (uintptr_t)cpu);
    timer_stop(false);
    gic_disable(TIMER_VIRT_INTID);
    down_done = 1;
}

static void case_suspend_down(void)
{
    unsigned cpu = boot_info.cpu_count - 1;

    down_answer = 1;
    down_restarted = 0;
    down_done = 0;
    bool off = smp_start(cpu, power_down) == 0 && timer_wait(&down_done, 1, 5000) && wait_off(cpu);
    report("psci.suspend_down", off && (down_restarted || down_answer == PSCI_SUCCESS),
           "off %d, restarted %u, answer %d", off, down_restarted, down_answer);
}

TEST_CASE("psci.suspend_down", 2, case_suspend_down);
