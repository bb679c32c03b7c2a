// SPDX-License-Identifier: Apache-2.0
// GICv3 host driver: distributor, redistributors, system-register CPU interface with EOImode 1 (IHI 0069).
#include <arm64/gic.h>
#include <arm64/gicv3.h>
#include <arm64/idreg.h>
#include <arm64/sysreg.h>

#include <arch/barrier.h>
#include <arch/io.h>
#include <arch/smp.h>
#include <hv/match.h>
#include <hv/percpu.h>
#include <hv/vmap.h>
#include <lib/errno.h>

#define GICD_IROUTER 0x6000
#define GICD_CTLR_RWP BIT(31)
#define GICD_CTLR_ARE_NS BIT(4)
#define GICD_CTLR_GRP1 BIT(1)

#define GICR_CTLR 0x0000
#define GICR_TYPER 0x0008
#define GICR_WAKER 0x0014
#define GICR_SGI_FRAME 0x10000
#define GICR_TYPER_LAST BIT(4)
#define GICR_TYPER_VLPIS BIT(1)
#define GICR_WAKER_SLEEP BIT(1)
#define GICR_WAKER_ASLEEP BIT(2)
#define GICR_CTLR_RWP BIT(3)
#define GICR_STRIDE 0x20000UL
#define GICR_STRIDE_VLPIS 0x40000UL

#define SRE_ENABLE_ALL 0xf
#define ICC_CTLR_EOIMODE BIT(1)
#define PMR_ALL 0xff
#define SGI_INTID_SHIFT 24
#define WAIT_US 1000000
#define REGIONS_MAX 8

static volatile char *dist;
static unsigned lines;
static volatile char *regions[REGIONS_MAX];
static uint64_t region_sizes[REGIONS_MAX];
static unsigned region_count;
static DEFINE_PER_CPU(volatile char *, redist);
/* Of each CPU whose interface is up; the others get none. */
static uint64_t sgi_targets[SMP_CPUS_MAX];

static int wait_clear(volatile char *reg, uint32_t bit)
{
    for (unsigned i = 0; i < WAIT_US; i++) {
        if (!(arch_io_read32(reg) & bit))
            return 0;
        arch_cpu_relax();
    }
    return -ETIMEDOUT;
}

/* Frame with the enable, priority ... registers of an interrupt. */
static volatile char *frame_of(uint32_t irq)
{
    return irq < GIC_SPI_FIRST ? this_cpu(redist) + GICR_SGI_FRAME : dist;
}

static void set_bit(uint32_t reg, uint32_t irq)
{
    arch_io_write32(frame_of(irq) + reg + irq / 32 * 4, 1U << (irq % 32));
}

void gicv3_set_active(uint32_t irq)
{
    set_bit(GICD_ISACTIVER, irq);
}

void gicv3_clear_active(uint32_t irq)
{
    set_bit(GICD_ICACTIVER, irq);
    arch_barrier_complete();
}

static uint32_t chip_ack(void)
{
    uint32_t irq = (uint32_t)sysreg_read_named(ICC_IAR1_EL1);

    arch_barrier_complete();
    return irq >= GIC_SPURIOUS_FIRST ? IRQ_NONE : irq;
}

static void chip_end(uint32_t irq, bool deactivate)
{
    sysreg_write_named(ICC_EOIR1_EL1, irq);
    arch_barrier_context();
    if (deactivate)
        sysreg_write_named(ICC_DIR_EL1, irq);
}

static void chip_enable(uint32_t irq)
{
    set_bit(GICD_ISENABLER, irq);
}

static void chip_disable(uint32_t irq)
{
    set_bit(GICD_ICENABLER, irq);
    if (irq < GIC_SPI_FIRST)
        wait_clear(this_cpu(redist) + GICR_CTLR, GICR_CTLR_RWP);
    else
        wait_clear(dist + GICD_CTLR, GICD_CTLR_RWP);
}

static void chip_raise(uint32_t irq)
{
    set_bit(GICD_ISPENDR, irq);
}

static int chip_configure(uint32_t irq, uint32_t trigger)
{
    volatile char *reg = frame_of(irq) + GICD_ICFGR + irq / 16 * 4;
    uint32_t bit = 2U << (irq % 16 * 2);
    uint32_t value = arch_io_read32(reg);

    if (irq < GIC_SGI_COUNT)
        return 0;
    arch_io_write32(reg, trigger & 3 ? value | bit : value & ~bit);
    return 0;
}

static int chip_set_affinity(uint32_t irq, unsigned cpu)
{
    if (irq < GIC_SPI_FIRST)
        return -EINVAL;
    arch_io_write64(dist + GICD_IROUTER + irq * 8, cpu_info(cpu)->hwid & MPIDR_AFF_MASK);
    return 0;
}

/* What names this CPU alone to ICC_SGI1R_EL1. */
static uint64_t sgi_target(void)
{
    uint64_t aff = arch_smp_hwid();
    uint64_t aff0 = aff & 0xff;

    return (((aff >> 32) & 0xff) << 48) | (((aff >> 16) & 0xff) << 32) |
           (((aff >> 8) & 0xff) << 16) | ((aff0 / 16) << 44) | (1UL << (aff0 % 16));
}

static void chip_send(uint32_t sgi, cpumask_t cpus)
{
    arch_barrier_complete();
    for (; cpus; cpus &= cpus - 1)
        sysreg_write_named(ICC_SGI1R_EL1,
                           sgi_targets[__builtin_ctzll(cpus)] | (uint64_t)sgi << SGI_INTID_SHIFT);
    arch_barrier_context();
}

static int find_redistributor(void)
{
    uint64_t hwid = arch_smp_hwid();
    uint32_t want = (uint32_t)((hwid >> 32 << 24) | (hwid & 0xffffff));

    for (unsigned i = 0; i < region_count; i++) {
        uint64_t at = 0;

        while (at + GICR_STRIDE <= region_sizes[i]) {
            uint64_t typer = arch_io_read64(regions[i] + at + GICR_TYPER);

            if (typer >> 32 == want) {
                this_cpu(redist) = regions[i] + at;
                return 0;
            }
            if (typer & GICR_TYPER_LAST)
                break;
            at += typer & GICR_TYPER_VLPIS ? GICR_STRIDE_VLPIS : GICR_STRIDE;
        }
    }
    return -ENODEV;
}

static int init_redistributor(void)
{
    volatile char *rd;
    int err = find_redistributor();

    if (err)
        return err;
    rd = this_cpu(redist);
    arch_io_write32(rd + GICR_WAKER, arch_io_read32(rd + GICR_WAKER) & ~(uint32_t)GICR_WAKER_SLEEP);
    err = wait_clear(rd + GICR_WAKER, GICR_WAKER_ASLEEP);
    if (err)
        return err;
    rd += GICR_SGI_FRAME;
    arch_io_write32(rd + GICD_ICENABLER, ~0U);
    arch_io_write32(rd + GICD_ICACTIVER, ~0U);
    arch_io_write32(rd + GICD_IGROUPR, ~0U);
    for (unsigned i = 0; i < GIC_SPI_FIRST; i += 4)
        arch_io_write32(rd + GICD_IPRIORITYR + i, GIC_PRIORITY_X4);
    arch_io_write32(rd + GICD_ISENABLER, 0xffff); /* SGIs */
    return wait_clear(this_cpu(redist) + GICR_CTLR, GICR_CTLR_RWP);
}

static int chip_init_cpu(void)
{
    int err;

    sysreg_write_named(ICC_SRE_EL2, SRE_ENABLE_ALL);
    arch_barrier_context();
    err = init_redistributor();
    if (err)
        return err;
    sysreg_write_named(ICC_PMR_EL1, PMR_ALL);
    sysreg_write_named(ICC_BPR1_EL1, 0);
    sysreg_write_named(ICC_CTLR_EL1, ICC_CTLR_EOIMODE);
    sysreg_write_named(ICC_IGRPEN1_EL1, 1);
    arch_barrier_context();
    sgi_targets[cpu_id()] = sgi_target();
    gic_guest_init_cpu();
    return 0;
}

static struct irqchip gicv3_chip = {
    .name = "GICv3",
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

/* All Group 1, level, one priority, routed to the boot CPU; right with GICD_CTLR.DS 0 and 1. */
static int init_distributor(void)
{
    arch_io_write32(dist + GICD_CTLR, 0);
    if (wait_clear(dist + GICD_CTLR, GICD_CTLR_RWP))
        return -ETIMEDOUT;
    lines = MIN(GICD_LINES(arch_io_read32(dist + GICD_TYPER)), GIC_SPURIOUS_FIRST);
    for (unsigned i = GIC_SPI_FIRST; i < lines; i += 32) {
        arch_io_write32(dist + GICD_ICENABLER + i / 8, ~0U);
        arch_io_write32(dist + GICD_ICACTIVER + i / 8, ~0U);
        arch_io_write32(dist + GICD_IGROUPR + i / 8, ~0U);
    }
    for (unsigned i = GIC_SPI_FIRST; i < lines; i += 4)
        arch_io_write32(dist + GICD_IPRIORITYR + i, GIC_PRIORITY_X4);
    arch_io_write32(dist + GICD_CTLR, GICD_CTLR_ARE_NS);
    for (unsigned i = GIC_SPI_FIRST; i < lines; i++)
        arch_io_write64(dist + GICD_IROUTER + i * 8, arch_smp_hwid() & MPIDR_AFF_MASK);
    arch_io_write32(dist + GICD_CTLR, GICD_CTLR_ARE_NS | GICD_CTLR_GRP1);
    return wait_clear(dist + GICD_CTLR, GICD_CTLR_RWP);
}

static int map_frames(struct dt_node *node)
{
    uint64_t addr, size;
    uint32_t count = 1;
    int err = dt_get_reg_translated(node, 0, &addr, &size);

    if (err)
        return err;
    dist = vmap_device(hpa(addr), size);
    dt_get_u32(node, "#redistributor-regions", &count);
    for (unsigned i = 0; i < MIN(count, REGIONS_MAX); i++) {
        err = dt_get_reg_translated(node, i + 1, &addr, &size);
        if (err)
            return err;
        regions[i] = vmap_device(hpa(addr), size);
        if (!regions[i])
            return -ENOMEM;
        region_sizes[i] = size;
        region_count++;
    }
    return dist ? 0 : -ENOMEM;
}

static int gicv3_init(struct dt_node *node)
{
    int err = idreg_has_gic_sysregs() ? map_frames(node) : -ENODEV;

    if (err)
        return err;
    sysreg_write_named(ICC_SRE_EL2, SRE_ENABLE_ALL);
    arch_barrier_context();
    err = init_distributor();
    if (err)
        return err;
    gicv3_chip.total = lines;
    gicv3_guest_init();
    err = irq_set_chip(&gicv3_chip);
    if (!err)
        err = chip_init_cpu();
    return err ? err : gic_guest_init_maintenance(node);
}

static const char *const gicv3_compatible[] = {"arm,gic-v3", NULL};
HOST_IRQCHIP(gicv3, gicv3_compatible, gicv3_init);
