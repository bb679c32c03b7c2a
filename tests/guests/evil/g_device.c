// SPDX-License-Identifier: Apache-2.0
// Group G: emulated devices.
#include "evil.h"

#define RTC_BASE 0x09010000ul
#define CR_LOOPBACK (1u << 7)
#define CR_ON 0x301u
#define FIFO_MAX 64

/* Beyond the register file of a device, to the end of its region and one word further. */
static void g02_excess(void)
{
    uint64_t base = boot_number("dev", UART_BASE), size = boot_number("size", 0x1000);
    unsigned strange = 0, behind = 0;
    struct trap trap;

    if (!boot_is_guest())
        return;
    for (uint64_t offset = 0x1000; offset < size; offset += 4) {
        if (!try_load(base + offset, 4, NULL, &trap))
            strange += !is_external_abort(&trap);
        if (!try_store(base + offset, 4, ~0ul, &trap))
            strange += !is_external_abort(&trap);
    }
    behind += try_load(base + size, 4, NULL, &trap) || !is_external_abort(&trap);
    behind += try_load(base + size - 4, 8, NULL, &trap) || TRAP_EC(trap) != EC_DABT;
    report("G02.excess", !strange && !behind, "%u strange, %u behind the end answered", strange,
           behind);
}
TEST_CASE("G02.excess", 1, g02_excess);

/* All offsets, widths and some values; what is printed meanwhile is garbage. */
static void g03_sweep(void)
{
    unsigned strange = 0, wide = 0;
    struct trap trap;

    if (!boot_is_guest())
        return;
    for (uint64_t offset = 4; offset < 0x1000; offset++) {
        for (unsigned width = 1; width <= 8; width *= 2) {
            if (try_load(UART_BASE + offset, width, NULL, &trap))
                wide += width == 8;
            else
                strange += !is_external_abort(&trap);
            if (!try_store(UART_BASE + offset, width, random_word(), &trap))
                strange += !is_external_abort(&trap);
        }
    }
    console_init();
    report("G03.widths", !strange && !wide, "%u strange exceptions, %u doubles executed", strange,
           wide);
}
TEST_CASE("G03.widths", 1, g03_sweep);

/* What is sent comes back while interrupts are open: no more than the FIFO holds, and the rest is an overrun. */
static void g05_loopback(void)
{
    uint64_t rounds = boot_number("n", 20000);
    unsigned got = 0;

    mmio_write32(UART_BASE + UART_IMSC, 0x7ff);
    mmio_write32(UART_BASE + UART_CR, CR_ON | CR_LOOPBACK);
    for (uint64_t i = 0; i < rounds; i++)
        mmio_write32(UART_BASE + UART_DR, 'a' + i % 26);
    while (console_getc() >= 0 && got <= FIFO_MAX)
        got++;
    mmio_write32(UART_BASE + UART_IMSC, 0);
    mmio_write32(UART_BASE + UART_ICR, 0x7ff);
    console_init();
    if (boot_is_guest())
        report("G05.loopback", got <= FIFO_MAX, "%u bytes came back", got);
}
TEST_CASE("G05.loopback", 1, g05_loopback);

/* Interrupts of the receiver open, and nobody reads: the host may type what it likes. */
static void g06_deaf(void)
{
    mmio_write32(UART_BASE + UART_IMSC, 0x50);
    gic_enable(UART_INTID);
    print("evil: G06 deaf\n");
    while (true)
        wfi();
}
TEST_CASE_BY_NAME("G06.deaf", 1, g06_deaf);

/* Says what a reset has left in the receiver. */
static void g08_after_reset(void)
{
    uint64_t end = timer_now() + timer_us(10000);
    unsigned left = 0;

    while (timer_now() < end)
        left += console_getc() >= 0;
    print("evil: G08 left %u raw 0x%x pending %u\n", left, mmio_read32(UART_BASE + UART_RIS) & 0x50,
          gic_is_pending(UART_INTID));
    g06_deaf();
}
TEST_CASE_BY_NAME("G08.reset_line", 1, g08_after_reset);

static void hammer(void)
{
    static const uint64_t places[] = {UART_BASE + UART_FR, GICD_BASE + GICD_ISENABLER + 4, RTC_BASE,
                                      UART_BASE + UART_IMSC};

    for (unsigned i = 0;; i++) {
        try_load(places[i % COUNT(places)], 4, NULL, NULL);
        try_store(places[(i + 1) % COUNT(places)], 4, i, NULL);
    }
}

/* All VCPUs at the devices, until the guest is destroyed under them. */
static void g09_hammer(void)
{
    for (unsigned i = 1; i < boot_info.cpu_count; i++)
        smp_start(i, hammer);
    print("evil: G09 hammers\n");
    hammer();
}
TEST_CASE_BY_NAME("G09.hammer", 1, g09_hammer);
