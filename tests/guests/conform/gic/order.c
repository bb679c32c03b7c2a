// SPDX-License-Identifier: Apache-2.0
// Priorities: mask, order, preemption and binary points, running and highest pending ones, more than list registers.
#include "gic_case.h"

static void case_gic_order(void)
{
    static const uint8_t priorities[] = {0xa0, 0x40, 0xc0, 0x80};
    uint32_t acks[4], got;

    gic_wipe();
    for (unsigned i = 0; i < 4; i++) {
        spi_ready(SPI + i, priorities[i]);
        gic_set_pending(SPI + i);
    }
    got = gic_highest_pending();
    report("gic.highest_pending", got == SPI + 1 && !gic_is_active(SPI + 1), "INTID %u", got);
    gic_set_mask(0x40);
    got = take();
    report("gic.masked", got == GIC_SPURIOUS, "INTID %u", got);
    gic_set_mask(0x48);
    got = acknowledge(&acks[0]);
    report("gic.first", got == SPI + 1, "INTID %u", got);
    report("gic.running", gic_running_priority() == 0x40, "0x%x", gic_running_priority());
    gic_set_mask(0xff);
    got = take();
    report("gic.running_priority", got == GIC_SPURIOUS, "INTID %u", got);
    gic_eoi(acks[0]);
    report("gic.running_none", gic_running_priority() >= 0xf0, "0x%x", gic_running_priority());
    for (unsigned i = 1; i < 4; i++)
        acks[i] = take();
    report("gic.order", acks[1] == SPI + 3 && acks[2] == SPI && acks[3] == SPI + 2, "%u %u %u",
           acks[1], acks[2], acks[3]);
    got = gic_highest_pending();
    report("gic.highest_none", got >= GIC_SPURIOUS, "INTID %u", got);
    gic_wipe();
}

TEST_CASE("gic.order", 1, case_gic_order);

/* Each deeper one preempts; the ends go back the same way. More than list registers. */
static void case_gic_nest(void)
{
    uint32_t acks[16];
    unsigned wrong = 0, depth = 16;

    gic_wipe();
    for (unsigned i = 0; i < depth; i++) {
        spi_ready(SPI + i, (uint8_t)(0xc0 - 8 * i));
        gic_set_pending(SPI + i);
        wrong += acknowledge(&acks[i]) != SPI + i;
        wrong += gic_running_priority() != 0xc0 - 8 * i;
    }
    report("gic.preempts", !wrong, "%u wrong", wrong);
    for (unsigned i = 0; i < depth; i++)
        wrong += !gic_is_active(SPI + i);
    report("gic.nest_active", !wrong, "%u inactive", wrong);
    gic_set_pending(SPI); /* the outermost once more: it has to wait for its own end */
    for (unsigned i = depth; i-- > 0;) {
        wrong += take() != GIC_SPURIOUS;
        gic_eoi(acks[i]);
        wrong += gic_is_active(SPI + i);
    }
    report("gic.nest_ends", !wrong, "%u wrong", wrong);
    uint32_t got = take();
    report("gic.nest_again", got == SPI && quiet(), "INTID %u", got);
    gic_wipe();
}

TEST_CASE("gic.nest", 1, case_gic_nest);

static bool preempts(unsigned lowest, uint8_t running, uint8_t pending)
{
    uint32_t outer, inner;

    gic_set_preemption(lowest);
    gic_set_priority(SPI, running);
    gic_set_priority(SPI + 1, pending);
    gic_set_pending(SPI);
    acknowledge(&outer);
    gic_set_pending(SPI + 1);
    bool did = acknowledge(&inner) == SPI + 1;
    if (did)
        gic_eoi(inner);
    gic_eoi(outer);
    if (!did)
        take();
    return did;
}

static void case_gic_binary_point(void)
{
    unsigned wrong = 0;

    gic_wipe();
    spi_ready(SPI, 0xa0);
    spi_ready(SPI + 1, 0xa0);
    for (unsigned lowest = 4; lowest <= 7; lowest++) {
        uint8_t running = 0x80;
        uint8_t near = (uint8_t)(running - 8);
        uint8_t inside = lowest < 7 ? (uint8_t)(running + (1u << lowest) - 8) : 0xf0;

        wrong |= !preempts(lowest, running, near) << lowest;
        wrong |= preempts(lowest, running, running) << (lowest + 8);
        wrong |= preempts(lowest, inside, running) << (lowest + 16);
        wrong |= preempts(lowest, running, inside) << (lowest + 24);
    }
    report("gic.binary_point", !wrong, "0x%x", wrong);
    if (gic_version == 2) /* its field can be empty */
        report("gic.binary_point_none", !preempts(8, 0xf0, 0x80), "preempted with no group bits");
    /* The running priority is that of the group. */
    uint32_t ack, got;
    gic_set_preemption(5);
    gic_set_priority(SPI, 0xb8);
    gic_set_pending(SPI);
    got = acknowledge(&ack);
    uint8_t running = gic_running_priority();
    gic_eoi(ack);
    report("gic.binary_point_running", got == SPI && (running & 0xe0) == 0xa0, "INTID %u RPR 0x%x",
           got, running);
    gic_set_preemption(3);
    report("gic.quiet", quiet(), "one more");
    gic_wipe();
}

TEST_CASE("gic.binary_point", 1, case_gic_binary_point);

/* The minimum that the CPU interface has, and its register's own bits. */
static void case_gic_binary_point_register(void)
{
    uint64_t low[2], high[2], beyond[2];

    gic_wipe();
    if (gic_version == 3) {
        icc_write(ICC_BPR0, 0);
        icc_write(ICC_BPR1, 0);
        low[0] = icc_read(ICC_BPR0), low[1] = icc_read(ICC_BPR1);
        icc_write(ICC_BPR0, 7);
        icc_write(ICC_BPR1, 7);
        high[0] = icc_read(ICC_BPR0), high[1] = icc_read(ICC_BPR1);
        /* Not bit 31: with it QEMU takes the value for a negative one. */
        icc_write(ICC_BPR0, 0x7ffffff8 | 5);
        icc_write(ICC_BPR1, 0x7ffffff8 | 5);
        beyond[0] = icc_read(ICC_BPR0), beyond[1] = icc_read(ICC_BPR1);
        report("gic.bpr", low[0] <= 3 && low[1] == low[0] + 1 && high[0] == 7 && high[1] == 7,
               "lowest %lu %lu highest %lu %lu", low[0], low[1], high[0], high[1]);
        report("gic.bpr_reserved", beyond[0] == 5 && beyond[1] == 5, "0x%lx 0x%lx", beyond[0],
               beyond[1]);
    } else {
        mmio_write32(GICC_BASE + GICC_BPR, 0);
        low[0] = mmio_read32(GICC_BASE + GICC_BPR);
        mmio_write32(GICC_BASE + GICC_BPR, ~0u);
        high[0] = mmio_read32(GICC_BASE + GICC_BPR);
        report("gic.bpr", low[0] <= 3 && high[0] == 7, "lowest %lu highest %lu", low[0], high[0]);
    }
    gic_wipe();
}

TEST_CASE("gic.binary_point_register", 1, case_gic_binary_point_register);

/* All SPIs and all SGIs at once, ended one by one: each comes once, the most urgent first. */
static void take_all(unsigned lines, unsigned first, const char *name)
{
    static uint8_t seen[GIC_SPURIOUS];
    unsigned wrong = 0, order = 0, total = 16 + lines - first;
    uint8_t last = 0;

    memset(seen, 0, sizeof(seen));
    for (unsigned i = 0; i < total; i++) {
        uint32_t intid = take();

        if (intid == GIC_SPURIOUS)
            break;
        uint8_t priority = gic_get_priority(intid);
        order += priority < last;
        last = priority;
        seen[intid]++;
    }
    for (unsigned i = 0; i < lines; i++)
        wrong += (i < 16 || i >= first) && seen[i] != 1;
    report(name, !wrong && !order && quiet(), "%u not exactly once, %u out of order", wrong, order);
}

static void case_gic_many(void)
{
    unsigned lines = gic_lines(), first = SPI;

    if (lines > first + 200)
        lines = first + 200;
    gic_wipe();
    for (unsigned i = first; i < lines; i++)
        spi_ready(i, (uint8_t)(0x20 + i * 5 % 23 * 8));
    for (unsigned i = 0; i < 16; i++) {
        gic_enable(i);
        gic_set_priority(i, (uint8_t)(0x20 + i * 7 % 16 * 8));
    }
    for (unsigned i = first; i < lines; i++)
        gic_set_pending(i);
    for (unsigned i = 0; i < 16; i++)
        gic_send_sgi(i, 0);
    take_all(lines, first, "gic.many");
    gic_wipe();
}

TEST_CASE("gic.many", 1, case_gic_many);

/* What is masked by one priority comes when the mask opens, without any other event. */
static void case_gic_mask(void)
{
    uint32_t got;
    unsigned wrong = 0;

    gic_wipe();
    spi_ready(SPI, 0xa0);
    for (unsigned mask = 0; mask < 256; mask += 8) {
        gic_set_pending(SPI);
        gic_set_mask((uint8_t)mask);
        got = take();
        wrong += got != (mask > 0xa0 ? SPI : GIC_SPURIOUS);
    }
    gic_set_mask(0xff);
    take();
    report("gic.mask_levels", !wrong && quiet(), "%u wrong", wrong);
    gic_set_mask(0xff);
    uint64_t implemented = gic_version == 3 ? icc_read(ICC_PMR) : mmio_read32(GICC_BASE + GICC_PMR);
    report("gic.mask_bits", implemented >= 0xf0 && implemented <= 0xff, "0x%lx", implemented);
    gic_wipe();
}

TEST_CASE("gic.mask", 1, case_gic_mask);
