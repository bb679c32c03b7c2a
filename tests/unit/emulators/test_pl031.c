// SPDX-License-Identifier: Apache-2.0
// Emulated PL031: the counter, loading it, the match interrupt, reset, and the host's clock set.

#include "fake_guest.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <hv/clock.h>
#include <hv/wallclock.h>
#include <arch/irqflags.h>
#include <port/host.h>
#include <port/machine.h>
#include <string.h>

#define DR 0x00
#define MR 0x04
#define LR 0x08
#define CR 0x0c
#define IMSC 0x10
#define RIS 0x14
#define MIS 0x18
#define ICR 0x1c
#define RTC_SPI 34

static struct emu_device rtc, second;
static uint64_t state_memory[8], second_memory[8];

static uint32_t get(uint32_t offset)
{
    return (uint32_t)device_read(&rtc, offset, 4);
}

static void put(uint32_t offset, uint32_t value)
{
    device_write(&rtc, offset, 4, value);
}

static bool line(void)
{
    return (gicd_read(0x204) & 4) != 0;
}

static int start(void **state)
{
    (void)state;
    machine_start(1);
    fake_create(3, 1, 4);
    memset(state_memory, 0, sizeof(state_memory));
    rtc = (struct emu_device){.emulator = fake_emulator("pl031"),
                              .guest = &fake.guest,
                              .node = &fake.node,
                              .name = "rtc",
                              .state = state_memory,
                              .irq = RTC_SPI,
                              .irq_count = 1};
    return rtc.emulator->state_size > sizeof(state_memory) || rtc.emulator->probe(&rtc) != 0;
}

static int stop(void **state)
{
    (void)state;
    rtc.emulator->remove(&rtc);
    fake_destroy();
    return 0;
}

static void counts_seconds(void **state)
{
    uint32_t first = get(DR);

    (void)state;
    assert_int_equal(first, wallclock_seconds());
    machine_run_for(5 * NS_PER_SEC);
    assert_int_equal(get(DR), first + 5);
    put(LR, 1000);
    assert_int_equal(get(LR), 1000);
    assert_int_equal(get(DR), 1000);
    machine_run_for(3 * NS_PER_SEC);
    assert_int_equal(get(DR), 1003);
    put(CR, 0);
    assert_int_equal(get(CR), 1);
}

static void match(void **state)
{
    (void)state;
    put(LR, 100);
    put(MR, 103);
    machine_run_for(4 * NS_PER_SEC);
    assert_int_equal(get(RIS), 1);
    assert_int_equal(get(MIS), 0);
    assert_false(line());
    put(IMSC, ~0U);
    assert_int_equal(get(IMSC), 1);
    assert_int_equal(get(MIS), 1);
    assert_true(line());
    put(ICR, 1);
    assert_false(line());
    /* Moved away before it comes; then to now. */
    put(MR, get(DR) + 2);
    put(MR, get(DR) + 100);
    machine_run_for(3 * NS_PER_SEC);
    assert_int_equal(get(RIS), 0);
    put(MR, get(DR));
    assert_true(line());
    /* In the past: only after the counter has gone round. */
    put(ICR, 1);
    put(MR, get(DR) - 1);
    machine_run_for(2 * NS_PER_SEC);
    assert_int_equal(get(RIS), 0);
}

static void reset_keeps_the_time(void **state)
{
    (void)state;
    put(LR, 5000);
    put(MR, 5002);
    put(IMSC, 1);
    rtc.emulator->reset(&rtc);
    assert_int_equal(get(DR), 5000);
    assert_int_equal(get(IMSC), 0);
    machine_run_for(3 * NS_PER_SEC);
    assert_int_equal(get(RIS), 0);
    put(MR, get(DR));
    put(IMSC, 1);
    assert_true(line());
    rtc.emulator->reset(&rtc);
    assert_false(line());
}

static void follows_the_host(void **state)
{
    (void)state;
    assert_int_equal(wallclock_set(1000000), 0);
    assert_int_equal(get(DR), 1000000);
    machine_run_for(10 * NS_PER_SEC);
    assert_int_equal(get(DR), 1000010);
    /* Its own view, which the host's does not see, and which moves along with it. */
    put(LR, 50);
    assert_int_equal(get(DR), 50);
    assert_int_equal(wallclock_seconds(), 1000010);
    assert_int_equal(wallclock_set(1000110), 0);
    assert_int_equal(get(DR), 150);
    assert_int_equal(wallclock_set(1000000), 0);
    assert_int_equal(get(DR), 40);
    assert_int_equal(wallclock_set(0), 0);
    assert_int_equal(get(DR), (uint32_t)(40 - 1000000));
    rtc.emulator->reset(&rtc);
    assert_int_equal(get(DR), (uint32_t)(40 - 1000000));
}

static void match_when_the_host_is_set(void **state)
{
    (void)state;
    assert_int_equal(wallclock_set(5000), 0);
    put(IMSC, 1);
    put(MR, 5100);
    /* Nearer: at that second and not before. */
    machine_run_for(NS_PER_SEC / 2);
    assert_int_equal(wallclock_set(5090), 0);
    machine_run_for(10 * NS_PER_SEC - 20);
    assert_false(line());
    machine_run_for(40);
    assert_true(line());
    put(ICR, 1);
    /* It has been: setting the clock within the second does not bring it again. */
    assert_int_equal(wallclock_set(5100), 0);
    assert_false(line());
    /* Farther, and back to before it: once more at its time. */
    assert_int_equal(wallclock_set(5000), 0);
    machine_run_for(99 * NS_PER_SEC);
    assert_false(line());
    machine_run_for(2 * NS_PER_SEC);
    assert_true(line());
    put(ICR, 1);
    /* Jumped over: at once. Onto it: too. */
    put(MR, 6000);
    assert_int_equal(wallclock_set(7000), 0);
    assert_true(line());
    put(ICR, 1);
    put(MR, 8000);
    assert_int_equal(wallclock_set(8000), 0);
    assert_true(line());
    put(ICR, 1);
    /* Backwards over it: it has been. */
    put(MR, 7999);
    assert_int_equal(wallclock_set(7998), 0);
    assert_false(line());
    machine_run_for(NS_PER_SEC);
    assert_true(line());
}

static void match_is_not_lost_when_late(void **state)
{
    (void)state;
    put(LR, 100);
    put(IMSC, 1);
    put(MR, 103);
    arch_irq_disable();
    host_clock_advance_ns(10 * NS_PER_SEC);
    assert_false(line());
    arch_irq_enable();
    assert_true(line());
}

static void read_all(struct emu_device *dev, uint32_t values[8])
{
    for (unsigned i = 0; i < 8; i++)
        values[i] = (uint32_t)device_read(dev, 4 * i, 4);
}

static void save(void *blob, size_t size)
{
    assert_true(emu_state_size(&rtc) <= size);
    assert_int_equal(emu_state_save(&rtc, blob, emu_state_size(&rtc)), 0);
}

static void restore(struct emu_device *dev, const void *blob)
{
    assert_int_equal(emu_state_restore(dev, blob, emu_state_size(dev)), 0);
}

static void saved_state_is_all(void **state)
{
    uint32_t seed = 5, before[8], after[8];
    uint64_t blob[32];

    (void)state;
    second = rtc;
    second.state = second_memory;
    second.irq = RTC_SPI + 1;
    assert_int_equal(second.emulator->probe(&second), 0);
    for (unsigned round = 0; round < 200; round++) {
        bool was;

        for (unsigned i = 0; i < 8; i++) {
            seed = seed * 1664525 + 1013904223;
            put(4 * (seed >> 24) % 0x20, seed >> 8 & 0xff);
            if ((seed >> 8) % 4 == 0)
                put(MR, get(DR) + (seed >> 12) % 3);
        }
        machine_run_for(NS_PER_SEC);
        save(blob, sizeof(blob));
        read_all(&rtc, before);
        was = line();
        put(LR, 12345);
        rtc.emulator->reset(&rtc);
        restore(&rtc, blob);
        read_all(&rtc, after);
        assert_memory_equal(before, after, sizeof(before));
        assert_int_equal(line(), was);
        restore(&second, blob);
        read_all(&second, after);
        assert_memory_equal(before, after, sizeof(before));
        assert_int_equal((gicd_read(0x204) & 8) != 0, was);
    }
    second.emulator->remove(&second);
}

static void match_while_the_state_was_away(void **state)
{
    uint64_t blob[32];

    (void)state;
    put(LR, 100);
    put(IMSC, 1);
    put(MR, 110);
    save(blob, sizeof(blob));
    rtc.emulator->reset(&rtc);
    machine_run_for(5 * NS_PER_SEC);
    restore(&rtc, blob);
    assert_int_equal(get(DR), 105);
    assert_false(line());
    machine_run_for(6 * NS_PER_SEC);
    assert_true(line());
    rtc.emulator->reset(&rtc);
    machine_run_for(5 * NS_PER_SEC);
    assert_false(line());
    restore(&rtc, blob);
    assert_true(line());
    /* It has been, and does not come again. */
    put(ICR, 1);
    save(blob, sizeof(blob));
    restore(&rtc, blob);
    machine_run_for(5 * NS_PER_SEC);
    assert_false(line());
}

static void sweep(void **state)
{
    static const uint8_t id[] = {0x31, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1};

    (void)state;
    for (uint64_t offset = 0; offset < 0x2000; offset++) {
        for (unsigned width = 1; width <= 4; width *= 2) {
            if (offset % width == 0) {
                device_write(&rtc, offset, width, UINT32_MAX);
                device_read(&rtc, offset, width);
            }
        }
    }
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(get(0xfe0 + 4 * i), id[i]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(counts_seconds),
        TEST(match),
        TEST(reset_keeps_the_time),
        TEST(follows_the_host),
        TEST(match_when_the_host_is_set),
        TEST(match_is_not_lost_when_late),
        TEST(saved_state_is_all),
        TEST(match_while_the_state_was_away),
        TEST(sweep),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
