// SPDX-License-Identifier: Apache-2.0
// Timers of several CPUs at once, and of CPUs that are off, asleep, or waiting for their turn.
#include "timer.h"

#define ROUNDS 10u

static volatile uint32_t wrong_counts, wrong_early, wrong_kept, finished;

/* Asleep and busy in turn, by both timers; each comes once and not before its time. */
static void run_timers(void)
{
    for (unsigned i = 0; i < 4 * ROUNDS; i++) {
        bool physical = i & 1, busy = i & 2;
        struct timer_log *log = timer_log_of(physical);
        uint64_t due;

        timer_begin(physical);
        due = timer_count(physical) + timer_us(500);
        timer_set_cval(physical, due);
        timer_set_ctl(physical, TIMER_ENABLE);
        if (busy) {
            timer_await(physical, 1, 10000000);
        } else {
            while (!log->fired) {
                wfi();
                irq_enable();
                irq_disable();
            }
        }
        if (log->fired != 1)
            __atomic_fetch_add(&wrong_counts, 1, __ATOMIC_RELAXED);
        if (log->at < due)
            __atomic_fetch_add(&wrong_early, 1, __ATOMIC_RELAXED);
        timer_end(physical);
    }
    __atomic_fetch_add(&finished, 1, __ATOMIC_RELEASE);
}

static void case_timer_smp_rounds(void)
{
    bool ok = timer_on_all(run_timers);

    report("timer.all_cpus", ok && finished == boot_info.cpu_count && !wrong_counts && !wrong_early,
           "%u CPUs finished, %u times not once, %u early", finished, wrong_counts, wrong_early);
}

TEST_CASE("timer.smp_rounds", 2, case_timer_smp_rounds);

/* Registers that are each CPU's own, under switching. */
static void keep_registers(void)
{
    uint32_t wrong = 0;
    uint64_t mine = this_cpu()->index + 1;

    sysreg_write(cntkctl_el1, mine << 4 | (mine & 3));
    sysreg_write(cntv_cval_el0, mine << 40);
    sysreg_write(cntp_cval_el0, mine << 41);
    sysreg_write(cntv_ctl_el0, mine & 1 ? TIMER_IMASK : 0);
    sysreg_write(cntp_ctl_el0, mine & 1 ? 0 : TIMER_IMASK);
    isb();
    for (unsigned i = 0; i < ROUNDS; i++) {
        timer_spin(200);
        wrong += sysreg_read(cntkctl_el1) != (mine << 4 | (mine & 3));
        wrong += timer_cval(false) != mine << 40 || timer_cval(true) != mine << 41;
        wrong += (timer_ctl(false) & 3) != (mine & 1 ? TIMER_IMASK : 0) ||
                 (timer_ctl(true) & 3) != (mine & 1 ? 0 : TIMER_IMASK);
    }
    __atomic_fetch_add(&wrong_kept, wrong, __ATOMIC_RELAXED);
    sysreg_write(cntkctl_el1, 0);
    timer_stop(false);
    timer_stop(true);
}

static void case_timer_smp_registers(void)
{
    bool ok = timer_on_all(keep_registers);

    report("timer.registers_per_cpu", ok && !wrong_kept, "%u", wrong_kept);
}

TEST_CASE("timer.smp_registers", 2, case_timer_smp_registers);

static volatile uint32_t ctl_at_start[2], fired_after_off[2];

/*
 * Off with both timers about to fire. Not on the bare machine: QEMU's reset of a CPU stops its timers, but leaves the lines of
 * those that were due high for ever.
 */
static void arm_and_leave(void)
{
    uint64_t us = boot_is_guest() ? 2000 : 60000000;

    for (unsigned physical = 0; physical < 2; physical++) {
        timer_begin(physical);
        timer_start(physical, us);
    }
    sysreg_write(cntkctl_el1, 0x3ff);
}

static void look_after_start(void)
{
    for (unsigned physical = 0; physical < 2; physical++)
        ctl_at_start[physical] = timer_ctl(physical);
    for (unsigned physical = 0; physical < 2; physical++) {
        timer_log_of(physical)->fired = 0;
        gic_enable(timer_intid(physical));
        fired_after_off[physical] = timer_await(physical, 1, 3000);
        timer_end(physical);
    }
}

static void case_timer_smp_off(void)
{
    bool ok = smp_start(1, arm_and_leave) == 0 && smp_wait_off(1, 10000);

    timer_spin(3000);
    ok = ok && smp_start(1, look_after_start) == 0 && smp_wait_off(1, 10000);
    report("timer.off_forgets",
           ok && !ctl_at_start[0] && !ctl_at_start[1] && !fired_after_off[0] && !fired_after_off[1],
           "CTL %u %u, fired %u %u", ctl_at_start[0], ctl_at_start[1], fired_after_off[0],
           fired_after_off[1]);
}

TEST_CASE("timer.smp_off", 2, case_timer_smp_off);
