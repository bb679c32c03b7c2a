// SPDX-License-Identifier: Apache-2.0
// Group E: the interrupt controller.
#include "evil.h"

#define SPI_OWN 60
#define GICD_CPENDSGIR 0xf10
#define GICR_SIZE 0x20000
#define GITS_BASE 0x08080000ul

static volatile uint32_t delivered;

static void count(uint32_t intid)
{
    (void)intid;
    delivered++;
}

/* Loads and stores of all widths, also misaligned; aborts are fine, other exceptions not. */
static unsigned sweep(uint64_t base, uint64_t size, uint64_t step)
{
    const uint64_t values[] = {0, ~0ul, random_word()};
    unsigned strange = 0;
    struct trap trap;

    for (uint64_t offset = 0; offset < size; offset += step) {
        for (unsigned width = 1; width <= 8; width *= 2) {
            if (!try_load(base + offset, width, NULL, &trap))
                strange += TRAP_EC(trap) != EC_DABT;
            /* Between the registers one value is as good as three. */
            for (unsigned i = offset & 3 ? 2 : 0; i < COUNT(values); i++) {
                if (!try_store(base + offset, width, values[i], &trap))
                    strange += TRAP_EC(trap) != EC_DABT;
            }
        }
    }
    return strange;
}

static void restore(void)
{
    for (unsigned n = 0; gic_version != 3 && n < 128; n += 4)
        mmio_write32(GICD_BASE + GICD_IGROUPR + n, 0);
    for (unsigned n = 0; gic_version != 3 && n < 16; n += 4)
        mmio_write32(GICD_BASE + GICD_CPENDSGIR + n, ~0u);
    gic_init();
    gic_cpu_init();
}

static void e01_gicd(void)
{
    unsigned strange;

    if (!boot_is_guest())
        return;
    strange =
        sweep(GICD_BASE, 0x1000, 1) + sweep(GICD_BASE + 0x1000, 0xf000, boot_flag("full") ? 4 : 64);
    restore();
    report("E01.gicd", !strange, "%u exceptions that are no data aborts", strange);
}
TEST_CASE("E01.gicd", 1, e01_gicd);

/* All frames, also those of the others, and what lies behind the last. */
static void e02_gicr(void)
{
    uint64_t behind = GICR_BASE + GICR_SIZE * boot_info.cpu_count, typer;
    unsigned strange = 0, changed = 0, answered = 0;

    if (!boot_is_guest())
        return;
    if (gic_version != 3) {
        report_skip("E02.gicr", "GICv2");
        return;
    }
    for (unsigned i = 0; i < boot_info.cpu_count; i++) {
        typer = mmio_read64(GICR_BASE + GICR_SIZE * i + 8);
        uint64_t step = boot_flag("full") ? 1 : i ? 16 : 4;

        strange += sweep(GICR_BASE + GICR_SIZE * i, 0x1000, step);
        strange += sweep(GICR_BASE + GICR_SIZE * i + 0x10000, 0x1000, i ? step : 1);
        changed += mmio_read64(GICR_BASE + GICR_SIZE * i + 8) != typer;
    }
    for (uint64_t offset = 0; offset < 2 * GICR_SIZE; offset += 0x800)
        answered += try_load(behind + offset, 4, NULL, NULL);
    restore();
    report("E02.gicr", !strange && !changed && !answered,
           "%u strange exceptions, %u identities changed, %u places behind the last answered",
           strange, changed, answered);
}
TEST_CASE("E02.gicr", 1, e02_gicr);

static void send_sgi1(uint64_t value)
{
    sysreg_write(S3_0_C12_C11_5, value);
    isb();
}

/* SGIs to those who are not there, by every field that names one. */
static void e04_targets(void)
{
    unsigned wrong = 0;

    irq_set_handler(3, count);
    delivered = 0;
    for (unsigned i = 0; i < 24 * 16; i++) {
        uint64_t affinity = 1ul << i / 16, rs = i % 16;

        if (gic_version == 3) /* affinity 3, 2, 1, range, list, INTID 3; never 0.0.0 with range 0 */
            send_sgi1((affinity >> 16 & 0xff) << 48 | (affinity >> 8 & 0xff) << 32 |
                      (affinity & 0xff) << 16 | rs << 44 | 3ul << 24 | 0xffff);
        else
            mmio_write32(GICD_BASE + GICD_SGIR, ((uint32_t)random_word() & 0xfe0000) | 3);
    }
    if (gic_version == 3) {
        for (uint64_t rs = 1; rs < 16; rs++)
            send_sgi1(rs << 44 | 3ul << 24 | 0xffff);
        send_sgi1(1ul << 40 | 3ul << 24 | 0xffff); /* all but self */
        send_sgi1(3ul << 24);                      /* nobody */
    } else {
        mmio_write32(GICD_BASE + GICD_SGIR, 1u << 24 | 3); /* all but self */
        mmio_write32(GICD_BASE + GICD_SGIR, 0xfe0000u | 3);
    }
    take_interrupts();
    wrong = delivered;
    gic_send_sgi(3, 0);
    take_interrupts();
    report("E04.sgi_targets", !wrong && delivered == 1, "%u came, then %u", wrong, delivered);
    irq_set_handler(3, NULL);
}
TEST_CASE("E04.sgi_targets", 1, e04_targets);

/* The other version's registers, and those of the hypervisor's own interface. */
static void e05_other(void)
{
    static const uint32_t of_v3[] = {CODE_MRS(3, 0, 4, 6, 0),   CODE_MRS(3, 0, 12, 12, 0),
                                     CODE_MRS(3, 0, 12, 12, 5), CODE_MSR(3, 0, 12, 11, 5),
                                     CODE_MRS(3, 0, 12, 12, 7), CODE_MSR(3, 0, 12, 11, 1)};
    static const uint32_t of_el2[] = {CODE_MRS(3, 4, 12, 9, 5),  CODE_MRS(3, 4, 12, 11, 0),
                                      CODE_MRS(3, 4, 12, 11, 1), CODE_MRS(3, 4, 12, 12, 0),
                                      CODE_MSR(3, 4, 12, 12, 0), CODE_MRS(3, 4, 12, 8, 0),
                                      CODE_MRS(3, 6, 12, 12, 4), CODE_MRS(3, 6, 12, 12, 5)};
    const uint64_t places[] = {gic_version == 3 ? GICC_BASE : GICR_BASE, 0x08030000, 0x08040000,
                               0x08020000};
    unsigned wrong = 0;
    struct trap trap;

    if (!boot_is_guest())
        return;
    for (unsigned i = 0; gic_version != 3 && i < COUNT(of_v3); i++)
        wrong += trap_try_code(&of_v3[i], 1, 0, 0, NULL, &trap) || trap.esr != ESR_UNDEF;
    for (unsigned i = 0; i < COUNT(of_el2); i++)
        wrong += trap_try_code(&of_el2[i], 1, 0, 0, NULL, &trap) || trap.esr != ESR_UNDEF;
    for (unsigned i = 0; i < COUNT(places); i++)
        wrong += try_load(places[i], 4, NULL, &trap) || !is_external_abort(&trap);
    report("E05.other_gic", !wrong, "%u answered", wrong);
}
TEST_CASE("E05.other_gic", 1, e05_other);

/* Every shared interrupt enabled, pending and active by hand, for a while: they are this guest's own. */
static void e07_all_spis(void)
{
    static const uint32_t regs[] = {GICD_ISENABLER, GICD_ISPENDR, GICD_ISACTIVER, GICD_ICACTIVER,
                                    GICD_ISPENDR};
    uint64_t end;

    if (!boot_is_guest())
        return;
    for (unsigned i = 0; i < COUNT(regs); i++) {
        for (unsigned n = 4; n < 128; n += 4)
            mmio_write32(GICD_BASE + regs[i] + n, ~0u);
    }
    end = timer_now() + timer_us(10000);
    while (timer_now() < end)
        relax();
    for (unsigned n = 4; n < 128; n += 4)
        mmio_write32(GICD_BASE + GICD_ICACTIVER + n, ~0u);
    restore();
    report("E07.all_spis", true, "-");
}
TEST_CASE("E07.all_spis", 1, e07_all_spis);

static void e08_disable_pending(void)
{
    unsigned early, wrong = 0;

    irq_set_handler(SPI_OWN, count);
    gic_set_edge(SPI_OWN, true);
    for (unsigned i = 0; i < 50; i++) {
        delivered = 0;
        gic_enable(SPI_OWN);
        gic_set_pending(SPI_OWN);
        gic_disable(SPI_OWN);
        take_interrupts();
        early = delivered;
        gic_set_pending(SPI_OWN);
        gic_enable(SPI_OWN);
        take_interrupts();
        wrong += early != 0 || delivered != 1 || gic_is_pending(SPI_OWN);
    }
    gic_disable(SPI_OWN);
    irq_set_handler(SPI_OWN, NULL);
    report("E08.disable_pending", !wrong, "%u of 50", wrong);
}
TEST_CASE("E08.disable_pending", 1, e08_disable_pending);

static void broadcast(void)
{
    irq_disable();
    while (true)
        gic_send_sgi_others(3);
}

/* All VCPUs send to all others, and none takes any. */
static void e14_sgi_storm(void)
{
    for (unsigned i = 1; i < boot_info.cpu_count; i++)
        smp_start(i, broadcast);
    broadcast();
}
TEST_CASE_BY_NAME("E14.sgi_storm", 1, e14_sgi_storm);

static void expect_nothing(const char *name, const uint64_t *places, unsigned places_count)
{
    unsigned answered = 0;
    struct trap trap;

    if (!boot_is_guest())
        return;
    for (unsigned i = 0; i < places_count; i++) {
        for (unsigned width = 1; width <= 8; width *= 2) {
            answered += try_load(places[i], width, NULL, &trap) || !is_external_abort(&trap);
            answered += try_store(places[i], width, ~0ul, &trap) || !is_external_abort(&trap);
        }
    }
    report(name, !answered, "%u accesses answered", answered);
}

static void e19_its(void)
{
    static const uint64_t places[] = {GITS_BASE, GITS_BASE + 8, GITS_BASE + 0x88,
                                      GITS_BASE + 0x10040};

    expect_nothing("E19.its", places, COUNT(places));
}
TEST_CASE("E19.its", 1, e19_its);

/* Where the host has devices and flash, and this guest nothing. */
static void e22_host(void)
{
    static const uint64_t places[] = {0x00000000, 0x04000000, 0x08030000, 0x08040000,
                                      0x09020000, 0x09030000, 0x0a000000, 0x0a003e00,
                                      0x0c000000, 0x10000000, 0x3eff0000, 0x3f000000};

    expect_nothing("E22.host_devices", places, COUNT(places));
}
TEST_CASE("E22.host_devices", 1, e22_host);

/* The private interrupts that are the hypervisor's own on the machine, pended here. */
static void e23_ppis(void)
{
    static const uint8_t ppis[] = {25, 26, 27, 28, 29, 30};
    unsigned wrong = 0;

    for (unsigned i = 0; i < COUNT(ppis); i++) {
        delivered = 0;
        irq_set_handler(ppis[i], count);
        gic_enable(ppis[i]);
        gic_set_pending(ppis[i]);
        take_interrupts();
        gic_disable(ppis[i]);
        gic_clear_pending(ppis[i]);
        take_interrupts();
        wrong += delivered > 1;
        irq_set_handler(ppis[i], NULL);
    }
    if (boot_is_guest())
        report("E23.ppis", !wrong, "%u came more than once", wrong);
}
TEST_CASE("E23.ppis", 1, e23_ppis);

static void await_sgis(void)
{
    irq_enable();
    while (true)
        wfi();
}

/* SGIs without end to a VCPU whose state the operator changes meanwhile. */
static void e25_moving_target(void)
{
    unsigned sent = 0;

    irq_set_handler(3, count);
    smp_start(1, await_sgis);
    while (true) {
        gic_send_sgi(3, 1);
        if (++sent % 1000 == 0)
            print("evil: E25 sent %u delivered %u\n", sent, delivered);
    }
}
TEST_CASE_BY_NAME("E25.moving_target", 2, e25_moving_target);
