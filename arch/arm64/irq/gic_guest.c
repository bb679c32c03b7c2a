// SPDX-License-Identifier: Apache-2.0
// The contract's list registers, on whichever version the host driver registered.
#include <arm64/gic.h>
#include <arm64/world.h>

#include <arch/barrier.h>
#include <hv/upcall.h>
#include <lib/errno.h>
#include <lib/string.h>

#define HCR_EN BIT(0)
#define HCR_UIE BIT(1)
#define HCR_NPIE BIT(3)
/* For group n, which is opened, or closed. */
#define HCR_OPENS(n) (1U << (4 + 2 * (n)))
#define HCR_CLOSES(n) (1U << (5 + 2 * (n)))
#define HCR_MAINTAIN (HCR_UIE | HCR_NPIE | 0xfU << 4)
/* Of both versions. */
#define VMCR_GROUPS 3U
#define VMCR_EOIMODE BIT(9)

#define CELL_TYPE_SPI 0
#define CELL_TYPE_PPI 1

static const struct gic_guest_ops *ops;
static unsigned lr_count;
uint32_t gic_guest_lr_mask;
uint32_t gic_guest_hcr = HCR_EN;
static unsigned priority_bits = 5;
static hpa_t gicv_base;
static uint64_t gicv_size;
static uint32_t maintenance_irq = IRQ_NONE;

void gic_guest_register(const struct gic_guest_ops *version_ops, unsigned count, unsigned bits)
{
    ops = version_ops;
    lr_count = MIN(count, ARM64_LR_MAX);
    gic_guest_lr_mask = (uint32_t)(BIT(lr_count) - 1);
    priority_bits = bits;
}

void gic_guest_set_gicv(hpa_t base, uint64_t size)
{
    gicv_base = base;
    gicv_size = size;
}

static enum irq_result maintenance_interrupt(uint32_t irq, void *arg)
{
    struct vcpu *owner = this_cpu(world_owner);

    (void)irq;
    (void)arg;
    if (owner)
        hv_guest_irq_maintenance(owner);
    return IRQ_HANDLED;
}

int gic_guest_init_maintenance(const struct dt_node *node)
{
    int err = irq_from_node(node, 0, &maintenance_irq);

    if (!err)
        err = irq_request(maintenance_irq, "guest interrupt maintenance", maintenance_interrupt,
                          NULL);
    if (!err)
        irq_enable(maintenance_irq);
    return err;
}

void gic_guest_init_cpu(void)
{
    if (!ops)
        return;
    ops->clear();
    if (maintenance_irq != IRQ_NONE)
        irq_enable(maintenance_irq);
}

void gic_guest_reset(struct arm64_gic *gic)
{
    memset(gic, 0, sizeof(*gic));
    gic->hcr = gic_guest_hcr;
}

/* Bit i: list register i holds something. */
static uint32_t lr_in_use(void)
{
    return ~ops->empty() & gic_guest_lr_mask;
}

/* Its physical half is active on this CPU. */
static bool holds_physical(uint64_t value, uint32_t *pirq)
{
    struct guest_irq_lr lr;

    ops->lr_decode(value, &lr);
    *pirq = lr.pirq;
    return lr.hw && (lr.pending || lr.active);
}

void gic_guest_save_lrs(struct arm64_gic *gic)
{
    uint32_t pirq;

    for (uint32_t used = gic->lr_used; used; used &= used - 1) {
        unsigned i = (unsigned)__builtin_ctz(used);

        gic->lr[i] = ops->lr_get(i);
        ops->lr_set(i, 0);
        if (holds_physical(gic->lr[i], &pirq))
            ops->clear_active(pirq);
    }
}

void gic_guest_load_lrs(const struct arm64_gic *gic)
{
    uint32_t pirq;

    for (uint32_t used = gic->lr_used; used; used &= used - 1) {
        unsigned i = (unsigned)__builtin_ctz(used);

        if (holds_physical(gic->lr[i], &pirq))
            ops->set_active(pirq);
        ops->lr_set(i, gic->lr[i]);
    }
}

void gic_guest_save(struct arm64_gic *gic)
{
    if (ops)
        ops->save(gic);
}

void gic_guest_load(const struct arm64_gic *gic)
{
    if (ops)
        ops->load(gic);
}

void gic_guest_forget(void)
{
    uint32_t pirq;

    if (!ops)
        return;
    for (uint32_t used = lr_in_use(); used; used &= used - 1)
        if (holds_physical(ops->lr_get((unsigned)__builtin_ctz(used)), &pirq))
            ops->clear_active(pirq);
    ops->clear();
}

void gic_deactivate_private(uint32_t irq)
{
    if (ops && irq >= GIC_SGI_COUNT && irq < GIC_SPI_FIRST)
        ops->clear_active(irq);
}

uint32_t gic_guest_suspend(void)
{
    uint32_t hcr = ops ? ops->hcr_get() : 0;

    if (hcr & HCR_EN) {
        ops->hcr_set(hcr & ~(uint32_t)HCR_EN);
        arch_barrier_context();
    }
    return hcr;
}

void gic_guest_resume(uint32_t hcr)
{
    if (hcr & HCR_EN)
        ops->hcr_set(hcr);
}

int gic_translate(const uint32_t *cells, unsigned count, uint32_t *irq, uint32_t *trigger)
{
    if (count < 3)
        return -EINVAL;
    if (cells[0] == CELL_TYPE_SPI && cells[1] < GIC_SPURIOUS_FIRST - GIC_SPI_FIRST)
        *irq = cells[1] + GIC_SPI_FIRST;
    else if (cells[0] == CELL_TYPE_PPI && cells[1] < GIC_SPI_FIRST - GIC_SGI_COUNT)
        *irq = cells[1] + GIC_SGI_COUNT;
    else
        return -EINVAL;
    *trigger = cells[2] & 0xf;
    return 0;
}

enum guest_irq_version arch_guest_irq_version(void)
{
    return ops ? ops->version : GUEST_IRQ_NONE;
}

void arch_guest_irq_gicv(hpa_t *base, uint64_t *size)
{
    *base = gicv_base;
    *size = gicv_size;
}

unsigned arch_guest_irq_lr_count(void)
{
    return lr_count;
}

unsigned arch_guest_irq_priority_bits(void)
{
    return priority_bits;
}

void arch_guest_irq_lr_read(unsigned index, struct guest_irq_lr *lr)
{
    ops->lr_decode(ops->lr_get(index), lr);
}

void arch_guest_irq_lr_write(unsigned index, const struct guest_irq_lr *lr)
{
    /* The physical interrupt must be active here before its virtual half exists: its end deactivates it. */
    if (lr->hw)
        ops->set_active(lr->pirq);
    ops->lr_set(index, ops->lr_encode(lr));
}

void arch_guest_irq_lr_pend(unsigned index, uint32_t virq, uint32_t pirq, uint8_t priority,
                            bool group1)
{
    ops->lr_pend(index, virq, pirq, priority, group1);
}

void arch_guest_irq_lr_clear(unsigned index)
{
    ops->lr_set(index, 0);
}

uint32_t arch_guest_irq_lr_empty(void)
{
    return ops->empty();
}

uint32_t arch_guest_irq_lr_ended(void)
{
    return ops->ended();
}

unsigned arch_guest_irq_groups(void)
{
    return ops->vmcr_get() & VMCR_GROUPS;
}

/*
 * What is so already would ask for maintenance at once. That one closes does not matter while the other is closed: nothing
 * comes then, until one opens. (QEMU 7.2's GICv3 takes group 0 for closed when group 1 is.)
 */
static uint32_t group_changes(void)
{
    switch (arch_guest_irq_groups()) {
    case 0:
        return HCR_OPENS(0) | HCR_OPENS(1);
    case 1:
        return HCR_OPENS(1);
    case 2:
        return HCR_OPENS(0);
    default:
        return HCR_CLOSES(0) | HCR_CLOSES(1);
    }
}

void arch_guest_irq_maintain(unsigned when)
{
    uint32_t hcr = ops->hcr_get() & ~(uint32_t)HCR_MAINTAIN;

    if (when & GUEST_IRQ_WHEN_FEW)
        hcr |= HCR_UIE;
    if (when & GUEST_IRQ_WHEN_NO_PENDING)
        hcr |= HCR_NPIE;
    if (when & GUEST_IRQ_WHEN_GROUPS)
        hcr |= group_changes();
    ops->hcr_set(hcr);
}

bool arch_guest_irq_splits(void)
{
    return ops->vmcr_get() & VMCR_EOIMODE;
}

bool arch_guest_irq_accepts(bool group1, uint8_t priority)
{
    return ops->accepts(group1, priority);
}

void arch_guest_irq_activate(uint32_t pirq)
{
    ops->set_active(pirq);
}

void arch_guest_irq_deactivate(uint32_t pirq)
{
    ops->clear_active(pirq);
}

bool arch_guest_irq_saved_read(const struct vcpu *vcpu, unsigned index, struct guest_irq_lr *lr)
{
    if (!(__atomic_load_n(&vcpu->arch.gic.lr_used, __ATOMIC_RELAXED) & BIT(index)))
        return false;
    ops->lr_decode(__atomic_load_n(&vcpu->arch.gic.lr[index], __ATOMIC_RELAXED), lr);
    return lr->pending || lr->active;
}

void arch_guest_irq_saved_clear(struct vcpu *vcpu)
{
    vcpu->arch.gic.lr_used = 0;
}
