// SPDX-License-Identifier: Apache-2.0
// Interrupts of guests: lines and messages of devices, timers and the port, on their way to the emulated controllers.
#include <hv/guest_parts.h>

#include <hv/upcall.h>
#include <lib/errno.h>

#define IRQ_TIMER_PHYSICAL 30
#define IRQ_TIMER_VIRTUAL 27

void guest_irq_router_init(struct guest *guest)
{
    list_init(&guest->irq_lines);
    list_init(&guest->irq_doorbells);
}

int guest_irq_attach_lines(struct guest *guest, struct guest_irq_lines *lines)
{
    if (lines->count == 0 || lines->count - 1 > UINT32_MAX - lines->first)
        return -EINVAL;
    LIST_FOR_EACH(other, &guest->irq_lines, struct guest_irq_lines, link)
        if (lines->first - other->first < other->count || other->first - lines->first < lines->count)
            return -EEXIST;
    list_add_tail(&guest->irq_lines, &lines->link);
    return 0;
}

void guest_irq_detach_lines(struct guest_irq_lines *lines)
{
    list_remove(&lines->link);
}

int guest_irq_attach_doorbell(struct guest *guest, struct guest_irq_doorbell *bell)
{
    if (bell->size == 0 || bell->size - 1 > UINT64_MAX - bell->start.v)
        return -EINVAL;
    LIST_FOR_EACH(other, &guest->irq_doorbells, struct guest_irq_doorbell, link)
        if (bell->start.v - other->start.v < other->size ||
            other->start.v - bell->start.v < bell->size)
            return -EEXIST;
    list_add_tail(&guest->irq_doorbells, &bell->link);
    return 0;
}

void guest_irq_detach_doorbell(struct guest_irq_doorbell *bell)
{
    list_remove(&bell->link);
}

int guest_irq_line(struct guest *guest, uint32_t irq, bool level)
{
    LIST_FOR_EACH(lines, &guest->irq_lines, struct guest_irq_lines, link)
        if (irq - lines->first < lines->count)
            return lines->set(lines, irq, level);
    return -EINVAL;
}

int guest_irq_message(struct guest *guest, gpa_t address, uint32_t data, uint32_t device)
{
    LIST_FOR_EACH(bell, &guest->irq_doorbells, struct guest_irq_doorbell, link) {
        uint64_t offset = address.v - bell->start.v;

        if (offset < bell->size)
            return bell->message(bell, offset, data, device);
    }
    return -EFAULT;
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

int hv_guest_sgi(struct vcpu *vcpu, uint64_t value)
{
    const struct intc_ops *ops = vcpu->guest->intc_ops;

    if (ops->sgi == NULL) {
        return -ENOENT;
    }
    return ops->sgi(vcpu, value);
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

static void flush(struct vcpu *vcpu, uint32_t work)
{
    vcpu->guest->intc_ops->flush(vcpu, work);
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
