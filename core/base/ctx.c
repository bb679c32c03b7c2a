// SPDX-License-Identifier: Apache-2.0
// Which context this CPU is in, and whether sleeping and preemption are allowed there.

#include <hv/ctx.h>
#include <hv/lockdep.h>
#include <hv/panic.h>

DEFINE_PER_CPU(struct ctx_state, ctx_state);

void (*ctx_preempt_hook)(void);

enum ctx ctx_current(void)
{
    irqflags_t flags = arch_irq_save();
    const struct ctx_state *state = &this_cpu(ctx_state);
    enum ctx ctx = state->irq_depth != 0 ? CTX_IRQ : state->normal ? CTX_NORMAL : CTX_ORPHAN;

    arch_irq_restore(flags);
    return ctx;
}

void ctx_assert_may_sleep(void)
{
    irqflags_t flags = arch_irq_save();
    const struct ctx_state *state = &this_cpu(ctx_state);

    if (state->irq_depth != 0 || state->preempt_count != 0) {
        lockdep_print_held(panic_print);
        panic("sleep in atomic context: preempt count %u, interrupt depth %u", state->preempt_count,
              state->irq_depth);
    }
    arch_irq_restore(flags);
}

void ctx_assert_orphan(void)
{
    ctx_assert_may_sleep();
    if (ctx_current() != CTX_ORPHAN)
        panic("called for a guest's VCPU, which a thread must do");
}

void ctx_preempt_check(void)
{
    if (!arch_irq_is_disabled() && ctx_preempt_hook != NULL)
        ctx_preempt_hook();
}
