// SPDX-License-Identifier: Apache-2.0
// Virtual GICv3: distributor with affinity routing and one security state, redistributors, SGI system registers (IHI 0069).

#include "vgic.h"

#include <hv/upcall.h>
#include <lib/errno.h>

#define GICD_CTLR 0x0000
#define GICD_TYPER 0x0004
#define GICD_IIDR 0x0008
#define GICD_SETSPI_NSR VGIC_V3_DOORBELL
#define GICD_CLRSPI_NSR 0x0048
/** Registers with bits or fields for each interrupt are from here on, in redistributors too. */
#define BANKS 0x0080
#define GICD_BANKS_END 0x1000
#define GICD_IROUTER 0x6000
#define GICD_IROUTER_END 0x8000
#define GIC_PIDR2 0xffe8
#define GICD_SIZE 0x10000

#define GICD_CTLR_ARE (1U << 4)
#define GICD_CTLR_DS (1U << 6)
#define GICD_TYPER_MBIS (1U << 16)
#define GICD_TYPER_IDBITS (9U << 19)
#define GICD_SPI_MASK 0x3ffU
/** An SPI can not be routed to "any", so that IROUTER has no routing mode. */
#define GICD_TYPER_NO1N (1U << 25)
#define GIC_PIDR2_V3 0x3b
/** Aff2.Aff1.Aff0: GICD_TYPER.A3V is 0. */
#define GICD_IROUTER_MASK 0x00ffffffU

#define GICR_CTLR 0x0000
#define GICR_IIDR 0x0004
#define GICR_TYPER 0x0008
#define GICR_WAKER 0x0014
#define GICR_SGI_BASE 0x10000
#define GICR_STRIDE 0x20000

#define GICR_TYPER_LAST BIT(4)
#define GICR_WAKER_SLEEP (1U << 1)
#define GICR_WAKER_ASLEEP (1U << 2)

/* A 32-bit access to one half of a 64-bit register reads that half. */
static uint64_t half_read(const struct vgic_access *a, uint64_t reg)
{
    return a->size == 8 ? reg : (uint32_t)(reg >> (8 * (a->offset & 4)));
}

/* Distributor */

static void irouter_access(struct vgic_access *a)
{
    unsigned intid = (a->offset - GICD_IROUTER) / 8;
    struct vgic_irq *irq = vgic_irq_find(a->vgic, NULL, intid);
    uint32_t *route;

    if (irq == NULL)
        return;
    route = &irq->bank->route[intid % VGIC_BANK_SIZE];
    if (!a->is_write)
        a->value = half_read(a, vgic_load(route));
    else if ((a->offset & 4) == 0)
        vgic_irq_change(a->vgic, irq, vgic_change_route, (uint32_t)a->value & GICD_IROUTER_MASK);
}

static int gicd_high_access(struct vgic_access *a)
{
    if (a->offset >= GICD_IROUTER && a->offset < GICD_IROUTER_END) {
        if (a->size < 4)
            return -EFAULT;
        irouter_access(a);
        return 0;
    }
    if (a->size != 4)
        return -EFAULT;
    if (a->offset == GIC_PIDR2)
        a->value = GIC_PIDR2_V3;
    return 0;
}

static uint32_t gicd_typer(const struct vgic *vgic)
{
    return vgic->spi_banks | GICD_TYPER_MBIS | GICD_TYPER_IDBITS | GICD_TYPER_NO1N;
}

/* A message makes an edge-triggered SPI pending, and raises or lowers a level-sensitive one. */
static void spi_message(struct vgic *vgic, uint32_t intid, bool set)
{
    struct vgic_irq *irq = intid < VGIC_PRIVATE_COUNT ? NULL : vgic_irq_find(vgic, NULL, intid);

    if (irq == NULL)
        return;
    if (!vgic_irq_is_edge(irq))
        vgic_irq_change(vgic, irq, vgic_change_line, set);
    else
        vgic_irq_change(vgic, irq, set ? vgic_change_pend : vgic_change_unpend, 1);
}

int vgic_v3_message(struct guest_irq_doorbell *bell, uint64_t offset, uint32_t data, uint32_t device)
{
    uint64_t reg = VGIC_V3_DOORBELL + offset;

    (void)device;
    if (reg != GICD_SETSPI_NSR && reg != GICD_CLRSPI_NSR)
        return -EFAULT;
    spi_message(bell->owner, data & GICD_SPI_MASK, reg == GICD_SETSPI_NSR);
    return 0;
}

static NOINLINE void gicd_write(struct vgic *vgic, uint64_t offset, uint32_t value)
{
    if (offset == GICD_CTLR)
        vgic_ctlr_write(vgic, value);
    else if (offset == GICD_SETSPI_NSR || offset == GICD_CLRSPI_NSR)
        spi_message(vgic, value & GICD_SPI_MASK, offset == GICD_SETSPI_NSR);
}

/* The message registers also take halfwords; all others here are words. */
static bool gicd_takes(const struct emu_access *access)
{
    return access->size == 4 || (access->size == 2 && (access->offset == GICD_SETSPI_NSR ||
                                                       access->offset == GICD_CLRSPI_NSR));
}

/* What is not of single interrupts, below BANKS: who reads it needs none of the rest. */
static int gicd_control_access(struct vgic *vgic, struct emu_access *access)
{
    if (unlikely(!gicd_takes(access)))
        return -EFAULT;
    if (access->is_write) {
        gicd_write(vgic, access->offset, (uint32_t)access->value);
        return 0;
    }
    switch (access->offset) {
    case GICD_CTLR:
        access->value = vgic_load(&vgic->ctlr) | GICD_CTLR_ARE | GICD_CTLR_DS;
        break;
    case GICD_TYPER:
        access->value = gicd_typer(vgic);
        break;
    case GICD_IIDR:
        access->value = VGIC_IIDR;
        break;
    default:
        break;
    }
    return 0;
}

/* Redistributors */

static uint64_t gicr_typer(const struct vgic_access *a)
{
    const struct vcpu *vcpu = a->banked->vcpu;
    uint64_t value = arch_vcpu_affinity(vcpu->subid) << 32 | (uint64_t)vcpu->subid << 8;

    return vcpu->subid + 1 == a->vgic->guest->vcpu_count ? value | GICR_TYPER_LAST : value;
}

static void waker_access(struct vgic_access *a)
{
    bool *asleep = &a->banked->asleep;

    if (a->is_write)
        __atomic_store_n(asleep, (a->value & GICR_WAKER_SLEEP) != 0, __ATOMIC_RELAXED);
    else if (__atomic_load_n(asleep, __ATOMIC_RELAXED))
        a->value = GICR_WAKER_SLEEP | GICR_WAKER_ASLEEP;
}

static int gicr_rd_access(struct vgic_access *a)
{
    bool wide = a->offset == GICR_TYPER || (a->offset >= 0x40 && a->offset < 0x100);

    /* The 64-bit registers for LPIs are there to be written, though reserved. */
    if (a->size != 4 && !(a->size == 8 && wide))
        return -EFAULT;
    if (a->offset == GICR_WAKER) {
        waker_access(a);
        return 0;
    }
    if (a->is_write)
        return 0;
    switch (a->offset) {
    case GICR_IIDR:
        a->value = VGIC_IIDR;
        break;
    case GICR_TYPER:
    case GICR_TYPER + 4:
        a->value = half_read(a, gicr_typer(a));
        break;
    case GIC_PIDR2:
        a->value = GIC_PIDR2_V3;
        break;
    default:
        break;
    }
    return 0;
}

static int gicr_access(struct vgic_access *a, uint64_t offset)
{
    uint64_t frame = offset / GICR_STRIDE;

    if (frame >= a->vgic->guest->vcpu_count)
        return -EFAULT;
    a->banked = vgic_vcpu_of(a->vgic->guest->vcpus[frame]);
    if (a->banked == NULL)
        return -EFAULT;
    offset %= GICR_STRIDE;
    a->offset = (uint32_t)(offset % GICR_SGI_BASE);
    if (offset < GICR_SGI_BASE)
        return gicr_rd_access(a);
    return a->offset < BANKS ? (a->size == 4 ? 0 : -EFAULT) : vgic_bank_access(a);
}

static NOINLINE NO_STACK_PROTECTOR int vgic_v3_irq_access(struct vgic *vgic,
                                                          struct emu_access *access)
{
    struct vgic_access a = {.vgic = vgic,
                            .self = vgic_accessor(vgic, access),
                            .offset = (uint32_t)access->offset,
                            .size = access->size,
                            .is_write = access->is_write,
                            .value = access->value};
    int err = -EFAULT;

    if (a.self == NULL)
        return -EFAULT;
    if (access->frame != 0) {
        err = gicr_access(&a, access->offset);
    } else if (access->offset < GICD_SIZE) {
        a.shared = true;
        err = access->offset < GICD_BANKS_END ? vgic_bank_access(&a) : gicd_high_access(&a);
    }
    if (!access->is_write)
        access->value = a.value;
    return err;
}

static int vgic_v3_access(struct emu_device *dev, struct emu_access *access)
{
    struct vgic *vgic = dev->priv;

    if (access->frame == 0 && access->offset < BANKS)
        return gicd_control_access(vgic, access);
    return access->frame <= 1 ? vgic_v3_irq_access(vgic, access) : -EFAULT;
}

/* SGI system registers */

#define SGI1R_LIST 0xffffU
#define SGI1R_IRM BIT(40)
#define SGI1R_INTID(value) ((uint32_t)((value) >> 24) & 0xf)
#define ICC_DIR_INTID 0xffffffU
/** Aff3, RS, Aff2, Aff1. */
#define SGI1R_CLUSTER 0x00fff0ff00ff0000UL

uint64_t vgic_v3_sgi_list(uint64_t affinity)
{
    uint64_t aff0 = affinity & 0xff;

    return ((affinity >> 32) & 0xff) << 48 | ((affinity >> 16) & 0xff) << 32 |
           ((affinity >> 8) & 0xff) << 16 | (aff0 / 16) << 44 | 1UL << (aff0 % 16);
}

static void sgi_raise(struct vgic_vcpu *self, struct vgic_vcpu *v, uint32_t intid)
{
    if (v == self)
        vgic_sgi_to_self(v, intid);
    else if (likely(v != NULL))
        vgic_sgi_to_other(v, intid);
}

/* The names of VCPUs are in order, so that one can be guessed from where it would be; its own name decides. */
static inline struct vgic_vcpu *sgi_find(const struct vgic *vgic, uint64_t name)
{
    uint32_t bit = (uint32_t)name & SGI1R_LIST;
    unsigned subid = ((name >> 16) & 0xff) * 16;
    struct vgic_vcpu *v;

    if (bit == 0)
        return NULL;
    subid += (unsigned)__builtin_ctz(bit);
    v = subid < vgic->guest->vcpu_count ? vgic_vcpu_of(vgic->guest->vcpus[subid]) : NULL;
    return v != NULL && v->sgi_self == name ? v : NULL;
}

static bool sgi_is_named(const struct vgic_vcpu *self, const struct vgic_vcpu *v, uint64_t value)
{
    uint64_t cluster = v->sgi_self & SGI1R_CLUSTER, list = v->sgi_self & SGI1R_LIST;

    if ((value & SGI1R_IRM) != 0)
        return v != self;
    return cluster == (value & SGI1R_CLUSTER) && (value & list) != 0;
}

/* ICC_SGI1R_EL1 makes, there being one security state, SGIs of either group; the other two registers those of group 0 alone. */
static NOINLINE void sgi_to_many(struct vgic_vcpu *self, uint64_t value, bool group0)
{
    struct vgic *vgic = self->vgic;
    uint32_t intid = SGI1R_INTID(value);

    for (unsigned i = 0; i < vgic->guest->vcpu_count; i++) {
        struct vgic_vcpu *v = vgic_vcpu_of(vgic->guest->vcpus[i]);

        if (v != NULL && sgi_is_named(self, v, value) &&
            !(group0 && vgic_irq_is_group1(&v->bank.irqs[intid])))
            sgi_raise(self, v, intid);
    }
}

/* Mostly it names one alone. */
int vgic_v3_sgi(struct vcpu *vcpu, uint64_t value)
{
    struct vgic_vcpu *self = vcpu->irq;
    uint32_t list = (uint32_t)value & SGI1R_LIST;
    uint64_t name = value & (SGI1R_CLUSTER | SGI1R_LIST);

    if (unlikely(self == NULL))
        return -ENOENT;
    if (unlikely((value & SGI1R_IRM) != 0 || (list & (list - 1)) != 0))
        sgi_to_many(self, value, false);
    else
        sgi_raise(self, name == self->sgi_self ? self : sgi_find(self->vgic, name),
                  SGI1R_INTID(value));
    return 0;
}

int vgic_v3_sysreg(struct vcpu *vcpu, unsigned reg, bool is_write, uint64_t *value)
{
    struct vgic_vcpu *self = vcpu->irq;

    if (self == NULL || !is_write)
        return -ENOENT;
    switch (reg) {
    case GUEST_SYSREG_ICC_SGI0R:
    case GUEST_SYSREG_ICC_ASGI1R:
        sgi_to_many(self, *value, true);
        return 0;
    case GUEST_SYSREG_ICC_DIR:
        vgic_deactivate(self, (uint32_t)*value & ICC_DIR_INTID);
        return 0;
    default:
        return -ENOENT;
    }
}

static int vgic_v3_probe(struct emu_device *dev)
{
    return vgic_probe(dev, 3);
}

static const char *const vgic_v3_match[] = {"arm,gic-v3", NULL};

static const struct emulator vgic_v3 = {
    .name = "vgic-v3",
    .match = vgic_v3_match,
    .version = VGIC_STATE_VERSION,
    .widths = EMU_WIDTH_8 | EMU_WIDTH_16 | EMU_WIDTH_32 | EMU_WIDTH_64,
    .probe = vgic_v3_probe,
    .reset = vgic_reset,
    .access = vgic_v3_access,
    .remove = vgic_remove,
    .flat_size = vgic_state_size,
    .flat_save = vgic_state_save,
    .flat_restore = vgic_state_restore,
};
EMULATOR(vgic_v3);
