// SPDX-License-Identifier: Apache-2.0
// The way out to the guest: obeying what others asked of a VCPU, and waiting for interrupts.

#include <arch/time.h>
#include <hv/cpu.h>
#include <hv/panic.h>
#include <hv/smp.h>
#include <hv/upcall.h>

#include "sched_internal.h"

#define WORK_IRQS ((uint32_t)(VCPU_WORK_IRQ | VCPU_WORK_IRQ_NEW))
#define WORK_ENTRY (WORK_IRQS | VCPU_WORK_WORLD)

void (*vcpu_irq_flush_hook)(struct vcpu *vcpu, uint32_t work);
bool (*vcpu_irq_deliverable_hook)(struct vcpu *vcpu);

/*
 * World first: list registers are refilled in the loaded one. What is taken away is what is done: an
 * interrupt may have come since we looked.
 */
static inline void prepare_entry(struct vcpu *vcpu)
{
    uint32_t work = __atomic_fetch_and(&vcpu->exit_work, ~WORK_ENTRY, __ATOMIC_ACQUIRE);

    if (unlikely(work & VCPU_WORK_WORLD))
        arch_vcpu_world_load(vcpu);
    if ((work & WORK_IRQS) && vcpu_irq_flush_hook != NULL)
        vcpu_irq_flush_hook(vcpu, work);
}

void hv_exit_to_guest(struct vcpu *vcpu)
{
    uint32_t work = __atomic_load_n(&vcpu->exit_work, __ATOMIC_ACQUIRE);

    if (unlikely((work & ~WORK_ENTRY) == VCPU_WORK_REQUEST)) {
        vcpu_obey(vcpu);
        return;
    }
    if (work & VCPU_WORK_RESCHED)
        sched_schedule_masked();
    prepare_entry(vcpu);
}

int hv_vcpu_wait(struct vcpu *vcpu)
{
    irqflags_t flags = arch_irq_save();
    int result = 0;

    sched_block_prepare(VCPU_REASON_WFI, true);
    /* Work that came before it was seen to wait is done first: it may be for another VCPU that something waits here. */
    if (arch_vcpu_interrupt_pending(vcpu) ||
        (__atomic_load_n(&vcpu->exit_work, __ATOMIC_SEQ_CST) & WORK_IRQS) != 0 ||
        (vcpu_irq_deliverable_hook != NULL && vcpu_irq_deliverable_hook(vcpu)))
        sched_block_cancel();
    else
        result = sched_block_here();
    vcpu->exit_start = arch_time_counter();
    arch_irq_restore(flags);
    return result;
}

/* The work is new to the VCPU: its CPU has to look, if it has one. Before that, preemption was off. */
static inline void kick_holder(struct vcpu *vcpu)
{
    unsigned cpu;

    if (!__atomic_load_n(&vcpu->se.on_cpu, __ATOMIC_SEQ_CST))
        return;
    cpu = __atomic_load_n(&vcpu->se.cpu, __ATOMIC_RELAXED);
    if (cpu != cpu_id())
        smp_kick(cpu);
}

void vcpu_add_work(struct vcpu *vcpu, uint32_t work)
{
    uint32_t before;

    /* From the first: others who find the work there rely on our kick. */
    preempt_disable();
    before = __atomic_fetch_or(&vcpu->exit_work, work, __ATOMIC_SEQ_CST);
    if ((before & work) != work)
        kick_holder(vcpu);
    preempt_enable();
}

bool vcpu_end_wait(struct vcpu *vcpu)
{
    return sched_wake(vcpu, VCPU_REASON_WFI);
}

/* Who wakes it makes its CPU look; else who was the first to leave the work there. */
static NOINLINE void interrupt_paused(struct vcpu *vcpu, bool first)
{
    if (!vcpu_end_wait(vcpu) && first)
        kick_holder(vcpu);
}

/* From the first on nothing may preempt: others who find the work there rely on our kick. */
void vcpu_interrupt_masked(struct vcpu *vcpu, uint32_t work)
{
    bool first = (__atomic_fetch_or(&vcpu->exit_work, work, __ATOMIC_SEQ_CST) & work) != work;

    if (__atomic_load_n(&vcpu->state, __ATOMIC_SEQ_CST) == VCPU_PAUSED)
        interrupt_paused(vcpu, first);
    else if (first)
        kick_holder(vcpu);
}

void vcpu_interrupt_work(struct vcpu *vcpu, uint32_t work)
{
    irqflags_t flags = arch_irq_save();

    vcpu_interrupt_masked(vcpu, work);
    arch_irq_restore(flags);
    if (unlikely(this_cpu(ctx_state).resched) && this_cpu(ctx_state).preempt_count == 0)
        ctx_preempt_check();
}
