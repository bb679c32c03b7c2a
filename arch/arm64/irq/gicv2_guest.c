// SPDX-License-Identifier: Apache-2.0
// GICv2 virtual CPU interface: the GICH frame (IHI 0048B, chapter 5.3).
#include <arm64/gic.h>
#include <arm64/gicv2.h>

#include <arch/io.h>
#include <hv/percpu.h>

#define GICH_HCR 0x000
#define GICH_VTR 0x004
#define GICH_VMCR 0x008
#define GICH_EISR0 0x020
#define GICH_ELRSR0 0x030
#define GICH_APR 0x0f0
#define GICH_LR 0x100

#define LR_HW BIT(31)
#define LR_GROUP1 BIT(30)
#define LR_ACTIVE BIT(29)
#define LR_PENDING BIT(28)
#define LR_EOI BIT(19)
#define LR_PRIORITY_SHIFT 23
#define LR_PHYSICAL_SHIFT 10
#define LR_ID_MASK 0x3ffU
#define LR_SOURCE_MASK 7U

#define VMCR_ENGRP0 BIT(0)
#define VMCR_ENGRP1 BIT(1)
#define VMCR_PMR(vmcr) ((uint8_t)((vmcr) >> 27 << 3))

#define VTR_LISTREGS(vtr) (((vtr)&0x3f) + 1)
#define PRIORITY_BITS 5

/* The upper half of a list register's value, which the hardware does not have: pirq of a link made by software. */
#define LR_SOFT_LINK_SHIFT 32

static volatile char *gich;
/*
 * QEMU's GICv2 does not look at the line again when a guest's EOI deactivates a hardware-linked interrupt: one that is still
 * asserted would be lost. There the link is made by software: the EOI asks for maintenance, and that deactivates.
 */
static bool links_by_software;
/* Of this CPU's list registers: the physical interrupts they are linked with by software. */
static DEFINE_PER_CPU(uint32_t[ARM64_LR_MAX], soft_links);

static uint64_t lr_get(unsigned index)
{
    return (uint64_t)this_cpu(soft_links)[index] << LR_SOFT_LINK_SHIFT |
           arch_io_read32(gich + GICH_LR + index * 4);
}

static void lr_set(unsigned index, uint64_t value)
{
    this_cpu(soft_links)[index] = (uint32_t)(value >> LR_SOFT_LINK_SHIFT);
    arch_io_write32(gich + GICH_LR + index * 4, (uint32_t)value);
}

static void lr_decode(uint64_t value, struct guest_irq_lr *lr)
{
    uint32_t low = (uint32_t)value;
    uint32_t soft_link = (uint32_t)(value >> LR_SOFT_LINK_SHIFT);

    lr->virq = low & LR_ID_MASK;
    lr->hw = low & LR_HW || soft_link;
    lr->pirq = soft_link;
    if (low & LR_HW)
        lr->pirq = (low >> LR_PHYSICAL_SHIFT) & LR_ID_MASK;
    lr->source = lr->hw ? 0 : (low >> LR_PHYSICAL_SHIFT) & LR_SOURCE_MASK;
    lr->eoi = !lr->hw && low & LR_EOI;
    lr->priority = (uint8_t)(low >> LR_PRIORITY_SHIFT << 3);
    lr->pending = low & LR_PENDING;
    lr->active = low & LR_ACTIVE;
    lr->group1 = low & LR_GROUP1;
}

static uint64_t lr_encode(const struct guest_irq_lr *lr)
{
    uint64_t value = lr->virq | ((uint64_t)(lr->priority >> 3) << LR_PRIORITY_SHIFT);

    if (lr->hw && links_by_software)
        value |= LR_EOI | (uint64_t)lr->pirq << LR_SOFT_LINK_SHIFT;
    else if (lr->hw)
        value |= LR_HW | ((uint64_t)lr->pirq << LR_PHYSICAL_SHIFT);
    else
        value |= ((uint64_t)lr->source << LR_PHYSICAL_SHIFT) | (lr->eoi ? LR_EOI : 0);
    if (lr->pending)
        value |= LR_PENDING;
    if (lr->active)
        value |= LR_ACTIVE;
    return lr->group1 ? value | LR_GROUP1 : value;
}

static void lr_pend(unsigned index, uint32_t virq, uint32_t pirq, uint8_t priority, bool group1)
{
    struct guest_irq_lr lr = {.virq = virq & LR_ID_MASK,
                              .source = (virq >> LR_PHYSICAL_SHIFT) & LR_SOURCE_MASK,
                              .pirq = pirq,
                              .hw = pirq != 0,
                              .priority = priority,
                              .group1 = group1,
                              .pending = true};

    lr_set(index, lr_encode(&lr));
}

static uint32_t empty(void)
{
    return arch_io_read32(gich + GICH_ELRSR0);
}

static uint32_t ended(void)
{
    return arch_io_read32(gich + GICH_EISR0);
}

static uint32_t hcr_get(void)
{
    return arch_io_read32(gich + GICH_HCR);
}

static void hcr_set(uint32_t hcr)
{
    arch_io_write32(gich + GICH_HCR, hcr);
}

static void save(struct arm64_gic *gic)
{
    gic->vmcr = arch_io_read32(gich + GICH_VMCR);
    gic->hcr = hcr_get();
    gic->ap0r[0] = arch_io_read32(gich + GICH_APR);
    hcr_set(0);
    gic->lr_used = ~empty() & gic_guest_lr_mask;
    if (gic->lr_used)
        gic_guest_save_lrs(gic);
}

static void load(const struct arm64_gic *gic)
{
    arch_io_write32(gich + GICH_VMCR, (uint32_t)gic->vmcr);
    arch_io_write32(gich + GICH_APR, gic->ap0r[0]);
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
    uint32_t vmcr = arch_io_read32(gich + GICH_VMCR);

    return vmcr & (group1 ? VMCR_ENGRP1 : VMCR_ENGRP0) && priority < VMCR_PMR(vmcr);
}

static uint64_t vmcr_get(void)
{
    return arch_io_read32(gich + GICH_VMCR);
}

static const struct gic_guest_ops gicv2_guest = {
    .version = GUEST_IRQ_V2,
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
    .set_active = gicv2_set_active,
    .clear_active = gicv2_clear_active,
};

void gicv2_guest_init(volatile char *frame, bool forgets_lines)
{
    gich = frame;
    links_by_software = forgets_lines;
    gic_guest_register(&gicv2_guest, VTR_LISTREGS(arch_io_read32(gich + GICH_VTR)), PRIORITY_BITS);
}
