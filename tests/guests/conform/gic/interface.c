// SPDX-License-Identifier: Apache-2.0
// The CPU interface of each CPU is its own, also when several of them share a CPU: corners of all its registers, kept for a while.
#include "gic_case.h"

#define KEEP_US 30000 /* longer than a time slice */

struct corner {
    uint32_t mask, split, group0, group1;
    uint32_t point0, point1, active0, active1;
};

static struct corner corner_of(uint64_t seed)
{
    uint32_t random = (uint32_t)(seed * 2654435761u);

    return (struct corner){.mask = (random >> 8 & 0x1f) << 3,
                           .split = random >> 16 & 1,
                           .group0 = random >> 17 & 1,
                           .group1 = random >> 18 & 1,
                           .point0 = 3 + (random >> 19) % 5,
                           .point1 = 4 + (random >> 22) % 4,
                           .active0 = 1u << (random >> 24 & 0xf),
                           .active1 = 1u << (16 + (random >> 28 & 0xf))};
}

static void put_v3(const struct corner *c)
{
    icc_write(ICC_PMR, c->mask);
    icc_write(ICC_CTLR, c->split << 1);
    icc_write(ICC_BPR0, c->point0);
    icc_write(ICC_BPR1, c->point1);
    icc_write(ICC_IGRPEN0, c->group0);
    icc_write(ICC_IGRPEN1, c->group1);
    icc_write(ICC_AP0R0, c->active0);
    icc_write(ICC_AP1R0, c->active1);
}

static uint32_t differs_v3(const struct corner *c)
{
    return (icc_read(ICC_PMR) != c->mask) | ((icc_read(ICC_CTLR) >> 1 & 1) != c->split) << 1 |
           (icc_read(ICC_BPR0) != c->point0) << 2 | (icc_read(ICC_BPR1) != c->point1) << 3 |
           (icc_read(ICC_IGRPEN0) != c->group0) << 4 | (icc_read(ICC_IGRPEN1) != c->group1) << 5 |
           (icc_read(ICC_AP0R0) != c->active0) << 6 | (icc_read(ICC_AP1R0) != c->active1) << 7;
}

static uint32_t control_v2(const struct corner *c)
{
    return c->group0 | c->group1 << 1 | c->split << 9;
}

static void put_v2(const struct corner *c)
{
    mmio_write32(GICC_BASE + GICC_PMR, c->mask);
    mmio_write32(GICC_BASE + GICC_CTLR, control_v2(c));
    mmio_write32(GICC_BASE + GICC_BPR, c->point0);
    mmio_write32(GICC_BASE + GICC_ABPR, c->point1);
    mmio_write32(GICC_BASE + GICC_APR0, c->active0);
}

static uint32_t differs_v2(const struct corner *c)
{
    return (mmio_read32(GICC_BASE + GICC_PMR) != c->mask) |
           (mmio_read32(GICC_BASE + GICC_CTLR) != control_v2(c)) << 1 |
           (mmio_read32(GICC_BASE + GICC_BPR) != c->point0) << 2 |
           (mmio_read32(GICC_BASE + GICC_ABPR) != c->point1) << 3 |
           (mmio_read32(GICC_BASE + GICC_APR0) != c->active0) << 4;
}

static uint64_t keep(uint64_t seed)
{
    uint64_t end = timer_now() + timer_us(KEEP_US);
    uint32_t wrong = 0;

    for (uint64_t i = 1; timer_now() < end; i++) {
        struct corner c = corner_of(seed + i);
        uint64_t next = timer_now() + timer_us(KEEP_US / 8);

        (gic_version == 3 ? put_v3 : put_v2)(&c);
        while (timer_now() < next)
            wrong |= (gic_version == 3 ? differs_v3 : differs_v2)(&c);
    }
    return wrong;
}

static void case_gic_interface_each(void)
{
    unsigned count = boot_info.cpu_count;
    uint64_t wrong;

    gic_wipe();
    if (servants_start("gic.interface_each", count)) {
        for (unsigned cpu = 1; cpu < count; cpu++)
            on_cpu_start(cpu, keep, cpu * 100);
        wrong = keep(0);
        for (unsigned cpu = 1; cpu < count; cpu++)
            wrong |= on_cpu_result(cpu);
        report("gic.interface_each", !wrong, "0x%lx", wrong);
    }
    servants_stop();
    gic_wipe();
}

TEST_CASE("gic.interface_each", 2, case_gic_interface_each);
