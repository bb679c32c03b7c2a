// SPDX-License-Identifier: Apache-2.0
// Virtual serial ports: history, readers that fall behind, input that the guest takes or not, ports that go away.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <hv/heap.h>
#include <hv/page.h>
#include <hv/sched.h>
#include <hv/thread.h>
#include <hv/vserial.h>
#include <hv/waitqueue.h>
#include <hv/workqueue.h>
#include <lib/errno.h>
#include <port/machine.h>
#include <port/machine.h>
#include <stdio.h>
#include <string.h>

#define HISTORY CONFIG_VSERIAL_HISTORY

/* The guest's device: takes what it has room for. */
static struct device {
    uint8_t taken[16384];
    size_t count;
    size_t room;
    struct vserial *vs;
} device;

static size_t take_input(void *arg, const uint8_t *data, size_t size)
{
    struct device *dev = arg;
    size_t n = size < dev->room ? size : dev->room;

    memcpy(dev->taken + dev->count, data, n);
    dev->count += n;
    dev->room -= n;
    return n;
}

/* Runs fn as a thread until nothing is left to do; what it ends with. */
static int run_thread(int (*fn)(void *arg), void *arg)
{
    int code = machine_call(fn, arg);

    machine_run();
    return code;
}

static int boot(void **state)
{
    (void)state;
    machine_start(1);
    return workqueue_start();
}

static uint64_t objects(void)
{
    struct heap_stats stats;

    heap_get_stats(&stats);
    return stats.objects;
}

static uint64_t objects_before;

static int setup(void **state)
{
    (void)state;
    objects_before = objects();
    memset(&device, 0, sizeof(device));
    return vserial_create("g/uart0", take_input, &device, &device.vs);
}

static int teardown(void **state)
{
    (void)state;
    if (device.vs != NULL)
        vserial_destroy(device.vs);
    return objects() != objects_before;
}

static void print(const char *text)
{
    vserial_output(device.vs, (const uint8_t *)text, strlen(text));
}

static struct vserial_reader *open_reader(bool history)
{
    struct vserial_reader *r;

    assert_int_equal(vserial_open("g/uart0", history, &r), 0);
    return r;
}

static void assert_reads(struct vserial_reader *r, const char *text)
{
    uint8_t buf[256];
    uint64_t lost;
    int n = vserial_read(r, buf, sizeof(buf), 0, &lost);

    assert_int_equal(n, strlen(text));
    assert_memory_equal(buf, text, strlen(text));
    assert_int_equal(lost, 0);
}

/* All that is there, as far as it fits: reads are bounded. */
static int read_all(struct vserial_reader *r, uint8_t *buf, size_t size, uint64_t *lost)
{
    uint64_t gap;
    int n, sum = 0;

    *lost = 0;
    do {
        n = vserial_read(r, buf + sum, size - (size_t)sum, 0, &gap);
        assert_true(n >= 0 && n <= VSERIAL_CHUNK);
        *lost += gap;
        sum += n;
    } while (n > 0);
    return sum;
}

static void test_names(void **state)
{
    struct vserial_reader *r;
    struct vserial *other;
    char long_name[200];

    (void)state;
    assert_int_equal(vserial_create("g/uart0", take_input, NULL, &other), -EEXIST);
    memset(long_name, 'x', sizeof(long_name) - 1);
    long_name[sizeof(long_name) - 1] = '\0';
    assert_int_equal(vserial_create(long_name, take_input, NULL, &other), -ENAMETOOLONG);
    assert_int_equal(vserial_open("g/uart1", true, &r), -ENOENT);
}

static void test_history_and_news(void **state)
{
    struct vserial_reader *old, *young;

    (void)state;
    print("hello ");
    old = open_reader(true);
    young = open_reader(false);
    print("world");
    assert_reads(old, "hello world");
    assert_reads(young, "world");
    assert_reads(old, "");
    print("!");
    assert_reads(old, "!");
    vserial_close(old);
    vserial_close(young);
}

static void test_a_reader_that_falls_behind(void **state)
{
    static uint8_t block[HISTORY + 100], buf[HISTORY + 100];
    struct vserial_reader *r = open_reader(true);
    uint64_t lost;

    (void)state;
    for (size_t i = 0; i < sizeof(block); i++)
        block[i] = (uint8_t)(i * 7);
    print("abc");
    vserial_output(device.vs, block, HISTORY - 1);
    assert_int_equal(read_all(r, buf, sizeof(buf), &lost), HISTORY);
    assert_int_equal(lost, 2);
    assert_int_equal(buf[0], 'c');
    assert_memory_equal(buf + 1, block, HISTORY - 1);
    /* More than fits at once: the end of it counts. */
    vserial_output(device.vs, block, sizeof(block));
    assert_int_equal(vserial_read(r, buf, 10, 0, &lost), 10);
    assert_int_equal(lost, 100);
    assert_memory_equal(buf, block + 100, 10);
    print("x");
    assert_int_equal(read_all(r, buf, sizeof(buf), &lost), HISTORY - 9);
    assert_int_equal(lost, 0);
    vserial_close(r);
}

/* Against a plain model: any sizes of writes and reads. */
static void test_history_random_walk(void **state)
{
    struct vserial_reader *r = open_reader(false);
    uint64_t written = 0, cursor = 0;
    uint32_t seed = 7;
    static uint8_t buf[2 * HISTORY];

    (void)state;
    for (int round = 0; round < 3000; round++) {
        size_t size = (seed >> 8) % (seed & 1 ? HISTORY * 3 / 2 : 64);
        uint64_t lost;
        int n;

        for (size_t i = 0; i < size; i++)
            buf[i] = (uint8_t)((written + i) * 31 >> 3);
        vserial_output(device.vs, buf, size);
        written += size;
        seed = seed * 1664525 + 1013904223;
        n = read_all(r, buf, (seed >> 8) % (seed & 1 ? sizeof(buf) : 64), &lost);
        assert_true(n >= 0);
        cursor += lost;
        assert_true(written - cursor <= HISTORY);
        for (int i = 0; i < n; i++)
            assert_int_equal(buf[i], (uint8_t)((cursor + (uint64_t)i) * 31 >> 3));
        cursor += (uint64_t)n;
        seed = seed * 1664525 + 1013904223;
    }
    vserial_close(r);
}

static int write_and_wait(void *arg)
{
    struct vserial_reader *r = arg;
    char text[6000];

    /* Full queue and a slow guest: what was taken arrives in order, the rest is told. */
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (char)('a' + i % 26);
    device.room = 10;
    assert_int_equal(vserial_write(r, (const uint8_t *)text, sizeof(text)), -EACCES);
    assert_int_equal(vserial_claim(r), 0);
    return vserial_write(r, (const uint8_t *)text, sizeof(text));
}

static int drain_slowly(void *arg)
{
    (void)arg;
    while (device.count < 4096 && device.room == 0) {
        device.room = 16;
        vserial_input_ready(device.vs);
        if (thread_sleep(0) < 0)
            return -1;
        sched_yield_cpu();
    }
    return 0;
}

static void test_input_waits_for_the_guest(void **state)
{
    struct vserial_reader *r = open_reader(false);

    (void)state;
    assert_int_equal(run_thread(write_and_wait, r), 4096);
    assert_int_equal(device.count, 10);
    assert_int_equal(run_thread(drain_slowly, NULL), 0);
    assert_true(device.count >= 4096);
    for (size_t i = 0; i < device.count; i++)
        assert_int_equal(device.taken[i], 'a' + i % 26);
    vserial_close(r);
}

static int drop_then_take(void *arg)
{
    (void)arg;
    vserial_input_drop(device.vs);
    device.room = sizeof(device.taken) - device.count;
    vserial_input_ready(device.vs);
    return 0;
}

static void test_input_that_is_dropped(void **state)
{
    struct vserial_reader *r = open_reader(false);

    (void)state;
    assert_int_equal(run_thread(write_and_wait, r), 4096);
    assert_int_equal(run_thread(drop_then_take, NULL), 0);
    assert_int_equal(device.count, 10);
    vserial_close(r);
}

static int write_one(void *arg)
{
    int err = vserial_claim(arg);

    return err < 0 ? err : vserial_write(arg, (const uint8_t *)"x", 1);
}

static void test_one_writer(void **state)
{
    struct vserial_reader *first = open_reader(false), *second = open_reader(false);
    char label[VSERIAL_LABEL_MAX];

    (void)state;
    device.room = 100;
    vserial_writer(first, label);
    assert_string_equal(label, "");
    assert_int_equal(run_thread(write_one, first), 1);
    assert_int_equal(run_thread(write_one, second), -EBUSY);
    vserial_writer(second, label);
    assert_string_equal(label, sched_current()->name);
    /* Given back, and taken back with the reader itself. */
    vserial_release(second);
    assert_int_equal(run_thread(write_one, second), -EBUSY);
    vserial_release(first);
    assert_int_equal(run_thread(write_one, second), 1);
    assert_int_equal(run_thread(write_one, first), -EBUSY);
    vserial_close(second);
    assert_int_equal(run_thread(write_one, first), 1);
    vserial_close(first);
    assert_int_equal(device.count, 3);
}

/* One reads each byte as it comes, one never, one late: none disturbs another. */
static void test_readers_at_their_own_pace(void **state)
{
    static uint8_t buf[HISTORY];
    struct vserial_reader *quick = open_reader(false), *late = open_reader(false),
                          *never = open_reader(false);
    struct vserial_info info;
    uint64_t lost;

    (void)state;
    for (int i = 0; i < HISTORY + 1000; i++) {
        char text[2] = {(char)('a' + i % 26), '\0'};

        print(text);
        assert_reads(quick, text);
    }
    vserial_get_info(quick, &info);
    assert_int_equal(info.lost, 0);
    assert_int_equal(info.readers, 3);
    assert_int_equal(info.out_bytes, HISTORY + 1000);
    assert_int_equal(read_all(late, buf, sizeof(buf), &lost), HISTORY);
    assert_int_equal(lost, 1000);
    assert_int_equal(buf[0], 'a' + 1000 % 26);
    vserial_get_info(quick, &info);
    assert_int_equal(info.lost, 1000);
    vserial_close(never);
    vserial_close(late);
    vserial_close(quick);
}

static void test_rewind(void **state)
{
    static uint8_t buf[HISTORY];
    struct vserial_reader *r = open_reader(true);
    uint64_t lost;

    (void)state;
    print("0123456789");
    assert_reads(r, "0123456789");
    assert_int_equal(vserial_rewind(r, 3), 7);
    assert_reads(r, "789");
    assert_int_equal(vserial_rewind(r, 0), 10);
    assert_reads(r, "");
    assert_int_equal(vserial_rewind(r, UINT64_MAX), 0);
    assert_reads(r, "0123456789");
    for (int i = 0; i < HISTORY; i++)
        print("x");
    /* Asked back to what is no longer there is not told as lost: the caller knows how much it is. */
    assert_int_equal(vserial_rewind(r, HISTORY + 5), 10);
    assert_int_equal(read_all(r, buf, sizeof(buf), &lost), HISTORY);
    assert_int_equal(lost, 0);
    vserial_close(r);
}

static void test_log_keeps_the_beginning(void **state)
{
    static uint8_t block[HISTORY], buf[VSERIAL_CHUNK];
    struct vserial_reader *r = open_reader(false);
    struct vserial_info info;

    (void)state;
    assert_int_equal(vserial_log_read(r, 0, buf, sizeof(buf)), -ENOENT);
    assert_int_equal(vserial_log_clear(r), -ENOENT);
    assert_int_equal(vserial_log_create(device.vs, 0), -EINVAL);
    assert_int_equal(vserial_log_create(device.vs, 3000), 0);
    assert_int_equal(vserial_log_create(device.vs, 3000), -EEXIST);
    print("booting");
    vserial_output(device.vs, block, sizeof(block));
    assert_int_equal(vserial_log_read(r, 0, buf, 7), 7);
    assert_memory_equal(buf, "booting", 7);
    assert_int_equal(vserial_log_read(r, 2900, buf, sizeof(buf)), 100);
    assert_int_equal(vserial_log_read(r, 3000, buf, sizeof(buf)), 0);
    assert_int_equal(vserial_log_read(r, UINT64_MAX, buf, sizeof(buf)), 0);
    vserial_get_info(r, &info);
    assert_int_equal(info.log_size, 3000);
    assert_int_equal(info.log_used, 3000);
    assert_int_equal(info.log_missed, 7 + HISTORY - 3000);
    assert_int_equal(vserial_log_clear(r), 0);
    assert_int_equal(vserial_log_read(r, 0, buf, sizeof(buf)), 0);
    print("again");
    assert_int_equal(vserial_log_read(r, 0, buf, sizeof(buf)), 5);
    assert_memory_equal(buf, "again", 5);
    vserial_close(r);
}

static int read_forever(void *arg)
{
    uint8_t buf[16];
    uint64_t lost;
    int n;

    while ((n = vserial_read(arg, buf, sizeof(buf), WAIT_FOREVER, &lost)) >= 0)
        ;
    return n;
}

static int destroy_port(void *arg)
{
    struct vserial *vs = device.vs;

    (void)arg;
    print("last words");
    device.vs = NULL;
    vserial_destroy(vs);
    return 0;
}

static void test_port_goes_while_read(void **state)
{
    struct vserial_reader *r = open_reader(true), *again;
    struct thread *reader;
    uint8_t byte = 0;
    int code;

    (void)state;
    assert_int_equal(thread_create("reader", read_forever, r, SCHED_PRIORITY_DEFAULT, 0, &reader),
                     0);
    assert_int_equal(thread_start(reader), 0);
    assert_int_equal(run_thread(destroy_port, NULL), 0);
    assert_int_equal(thread_join(reader, &code), 0);
    assert_int_equal(code, -EPIPE);
    assert_int_equal(vserial_write(r, &byte, 1), -EPIPE);
    assert_int_equal(vserial_open("g/uart0", true, &again), -ENOENT);
    vserial_close(r);
    assert_int_equal(objects(), objects_before);
}

static int cancel_reader(void *arg)
{
    vserial_cancel(arg);
    return 0;
}

static void test_cancel(void **state)
{
    struct vserial_reader *r = open_reader(true);
    struct thread *reader;
    int code;

    (void)state;
    assert_int_equal(thread_create("reader", read_forever, r, SCHED_PRIORITY_DEFAULT, 0, &reader),
                     0);
    assert_int_equal(thread_start(reader), 0);
    assert_int_equal(run_thread(cancel_reader, r), 0);
    assert_int_equal(thread_join(reader, &code), 0);
    assert_int_equal(code, -ECANCELED);
    assert_reads(r, "");
    vserial_close(r);
}

static void count_port(const struct vserial_info *info, void *arg)
{
    char *text = arg;

    sprintf(text + strlen(text), "%s %d %d %d %u %s\n", info->name, (int)info->out_bytes,
            (int)info->in_bytes, (int)info->in_queued, info->readers,
            info->writer[0] != '\0' ? "claimed" : "free");
}

static void test_listing(void **state)
{
    struct vserial_reader *r = open_reader(true);
    char text[256] = "";

    (void)state;
    print("1234");
    device.room = 1;
    assert_int_equal(run_thread(write_one, r), 1);
    assert_int_equal(run_thread(write_one, r), 1);
    vserial_for_each(count_port, text);
    assert_string_equal(text, "g/uart0 4 1 1 1 claimed\n");
    vserial_close(r);
    text[0] = '\0';
    vserial_for_each(count_port, text);
    assert_string_equal(text, "g/uart0 4 1 1 0 free\n");
}

static void test_out_of_memory(void **state)
{
    struct vserial_reader *r;
    struct vserial *vs;

    (void)state;
    page_fail_after(1);
    assert_int_equal(vserial_create("h/uart0", take_input, NULL, &vs), -ENOMEM);
    page_fail_after(1);
    assert_int_equal(vserial_open("g/uart0", true, &r), -ENOMEM);
    page_fail_after(1);
    assert_int_equal(vserial_log_create(device.vs, 1 << 20), -ENOMEM);
    page_fail_after(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_names, setup, teardown),
        cmocka_unit_test_setup_teardown(test_history_and_news, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_reader_that_falls_behind, setup, teardown),
        cmocka_unit_test_setup_teardown(test_history_random_walk, setup, teardown),
        cmocka_unit_test_setup_teardown(test_input_waits_for_the_guest, setup, teardown),
        cmocka_unit_test_setup_teardown(test_input_that_is_dropped, setup, teardown),
        cmocka_unit_test_setup_teardown(test_one_writer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_readers_at_their_own_pace, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rewind, setup, teardown),
        cmocka_unit_test_setup_teardown(test_log_keeps_the_beginning, setup, teardown),
        cmocka_unit_test_setup_teardown(test_port_goes_while_read, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cancel, setup, teardown),
        cmocka_unit_test_setup_teardown(test_listing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_out_of_memory, setup, teardown),
    };

    return cmocka_run_group_tests(tests, boot, NULL);
}
