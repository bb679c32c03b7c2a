// SPDX-License-Identifier: Apache-2.0
// GICv2 and GICv3, all interrupts in the one group that an operating system uses.
#include <payload/arch.h>
#include <payload/boot.h>
#include <payload/gic.h>
#include <payload/smp.h>

unsigned gic_version;
static uintptr_t redist[BOOT_CPUS_MAX];

static uintptr_t find_redist(uint64_t mpidr)
{
    uint32_t affinity = (uint32_t)(mpidr & 0xffffff) | (uint32_t)(mpidr >> 32 & 0xff) << 24;
    uintptr_t base = GICR_BASE;

    while (true) {
        uint64_t typer = mmio_read64(base + GICR_TYPER);

        if (typer >> 32 == affinity)
            return base;
        if (typer & GICR_TYPER_LAST)
            return 0;
        base += typer & GICR_TYPER_VLPIS ? 0x40000 : 0x20000;
    }
}

uintptr_t gic_redist(unsigned cpu)
{
    return find_redist(boot_info.mpidr[cpu]);
}

uint32_t gic_lines(void)
{
    uint32_t lines = ((mmio_read32(GICD_BASE + GICD_TYPER) & 31) + 1) * 32;

    return lines > GIC_SPURIOUS ? GIC_SPURIOUS : lines;
}

uintptr_t gic_frame(uint32_t intid)
{
    if (gic_version == 3 && intid < 32)
        return redist[this_cpu()->index] + GICR_SGI_FRAME;
    return GICD_BASE;
}

static void set_bit(uint32_t reg, uint32_t intid)
{
    mmio_write32(gic_frame(intid) + reg + intid / 32 * 4, 1u << intid % 32);
}

static bool get_bit(uint32_t reg, uint32_t intid)
{
    return mmio_read32(gic_frame(intid) + reg + intid / 32 * 4) >> intid % 32 & 1;
}

void gic_enable(uint32_t intid)
{
    set_bit(GICD_ISENABLER, intid);
}

void gic_disable(uint32_t intid)
{
    set_bit(GICD_ICENABLER, intid);
}

void gic_set_pending(uint32_t intid)
{
    set_bit(GICD_ISPENDR, intid);
}

void gic_clear_pending(uint32_t intid)
{
    set_bit(GICD_ICPENDR, intid);
}

void gic_set_active(uint32_t intid)
{
    set_bit(GICD_ISACTIVER, intid);
}

void gic_clear_active(uint32_t intid)
{
    set_bit(GICD_ICACTIVER, intid);
}

bool gic_is_enabled(uint32_t intid)
{
    return get_bit(GICD_ISENABLER, intid);
}

bool gic_is_pending(uint32_t intid)
{
    return get_bit(GICD_ISPENDR, intid);
}

bool gic_is_active(uint32_t intid)
{
    return get_bit(GICD_ISACTIVER, intid);
}

void gic_set_group1(uint32_t intid, bool group1)
{
    uintptr_t reg = gic_frame(intid) + GICD_IGROUPR + intid / 32 * 4;
    uint32_t bit = 1u << intid % 32;
    uint32_t value = mmio_read32(reg);

    mmio_write32(reg, group1 ? value | bit : value & ~bit);
}

void gic_set_priority(uint32_t intid, uint8_t priority)
{
    mmio_write8(gic_frame(intid) + GICD_IPRIORITYR + intid, priority);
}

uint8_t gic_get_priority(uint32_t intid)
{
    return mmio_read8(gic_frame(intid) + GICD_IPRIORITYR + intid);
}

void gic_set_edge(uint32_t intid, bool edge)
{
    uintptr_t reg = gic_frame(intid) + GICD_ICFGR + intid / 16 * 4;
    uint32_t bit = 2u << intid % 16 * 2;
    uint32_t value = mmio_read32(reg);

    mmio_write32(reg, edge ? value | bit : value & ~bit);
}

void gic_route(uint32_t intid, unsigned cpu)
{
    if (gic_version == 3)
        mmio_write64(GICD_BASE + GICD_IROUTER + intid * 8, boot_info.mpidr[cpu]);
    else
        mmio_write8(GICD_BASE + GICD_ITARGETSR + intid, (uint8_t)(1u << cpu));
}

void gic_init(void)
{
    uint32_t lines = gic_lines();

    gic_version = boot_info.gic_version;
    mmio_write32(GICD_BASE + GICD_CTLR, gic_version == 3 ? 0x10 : 0);
    for (uint32_t i = 32; i < lines; i += 32) {
        mmio_write32(GICD_BASE + GICD_ICENABLER + i / 8, ~0u);
        mmio_write32(GICD_BASE + GICD_ICPENDR + i / 8, ~0u);
        if (gic_version == 3)
            mmio_write32(GICD_BASE + GICD_IGROUPR + i / 8, ~0u);
    }
    for (uint32_t i = 32; i < lines; i++) {
        gic_set_priority(i, 0xa0);
        gic_route(i, 0);
    }
    mmio_write32(GICD_BASE + GICD_CTLR, gic_version == 3 ? 0x13 : 1);
}

static void private_init(uintptr_t frame)
{
    mmio_write32(frame + GICD_ICENABLER, 0xffff0000u);
    mmio_write32(frame + GICD_ISENABLER, 0x0000ffffu);
    if (gic_version == 3)
        mmio_write32(frame + GICD_IGROUPR, ~0u);
    for (uint32_t i = 0; i < 32; i++)
        mmio_write8(frame + GICD_IPRIORITYR + i, 0xa0);
}

void gic_cpu_init(void)
{
    struct cpu *cpu = this_cpu();

    if (gic_version != 3) {
        private_init(GICD_BASE);
        mmio_write32(GICC_BASE + GICC_PMR, 0xff);
        mmio_write32(GICC_BASE + GICC_BPR, 0);
        mmio_write32(GICC_BASE + GICC_CTLR, 1);
        return;
    }
    uintptr_t base = find_redist(sysreg_read(mpidr_el1));

    redist[cpu->index] = base;
    mmio_write32(base + GICR_WAKER, mmio_read32(base + GICR_WAKER) & ~2u);
    while (mmio_read32(base + GICR_WAKER) & 4)
        relax();
    private_init(base + GICR_SGI_FRAME);
    icc_write(ICC_SRE, 1);
    icc_write(ICC_PMR, 0xff);
    icc_write(ICC_BPR1, 0);
    icc_write(ICC_CTLR, 0);
    icc_write(ICC_IGRPEN1, 1);
}

void gic_set_mask(uint8_t priority)
{
    if (gic_version == 3) {
        icc_write(ICC_PMR, priority);
    } else {
        mmio_write32(GICC_BASE + GICC_PMR, priority);
        dsb();
    }
}

uint32_t gic_ack(void)
{
    if (gic_version != 3)
        return mmio_read32(GICC_BASE + GICC_IAR);
    uint32_t ack = (uint32_t)icc_read(ICC_IAR1);

    dsb();
    return ack;
}

uint32_t gic_intid(uint32_t ack)
{
    return gic_version == 3 ? ack & 0xffffff : ack & 0x3ff;
}

void gic_eoi(uint32_t ack)
{
    if (gic_version == 3) {
        icc_write(ICC_EOIR1, ack);
    } else {
        mmio_write32(GICC_BASE + GICC_EOIR, ack);
    }
}

void gic_split_eoi(bool split)
{
    if (gic_version == 3) {
        uint64_t value = icc_read(ICC_CTLR) & ~(uint64_t)ICC_CTLR_EOIMODE;

        icc_write(ICC_CTLR, split ? value | ICC_CTLR_EOIMODE : value);
    } else {
        uint32_t value = mmio_read32(GICC_BASE + GICC_CTLR) & ~GICC_CTLR_EOIMODE;

        mmio_write32(GICC_BASE + GICC_CTLR, split ? value | GICC_CTLR_EOIMODE : value);
    }
}

void gic_deactivate(uint32_t ack)
{
    if (gic_version == 3)
        icc_write(ICC_DIR, ack);
    else
        mmio_write32(GICC_BASE + GICC_DIR, ack);
}

/* A GICv2's interrupts are in group 0 here, a GICv3's in group 1, whose field is one bit longer for the same value. */
void gic_set_preemption(unsigned lowest)
{
    if (gic_version == 3)
        icc_write(ICC_BPR1, lowest);
    else
        mmio_write32(GICC_BASE + GICC_BPR, lowest - 1);
}

uint8_t gic_running_priority(void)
{
    return (uint8_t)(gic_version == 3 ? icc_read(ICC_RPR) : mmio_read32(GICC_BASE + GICC_RPR));
}

uint32_t gic_highest_pending(void)
{
    return gic_intid(
        (uint32_t)(gic_version == 3 ? icc_read(ICC_HPPIR1) : mmio_read32(GICC_BASE + GICC_HPPIR)));
}

void gic_send_sgi(uint32_t intid, unsigned cpu)
{
    uint64_t mpidr = boot_info.mpidr[cpu];

    dsb();
    if (gic_version != 3) {
        mmio_write32(GICD_BASE + GICD_SGIR, 1u << (16 + cpu) | intid);
        return;
    }
    icc_write(ICC_SGI1R, (mpidr >> 32 & 0xff) << 48 | (mpidr >> 16 & 0xff) << 32 |
                             (uint64_t)intid << 24 | (mpidr >> 8 & 0xff) << 16 | 1u << (mpidr & 15));
}

void gic_send_sgi_others(uint32_t intid)
{
    dsb();
    if (gic_version != 3) {
        mmio_write32(GICD_BASE + GICD_SGIR, 1u << 24 | intid);
        return;
    }
    icc_write(ICC_SGI1R, 1ull << 40 | (uint64_t)intid << 24);
}
