// SPDX-License-Identifier: Apache-2.0
// Command vserial: list, dump, log and send; who writes, what was lost, what is refused.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <hv/command.h>
#include <hv/heap.h>
#include <hv/vserial.h>
#include <hv/workqueue.h>
#include <lib/errno.h>
#include <port/machine.h>
#include <string.h>

#define HISTORY CONFIG_VSERIAL_HISTORY

static char output[2 * HISTORY];
static size_t used;
static uint8_t taken[512];
static size_t taken_count, room;
static struct vserial *port;

static void collect(struct terminal *term, const char *text, size_t size)
{
    (void)term;
    assert_true(used + size < sizeof(output));
    memcpy(output + used, text, size);
    used += size;
    output[used] = '\0';
}

static struct terminal term = {.write = collect, .columns = 80, .rows = 24};

static size_t take_input(void *arg, const uint8_t *data, size_t size)
{
    size_t n = size < room ? size : room;

    (void)arg;
    memcpy(taken + taken_count, data, n);
    taken_count += n;
    room -= n;
    return n;
}

static int run_line(void *arg)
{
    return command_run(&term, arg);
}

static int run(const char *line)
{
    char copy[256];

    strcpy(copy, line);
    used = 0;
    output[0] = '\0';
    return machine_call(run_line, copy);
}

static void assert_shows(const char *text)
{
    if (strstr(output, text) == NULL)
        fail_msg("no \"%s\" in: %s", text, output);
}

static void print(const char *text)
{
    vserial_output(port, (const uint8_t *)text, strlen(text));
}

static void assert_taken(const void *bytes, size_t size)
{
    assert_int_equal(taken_count, size);
    assert_memory_equal(taken, bytes, size);
    taken_count = 0;
}

static int start(void **state)
{
    (void)state;
    taken_count = 0;
    room = sizeof(taken);
    return vserial_create("g/uart0", take_input, NULL, &port);
}

static int stop(void **state)
{
    (void)state;
    vserial_destroy(port);
    return 0;
}

static void list(void **state)
{
    struct vserial_reader *r;

    (void)state;
    print("hello");
    assert_int_equal(vserial_log_create(port, 2000), 0);
    assert_int_equal(vserial_open("g/uart0", true, &r), 0);
    assert_int_equal(vserial_claim(r), 0);
    print("1234567");
    assert_int_equal(run("vserial list"), 0);
    assert_shows("g/uart0                       12         0         0       1          7/2000 ");
    assert_null(strstr(output, " -\n"));
    vserial_close(r);
    assert_int_equal(run("vserial list"), 0);
    assert_shows("0          7/2000 -\n");
}

static void dump(void **state)
{
    (void)state;
    print("first\nsecond\x1b\n");
    assert_int_equal(run("vserial dump g/uart0"), 0);
    assert_string_equal(output, "first\nsecond\\x1b\n\n");
    assert_int_equal(run("vserial dump g/uart0 8"), 0);
    assert_string_equal(output, "second\\x1b\n\n");
    assert_int_equal(run("vserial dump g/uart0 0"), 0);
    assert_string_equal(output, "\n");
    assert_int_equal(run("vserial dump g/uart0 99G"), 0);
    assert_shows("first\n");
    assert_int_equal(run("vserial dump g/uart0 many"), -EINVAL);
    assert_int_equal(run("vserial dump g/uart9"), -ENOENT);
    assert_shows("\"vserial list\" shows the ports");
    for (int i = 0; i < HISTORY; i++)
        print("x");
    assert_int_equal(run("vserial dump g/uart0"), 0);
    assert_shows("[14 older bytes are no longer kept]\nxxx");
}

static void log_of_the_start(void **state)
{
    (void)state;
    assert_int_equal(run("vserial log g/uart0"), -ENOENT);
    assert_shows("bulkhead,log-size");
    assert_int_equal(run("vserial log g/uart0 clear"), -ENOENT);
    assert_int_equal(vserial_log_create(port, 300), 0);
    print("booting\x07\n");
    assert_int_equal(run("vserial log g/uart0"), 0);
    assert_string_equal(output, "booting\\x07\n\n");
    for (int i = 0; i < 1000; i++)
        print("y");
    assert_int_equal(run("vserial log g/uart0"), 0);
    assert_shows("booting");
    assert_shows("yyy\n[the log is full: 709 bytes came after this]\n");
    assert_int_equal(run("vserial log g/uart0 empty"), -EINVAL);
    assert_int_equal(run("vserial log g/uart0 clear"), 0);
    print("anew");
    assert_int_equal(run("vserial log g/uart0"), 0);
    assert_string_equal(output, "anew\n");
}

static void send(void **state)
{
    (void)state;
    assert_int_equal(run("vserial send g/uart0 'a line'"), 0);
    assert_taken("a line\r", 7);
    assert_int_equal(run("vserial send -n g/uart0 'a line'"), 0);
    assert_taken("a line", 6);
    assert_int_equal(run("vserial send -n g/uart0 '\\n\\r\\t\\e\\0\\\\\\x41\\xfF-'"), 0);
    assert_taken("\n\r\t\x1b\0\\A\xff-", 9);
    assert_int_equal(run("vserial send g/uart0 ''"), 0);
    assert_taken("\r", 1);
    assert_string_equal(output, "");
}

static void send_refuses(void **state)
{
    static const char *const bad[] = {"'\\q'", "'\\x4'", "'\\x'", "'\\xg0'", "'end\\'"};
    char line[64];

    (void)state;
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        strcpy(line, "vserial send g/uart0 ");
        assert_int_equal(run(strcat(line, bad[i])), -EINVAL);
        assert_shows("escapes are");
    }
    assert_int_equal(run("vserial send g/uart0 two words"), -EINVAL);
    assert_int_equal(run("vserial send -n g/uart0"), -EINVAL);
    assert_int_equal(run("vserial send g/uart9 x"), -ENOENT);
    assert_int_equal(taken_count, 0);
}

static void send_while_another_writes(void **state)
{
    struct vserial_reader *r;

    (void)state;
    assert_int_equal(vserial_open("g/uart0", true, &r), 0);
    assert_int_equal(vserial_claim(r), 0);
    assert_int_equal(run("vserial send g/uart0 x"), -EBUSY);
    assert_shows("somebody else writes there: ");
    assert_shows("EBUSY");
    assert_int_equal(taken_count, 0);
    vserial_close(r);
    assert_int_equal(run("vserial send g/uart0 x"), 0);
    assert_taken("x\r", 2);
}

static int make_room(void *arg)
{
    (void)arg;
    room = 100;
    vserial_input_ready(port);
    return 0;
}

/* What fits the queue is sent, whenever the guest takes it; what does not, is told after a while. */
static void send_to_a_guest_that_takes_nothing(void **state)
{
    (void)state;
    room = 0;
    assert_int_equal(run("vserial send g/uart0 later"), 0);
    assert_int_equal(taken_count, 0);
    assert_int_equal(machine_call(make_room, NULL), 0);
    machine_run();
    assert_taken("later\r", 6);
    room = 0;
    for (int i = 0; i < 4096 / 200; i++) {
        char line[256] = "vserial send -n g/uart0 ";

        memset(line + strlen(line), 'z', 200);
        assert_int_equal(run(line), 0);
    }
    assert_int_equal(run("vserial send g/uart0 "
                         "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"
                         "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"),
                     -ETIMEDOUT);
    assert_shows("not all of it was taken by g/uart0");
}

static int boot(void **state)
{
    (void)state;
    machine_start(1);
    return workqueue_start();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(list),
        TEST(dump),
        TEST(log_of_the_start),
        TEST(send),
        TEST(send_refuses),
        TEST(send_while_another_writes),
        TEST(send_to_a_guest_that_takes_nothing),
    };

    return cmocka_run_group_tests(tests, boot, NULL);
}
