// SPDX-License-Identifier: Apache-2.0
// Arm generic timer: CNTPCT as clocksource, CNTHP as clockevent of each CPU (Arm ARM D11).
#include <arm64/guest_timer.h>
#include <arm64/sysreg.h>

#include <arch/barrier.h>
#include <arch/time.h>
#include <hv/irq.h>
#include <hv/match.h>
#include <hv/upcall.h>
#include <lib/errno.h>

/* interrupts of an "arm,armv8-timer" node */
enum { TIMER_SECURE, TIMER_NONSECURE, TIMER_VIRTUAL, TIMER_HYPERVISOR };

static uint32_t hyp_irq;
static uint32_t virtual_irq;
static uint64_t frequency;

uint64_t arch_time_frequency(void)
{
    return frequency;
}

void arch_time_event_set(uint64_t deadline)
{
    sysreg_write(cnthp_cval_el2, deadline);
    sysreg_write(cnthp_ctl_el2, CNT_CTL_ENABLE);
    arch_barrier_context();
}

void arch_time_event_stop(void)
{
    sysreg_write(cnthp_ctl_el2, 0);
    arch_barrier_context();
}

static enum irq_result timer_interrupt(uint32_t irq, void *arg)
{
    (void)irq;
    (void)arg;
    /* Sets the next deadline, or stops the timer: the level is down before the interrupt is ended. */
    hv_timer_interrupt();
    return IRQ_HANDLED;
}

int arch_time_init_cpu(void)
{
    arch_time_event_stop();
    irq_enable(hyp_irq);
    return guest_timer_init_cpu(virtual_irq);
}

static int timer_init(struct dt_node *node)
{
    uint32_t told;
    int err;

    /* The property is for firmware that leaves the register wrong (arm,arch_timer binding). */
    frequency = dt_get_u32(node, "clock-frequency", &told) == 0 ? told : sysreg_read(cntfrq_el0);
    if (!frequency)
        return -EINVAL;
    err = irq_from_node(node, TIMER_HYPERVISOR, &hyp_irq);
    if (!err)
        err = irq_from_node(node, TIMER_VIRTUAL, &virtual_irq);
    if (!err)
        err = irq_request(hyp_irq, "hypervisor timer", timer_interrupt, NULL);
    return err;
}

static const char *const timer_compatible[] = {"arm,armv8-timer", NULL};
HOST_TIMER(armv8, timer_compatible, timer_init);
