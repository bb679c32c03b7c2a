// SPDX-License-Identifier: Apache-2.0
// Emulated PL011: FIFO, levels, interrupts, loopback, and the virtual serial port behind it.

#include "fake_guest.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <hv/clock.h>
#include <hv/thread.h>
#include <hv/vserial.h>
#include <hv/workqueue.h>
#include <lib/macros.h>
#include <port/machine.h>
#include <string.h>

#define DR 0x00
#define RSR 0x04
#define FR 0x18
#define LCR_H 0x2c
#define CR 0x30
#define IFLS 0x34
#define IMSC 0x38
#define RIS 0x3c
#define MIS 0x40
#define ICR 0x44

#define FR_RXFE 0x10
#define FR_RXFF 0x40
#define FR_TXFE 0x80
#define LCR_FEN 0x10
#define CR_ON 0x301
#define CR_LOOP 0x381
#define INT_RX 0x10
#define INT_TX 0x20
#define INT_RT 0x40
#define INT_BE 0x200
#define INT_OE 0x400
#define UART_SPI 33

static struct emu_device uart;
static uint64_t state_memory[32];
static struct vserial_reader *reader;

static uint32_t get(uint32_t offset)
{
    return (uint32_t)device_read(&uart, offset, 4);
}

static void put(uint32_t offset, uint32_t value)
{
    device_write(&uart, offset, 4, value);
}

static bool line(void)
{
    return (gicd_read(0x204) & 2) != 0;
}

static void start(void)
{
    fake_create(3, 1, 4);
    memset(state_memory, 0, sizeof(state_memory));
    uart = (struct emu_device){.emulator = fake_emulator("pl011"),
                               .guest = &fake.guest,
                               .node = &fake.node,
                               .name = "uart0",
                               .state = state_memory,
                               .irq = UART_SPI,
                               .irq_count = 1};
    assert_true(uart.emulator->state_size <= sizeof(state_memory));
    assert_int_equal(uart.emulator->probe(&uart), 0);
    assert_int_equal(vserial_open("fake/uart0", true, &reader), 0);
}

static void stop(void)
{
    vserial_close(reader);
    uart.emulator->remove(&uart);
    fake_destroy();
}

static void type(const char *text)
{
    assert_int_equal(vserial_claim(reader), 0);
    assert_int_equal(vserial_write(reader, (const uint8_t *)text, strlen(text)), strlen(text));
}

static int registers(void *arg)
{
    static const struct {
        uint32_t offset, mask, reset;
    } table[] = {
        {0x20, 0xff, 0},     {0x24, 0xffff, 0},  {0x28, 0x3f, 0}, {LCR_H, 0xff, 0},
        {CR, 0xff87, 0x300}, {IFLS, 0x3f, 0x12}, {0x48, 7, 0},    {IMSC, 0x7ff, 0},
    };
    static const uint8_t id[] = {0x11, 0x10, 0x24, 0x00, 0x0d, 0xf0, 0x05, 0xb1};

    (void)arg;
    start();
    for (unsigned i = 0; i < ARRAY_SIZE(table); i++) {
        assert_int_equal(get(table[i].offset), table[i].reset);
        put(table[i].offset, ~0U);
        assert_int_equal(get(table[i].offset), table[i].mask);
        put(table[i].offset, 0);
        assert_int_equal(get(table[i].offset), 0);
    }
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(get(0xfe0 + 4 * i), id[i]);
    uart.emulator->reset(&uart);
    assert_int_equal(get(FR), FR_TXFE | FR_RXFE);
    assert_int_equal(get(CR), 0x300);
    stop();
    return 0;
}

/* All but DR, which changes by being read. */
static unsigned read_all(struct emu_device *dev, uint32_t *values)
{
    unsigned n = 0;

    for (uint32_t offset = RSR; offset <= 0x48; offset += 4)
        values[n++] = (uint32_t)device_read(dev, offset, 4);
    return n;
}

static unsigned drain(struct emu_device *dev, uint32_t *values)
{
    unsigned n = 0;

    for (unsigned i = 0; i < 18; i++) {
        values[n++] = (uint32_t)device_read(dev, DR, 4);
        n += read_all(dev, values + n);
    }
    return n;
}

static void random_traffic(uint32_t *seed)
{
    static const uint32_t offsets[] = {DR, DR, DR, DR, RSR, LCR_H, CR, IFLS, IMSC, ICR, 0x24, 0x48};

    put(CR, CR_LOOP);
    put(LCR_H, LCR_FEN);
    for (unsigned i = 0; i < 40; i++) {
        *seed = *seed * 1664525 + 1013904223;
        if (*seed >> 28 == 0)
            (void)get(DR);
        else
            put(offsets[(*seed >> 8) % ARRAY_SIZE(offsets)], *seed >> 12);
        if (i % 8 == 0)
            put(CR, CR_LOOP);
    }
}

static int saved_state_is_all(void *arg)
{
    static uint64_t second_memory[32], blob[64];
    static uint32_t before[400], after[400];
    struct emu_device second;
    uint32_t seed = 3;
    unsigned n;

    (void)arg;
    start();
    second = uart;
    second.name = "uart1";
    second.state = second_memory;
    second.irq = UART_SPI + 1;
    assert_int_equal(second.emulator->probe(&second), 0);
    assert_true(emu_state_size(&uart) <= sizeof(blob));
    for (unsigned round = 0; round < 300; round++) {
        bool was;

        random_traffic(&seed);
        was = line();
        n = read_all(&uart, before);
        assert_int_equal(emu_state_save(&uart, blob, sizeof(blob)), 0);
        uart.emulator->reset(&uart);
        assert_false(line());
        assert_int_equal(emu_state_restore(&uart, blob, emu_state_size(&uart)), 0);
        read_all(&uart, after);
        assert_memory_equal(before, after, n * 4);
        assert_int_equal(line(), was);
        assert_int_equal(emu_state_restore(&second, blob, emu_state_size(&second)), 0);
        assert_int_equal((gicd_read(0x204) & 4) != 0, was);
        n = drain(&uart, before);
        drain(&second, after);
        assert_memory_equal(before, after, n * 4);
    }
    second.emulator->remove(&second);
    stop();
    return 0;
}

static int sweep(void *arg)
{
    (void)arg;
    start();
    for (uint64_t offset = 0; offset < 0x3000; offset++) {
        for (unsigned width = 1; width <= 4; width *= 2) {
            if (offset % width == 0) {
                device_write(&uart, offset, width, UINT32_MAX);
                device_read(&uart, offset, width);
                device_write(&uart, offset, width, 0);
            }
        }
    }
    assert_int_equal(device_read(&uart, 0x2000, 4), 0);
    stop();
    return 0;
}

static int output(void *arg)
{
    uint8_t buf[16];
    uint64_t lost;

    (void)arg;
    start();
    /* As an early console does, without any set-up; by the width it likes. */
    device_write(&uart, DR, 4, 'h');
    device_write(&uart, DR, 1, 'e');
    device_write(&uart, DR, 2, 'y');
    assert_int_equal(vserial_read(reader, buf, sizeof(buf), 0, &lost), 3);
    assert_memory_equal(buf, "hey", 3);
    /* The FIFO is empty at once: its interrupt with it. */
    assert_int_equal(get(RIS), INT_TX);
    assert_false(line());
    put(IMSC, INT_TX);
    assert_int_equal(get(MIS), INT_TX);
    assert_true(line());
    put(ICR, INT_TX);
    assert_false(line());
    assert_int_equal(get(RIS), 0);
    stop();
    return 0;
}

static int input_waits_for_the_guest(void *arg)
{
    (void)arg;
    start();
    type("abc");
    assert_int_equal(get(FR), FR_TXFE | FR_RXFE);
    put(CR, CR_ON);
    thread_sleep(NS_PER_MS);
    assert_int_equal(get(FR), FR_TXFE | FR_RXFF);
    assert_int_equal(get(RIS), INT_RX);
    assert_int_equal(get(DR), 'a');
    thread_sleep(NS_PER_MS);
    assert_int_equal(get(DR), 'b');
    thread_sleep(NS_PER_MS);
    assert_int_equal(get(DR), 'c');
    assert_int_equal(get(DR), 0);
    assert_int_equal(get(FR), FR_TXFE | FR_RXFE);
    assert_int_equal(get(RIS), 0);
    stop();
    return 0;
}

/* Far more than the FIFO holds: bounded, and nothing is lost. */
static int flood(void *arg)
{
    char text[201];
    unsigned n = 0;

    (void)arg;
    for (unsigned i = 0; i < 200; i++)
        text[i] = (char)('!' + i % 90);
    text[200] = '\0';
    start();
    put(LCR_H, LCR_FEN);
    put(CR, CR_ON);
    put(IMSC, INT_RX | INT_RT);
    type(text);
    while (n < 200) {
        assert_true(line());
        assert_true(get(FR) & FR_RXFF || n > 180);
        for (unsigned i = 0; i < 16 && n < 200 && !(get(FR) & FR_RXFE); i++)
            assert_int_equal(get(DR), text[n++]);
        thread_sleep(NS_PER_MS);
    }
    assert_false(line());
    assert_int_equal(get(RSR), 0);
    stop();
    return 0;
}

/* A driver that empties the FIFO and then clears the interrupts, with more arriving in between. */
static int cleared_too_late(void *arg)
{
    (void)arg;
    start();
    put(LCR_H, LCR_FEN);
    put(CR, CR_ON);
    put(IMSC, INT_RX | INT_RT);
    type("a");
    assert_int_equal(get(DR), 'a');
    type("0123456789abcdef");
    put(ICR, INT_RX | INT_RT);
    assert_int_equal(get(RIS), INT_RT);
    assert_true(line());
    while (!(get(FR) & FR_RXFE))
        get(DR);
    assert_false(line());
    put(ICR, INT_RX | INT_RT);
    assert_int_equal(get(RIS), 0);
    stop();
    return 0;
}

static int levels(void *arg)
{
    static const unsigned level[] = {2, 4, 8, 12, 14, 14, 14, 14};

    (void)arg;
    start();
    put(LCR_H, LCR_FEN);
    put(CR, CR_ON);
    for (unsigned i = 0; i < ARRAY_SIZE(level); i++) {
        put(IFLS, i << 3);
        for (unsigned n = 1; n <= level[i]; n++) {
            assert_int_equal(get(RIS) & INT_RX, 0);
            type("x");
            assert_int_equal(get(RIS) & INT_RT, INT_RT);
        }
        assert_int_equal(get(RIS) & INT_RX, INT_RX);
        get(DR);
        assert_int_equal(get(RIS) & INT_RX, 0);
        while (!(get(FR) & FR_RXFE))
            get(DR);
        assert_int_equal(get(RIS), 0);
    }
    stop();
    return 0;
}

static int loopback(void *arg)
{
    uint8_t buf[4];
    uint64_t lost;

    (void)arg;
    start();
    put(LCR_H, LCR_FEN);
    put(CR, CR_LOOP);
    put(IMSC, 0x7ff);
    for (unsigned i = 0; i < 20; i++)
        put(DR, i);
    assert_int_equal(get(RIS), INT_RX | INT_TX | INT_RT | INT_OE);
    assert_int_equal(get(FR), FR_TXFE | FR_RXFF);
    assert_int_equal(get(RSR), 8);
    for (unsigned i = 0; i < 16; i++)
        assert_int_equal(get(DR), i);
    /* The loss is marked in the next character that there is room for. */
    put(DR, 0x55);
    put(DR, 0x56);
    assert_int_equal(get(DR), 0x855);
    assert_int_equal(get(DR), 0x56);
    assert_int_equal(get(RSR), 8);
    put(RSR, 0);
    assert_int_equal(get(RSR), 0);
    /* A break arrives as a character. */
    put(LCR_H, LCR_FEN | 1);
    assert_int_equal(get(RIS) & INT_BE, INT_BE);
    assert_int_equal(get(DR), 0x400);
    assert_int_equal(get(RSR), 4);
    /* Modem lines: a change is an interrupt, either way. */
    put(ICR, 0x7ff);
    put(CR, CR_LOOP | 0x3c00);
    assert_int_equal(get(FR) & 0x107, 0x107);
    assert_int_equal(get(RIS), 0xf);
    put(ICR, 0x7ff);
    put(CR, CR_LOOP | 0x3400);
    assert_int_equal(get(RIS), 2);
    put(ICR, 0x7ff);
    put(CR, CR_ON);
    assert_int_equal(get(FR) & 0x107, 0);
    assert_int_equal(get(RIS), 0xd);
    assert_int_equal(vserial_read(reader, buf, sizeof(buf), 0, &lost), 0);
    stop();
    return 0;
}

static int reset_empties(void *arg)
{
    (void)arg;
    start();
    put(LCR_H, LCR_FEN);
    put(CR, CR_ON);
    put(IMSC, INT_RX | INT_RT);
    type("left over, more than the FIFO takes");
    assert_true(line());
    uart.emulator->reset(&uart);
    assert_false(line());
    assert_int_equal(get(FR), FR_TXFE | FR_RXFE);
    assert_int_equal(get(RIS), 0);
    put(CR, CR_ON);
    type("n");
    assert_int_equal(get(DR), 'n');
    assert_int_equal(get(FR) & FR_RXFE, FR_RXFE);
    stop();
    return 0;
}

static void run(int (*fn)(void *arg))
{
    struct machine_census before = machine_census();

    assert_int_equal(machine_call(fn, NULL), 0);
    assert_int_equal(machine_census().heap_objects, before.heap_objects);
}

#define TEST(name)                                                                                 \
    static void test_##name(void **state)                                                          \
    {                                                                                              \
        (void)state;                                                                               \
        run(name);                                                                                 \
    }
TEST(registers)
TEST(sweep)
TEST(output)
TEST(input_waits_for_the_guest)
TEST(flood)
TEST(cleared_too_late)
TEST(levels)
TEST(loopback)
TEST(reset_empties)
TEST(saved_state_is_all)

static int boot(void **state)
{
    (void)state;
    machine_start(1);
    return workqueue_start();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_registers),     cmocka_unit_test(test_sweep),
        cmocka_unit_test(test_output),        cmocka_unit_test(test_input_waits_for_the_guest),
        cmocka_unit_test(test_flood),         cmocka_unit_test(test_cleared_too_late),
        cmocka_unit_test(test_levels),        cmocka_unit_test(test_loopback),
        cmocka_unit_test(test_reset_empties), cmocka_unit_test(test_saved_state_is_all),
    };

    return cmocka_run_group_tests(tests, boot, NULL);
}
