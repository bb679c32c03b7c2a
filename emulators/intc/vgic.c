// SPDX-License-Identifier: Apache-2.0
// Virtual GIC, the device: its parts for a guest and for each VCPU, made, reset and freed.

#include "vgic.h"

#include <hv/heap.h>
#include <lib/errno.h>

static uint32_t bank_valid(unsigned bank)
{
    /* INTIDs 1020..1023 are special: the last of 31 SPI banks ends before them. */
    return (bank + 2) * VGIC_BANK_SIZE > VGIC_PRIVATE_COUNT + VGIC_SPI_MAX ? 0x0fffffffU
                                                                           : 0xffffffffU;
}

static void bank_init(struct vgic *vgic, struct vgic_bank *bank, unsigned first, uint32_t valid)
{
    bank->vgic = vgic;
    bank->valid = valid;
    for (unsigned i = 0; i < VGIC_BANK_SIZE; i++) {
        struct vgic_irq *irq = &bank->irqs[i];

        list_init(&irq->link);
        irq->bank = bank;
        irq->intid = (uint16_t)(first + i);
        irq->lr = VGIC_LR_NONE;
    }
}

/* Reset of all but the input line, which is the device's. Not in any list. */
static void irq_reset(struct vgic_irq *irq)
{
    irq->latch = 0;
    irq->lr_latch = 0;
    irq->source = 0;
    irq->again = false;
    irq->active = false;
    irq->active_forced = false;
    irq->hw = false;
}

static void bank_reset(struct vgic_bank *bank)
{
    bank->enabled = 0;
    bank->group1 = 0;
    bank->edge = 0;
    bank->used = 0;
    for (unsigned i = 0; i < VGIC_BANK_SIZE; i++) {
        bank->priority[i] = 0;
        bank->route[i] = 0;
        irq_reset(&bank->irqs[i]);
        if (bank->irqs[i].line)
            vgic_irq_use(&bank->irqs[i]);
    }
}

struct vgic_irq *vgic_irq_find(struct vgic *vgic, struct vgic_vcpu *v, uint32_t intid)
{
    struct vgic_bank *bank;

    if (intid < VGIC_PRIVATE_COUNT)
        return v == NULL ? NULL : &v->bank.irqs[intid];
    if (intid >= VGIC_PRIVATE_COUNT + vgic->spi_banks * VGIC_BANK_SIZE)
        return NULL;
    bank = &vgic->spi[intid / VGIC_BANK_SIZE - 1];
    return (bank->valid & (1U << (intid % VGIC_BANK_SIZE))) != 0
               ? &bank->irqs[intid % VGIC_BANK_SIZE]
               : NULL;
}

static int spi_count_read(const struct emu_device *dev, uint32_t *count)
{
    int err = dt_get_u32(dev->node, "bulkhead,spi-count", count);

    if (err == -ENOENT) {
        *count = VGIC_SPI_DEFAULT;
        return 0;
    }
    if (err == 0 && (*count < VGIC_BANK_SIZE || *count > VGIC_SPI_MAX))
        err = -ERANGE;
    return err;
}

static int host_check(unsigned version)
{
    enum guest_irq_version host = arch_guest_irq_version();

    /* Each version of the guest's CPU interface needs the same one in hardware; two list registers are what maintenance
     * needs to mean anything. */
    if (host != (version == 2 ? GUEST_IRQ_V2 : GUEST_IRQ_V3) || arch_guest_irq_lr_count() < 2)
        return -EOPNOTSUPP;
    return 0;
}

static int vgic_create(const struct emu_device *dev, unsigned version, struct vgic **out)
{
    struct vgic *vgic;
    uint32_t spi_count;
    int err = spi_count_read(dev, &spi_count);

    if (err != 0)
        return err;
    vgic = heap_zalloc(sizeof(*vgic));
    if (vgic == NULL)
        return -ENOMEM;
    vgic->version = version;
    vgic->lr_count = MIN(arch_guest_irq_lr_count(), GUEST_IRQ_LR_MAX);
    vgic->spi_banks = (spi_count + VGIC_BANK_SIZE - 1) / VGIC_BANK_SIZE;
    spin_init(&vgic->lock);
    vgic->spi = heap_calloc(vgic->spi_banks, sizeof(*vgic->spi));
    if (vgic->spi == NULL) {
        heap_free(vgic);
        return -ENOMEM;
    }
    for (unsigned i = 0; i < vgic->spi_banks; i++)
        bank_init(vgic, &vgic->spi[i], (i + 1) * VGIC_BANK_SIZE, bank_valid(i));
    *out = vgic;
    return 0;
}

/* All shared interrupts, by a number from 0. */
static unsigned spi_total(const struct vgic *vgic)
{
    return vgic->spi_banks * VGIC_BANK_SIZE;
}

static struct vgic_irq *spi_at(struct vgic *vgic, unsigned n)
{
    return &vgic->spi[n / VGIC_BANK_SIZE].irqs[n % VGIC_BANK_SIZE];
}

static void vcpu_forget_spis(struct vgic_vcpu *v)
{
    irqflags_t flags = spin_lock_irqsave(&v->lock);

    vgic_lr_forget(v);
    LIST_FOR_EACH_SAFE(irq, &v->list, struct vgic_irq, link) {
        if (!vgic_irq_is_private(irq))
            vgic_list_remove(irq);
    }
    spin_unlock_irqrestore(&v->lock, flags);
}

void vgic_reset(struct emu_device *dev)
{
    struct vgic *vgic = dev->priv;
    struct guest *guest = dev->guest;
    irqflags_t flags;

    for (unsigned i = 0; i < guest->vcpu_count; i++) {
        if (vgic_vcpu_of(guest->vcpus[i]) != NULL)
            vcpu_forget_spis(vgic_vcpu_of(guest->vcpus[i]));
    }
    flags = spin_lock_irqsave(&vgic->lock);
    for (unsigned i = 0; i < vgic->spi_banks; i++)
        bank_reset(&vgic->spi[i]);
    for (unsigned i = 0; i < spi_total(vgic); i++)
        vgic_route_resolve(spi_at(vgic, i));
    vgic->ctlr = 0;
    spin_unlock_irqrestore(&vgic->lock, flags);
}

static void vcpu_bank_reset(struct vgic_vcpu *v)
{
    bank_reset(&v->bank);
    v->bank.edge = 0x0000ffffU;
    /* SGIs of a GICv2 are always enabled. */
    v->bank.enabled = v->vgic->version == 2 ? 0x0000ffffU : 0;
    for (unsigned i = 0; i < VGIC_PRIVATE_COUNT; i++) {
        v->bank.irqs[i].line = false;
        v->bank.irqs[i].pirq = 0;
        v->bank.irqs[i].target = v;
    }
    v->release = 0;
    v->fresh = 0;
    v->news = NULL;
    v->overflow = false;
    v->asleep = true;
}

static int vgic_vcpu_init(struct vcpu *vcpu)
{
    struct vgic *vgic = vcpu->guest->intc;
    struct vgic_vcpu *v;
    irqflags_t flags;

    if (vgic == NULL)
        return -ENODEV;
    if (vgic->version == 2 && vcpu->subid >= VGIC_V2_VCPUS)
        return -ENOSPC;
    v = heap_zalloc(sizeof(*v));
    if (v == NULL)
        return -ENOMEM;
    v->vgic = vgic;
    v->vcpu = vcpu;
    v->sgi_self = vgic_v3_sgi_list(arch_vcpu_affinity(vcpu->subid));
    spin_init(&v->lock);
    list_init(&v->list);
    bank_init(vgic, &v->bank, 0, 0xffffffffU);
    vcpu_bank_reset(v);
    vcpu->irq = v;
    flags = spin_lock_irqsave(&vgic->lock);
    for (unsigned i = 0; i < spi_total(vgic); i++)
        vgic_route_resolve(spi_at(vgic, i));
    spin_unlock_irqrestore(&vgic->lock, flags);
    return 0;
}

static void vgic_vcpu_exit(struct vcpu *vcpu)
{
    struct vgic_vcpu *v = vcpu->irq;
    struct vgic *vgic;
    irqflags_t flags;

    if (v == NULL)
        return;
    vgic = v->vgic;
    vcpu->irq = NULL;
    vcpu_forget_spis(v);
    flags = spin_lock_irqsave(&vgic->lock);
    for (unsigned i = 0; i < spi_total(vgic); i++) {
        if (spi_at(vgic, i)->target == v)
            spi_at(vgic, i)->target = NULL;
    }
    spin_unlock_irqrestore(&vgic->lock, flags);
    heap_free(v);
}

/* What was active on the VCPU ends with it; shared interrupts that were pending there still are. */
void vgic_vcpu_reset(struct vcpu *vcpu)
{
    struct vgic_vcpu *v = vcpu->irq;
    irqflags_t flags;

    if (v == NULL)
        return;
    vgic_fold(v);
    flags = spin_lock_irqsave(&v->lock);
    vgic_lr_forget(v);
    LIST_FOR_EACH_SAFE(irq, &v->list, struct vgic_irq, link) {
        irq->active = false;
        if (vgic_irq_is_private(irq) || !vgic_irq_is_wanted(irq))
            vgic_list_remove(irq);
    }
    vcpu_bank_reset(v);
    spin_unlock_irqrestore(&v->lock, flags);
    __atomic_fetch_or(&vcpu->exit_work, VCPU_WORK_IRQ, __ATOMIC_RELAXED);
    vgic_migrate(v);
}

void vgic_remove(struct emu_device *dev)
{
    struct vgic *vgic = dev->priv;
    struct guest *guest = dev->guest;

    if (vgic == NULL)
        return;
    /* VCPUs may be freed before or after the device: neither finds the other any more. */
    for (unsigned i = 0; i < guest->vcpu_count; i++) {
        struct vgic_vcpu *v = guest->vcpus == NULL ? NULL : vgic_vcpu_of(guest->vcpus[i]);

        if (v != NULL)
            vgic_vcpu_exit(v->vcpu);
    }
    guest_irq_detach_lines(&vgic->lines);
    guest_irq_detach_doorbell(&vgic->doorbell);
    guest->intc = NULL;
    heap_free(vgic->spi);
    heap_free(vgic);
    dev->priv = NULL;
}

#define VGIC_OPS                                                                                   \
    .private_set = vgic_private_set, .flush = vgic_flush, .deliverable = vgic_deliverable,         \
    .maintenance = vgic_maintenance, .vcpu_reset = vgic_vcpu_reset, .vcpu_off = vgic_vcpu_off,     \
    .vcpu_init = vgic_vcpu_init, .vcpu_exit = vgic_vcpu_exit

static const struct intc_ops vgic_v2_ops = {VGIC_OPS};
static const struct intc_ops vgic_v3_ops = {VGIC_OPS, .sgi = vgic_v3_sgi, .sysreg = vgic_v3_sysreg};

/* A device without an address, as in tests, has no doorbell. */
static int attach(struct emu_device *dev, struct vgic *vgic)
{
    uint64_t start = emu_device_frame_start(dev, 0);
    int err;

    vgic->lines = (struct guest_irq_lines){
        .first = VGIC_PRIVATE_COUNT, .count = spi_total(vgic), .set = vgic_line_set, .owner = vgic};
    vgic->doorbell = (struct guest_irq_doorbell){.start = gpa(start + VGIC_V3_DOORBELL),
                                                 .size = VGIC_V3_DOORBELL_SIZE,
                                                 .message = vgic_v3_message,
                                                 .owner = vgic};
    list_init(&vgic->doorbell.link);
    list_init(&vgic->lines.link);
    err = guest_irq_attach_lines(dev->guest, &vgic->lines);
    if (err == 0 && vgic->version == 3)
        err = guest_irq_attach_doorbell(dev->guest, &vgic->doorbell);
    return err;
}

int vgic_probe(struct emu_device *dev, unsigned version)
{
    struct guest *guest = dev->guest;
    struct vgic *vgic;
    int err = host_check(version);

    if (err == 0 && guest->intc != NULL)
        err = -EBUSY;
    if (err == 0)
        err = vgic_create(dev, version, &vgic);
    if (err != 0)
        return err;
    vgic->guest = guest;
    dev->priv = vgic;
    guest->intc = vgic;
    guest->intc_ops = version == 2 ? &vgic_v2_ops : &vgic_v3_ops;
    guest->intc_version = version;
    err = attach(dev, vgic);
    if (err != 0)
        vgic_remove(dev);
    return err;
}
