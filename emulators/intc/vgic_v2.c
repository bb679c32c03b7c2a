// SPDX-License-Identifier: Apache-2.0
// Virtual GICv2: distributor with SGI registers (IHI 0048B). The CPU interface is the host's GICV frame, but for GICC_DIR.

#include "vgic.h"

#include <lib/errno.h>

#define GICD_CTLR 0x000
#define GICD_TYPER 0x004
#define GICD_IIDR 0x008
#define GICD_SGIR 0xf00
#define GICD_CPENDSGIR 0xf10
#define GICD_SPENDSGIR 0xf20
#define GICD_SPENDSGIR_END 0xf30
#define GICD_PIDR2 0xfe8
#define GICD_SIZE 0x1000
#define GICC_DIR 0x1000
#define GICC_DIR_INTID 0x3ffU

#define GIC_PIDR2_V2 0x2b

#define SGIR_FILTER(value) (((value) >> 24) & 3)
#define SGIR_FILTER_LIST 0
#define SGIR_FILTER_OTHERS 1
#define SGIR_FILTER_SELF 2

static uint32_t gicd_typer(const struct vgic *vgic)
{
    return vgic->spi_banks | (MIN(vgic->guest->vcpu_count, VGIC_V2_VCPUS) - 1) << 5;
}

static void sgir_write(struct vgic_access *a)
{
    struct vgic *vgic = a->vgic;
    uint32_t value = (uint32_t)a->value;
    uint32_t self = 1U << a->self->vcpu->subid;
    uint32_t targets = 0;

    if (SGIR_FILTER(value) == SGIR_FILTER_LIST)
        targets = (value >> 16) & 0xff;
    else if (SGIR_FILTER(value) == SGIR_FILTER_OTHERS)
        targets = 0xff & ~self;
    else if (SGIR_FILTER(value) == SGIR_FILTER_SELF)
        targets = self;
    for (unsigned i = 0; i < MIN(vgic->guest->vcpu_count, VGIC_V2_VCPUS); i++) {
        struct vgic_vcpu *v = vgic_vcpu_of(vgic->guest->vcpus[i]);

        if (v != NULL && (targets & (1U << i)) != 0)
            vgic_irq_change(vgic, &v->bank.irqs[value & 0xf], vgic_change_pend, self);
    }
}

/* Pending state of SGIs: a byte each, with a bit for each source. */
static int sgi_pending_access(struct vgic_access *a)
{
    struct vgic_bank *bank = &a->banked->bank;
    unsigned first = a->offset & 0xf;
    vgic_change_fn change = a->offset >= GICD_SPENDSGIR ? vgic_change_pend : vgic_change_unpend;

    if (a->size != 1 && a->size != 4)
        return -EFAULT;
    if (!a->is_write)
        vgic_sync(a->self, bank);
    for (unsigned i = 0; i < a->size; i++) {
        struct vgic_irq *irq = &bank->irqs[first + i];

        if (a->is_write)
            vgic_irq_change(a->vgic, irq, change, (uint8_t)(a->value >> (8 * i)));
        else
            a->value |= (uint64_t)(irq->latch | irq->lr_latch) << (8 * i);
    }
    return 0;
}

static int gicd_access(struct vgic_access *a)
{
    if (a->offset >= GICD_CPENDSGIR && a->offset < GICD_SPENDSGIR_END)
        return sgi_pending_access(a);
    if (a->offset >= 0x80 && a->offset < GICD_SGIR)
        return vgic_bank_access(a);
    if (a->size != 4)
        return -EFAULT;
    if (a->is_write) {
        if (a->offset == GICD_CTLR)
            vgic_ctlr_write(a->vgic, (uint32_t)a->value);
        else if (a->offset == GICD_SGIR)
            sgir_write(a);
        return 0;
    }
    switch (a->offset) {
    case GICD_CTLR:
        a->value = vgic_load(&a->vgic->ctlr);
        break;
    case GICD_TYPER:
        a->value = gicd_typer(a->vgic);
        break;
    case GICD_IIDR:
        a->value = VGIC_IIDR;
        break;
    case GICD_PIDR2:
        a->value = GIC_PIDR2_V2;
        break;
    default:
        break;
    }
    return 0;
}

/* What of the CPU interface is not the host's: the page of GICC_DIR. What it names may be active on another CPU. */
static int gicc_access(struct vgic_access *a)
{
    if (a->offset < GICC_DIR || a->size != 4)
        return -EFAULT;
    if (a->is_write && a->offset == GICC_DIR)
        vgic_deactivate(a->self, (uint32_t)a->value & GICC_DIR_INTID);
    return 0;
}

static NO_STACK_PROTECTOR int vgic_v2_access(struct emu_device *dev, struct emu_access *access)
{
    struct vgic *vgic = dev->priv;
    struct vgic_access a = {.vgic = vgic,
                            .self = vgic_accessor(vgic, access),
                            .shared = true,
                            .offset = (uint32_t)access->offset,
                            .size = access->size,
                            .is_write = access->is_write,
                            .value = access->value};
    int err;

    if (a.self == NULL || access->frame > 1)
        return -EFAULT;
    a.banked = a.self;
    if (access->frame == 1)
        err = gicc_access(&a);
    else if (access->offset < GICD_SIZE)
        err = gicd_access(&a);
    else
        err = access->size == 4 ? 0 : -EFAULT;
    if (!access->is_write)
        access->value = a.value;
    return err;
}

static int vgic_v2_probe(struct emu_device *dev)
{
    return vgic_probe(dev, 2);
}

static const char *const vgic_v2_match[] = {"arm,gic-400", "arm,cortex-a15-gic", NULL};

static const struct emulator vgic_v2 = {
    .name = "vgic-v2",
    .match = vgic_v2_match,
    .version = VGIC_STATE_VERSION,
    .widths = EMU_WIDTH_8 | EMU_WIDTH_32,
    .probe = vgic_v2_probe,
    .reset = vgic_reset,
    .access = vgic_v2_access,
    .remove = vgic_remove,
    .flat_size = vgic_state_size,
    .flat_save = vgic_state_save,
    .flat_restore = vgic_state_restore,
};
EMULATOR(vgic_v2);
