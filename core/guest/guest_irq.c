// SPDX-License-Identifier: Apache-2.0
// Interrupt lines of guests: from devices, timers and the port to the emulated interrupt controller.
#include <hv/guest_parts.h>

#include <hv/upcall.h>
#include <lib/errno.h>

#define IRQ_TIMER_PHYSICAL 30
#define IRQ_TIMER_VIRTUAL 27

int guest_irq_line(struct guest *guest, uint32_t irq, bool level)
{
    if (guest->intc_ops == NULL) {
        return -ENODEV;
    }
    return guest->intc_ops->line_set(guest, irq, level);
}

int vcpu_irq_private(struct vcpu *vcpu, uint32_t irq, bool level, uint32_t pirq)
{
    const struct intc_ops *ops = vcpu->guest->intc_ops;

    if (ops == NULL || vcpu->irq == NULL) {
        return -ENODEV;
    }
    return ops->private_set(vcpu, irq, level, pirq);
}

void hv_guest_timer(struct vcpu *vcpu, bool virt, bool level, uint32_t pirq)
{
    vcpu_irq_private(vcpu, virt ? IRQ_TIMER_VIRTUAL : IRQ_TIMER_PHYSICAL, level, pirq);
}

int hv_guest_sysreg(struct vcpu *vcpu, enum guest_sysreg reg, bool is_write, uint64_t *value)
{
    const struct intc_ops *ops = vcpu->guest->intc_ops;

    if (ops->sysreg == NULL) {
        return -ENOENT;
    }
    return ops->sysreg(vcpu, reg, is_write, value);
}

void hv_guest_irq_maintenance(struct vcpu *vcpu)
{
    vcpu->guest->intc_ops->maintenance(vcpu);
}

static void flush(struct vcpu *vcpu)
{
    vcpu->guest->intc_ops->flush(vcpu);
}

static bool deliverable(struct vcpu *vcpu)
{
    return vcpu->guest->intc_ops->deliverable(vcpu);
}

void guest_irq_init(void)
{
    vcpu_irq_flush_hook = flush;
    vcpu_irq_deliverable_hook = deliverable;
}
