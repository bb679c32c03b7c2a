// SPDX-License-Identifier: Apache-2.0
// The shell on a simulated UART: prompt, echo, commands, completion, log lines amid a line, and an attached console.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arch/system.h>
#include <hv/chardev.h>
#include <hv/cpu.h>
#include <hv/dt.h>
#include <hv/guest.h>
#include <hv/log.h>
#include <hv/mterm.h>
#include <hv/sched.h>
#include <hv/thread.h>
#include <hv/vserial.h>
#include <hv/workqueue.h>
#include <lib/errno.h>
#include <port/host.h>
#include <port/machine.h>
#include <stdio.h>
#include <string.h>

/* What the UART sent. */
static char screen[1 << 20];
static size_t screen_size;
static struct chardev *uart;

static size_t fake_write(struct chardev *dev, const uint8_t *data, size_t size)
{
    (void)dev;
    if (screen_size + size >= sizeof(screen))
        screen_size = 0;
    memcpy(screen + screen_size, data, size);
    screen_size += size;
    screen[screen_size] = '\0';
    return size;
}

static void fake_tx_interrupt(struct chardev *dev, bool enable)
{
    (void)dev;
    (void)enable;
}

static void fake_write_sync(struct chardev *dev, const uint8_t *data, size_t size)
{
    (void)fake_write(dev, data, size);
}

static const struct chardev_ops ops = {fake_write, fake_tx_interrupt, fake_write_sync};

static void idle(void *arg)
{
    (void)arg;
    sched_idle();
}

/* Until every thread sleeps. */
static enum host_stop settle(void)
{
    return host_run(idle, NULL);
}

static int boot(void **state)
{
    (void)state;
    machine_start(1);
    cpu_info(0)->status = CPU_ONLINE;
    if (workqueue_start() != 0 || guest_init() != 0 ||
        chardev_register(NULL, "uart", &ops, NULL, &uart) != 0 || mterm_start() != 0)
        return -1;
    return settle() != HOST_STOP_HALT;
}

static void type(const char *keys)
{
    screen_size = 0;
    screen[0] = '\0';
    chardev_received(uart, (const uint8_t *)keys, strlen(keys));
    assert_int_equal(settle(), HOST_STOP_HALT);
}

static void assert_shown(const char *text)
{
    if (strstr(screen, text) == NULL)
        fail_msg("not on the screen: \"%s\"; but:\n%s", text, screen);
}

static void assert_ends(const char *text)
{
    size_t size = strlen(text);

    if (screen_size < size || strcmp(screen + screen_size - size, text) != 0)
        fail_msg("the screen does not end with \"%s\"; but:\n%s", text, screen);
}

static unsigned count_of(const char *text)
{
    unsigned count = 0;

    for (const char *at = screen; (at = strstr(at, text)) != NULL; at++)
        count++;
    return count;
}

static void test_prompt_comes_by_itself(void **state)
{
    (void)state;
    assert_ends("mterm> ");
    assert_int_equal(count_of("mterm> "), 1);
}

static void test_keys_echo_and_nothing_else(void **state)
{
    (void)state;
    type("ver");
    assert_string_equal(screen, "ver");
    type("sion\r");
    assert_int_equal(count_of("mterm> "), 1);
    assert_shown("Bulkhead");
    assert_ends("\r\nmterm> ");
    assert_null(strstr(screen, "\r\r"));
}

static void test_empty_lines(void **state)
{
    (void)state;
    type("\r");
    assert_string_equal(screen, "\r\nmterm> ");
    type("\x03");
    assert_string_equal(screen, "^C\r\nmterm> ");
    type("\x04");
    assert_string_equal(screen, "\r\nmterm> ");
}

static void test_typing_ahead(void **state)
{
    (void)state;
    type("version\rversion\rversion\r");
    assert_int_equal(count_of("Bulkhead"), 3);
    assert_ends("mterm> ");
}

static void test_interrupt_drops_what_was_typed_before(void **state)
{
    (void)state;
    /* The first command sees the key, ends, and the second one is gone. */
    type("help\rversion\r\x03");
    assert_shown("^C");
    assert_null(strstr(screen, "compiler"));
    assert_ends("mterm> ");
}

static void test_history(void **state)
{
    (void)state;
    type("version\r");
    type("\x1b[A");
    assert_ends("version\x1b[K");
    type("\r");
    assert_shown("compiler");
}

static void test_completion(void **state)
{
    (void)state;
    type("vers\t");
    assert_string_equal(screen, "version ");
    type("\x15vse\t");
    assert_ends("vserial ");
    type("li\t\r");
    assert_shown("list \r\nNAME");
    type("guest \t");
    assert_shown("create");
    assert_shown("destroy");
    assert_ends("mterm> guest \x1b[K");
    type("\x15nonsense\t");
    assert_ends("\a");
    type("\x15log l\tw\t\x15");
    assert_int_equal(count_of("mterm> "), 0);
}

static void test_log_lines_do_not_tear_the_line(void **state)
{
    (void)state;
    type("some wo");
    screen_size = 0;
    log_info("news from below");
    assert_shown("news from below\r\n");
    assert_ends("mterm> some wo\x1b[K");
    type("\x15version\r");
    assert_shown("compiler");
}

static void test_ten_kilobytes_pasted(void **state)
{
    char *keys = test_malloc(16384);
    size_t n = 0;

    (void)state;
    while (n < 10240)
        n += (size_t)sprintf(keys + n, "help x%zu\r", n);
    type(keys);
    assert_int_equal(count_of("mterm> "), count_of("help: command"));
    assert_true(count_of("help: command") > 700);
    type("version\r");
    assert_shown("compiler");
    test_free(keys);
}

static void test_a_line_that_is_too_long(void **state)
{
    static char keys[65537];

    (void)state;
    memset(keys, 'a', 20000);
    keys[20000] = '\0';
    type(keys);
    type("\x15version\r");
    assert_shown("compiler");
    memset(keys, '\b', 1000);
    strcpy(keys + 1000, "version\r");
    type(keys);
    assert_shown("compiler");
}

/* A guest's console */

static char taken[4096];
static size_t taken_size, room;

static size_t take_input(void *arg, const uint8_t *data, size_t size)
{
    size_t n = size < room ? size : room;

    (void)arg;
    memcpy(taken + taken_size, data, n);
    taken_size += n;
    taken[taken_size] = '\0';
    room -= n;
    return n;
}

static struct vserial *port;

static int make_port(void **state)
{
    (void)state;
    taken_size = 0;
    room = sizeof(taken) - 1;
    return vserial_create("g/uart0", take_input, NULL, &port);
}

static int destroy(void *arg)
{
    (void)arg;
    if (port != NULL)
        vserial_destroy(port);
    port = NULL;
    return 0;
}

static int run_destroy(void **state)
{
    struct thread *thread;

    (void)state;
    if (thread_create("test", destroy, NULL, SCHED_PRIORITY_DEFAULT, 0, &thread) != 0 ||
        thread_start(thread) != 0)
        return -1;
    settle();
    return thread_join(thread, NULL);
}

static void output(const char *text)
{
    screen_size = 0;
    vserial_output(port, (const uint8_t *)text, strlen(text));
    assert_int_equal(settle(), HOST_STOP_HALT);
}

static void test_attach_and_back(void **state)
{
    (void)state;
    output("login: ");
    type("vserial attach g/uart0\r");
    assert_shown("Ctrl-\\ leads back");
    assert_ends("\r\nlogin: ");
    type("root\r\x03\x01");
    assert_string_equal(screen, "");
    assert_string_equal(taken, "root\r\x03\x01");
    output("raw \x1b[1m\n\x1c bytes");
    assert_string_equal(screen, "raw \x1b[1m\n\x1c bytes");
    type("\x1c");
    assert_shown("detached\r\n");
    assert_ends("mterm> ");
    type("version\r");
    assert_shown("compiler");
    assert_string_equal(taken, "root\r\x03\x01");
}

static void test_port_goes_while_attached(void **state)
{
    (void)state;
    type("vserial attach g/uart0\r");
    screen_size = 0;
    assert_int_equal(run_destroy(NULL), 0);
    assert_shown("the port is gone");
    assert_ends("mterm> ");
}

static void test_a_guest_that_takes_no_input(void **state)
{
    static char keys[6001];

    (void)state;
    room = 0;
    memset(keys, 'k', 6000);
    type("vserial attach g/uart0\r");
    screen_size = 0;
    /* The keys wait for the guest; the clock stands still when nothing else is left to do. */
    chardev_received(uart, (const uint8_t *)keys, 6000);
    chardev_received(uart, (const uint8_t *)"\x1c", 1);
    assert_int_equal(settle(), HOST_STOP_HALT);
    assert_shown("detached\r\n");
    assert_ends("mterm> ");
}

static void test_dump_is_harmless(void **state)
{
    (void)state;
    output("a\x1b[6nb\r\nc\x9b"
           "d\x07\n");
    type("vserial dump g/uart0\r");
    assert_shown("a\\x1b[6nb");
    assert_shown("c\\x9bd\\x07");
    assert_null(strchr(screen, 0x07));
    assert_ends("mterm> ");
}

static void test_attach_without_port(void **state)
{
    (void)state;
    type("vserial attach nobody/uart9\r");
    assert_shown("ENOENT");
    assert_ends("mterm> ");
}

static void type_shutdown(void *arg)
{
    (void)arg;
    chardev_received(uart, (const uint8_t *)"shutdown\r", 9);
    sched_idle();
}

/* Stops the machine, so this comes last. */
static void test_power(void **state)
{
    (void)state;
    assert_int_equal(host_run(type_shutdown, NULL), HOST_STOP_OFF);
    assert_true(host_smp_stopped());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prompt_comes_by_itself),
        cmocka_unit_test(test_keys_echo_and_nothing_else),
        cmocka_unit_test(test_empty_lines),
        cmocka_unit_test(test_typing_ahead),
        cmocka_unit_test(test_interrupt_drops_what_was_typed_before),
        cmocka_unit_test(test_history),
        cmocka_unit_test(test_completion),
        cmocka_unit_test(test_log_lines_do_not_tear_the_line),
        cmocka_unit_test(test_ten_kilobytes_pasted),
        cmocka_unit_test(test_a_line_that_is_too_long),
        cmocka_unit_test_setup_teardown(test_attach_and_back, make_port, run_destroy),
        cmocka_unit_test_setup_teardown(test_port_goes_while_attached, make_port, run_destroy),
        cmocka_unit_test_setup_teardown(test_a_guest_that_takes_no_input, make_port, run_destroy),
        cmocka_unit_test_setup_teardown(test_dump_is_harmless, make_port, run_destroy),
        cmocka_unit_test(test_attach_without_port),
        cmocka_unit_test(test_power),
    };

    return cmocka_run_group_tests(tests, boot, NULL);
}
