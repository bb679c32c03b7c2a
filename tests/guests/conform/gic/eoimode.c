// SPDX-License-Identifier: Apache-2.0
// EOImode 1: the end drops the priority, deactivation is a step of its own, in any order and from any CPU.
#include "gic_case.h"

#define MANY 24 /* more than any CPU interface has list registers */

static void check_steps(void)
{
    uint32_t ack, other, got;

    spi_ready(SPI, 0x80);
    spi_ready(SPI + 1, 0x80);
    gic_set_pending(SPI);
    got = acknowledge(&ack);
    gic_set_pending(SPI + 1);
    report("gic.split_runs", got == SPI && quiet() && gic_running_priority() == 0x80,
           "INTID %u RPR 0x%x", got, gic_running_priority());
    gic_eoi(ack);
    report("gic.split_drops", gic_is_active(SPI) && gic_running_priority() >= 0xf0,
           "active %d RPR 0x%x", gic_is_active(SPI), gic_running_priority());
    got = acknowledge(&other);
    report("gic.split_next", got == SPI + 1, "INTID %u", got);
    gic_eoi(other);
    gic_set_pending(SPI);
    got = acknowledge(&other);
    report("gic.split_held", got == GIC_SPURIOUS && gic_is_pending(SPI), "INTID %u", got);
    gic_deactivate(ack);
    got = acknowledge(&other);
    report("gic.split_freed", got == SPI, "INTID %u", got);
    gic_eoi(other);
    gic_deactivate(other);
    gic_deactivate(SPI + 1);
    report("gic.split_idle", !gic_is_active(SPI) && !gic_is_active(SPI + 1) && quiet(),
           "active %d %d", gic_is_active(SPI), gic_is_active(SPI + 1));
}

/* Numbers that mean nothing, interrupts that are not active. */
static void check_corners(void)
{
    static const uint32_t numbers[] = {0,    5,    31,   SPI,  1019,       1020,
                                       1023, 1024, 8191, 8192, 0x00ffffff, 0xffffffff};
    uint32_t ack;

    gic_set_pending(SPI + 1);
    for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        gic_deactivate(numbers[i]);
    uint32_t got = acknowledge(&ack);
    report("gic.split_strangers", got == SPI + 1, "INTID %u", got);
    gic_split_eoi(false);
    if (gic_version == 3 || boot_is_guest()) {
        gic_deactivate(ack); /* has no effect in this mode */
        report("gic.deactivate_unsplit", gic_is_active(SPI + 1), "inactive");
    }
    gic_eoi(ack);
    report("gic.unsplit_ends", !gic_is_active(SPI + 1), "active");
}

static void case_gic_split(void)
{
    gic_wipe();
    gic_split_eoi(true);
    check_steps();
    check_corners();
    gic_wipe();
}

TEST_CASE("gic.split", 1, case_gic_split);

static unsigned count_active(unsigned first, unsigned count)
{
    unsigned n = 0;

    for (unsigned i = 0; i < count; i++)
        n += gic_is_active(first + i);
    return n;
}

/* All are acknowledged and dropped before the first is deactivated; then in an order of their own. */
static void case_gic_split_many(void)
{
    static uint32_t acks[MANY];
    unsigned wrong = 0;

    gic_wipe();
    gic_split_eoi(true);
    for (unsigned i = 0; i < MANY; i++) {
        spi_ready(SPI + i, (uint8_t)(0x20 + i % 9 * 0x10));
        gic_set_pending(SPI + i);
    }
    for (unsigned i = 0; i < MANY; i++) {
        uint32_t ack, intid = acknowledge(&ack);

        if (intid < SPI || intid >= SPI + MANY) {
            wrong++;
            continue;
        }
        acks[intid - SPI] = ack;
        gic_eoi(ack);
    }
    report("gic.split_many", !wrong && quiet() && count_active(SPI, MANY) == MANY,
           "%u did not come, %u active", wrong, count_active(SPI, MANY));
    for (unsigned i = 0; i < MANY; i++) {
        unsigned which = i * 7 % MANY;

        gic_set_pending(SPI + which); /* once more, as soon as it may */
        wrong += !quiet();
        gic_deactivate(acks[which]);
        wrong += gic_is_active(SPI + which);
        uint32_t got = acknowledge(&acks[which]);
        wrong += got != SPI + which;
        if (got == GIC_SPURIOUS)
            continue;
        gic_eoi(acks[which]);
        gic_deactivate(acks[which]);
        wrong += count_active(SPI, MANY) != MANY - 1 - i;
    }
    report("gic.split_any_order", !wrong && quiet(), "%u wrong, %u active", wrong,
           count_active(SPI, MANY));
    gic_wipe();
}

TEST_CASE("gic.split_many", 1, case_gic_split_many);

static uint64_t hold(uint64_t arg)
{
    uint32_t ack, intid = acknowledge(&ack);

    (void)arg;
    if (intid < GIC_SPURIOUS)
        gic_eoi(ack);
    return intid;
}

static uint64_t split(uint64_t arg)
{
    gic_split_eoi(arg);
    return 0;
}

/* A shared interrupt is deactivated by another CPU than the one that took it. */
static void case_gic_split_elsewhere(void)
{
    uint64_t got, again;

    if (gic_version == 2 &&
        qemu_is_wrong("gic.split_elsewhere", "QEMU's GICv2 keeps the active state for each CPU"))
        return;
    gic_wipe();
    gic_split_eoi(true);
    if (servants_start("gic.split_elsewhere", 2)) {
        on_cpu(1, split, 1);
        spi_ready(SPI, 0x80);
        gic_route(SPI, 1);
        gic_set_pending(SPI);
        got = on_cpu(1, hold, 0);
        bool active = gic_is_active(SPI);
        gic_deactivate(SPI);
        bool freed = !gic_is_active(SPI);
        gic_set_pending(SPI);
        again = on_cpu(1, hold, 0);
        report("gic.split_elsewhere", got == SPI && active && freed && again == SPI,
               "INTID %lu active %d freed %d again %lu", got, active, freed, again);
        gic_deactivate(SPI);
        on_cpu(1, split, 0);
    }
    servants_stop();
    gic_wipe();
}

TEST_CASE("gic.split_elsewhere", 2, case_gic_split_elsewhere);

static volatile uint32_t ticks;

static void on_timer(uint32_t intid)
{
    ticks++;
    timer_stop(false);
    if (ticks < 20)
        timer_start(false, 50);
    gic_deactivate(intid);
}

/* The timer, whose physical half ends with its virtual one; deactivated before its end, and with others active. */
static void case_gic_split_timer(void)
{
    uint32_t acks[MANY];

    gic_wipe();
    gic_split_eoi(true);
    for (unsigned held = 0; held <= MANY; held += MANY) {
        for (unsigned i = 0; i < held; i++) {
            spi_ready(SPI + i, 0xb0);
            gic_set_pending(SPI + i);
            acknowledge(&acks[i]);
            gic_eoi(acks[i]);
        }
        ticks = 0;
        irq_set_handler(TIMER_VIRT_INTID, on_timer);
        gic_enable(TIMER_VIRT_INTID);
        timer_start(false, 50);
        irq_enable();
        timer_wait(&ticks, 20, 2000);
        irq_disable();
        timer_stop(false);
        report(held ? "gic.split_timer_crowded" : "gic.split_timer", ticks == 20, "%u", ticks);
    }
    for (unsigned i = 0; i < MANY; i++)
        gic_deactivate(acks[i]);
    report("gic.split_timer_idle", !count_active(SPI, MANY) && quiet(), "%u active",
           count_active(SPI, MANY));
    gic_wipe();
}

TEST_CASE("gic.split_timer", 1, case_gic_split_timer);
