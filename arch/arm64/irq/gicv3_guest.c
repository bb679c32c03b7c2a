// SPDX-License-Identifier: Apache-2.0
// GICv3 virtual CPU interface: ICH_* system registers (IHI 0069, chapter 12.4).
#include <arm64/gic.h>
#include <arm64/gicv3.h>
#include <arm64/sysreg.h>

#include <arch/barrier.h>

#define LR_PENDING BIT(62)
#define LR_ACTIVE BIT(63)
#define LR_HW BIT(61)
#define LR_GROUP1 BIT(60)
#define LR_EOI BIT(41)
#define LR_PRIORITY_SHIFT 48
#define LR_PINTID_SHIFT 32
#define LR_PINTID_MASK 0x1fffUL

#define VMCR_VENG0 BIT(0)
#define VMCR_VENG1 BIT(1)
#define VMCR_PMR(vmcr) ((uint8_t)((vmcr) >> 24))

#define HCR_TDIR BIT(14)
#define VTR_TDS BIT(19)
#define VTR_LISTREGS(vtr) (((vtr)&0x1f) + 1)
#define VTR_PREBITS(vtr) ((((vtr) >> 26) & 7) + 1)
#define VTR_PRIBITS(vtr) ((((vtr) >> 29) & 7) + 1)

static unsigned preemption_bits;

#define LR_REGS(X)                                                                                 \
    X(0, S3_4_C12_C12_0)                                                                           \
    X(1, S3_4_C12_C12_1)                                                                           \
    X(2, S3_4_C12_C12_2)                                                                           \
    X(3, S3_4_C12_C12_3)                                                                           \
    X(4, S3_4_C12_C12_4)                                                                           \
    X(5, S3_4_C12_C12_5)                                                                           \
    X(6, S3_4_C12_C12_6)                                                                           \
    X(7, S3_4_C12_C12_7)                                                                           \
    X(8, S3_4_C12_C13_0)                                                                           \
    X(9, S3_4_C12_C13_1)                                                                           \
    X(10, S3_4_C12_C13_2)                                                                          \
    X(11, S3_4_C12_C13_3)                                                                          \
    X(12, S3_4_C12_C13_4)                                                                          \
    X(13, S3_4_C12_C13_5)                                                                          \
    X(14, S3_4_C12_C13_6)                                                                          \
    X(15, S3_4_C12_C13_7)

static uint64_t lr_get(unsigned index)
{
    switch (index) {
#define X(n, reg)                                                                                  \
    case n:                                                                                        \
        return sysreg_read(reg);
        LR_REGS(X)
#undef X
    default:
        return 0;
    }
}

static void lr_set(unsigned index, uint64_t value)
{
    switch (index) {
#define X(n, reg)                                                                                  \
    case n:                                                                                        \
        sysreg_write(reg, value);                                                                  \
        break;
        LR_REGS(X)
#undef X
    default:
        break;
    }
}

static void lr_decode(uint64_t value, struct guest_irq_lr *lr)
{
    lr->virq = (uint32_t)value;
    lr->hw = value & LR_HW;
    lr->pirq = lr->hw ? (value >> LR_PINTID_SHIFT) & LR_PINTID_MASK : 0;
    lr->eoi = !lr->hw && value & LR_EOI;
    lr->priority = (uint8_t)(value >> LR_PRIORITY_SHIFT);
    lr->source = 0;
    lr->pending = value & LR_PENDING;
    lr->active = value & LR_ACTIVE;
    lr->group1 = value & LR_GROUP1;
}

static uint64_t lr_encode(const struct guest_irq_lr *lr)
{
    uint64_t value = lr->virq | ((uint64_t)lr->priority << LR_PRIORITY_SHIFT);

    if (lr->hw)
        value |= LR_HW | ((uint64_t)lr->pirq << LR_PINTID_SHIFT);
    else if (lr->eoi)
        value |= LR_EOI;
    if (lr->pending)
        value |= LR_PENDING;
    if (lr->active)
        value |= LR_ACTIVE;
    return lr->group1 ? value | LR_GROUP1 : value;
}

static void lr_pend(unsigned index, uint32_t virq, uint32_t pirq, uint8_t priority, bool group1)
{
    uint64_t value = virq | (uint64_t)priority << LR_PRIORITY_SHIFT |
                     (uint64_t)pirq << LR_PINTID_SHIFT | LR_PENDING;

    if (pirq)
        value |= LR_HW;
    lr_set(index, group1 ? value | LR_GROUP1 : value);
}

static uint32_t empty(void)
{
    return (uint32_t)sysreg_read_named(ICH_ELRSR_EL2);
}

static uint32_t ended(void)
{
    return (uint32_t)sysreg_read_named(ICH_EISR_EL2);
}

static uint32_t hcr_get(void)
{
    return (uint32_t)sysreg_read_named(ICH_HCR_EL2);
}

static void hcr_set(uint32_t hcr)
{
    sysreg_write_named(ICH_HCR_EL2, hcr);
}

static void save(struct arm64_gic *gic)
{
    gic->vmcr = sysreg_read_named(ICH_VMCR_EL2);
    gic->hcr = hcr_get();
    gic->ap0r[0] = (uint32_t)sysreg_read(S3_4_C12_C8_0);
    gic->ap1r[0] = (uint32_t)sysreg_read(S3_4_C12_C9_0);
    if (preemption_bits >= 6) {
        gic->ap0r[1] = (uint32_t)sysreg_read(S3_4_C12_C8_1);
        gic->ap1r[1] = (uint32_t)sysreg_read(S3_4_C12_C9_1);
    }
    if (preemption_bits >= 7) {
        gic->ap0r[2] = (uint32_t)sysreg_read(S3_4_C12_C8_2);
        gic->ap0r[3] = (uint32_t)sysreg_read(S3_4_C12_C8_3);
        gic->ap1r[2] = (uint32_t)sysreg_read(S3_4_C12_C9_2);
        gic->ap1r[3] = (uint32_t)sysreg_read(S3_4_C12_C9_3);
    }
    hcr_set(0);
    gic->lr_used = ~empty() & gic_guest_lr_mask;
    if (gic->lr_used)
        gic_guest_save_lrs(gic);
}

static void load(const struct arm64_gic *gic)
{
    sysreg_write_named(ICH_VMCR_EL2, gic->vmcr);
    sysreg_write(S3_4_C12_C8_0, gic->ap0r[0]);
    sysreg_write(S3_4_C12_C9_0, gic->ap1r[0]);
    if (preemption_bits >= 6) {
        sysreg_write(S3_4_C12_C8_1, gic->ap0r[1]);
        sysreg_write(S3_4_C12_C9_1, gic->ap1r[1]);
    }
    if (preemption_bits >= 7) {
        sysreg_write(S3_4_C12_C8_2, gic->ap0r[2]);
        sysreg_write(S3_4_C12_C8_3, gic->ap0r[3]);
        sysreg_write(S3_4_C12_C9_2, gic->ap1r[2]);
        sysreg_write(S3_4_C12_C9_3, gic->ap1r[3]);
    }
    hcr_set(gic->hcr);
    if (gic->lr_used)
        gic_guest_load_lrs(gic);
}

static void clear(void)
{
    hcr_set(0);
    for (unsigned i = 0; i < arch_guest_irq_lr_count(); i++)
        lr_set(i, 0);
}

static bool accepts(bool group1, uint8_t priority)
{
    uint64_t vmcr = sysreg_read_named(ICH_VMCR_EL2);

    return vmcr & (group1 ? VMCR_VENG1 : VMCR_VENG0) && priority < VMCR_PMR(vmcr);
}

static uint64_t vmcr_get(void)
{
    return sysreg_read_named(ICH_VMCR_EL2);
}

static const struct gic_guest_ops gicv3_guest = {
    .version = GUEST_IRQ_V3,
    .save = save,
    .load = load,
    .clear = clear,
    .lr_get = lr_get,
    .lr_set = lr_set,
    .lr_decode = lr_decode,
    .lr_encode = lr_encode,
    .lr_pend = lr_pend,
    .empty = empty,
    .ended = ended,
    .hcr_get = hcr_get,
    .hcr_set = hcr_set,
    .accepts = accepts,
    .vmcr_get = vmcr_get,
    .set_active = gicv3_set_active,
    .clear_active = gicv3_clear_active,
};

void gicv3_guest_init(void)
{
    uint64_t vtr = sysreg_read_named(ICH_VTR_EL2);

    preemption_bits = VTR_PREBITS(vtr);
    /*
     * ICC_DIR is only for guests that end interrupts in two steps. What it names may be in no list register, or in one of
     * another CPU, and this interface would not say which it was.
     */
    if (vtr & VTR_TDS)
        gic_guest_hcr |= HCR_TDIR;
    gic_guest_register(&gicv3_guest, VTR_LISTREGS(vtr), VTR_PRIBITS(vtr));
}
