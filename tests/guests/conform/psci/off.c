// SPDX-License-Identifier: Apache-2.0
// CPU_OFF with interrupts pending and active: it goes off all the same, and no ghost of them is there when it is on again.
#include "firmware.h"

#define SGI_PENDING 3
#define SGI_ACTIVE 4
#define SGI_AGAIN 5
#define PATIENCE_MS 5000
#define LATE_US 500 /* what is still on its way comes within that */

static volatile uint32_t lives, delivered[16], was_active, was_pending, failed_ack;
static uint32_t active_ack, left_pending, left_active;

static void on_sgi(uint32_t intid)
{
    delivered[intid]++;
}

static bool wait_pending(uint32_t intid)
{
    uint64_t end = timer_now() + timer_us(PATIENCE_MS * 1000);

    while (!gic_is_pending(intid)) {
        if (timer_now() >= end)
            return false;
        relax();
    }
    return true;
}

/* First life: one SGI pending, one active, the timer's interrupt due; then off. */
static void leave_dirty(void)
{
    unsigned self = this_cpu()->index;

    gic_send_sgi(SGI_ACTIVE, self);
    wait_pending(SGI_ACTIVE);
    active_ack = gic_ack();
    failed_ack = gic_intid(active_ack) != SGI_ACTIVE;
    was_active = gic_is_active(SGI_ACTIVE);
    gic_send_sgi(SGI_PENDING, self);
    gic_enable(TIMER_VIRT_INTID);
    timer_start(false, 0);
    was_pending = wait_pending(SGI_PENDING);
    lives++;
}

/* The end of an active interrupt that has outlived its CPU: a GIC may keep its state, if it shows it. */
static void clear_left(void)
{
    left_pending = gic_is_pending(SGI_PENDING);
    left_active = gic_is_active(SGI_ACTIVE);
    if (!left_active)
        return;
    if (gic_version ==
        2) /* its CPU interface is no part of the CPU and may still be at that priority */
        gic_eoi(active_ack);
    mmio_write32(gic_frame(0) + GICD_ICACTIVER, 1u << SGI_ACTIVE);
}

/* Second life: with interrupts on comes what the registers show, and nothing else; a new one comes once. */
static void look_for_ghosts(void)
{
    gic_disable(TIMER_VIRT_INTID);
    timer_stop(false);
    clear_left();
    irq_enable();
    gic_send_sgi(SGI_AGAIN, this_cpu()->index);
    timer_wait(&delivered[SGI_AGAIN], 1, PATIENCE_MS);
    for (uint64_t end = timer_now() + timer_us(LATE_US); timer_now() < end;)
        relax();
    irq_disable();
    lives++;
}

/* Off by AFFINITY_INFO alone could also be: not on yet. */
static bool live_once(unsigned cpu, void (*life)(void))
{
    lives = 0;
    return smp_start(cpu, life) == 0 && timer_wait(&lives, 1, PATIENCE_MS) && wait_off(cpu);
}

static void case_psci_off(void)
{
    unsigned cpu = boot_info.cpu_count - 1;

    for (unsigned i = 0; i < 16; i++)
        delivered[i] = 0;
    irq_set_handler(SGI_PENDING, on_sgi);
    irq_set_handler(SGI_ACTIVE, on_sgi);
    irq_set_handler(SGI_AGAIN, on_sgi);
    if (!report("psci.off_first", live_once(cpu, leave_dirty), "not off"))
        return;
    report("psci.off_dirty", !failed_ack && was_active && was_pending,
           "acknowledge failed %u, active %u, pending %u", failed_ack, was_active, was_pending);
    if (!report("psci.off_second", live_once(cpu, look_for_ghosts), "not off"))
        return;
    report("psci.off_ghosts", delivered[SGI_PENDING] == left_pending && !delivered[SGI_ACTIVE],
           "pending one came %u times, shown %u; active one %u times, shown %u",
           delivered[SGI_PENDING], left_pending, delivered[SGI_ACTIVE], left_active);
    report("psci.off_again", delivered[SGI_AGAIN] == 1, "came %u times", delivered[SGI_AGAIN]);
}

TEST_CASE("psci.off", 2, case_psci_off);
