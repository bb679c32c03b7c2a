// SPDX-License-Identifier: Apache-2.0
// GICv2 host driver with EOImode 1 (IHI 0048B).
#include <arm64/gic.h>
#include <arm64/gicv2.h>

#include <arch/barrier.h>
#include <arch/io.h>
#include <hv/match.h>
#include <hv/percpu.h>
#include <hv/vmap.h>
#include <lib/errno.h>

#define GICD_SGIR 0xf00
#define GICD_CTLR_ENABLE 1U

#define GICC_CTLR 0x0000
#define GICC_PMR 0x0004
#define GICC_BPR 0x0008
#define GICC_IAR 0x000c
#define GICC_EOIR 0x0010
#define GICC_DIR 0x1000
#define GICC_CTLR_ENABLE BIT(0)
#define GICC_CTLR_EOIMODE BIT(9)
#define IAR_ID_MASK 0x3ffU

/* Frames of "arm,cortex-a15-gic" and "arm,gic-400" nodes. */
enum { REG_GICD, REG_GICC, REG_GICH, REG_GICV };

#define GICD_IIDR 0x008
/* QEMU's: Arm as the implementer, but product and revision 0, which no chip has. */
#define IIDR_QEMU 0x43bU

static volatile char *dist;
static volatile char *cpuif;
/* The end of an SGI must name the CPU it came from, as the acknowledge did. */
static DEFINE_PER_CPU(uint32_t, last_iar);
/* Bit of this CPU's interface in target fields. */
static uint8_t interface_bit[SMP_CPUS_MAX];

void gicv2_set_active(uint32_t irq)
{
    arch_io_write32(dist + GICD_ISACTIVER + irq / 32 * 4, 1U << (irq % 32));
}

void gicv2_clear_active(uint32_t irq)
{
    arch_io_write32(dist + GICD_ICACTIVER + irq / 32 * 4, 1U << (irq % 32));
    arch_barrier_complete();
}

static uint32_t chip_ack(void)
{
    uint32_t iar = arch_io_read32(cpuif + GICC_IAR);
    uint32_t irq = iar & IAR_ID_MASK;

    this_cpu(last_iar) = iar;
    return irq >= GIC_SPURIOUS_FIRST ? IRQ_NONE : irq;
}

static void chip_end(uint32_t irq, bool deactivate)
{
    uint32_t iar = irq < GIC_SGI_COUNT ? this_cpu(last_iar) : irq;

    arch_io_write32(cpuif + GICC_EOIR, iar);
    if (deactivate)
        arch_io_write32(cpuif + GICC_DIR, iar);
}

static void chip_enable(uint32_t irq)
{
    arch_io_write32(dist + GICD_ISENABLER + irq / 32 * 4, 1U << (irq % 32));
}

static void chip_disable(uint32_t irq)
{
    arch_io_write32(dist + GICD_ICENABLER + irq / 32 * 4, 1U << (irq % 32));
    arch_barrier_complete();
}

static void chip_raise(uint32_t irq)
{
    arch_io_write32(dist + GICD_ISPENDR + irq / 32 * 4, 1U << (irq % 32));
}

static int chip_configure(uint32_t irq, uint32_t trigger)
{
    volatile char *reg = dist + GICD_ICFGR + irq / 16 * 4;
    uint32_t bit = 2U << (irq % 16 * 2);
    uint32_t value = arch_io_read32(reg);

    if (irq >= GIC_SPI_FIRST)
        arch_io_write32(reg, trigger & 3 ? value | bit : value & ~bit);
    return 0;
}

static int chip_set_affinity(uint32_t irq, unsigned cpu)
{
    if (irq < GIC_SPI_FIRST)
        return -EINVAL;
    arch_io_write8(dist + GICD_ITARGETSR + irq, interface_bit[cpu]);
    return 0;
}

static void chip_send(uint32_t sgi, cpumask_t cpus)
{
    uint32_t targets = 0;

    for (unsigned cpu = 0; cpus >> cpu && cpu < SMP_CPUS_MAX; cpu++) {
        if (cpus & CPU_MASK(cpu))
            targets |= interface_bit[cpu];
    }
    arch_barrier_complete();
    arch_io_write32(dist + GICD_SGIR, targets << 16 | sgi);
}

/* The banked target registers of SGIs and PPIs read as the bit of the reading CPU's interface. */
static uint8_t own_interface(void)
{
    for (unsigned i = 0; i < GIC_SPI_FIRST; i += 4) {
        uint32_t targets = arch_io_read32(dist + GICD_ITARGETSR + i);

        if (targets)
            return (uint8_t)(targets | targets >> 8 | targets >> 16 | targets >> 24);
    }
    return 1; /* uniprocessor implementation: the field is RAZ */
}

static int chip_init_cpu(void)
{
    interface_bit[cpu_id()] = own_interface();
    arch_io_write32(dist + GICD_ICENABLER, 0xffff0000);
    arch_io_write32(dist + GICD_ICACTIVER, ~0U);
    for (unsigned i = 0; i < GIC_SPI_FIRST; i += 4)
        arch_io_write32(dist + GICD_IPRIORITYR + i, GIC_PRIORITY_X4);
    arch_io_write32(dist + GICD_ISENABLER, 0xffff); /* SGIs */
    arch_io_write32(cpuif + GICC_PMR, 0xff);
    arch_io_write32(cpuif + GICC_BPR, 0);
    arch_io_write32(cpuif + GICC_CTLR, GICC_CTLR_ENABLE | GICC_CTLR_EOIMODE);
    gic_guest_init_cpu();
    return 0;
}

static struct irqchip gicv2_chip = {
    .name = "GICv2",
    .ack = chip_ack,
    .end = chip_end,
    .enable = chip_enable,
    .disable = chip_disable,
    .raise = chip_raise,
    .configure = chip_configure,
    .set_affinity = chip_set_affinity,
    .send = chip_send,
    .translate = gic_translate,
    .init_cpu = chip_init_cpu,
};

static void init_distributor(void)
{
    uint8_t boot = own_interface();

    arch_io_write32(dist + GICD_CTLR, 0);
    gicv2_chip.total = MIN(GICD_LINES(arch_io_read32(dist + GICD_TYPER)), GIC_SPURIOUS_FIRST);
    for (unsigned i = GIC_SPI_FIRST; i < gicv2_chip.total; i += 32) {
        arch_io_write32(dist + GICD_ICENABLER + i / 8, ~0U);
        arch_io_write32(dist + GICD_ICACTIVER + i / 8, ~0U);
    }
    for (unsigned i = GIC_SPI_FIRST; i < gicv2_chip.total; i += 4) {
        arch_io_write32(dist + GICD_IPRIORITYR + i, GIC_PRIORITY_X4);
        arch_io_write32(dist + GICD_ITARGETSR + i, boot * 0x01010101U);
    }
    arch_io_write32(dist + GICD_CTLR, GICD_CTLR_ENABLE);
}

static volatile char *map_frame(struct dt_node *node, unsigned index)
{
    uint64_t addr, size;

    if (dt_get_reg_translated(node, index, &addr, &size))
        return NULL;
    return vmap_device(hpa(addr), size);
}

/* Nodes without the last two frames describe a GIC without virtualization: guests can not use it. */
static bool init_virtual_interface(struct dt_node *node)
{
    volatile char *gich = map_frame(node, REG_GICH);
    uint64_t addr, size;

    if (!gich || dt_get_reg_translated(node, REG_GICV, &addr, &size))
        return false;
    gic_guest_set_gicv(hpa(addr), size);
    gicv2_guest_init(gich, arch_io_read32(dist + GICD_IIDR) == IIDR_QEMU);
    return true;
}

static int gicv2_init(struct dt_node *node)
{
    bool has_guests;
    int err;

    dist = map_frame(node, REG_GICD);
    cpuif = map_frame(node, REG_GICC);
    if (!dist || !cpuif)
        return -EINVAL;
    init_distributor();
    err = irq_set_chip(&gicv2_chip);
    has_guests = init_virtual_interface(node);
    if (!err)
        err = chip_init_cpu();
    return err || !has_guests ? err : gic_guest_init_maintenance(node);
}

static const char *const gicv2_compatible[] = {"arm,cortex-a15-gic", "arm,gic-400", NULL};
HOST_IRQCHIP(gicv2, gicv2_compatible, gicv2_init);
