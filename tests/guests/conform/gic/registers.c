// SPDX-License-Identifier: Apache-2.0
// Registers of the distributor and the redistributors: identification, bits that exist, widths, all offsets with all values.
#include "gic_case.h"

#define SEED 0x9e3779b97f4a7c15ul

static uint64_t load(uint64_t addr, uint64_t size)
{
    switch (size) {
    case 1:
        return mmio_read8(addr);
    case 2:
        return mmio_read16(addr);
    case 4:
        return mmio_read32(addr);
    default:
        return mmio_read64(addr);
    }
}

static uint64_t store8(uint64_t addr, uint64_t value)
{
    mmio_write8(addr, (uint8_t)value);
    return 0;
}

static uint64_t store16(uint64_t addr, uint64_t value)
{
    mmio_write16(addr, (uint16_t)value);
    return 0;
}

static uint64_t store32(uint64_t addr, uint64_t value)
{
    mmio_write32(addr, (uint32_t)value);
    return 0;
}

static uint64_t store64(uint64_t addr, uint64_t value)
{
    mmio_write64(addr, value);
    return 0;
}

/* An abort is an external one, in the guest's own words; false: it was something else. */
static bool proper(const struct trap *trap, uint64_t addr, bool write)
{
    return (trap->esr & ~0x01ff0000ul & ~0x8000ul) == (write ? ESR_SEA_WRITE : ESR_SEA_READ) &&
           trap->far == addr;
}

static bool try_load(uint64_t addr, unsigned size, uint64_t *value, unsigned *strange)
{
    struct trap trap;
    bool ok = trap_try(load, addr, size, value, &trap);

    *strange += !ok && !proper(&trap, addr, false);
    return ok;
}

static bool try_store(uint64_t addr, unsigned size, uint64_t value, unsigned *strange)
{
    static const trap_fn stores[] = {[1] = store8, [2] = store16, [4] = store32, [8] = store64};
    struct trap trap;
    bool ok = trap_try(stores[size], addr, value, NULL, &trap);

    *strange += !ok && !proper(&trap, addr, true);
    return ok;
}

static uintptr_t pidr2(uintptr_t frame)
{
    return frame + (gic_version == 3 ? 0xffe8 : 0xfe8);
}

struct ids {
    uint32_t typer, iidr, pidr;
    uint64_t redist[3];
};

static struct ids ids_read(void)
{
    struct ids ids = {.typer = mmio_read32(GICD_BASE + GICD_TYPER),
                      .iidr = mmio_read32(GICD_BASE + GICD_IIDR),
                      .pidr = mmio_read32(pidr2(GICD_BASE))};

    if (gic_version == 3) {
        uintptr_t base = gic_redist(0);

        ids.redist[0] = mmio_read64(base + GICR_TYPER);
        ids.redist[1] = mmio_read32(base + GICR_IIDR);
        ids.redist[2] = mmio_read32(pidr2(base));
    }
    return ids;
}

static bool ids_equal(struct ids a, struct ids b)
{
    return a.typer == b.typer && a.iidr == b.iidr && a.pidr == b.pidr &&
           !memcmp(a.redist, b.redist, sizeof(a.redist));
}

static void case_gic_ids(void)
{
    struct ids ids = ids_read();
    uint32_t revision = ids.pidr >> 4 & 15;

    report("gic.typer", (ids.typer & 31) >= 1, "0x%x", ids.typer);
    report("gic.version", gic_version == 3 ? revision == 3 || revision == 4 : revision == 2,
           "PIDR2 0x%x", ids.pidr);
    report("gic.iidr", (ids.iidr & 0xfff) == 0x43b, "0x%x", ids.iidr);
    if (gic_version == 2) {
        report("gic.typer_cpus", (ids.typer >> 5 & 7) + 1 == boot_info.cpu_count, "0x%x", ids.typer);
        report("gic.cpu_iidr", (mmio_read32(GICC_BASE + GICC_IIDR) & 0xf0fff) == 0x2043b, "0x%x",
               mmio_read32(GICC_BASE + GICC_IIDR));
        return;
    }
    /* One security state only (bit 10), identifiers of at least 10 bits. */
    report("gic.typer_security", !(ids.typer & 1u << 10) && (ids.typer >> 19 & 31) >= 9, "0x%x",
           ids.typer);
    report("gic.affinity", !(ids.redist[0] >> 32 >> 24) || ids.typer & 1u << 24,
           "Aff3 without A3V: 0x%lx", ids.redist[0]);
}

TEST_CASE("gic.ids", 1, case_gic_ids);

/* The bits of a word that can be written. */
static uint32_t writable(uintptr_t reg)
{
    mmio_write32(reg, 0);
    uint32_t zeros = mmio_read32(reg);

    mmio_write32(reg, ~0u);
    uint32_t ones = mmio_read32(reg);

    mmio_write32(reg, 0);
    return zeros ^ ones;
}

static bool priority_bits_fit(uint32_t word)
{
    uint8_t bits = (uint8_t)word;

    return word == bits * 0x01010101u && bits >= 0xf0 && (uint8_t)(bits | (bits - 1)) == 0xff;
}

static void case_gic_bits(void)
{
    uint32_t lines = gic_lines(), wrong = 0;

    gic_wipe();
    mmio_write32(GICD_BASE + GICD_CTLR, gic_version == 3 ? GICD_CTLR_ARE : 0);
    for (uint32_t bank = 1; bank < lines / 32; bank++) {
        wrong |= writable(GICD_BASE + GICD_IGROUPR + bank * 4) != ~0u;
        wrong |= (writable(GICD_BASE + GICD_ICFGR + bank * 8) != 0xaaaaaaaa) << 1;
        wrong |= !priority_bits_fit(writable(GICD_BASE + GICD_IPRIORITYR + bank * 32)) << 2;
        mmio_write32(GICD_BASE + GICD_ISENABLER + bank * 4, 0x5aa5f00f);
        wrong |= (mmio_read32(GICD_BASE + GICD_ICENABLER + bank * 4) != 0x5aa5f00f) << 3;
        mmio_write32(GICD_BASE + GICD_ISENABLER + bank * 4, 0);
        mmio_write32(GICD_BASE + GICD_ICENABLER + bank * 4, 0);
        wrong |= (mmio_read32(GICD_BASE + GICD_ISENABLER + bank * 4) != 0x5aa5f00f) << 4;
        mmio_write32(GICD_BASE + GICD_ICENABLER + bank * 4, 0x0000f00f);
        wrong |= (mmio_read32(GICD_BASE + GICD_ISENABLER + bank * 4) != 0x5aa50000) << 5;
    }
    report("gic.spi_bits", !wrong, "0x%x", wrong);
    wrong = 0;
    /* QEMU's GICv3 has one bank more than its GICD_TYPER says. */
    for (uint32_t i = lines + (boot_is_guest() ? 0 : 32); i < GIC_SPURIOUS - 28; i += 32)
        wrong |= (writable(GICD_BASE + GICD_IGROUPR + i / 8) != 0) |
                 (writable(GICD_BASE + GICD_IPRIORITYR + i) != 0) << 1 |
                 (writable(GICD_BASE + GICD_ISENABLER + i / 8) != 0) << 2 |
                 (writable(GICD_BASE + GICD_ISPENDR + i / 8) != 0) << 3;
    report("gic.absent_bits", !wrong, "0x%x", wrong);
    uintptr_t own = gic_frame(0);
    report("gic.sgi_config", writable(own + GICD_ICFGR) == 0, "writable");
    report("gic.sgi_edge", (mmio_read32(own + GICD_ICFGR) & 0xaaaaaaaa) == 0xaaaaaaaa, "0x%x",
           mmio_read32(own + GICD_ICFGR));
    wrong = writable(own + GICD_ICFGR + 4);
    report("gic.ppi_config", !(wrong & 0x55555555), "0x%x", wrong);
    report("gic.nsacr", !writable(GICD_BASE + GICD_NSACR + 16), "writable");
    gic_wipe();
}

TEST_CASE("gic.bits", 1, case_gic_bits);

/* Private registers through the distributor: those of a GICv2, nothing with affinity routing. */
static void case_gic_private(void)
{
    gic_wipe();
    gic_enable(27);
    uint32_t word = mmio_read32(GICD_BASE + GICD_ISENABLER);
    if (gic_version == 2) {
        report("gic.sgi_enabled", word == 0x0800ffff, "0x%x", word);
        mmio_write32(GICD_BASE + GICD_ICENABLER, 0xffff);
        word = mmio_read32(GICD_BASE + GICD_ISENABLER);
        report("gic.sgi_always_enabled", (word & 0xffff) == 0xffff, "0x%x", word);
        uint32_t want = boot_info.cpu_count == 1 ? 0 : 0x01010101;
        word = mmio_read32(GICD_BASE + GICD_ITARGETSR);
        report("gic.own_target", word == want && !writable(GICD_BASE + GICD_ITARGETSR), "0x%x",
               word);
        report("gic.pending_of_sgis", !(writable(GICD_BASE + GICD_ISPENDR) & 0xffff),
               "SGIs by ISPENDR");
    } else {
        report("gic.private_elsewhere", word == 0, "0x%x", word);
        report("gic.no_targets", !writable(GICD_BASE + GICD_ITARGETSR + 32), "ITARGETSR writable");
        report("gic.no_modifier",
               !writable(GICD_BASE + GICD_IGRPMODR + 4) && !writable(gic_frame(0) + GICD_IGRPMODR),
               "IGRPMODR writable");
        mmio_write32(GICD_BASE + GICD_SGIR, 1u << 16 | 3);
        mmio_write32(GICD_BASE + GICD_SPENDSGIR, ~0u);
        report("gic.no_sgir", quiet() && !mmio_read32(gic_frame(0) + GICD_ISPENDR), "an SGI came");
    }
    gic_wipe();
}

TEST_CASE("gic.private", 1, case_gic_private);

static void check_bytes(uintptr_t block, uint8_t keep, const char *name)
{
    unsigned wrong = 0;

    mmio_write32(block, 0);
    for (unsigned i = 0; i < 4; i++) {
        uint8_t value = (uint8_t)((0x18 + 0x30 * i) & keep);

        mmio_write8(block + i, value);
        wrong += mmio_read8(block + i) != value;
        wrong += (mmio_read32(block) >> 8 * i & 0xff) != value;
    }
    report(name, !wrong, "%u wrong, word 0x%x", wrong, mmio_read32(block));
}

static void case_gic_widths(void)
{
    gic_wipe();
    check_bytes(GICD_BASE + GICD_IPRIORITYR + SPI - 2, 0xf8, "gic.bytes_priority");
    check_bytes(gic_frame(0) + GICD_IPRIORITYR + 20, 0xf8, "gic.bytes_private");
    if (gic_version == 2) {
        uint8_t all = (uint8_t)((1u << boot_info.cpu_count) - 1);

        if (boot_info.cpu_count > 1)
            check_bytes(GICD_BASE + GICD_ITARGETSR + SPI - 2, all, "gic.bytes_target");
        mmio_write8(GICD_BASE + GICD_SPENDSGIR + 7, 1);
        uint32_t word = mmio_read32(GICD_BASE + GICD_SPENDSGIR + 4);
        mmio_write8(GICD_BASE + GICD_CPENDSGIR + 7, 1);
        report("gic.bytes_sgi", word == 0x01000000 && !mmio_read8(GICD_BASE + GICD_CPENDSGIR + 7),
               "0x%x", word);
    } else {
        uintptr_t reg = GICD_BASE + GICD_IROUTER + SPI * 8, typer = gic_redist(0) + GICR_TYPER;

        mmio_write64(reg, 0x00010203);
        uint64_t whole = mmio_read64(reg);
        mmio_write32(reg, 0x00030201);
        uint32_t low = mmio_read32(reg), high = mmio_read32(reg + 4);
        report("gic.halves_router", whole == 0x00010203 && low == 0x00030201 && high == 0,
               "0x%lx 0x%x 0x%x", whole, low, high);
        whole = mmio_read64(typer);
        low = mmio_read32(typer);
        high = mmio_read32(typer + 4);
        report("gic.halves_typer", whole == ((uint64_t)high << 32 | low), "0x%lx 0x%x 0x%x", whole,
               high, low);
    }
    gic_wipe();
}

TEST_CASE("gic.widths", 1, case_gic_widths);

/* Widths that a register does not have: an external abort or nothing, and never another register. */
static void case_gic_wrong_widths(void)
{
    static const uint16_t words[] = {GICD_CTLR,        GICD_TYPER,         GICD_IIDR,
                                     GICD_IGROUPR + 4, GICD_ISENABLER + 4, GICD_ICFGR + 8};
    unsigned strange = 0, changed = 0, aborts = 0;
    uint64_t value;

    gic_wipe();
    gic_enable(SPI);
    for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        uintptr_t reg = GICD_BASE + words[i];
        uint32_t before = mmio_read32(reg);

        for (unsigned size = 1; size <= 8; size *= 2) {
            if (size == 4)
                continue;
            aborts += !try_load(reg & -(uintptr_t)size, size, &value, &strange);
            if (!try_store(reg & -(uintptr_t)size, size, 0, &strange))
                changed += mmio_read32(reg) != before; /* what aborted did nothing */
            mmio_write32(reg, before);
        }
    }
    report("gic.wrong_widths", !strange && !changed, "%u strange aborts, %u done nevertheless",
           strange, changed);
    if (boot_is_guest())
        report("gic.wrong_widths_abort", aborts == 18, "%u of 18 loads", aborts);
    gic_wipe();
}

TEST_CASE("gic.wrong_widths", 1, case_gic_wrong_widths);

struct sweep {
    uint64_t random;
    unsigned strange, accesses;
};

static void sweep_one(struct sweep *s, uintptr_t addr, unsigned size)
{
    uint64_t value;

    s->random = s->random * 6364136223846793005ul + 1442695040888963407ul;
    try_store(addr, size, ~0ul, &s->strange);
    try_load(addr, size, &value, &s->strange);
    try_store(addr, size, s->random, &s->strange);
    try_store(addr, size, 0, &s->strange);
    s->accesses += 4;
}

/* Every offset at its own width and, every few, at all others. */
static void sweep_block(struct sweep *s, uintptr_t from, uintptr_t to, unsigned step)
{
    for (uintptr_t addr = from; addr < to; addr += step) {
        sweep_one(s, addr, 4);
        if (addr / step % 5 == 0)
            for (unsigned size = 1; size <= 8; size *= 2)
                sweep_one(s, addr & -(uintptr_t)size, size);
        if (addr / step % 7 == 0)
            sweep_one(s, addr + 3, 1);
    }
}

static void sweep_end(const char *name, struct sweep *s, struct ids before)
{
    struct ids after = ids_read();

    gic_wipe();
    report(name, !s->strange && ids_equal(before, after), "%u strange aborts, ids 0x%x 0x%x 0x%x",
           s->strange, after.typer, after.iidr, after.pidr);
    spi_ready(SPI, 0x80);
    gic_set_pending(SPI);
    gic_send_sgi(5, 0);
    uint32_t first = take(), second = take();
    report("gic.alive_after_sweep", first == SPI && second == 5 && quiet(), "INTIDs %u %u", first,
           second);
}

static void case_gic_sweep(void)
{
    struct sweep s = {.random = boot_number("seed", SEED)};
    struct ids ids = ids_read();
    uintptr_t size = gic_version == 3 ? 0x10000 : 0x1000;

    gic_set_mask(0);
    sweep_block(&s, GICD_BASE, GICD_BASE + 0x1000, 4);
    if (gic_version == 3) {
        sweep_block(&s, GICD_BASE + GICD_IROUTER, GICD_BASE + GICD_IROUTER + 0x2000, 0x34);
        sweep_block(&s, GICD_BASE + 0x1000, GICD_BASE + size, 0x1fc);
        sweep_block(&s, GICD_BASE + size - 0x40, GICD_BASE + size, 4);
    }
    sweep_end("gic.sweep", &s, ids);
}

TEST_CASE("gic.sweep", 1, case_gic_sweep);

static void case_gic_sweep_redist(void)
{
    struct sweep s = {.random = boot_number("seed", SEED)};
    struct ids ids = ids_read();

    if (gic_version != 3)
        return;
    gic_set_mask(0);
    for (unsigned cpu = 0; cpu < boot_info.cpu_count; cpu++) {
        uintptr_t base = gic_redist(cpu);
        unsigned step = cpu ? 0x44 : 4; /* the others' in passing */

        sweep_block(&s, base, base + 0x100, step);
        sweep_block(&s, base + GICR_SGI_FRAME, base + GICR_SGI_FRAME + 0x500, step);
        sweep_block(&s, base + GICR_SGI_FRAME + 0xc00, base + GICR_SGI_FRAME + 0xf00, step);
        sweep_block(&s, base + 0x100, base + 2 * GICR_SGI_FRAME, 0x7fc);
    }
    sweep_end("gic.sweep_redist", &s, ids);
}

TEST_CASE("gic.sweep_redist", 1, case_gic_sweep_redist);
