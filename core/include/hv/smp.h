// SPDX-License-Identifier: Apache-2.0
// Cross-CPU calls and kicks; bringing up secondaries. Room: smp.
#pragma once

#include <hv/cpu.h>
#include <hv/irq.h>

/** SGI numbers the hypervisor uses. */
enum { SMP_SGI_KICK = IRQ_KICK, SMP_SGI_CALL = 1, SMP_SGI_STOP = 2, SMP_SGI_TIMER = 3 };

/**
 * Make the CPU (this one, too) look at its exit work soon: leaves the guest or WFI. Any context.
 */
void smp_kick(unsigned cpu);
/** Interrupt the CPU by that SGI: what was written before is seen by its handler. Any context. */
void smp_send(uint32_t sgi, unsigned cpu);
/**
 * Run fn(arg) in IRQ context on every online CPU of mask (this CPU: directly, IRQs masked) and wait
 * until all are done. Orphan, Normal or boot context, preempt count 0. fn may interrupt a holder of
 * any lock that is not taken with IRQs masked, and must not call smp_call() itself. Two CPUs may
 * call each other.
 */
void smp_call(cpumask_t mask, void (*fn)(void *arg), void *arg);

/**
 * Boot CPU: read /cpus, start all secondaries, wait for each with a bounded time. Boot context,
 * once clock and SGIs work: one line in the log a CPU that does not come.
 */
void smp_boot(void);
/** Set up SGI handlers on this CPU. Boot, IRQs masked. Errors of irq_request(). */
int smp_init_cpu(void);
