// SPDX-License-Identifier: Apache-2.0
// Host port: state that its own files share; not for tests.
#pragma once

#include <arch/guest_irq.h>
#include <arch/smp.h>
#include <port/host.h>
#include <stdbool.h>
#include <stdint.h>

struct vcpu;

/** One simulated CPU. */
struct host_cpu_state {
    bool irq_masked;
    bool resched_check; /**< an interrupt was served while the CPU was not being played */
    bool timer_armed;
    uint64_t timer_deadline;
    uint64_t timer_sets;
    uint64_t irq_pending[HOST_IRQ_COUNT / 64];
    uint64_t hwid;
    struct vcpu *world_owner;
    struct guest_irq_lr lr[GUEST_IRQ_LR_MAX];
    uint32_t lr_ended;
};

extern struct host_cpu_state host_cpus[SMP_CPUS_MAX];

/**
 * Serve all pending interrupts of a CPU; preempt: reschedule afterwards as the interrupt path of
 * hypervisor code does.
 */
void host_irq_serve(unsigned cpu, bool preempt);
bool host_timer_is_due(unsigned cpu);
/** Serve what is pending on any CPU that has interrupts unmasked. */
void host_irq_poll_all(void);

void host_console_reset(void);
void host_clock_reset(void);
void host_irqchip_reset(void);
/** Is an interrupt pending on a CPU that is not turned off? */
bool host_irqchip_has_work(unsigned cpu);
void host_guest_irq_reset(void);
void host_system_reset(void);
void host_io_reset(void);
void host_vcpu_reset(void);
