// SPDX-License-Identifier: Apache-2.0
// Character devices: order of output, writers that wait, output that may not wait, pasted input, interrupt keys.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arch/mmu.h>
#include <arch/system.h>
#include <hv/chardev.h>
#include <hv/cpu.h>
#include <hv/page.h>
#include <hv/sched.h>
#include <hv/thread.h>
#include <hv/waitqueue.h>
#include <lib/errno.h>
#include <port/host.h>
#include <string.h>

#define TX_SIZE 16384
#define RX_SIZE 32768

/* A UART that takes `room` bytes until time passes. */
static struct uart {
    struct chardev *dev;
    uint8_t sent[262144];
    size_t count;
    size_t room;
    bool tx_enabled;
} uart;

static size_t fake_write(struct chardev *dev, const uint8_t *data, size_t size)
{
    struct uart *u = chardev_priv(dev);
    size_t n = size < u->room ? size : u->room;

    assert_true(u->count + n <= sizeof(u->sent));
    memcpy(u->sent + u->count, data, n);
    u->count += n;
    u->room -= n;
    return n;
}

static void fake_tx_interrupt(struct chardev *dev, bool enable)
{
    struct uart *u = chardev_priv(dev);

    u->tx_enabled = enable;
}

static void fake_write_sync(struct chardev *dev, const uint8_t *data, size_t size)
{
    struct uart *u = chardev_priv(dev);

    u->room = size;
    assert_int_equal(fake_write(dev, data, size), size);
}

static const struct chardev_ops ops = {fake_write, fake_tx_interrupt, fake_write_sync};

static int boot(void **state)
{
    (void)state;
    host_reset();
    cpu_set_count(1);
    cpu_set_online(0);
    return page_add_range(hpa(HOST_RAM_BASE), 64 << 20) != 0 || sched_init() != 0 ||
           sched_init_cpu() != 0 || chardev_register(NULL, "uart", &ops, &uart, &uart.dev) != 0;
}

/* Lets the FIFO run empty as often as the driver asks. */
static void settle(void)
{
    while (uart.tx_enabled) {
        uart.room = 16;
        chardev_transmit_ready(uart.dev);
    }
}

static int setup(void **state)
{
    (void)state;
    settle();
    while (chardev_read(uart.dev, 0) >= 0)
        ;
    uart.count = 0;
    uart.room = 0;
    return 0;
}

static uint8_t pattern(size_t i)
{
    return (uint8_t)(i * 131 >> 2);
}

static void assert_sent(size_t count)
{
    assert_int_equal(uart.count, count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(uart.sent[i], pattern(i));
}

static void test_straight_through(void **state)
{
    (void)state;
    uart.room = 100;
    chardev_write_nowait(uart.dev, (const uint8_t *)"hello", 5);
    assert_int_equal(uart.count, 5);
    assert_false(uart.tx_enabled);
}

static void test_queued_in_order(void **state)
{
    uint8_t data[1000];

    (void)state;
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = pattern(i);
    uart.room = 16;
    chardev_write_nowait(uart.dev, data, 100);
    assert_true(uart.tx_enabled);
    uart.room = 50;
    chardev_write_nowait(uart.dev, data + 100, 900);
    assert_int_equal(uart.count, 16);
    settle();
    assert_sent(1000);
    assert_false(uart.tx_enabled);
}

static void test_what_may_not_wait_is_dropped_and_counted(void **state)
{
    static uint8_t data[TX_SIZE + 500];
    struct chardev_stats before, after;

    (void)state;
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = pattern(i);
    chardev_get_stats(uart.dev, &before);
    chardev_write_nowait(uart.dev, data, sizeof(data));
    chardev_get_stats(uart.dev, &after);
    assert_int_equal(after.tx_dropped - before.tx_dropped, 500);
    assert_int_equal(after.tx_bytes - before.tx_bytes, TX_SIZE);
    settle();
    assert_sent(TX_SIZE);
}

static void test_flush(void **state)
{
    uint8_t data[300];

    (void)state;
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = pattern(i);
    chardev_write_nowait(uart.dev, data, sizeof(data));
    assert_int_equal(uart.count, 0);
    chardev_flush_sync(uart.dev);
    assert_sent(300);
}

static void idle(void *arg)
{
    (void)arg;
    sched_idle();
}

static struct thread *start(int (*fn)(void *arg), void *arg)
{
    struct thread *thread;

    assert_int_equal(thread_create("test", fn, arg, SCHED_PRIORITY_DEFAULT, 0, &thread), 0);
    assert_int_equal(thread_start(thread), 0);
    return thread;
}

/* Until nothing can happen any more; the UART works only when the CPU is idle. */
static bool uart_stuck;

static void uart_works(void)
{
    if (uart.tx_enabled && !uart_stuck) {
        uart.room = 16;
        chardev_transmit_ready(uart.dev);
    } else {
        arch_system_halt();
    }
}

static void run_all(void)
{
    host_idle_hook = uart_works;
    assert_int_equal(host_run(idle, NULL), HOST_STOP_HALT);
}

static int write_much(void *arg)
{
    static uint8_t data[100000];

    (void)arg;
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = pattern(i);
    chardev_write(uart.dev, data, sizeof(data));
    return 1;
}

static void test_writers_wait_for_room(void **state)
{
    struct thread *writer = start(write_much, NULL);
    int code;

    (void)state;
    uart_stuck = true;
    run_all();
    assert_int_equal(thread_state(writer), THREAD_SLEEPING);
    uart_stuck = false;
    run_all();
    assert_int_equal(thread_join(writer, &code), 0);
    assert_int_equal(code, 1);
    assert_sent(100000);
}

static int read_line(void *arg)
{
    char *line = arg;
    int byte;

    while ((byte = chardev_read(uart.dev, WAIT_FOREVER)) >= 0 && byte != '\n')
        *line++ = (char)byte;
    *line = '\0';
    return byte;
}

static void test_reader_waits_for_bytes(void **state)
{
    char line[32] = "";
    struct thread *reader = start(read_line, line);
    int code;

    (void)state;
    run_all();
    assert_int_equal(thread_state(reader), THREAD_SLEEPING);
    chardev_received(uart.dev, (const uint8_t *)"ab", 2);
    run_all();
    assert_string_equal(line, "ab");
    chardev_received(uart.dev, (const uint8_t *)"c\nrest", 6);
    run_all();
    assert_int_equal(thread_join(reader, &code), 0);
    assert_string_equal(line, "abc");
    assert_int_equal(chardev_read(uart.dev, 0), 'r');
}

static void test_reader_can_be_stopped(void **state)
{
    char line[8];
    struct thread *reader = start(read_line, line);
    int code;

    (void)state;
    run_all();
    thread_request_stop(reader);
    run_all();
    assert_int_equal(thread_join(reader, &code), 0);
    assert_int_equal(code, -EINTR);
    assert_int_equal(chardev_read(uart.dev, 0), -ETIMEDOUT);
}

static void test_ten_kilobytes_pasted(void **state)
{
    struct chardev_stats before, after;
    uint8_t byte;

    (void)state;
    chardev_get_stats(uart.dev, &before);
    for (size_t i = 0; i < 10240; i++) {
        byte = pattern(i);
        chardev_received(uart.dev, &byte, 1);
    }
    for (size_t i = 0; i < 10240; i++)
        assert_int_equal(chardev_read(uart.dev, 0), pattern(i));
    chardev_get_stats(uart.dev, &after);
    assert_int_equal(after.rx_lost, before.rx_lost);
}

static void test_interrupt_key_gets_through_a_flood(void **state)
{
    struct chardev_stats before, after;
    uint8_t x[64];

    (void)state;
    memset(x, 'x', sizeof(x));
    chardev_get_stats(uart.dev, &before);
    for (size_t i = 0; i < RX_SIZE; i += sizeof(x))
        chardev_received(uart.dev, x, sizeof(x));
    assert_false(chardev_peek_byte(uart.dev, 3));
    chardev_received(uart.dev, (const uint8_t *)"\3ab", 3);
    assert_true(chardev_peek_byte(uart.dev, 3));
    chardev_get_stats(uart.dev, &after);
    assert_int_equal(after.rx_lost - before.rx_lost, 3);
    assert_true(chardev_discard_through(uart.dev, 3));
    assert_false(chardev_peek_byte(uart.dev, 3));
    assert_int_equal(chardev_read(uart.dev, 0), 'a');
    assert_int_equal(chardev_read(uart.dev, 0), 'b');
    assert_int_equal(chardev_read(uart.dev, 0), -ETIMEDOUT);
    assert_false(chardev_discard_through(uart.dev, 3));
}

static void test_console(void **state)
{
    (void)state;
    assert_int_equal(chardev_choose_console(), 0);
    assert_ptr_equal(chardev_console(), uart.dev);
    assert_string_equal(chardev_name(uart.dev), "uart");
}

static void test_names_and_owners(void **state)
{
    (void)state;
    assert_ptr_equal(chardev_find_name("uart"), uart.dev);
    assert_null(chardev_find_name("no such"));
    assert_ptr_equal(chardev_next(NULL), uart.dev);
    assert_null(chardev_next(uart.dev));
    assert_null(chardev_owner(uart.dev));
    assert_int_equal(chardev_open(uart.dev, "mterm"), 0);
    assert_int_equal(chardev_open(uart.dev, "other"), -EBUSY);
    assert_string_equal(chardev_owner(uart.dev), "mterm");
    chardev_close(uart.dev);
    assert_int_equal(chardev_open(uart.dev, "other"), 0);
    chardev_close(uart.dev);
}

static void test_blocks_and_poll(void **state)
{
    uint8_t data[8] = {0};

    (void)state;
    assert_int_equal(chardev_read_block(uart.dev, data, sizeof(data)), 0);
    assert_int_equal(chardev_poll(uart.dev, CHARDEV_READABLE | CHARDEV_WRITABLE, 0),
                     CHARDEV_WRITABLE);
    chardev_received(uart.dev, (const uint8_t *)"0123456789", 10);
    assert_int_equal(chardev_poll(uart.dev, CHARDEV_READABLE, WAIT_FOREVER), CHARDEV_READABLE);
    assert_int_equal(chardev_read_block(uart.dev, data, sizeof(data)), 8);
    assert_memory_equal(data, "01234567", 8);
    assert_int_equal(chardev_read_block(uart.dev, data, sizeof(data)), 2);
    assert_memory_equal(data, "89", 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_straight_through, setup),
        cmocka_unit_test_setup(test_queued_in_order, setup),
        cmocka_unit_test_setup(test_what_may_not_wait_is_dropped_and_counted, setup),
        cmocka_unit_test_setup(test_flush, setup),
        cmocka_unit_test_setup(test_writers_wait_for_room, setup),
        cmocka_unit_test_setup(test_reader_waits_for_bytes, setup),
        cmocka_unit_test_setup(test_reader_can_be_stopped, setup),
        cmocka_unit_test_setup(test_ten_kilobytes_pasted, setup),
        cmocka_unit_test_setup(test_interrupt_key_gets_through_a_flood, setup),
        cmocka_unit_test_setup(test_console, setup),
        cmocka_unit_test_setup(test_names_and_owners, setup),
        cmocka_unit_test_setup(test_blocks_and_poll, setup),
    };

    return cmocka_run_group_tests(tests, boot, NULL);
}
