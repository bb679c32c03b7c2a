// SPDX-License-Identifier: Apache-2.0
// Two shells on two UARTs at once; paging; commands that stay: watch, vcpu top, log follow; the background.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <hv/chardev.h>
#include <hv/completion.h>
#include <hv/dt.h>
#include <hv/guest.h>
#include <hv/heap.h>
#include <hv/log.h>
#include <hv/mterm.h>
#include <hv/workqueue.h>
#include <lib/errno.h>
#include <port/machine.h>
#include <stdio.h>
#include <string.h>

#define MS 1000000ULL

/* Two UARTs and what they sent. */
static struct uart {
    struct chardev *dev;
    char screen[1 << 20];
    size_t size;
} uarts[2];

static size_t fake_write(struct chardev *dev, const uint8_t *data, size_t size)
{
    struct uart *uart = chardev_priv(dev);

    assert_true(uart->size + size < sizeof(uart->screen));
    memcpy(uart->screen + uart->size, data, size);
    uart->size += size;
    uart->screen[uart->size] = '\0';
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

static int add_uart(unsigned index)
{
    static const char *const names[] = {"uart0", "uart1"};
    struct dt_node *node;
    int err = dt_add_node(dt_root(), names[index], &node);

    return err != 0 ? err
                    : chardev_register(node, names[index], &ops, &uarts[index], &uarts[index].dev);
}

static int boot(void **state)
{
    static const char *const consoles[] = {"/uart0", "/nonsense", "/uart1", "/uart1"};
    struct dt_node *vmm;

    (void)state;
    machine_start(1);
    if (workqueue_start() != 0 || guest_init() != 0 || add_uart(0) != 0 || add_uart(1) != 0 ||
        dt_add_node(dt_root(), "vmm", &vmm) != 0 ||
        dt_set_strings(vmm, "bulkhead,consoles", consoles, 4) != 0 || mterm_start() != 0)
        return -1;
    machine_run_for(10 * MS);
    return 0;
}

static void type_on(unsigned index, const char *keys, uint64_t ms)
{
    for (unsigned i = 0; i < 2; i++) {
        uarts[i].size = 0;
        uarts[i].screen[0] = '\0';
    }
    chardev_received(uarts[index].dev, (const uint8_t *)keys, strlen(keys));
    machine_run_for(ms * MS);
}

static void type(const char *keys, uint64_t ms)
{
    type_on(0, keys, ms);
}

static void assert_on(unsigned index, const char *text)
{
    if (strstr(uarts[index].screen, text) == NULL)
        fail_msg("not on screen %u: \"%s\"; but:\n%s", index, text, uarts[index].screen);
}

static void assert_shown(const char *text)
{
    assert_on(0, text);
}

static void assert_ends(const char *text)
{
    const struct uart *uart = &uarts[0];
    size_t size = strlen(text);

    if (uart->size < size || strcmp(uart->screen + uart->size - size, text) != 0)
        fail_msg("the screen does not end with \"%s\"; but:\n%s", text, uart->screen);
}

static unsigned count_of(const char *text)
{
    unsigned count = 0;

    for (const char *at = uarts[0].screen; (at = strstr(at, text)) != NULL; at++)
        count++;
    return count;
}

/* Says whether the shell is back. */
static void assert_prompt(void)
{
    assert_ends("mterm> ");
}

static void test_consoles_of_the_device_tree(void **state)
{
    (void)state;
    assert_string_equal(uarts[1].screen, "mterm> ");
    assert_on(0, "\"/nonsense\" is no character device");
    /* Each has one shell only. */
    type_on(1, "version\r", 10);
    assert_on(1, "compiler");
    assert_string_equal(uarts[1].screen + uarts[1].size - 9, "\r\nmterm> ");
    assert_string_equal(uarts[0].screen, "");
}

static void test_shells_share_nothing(void **state)
{
    (void)state;
    type_on(0, "half a li", 10);
    type_on(1, "echo other\r", 10);
    assert_on(1, "other");
    assert_string_equal(uarts[0].screen, "");
    type_on(0,
            "\x15"
            "echo mine\r",
            10);
    assert_shown("\r\nmine\r\n");
    type_on(0, "history\r", 10);
    assert_shown("echo mine");
    assert_null(strstr(uarts[0].screen, "echo other"));
    /* Ctrl-C on one does not end what runs on the other. */
    type_on(0, "sleep 5\r", 100);
    type_on(1, "\x03", 100);
    assert_string_equal(uarts[0].screen, "");
    type_on(1, "page 10\r", 10);
    type_on(0, "\x03", 100);
    assert_shown("^C");
    type_on(0, "page\r", 10);
    assert_shown("off");
    type_on(1, "page\r", 10);
    assert_on(1, "10 rows");
    type_on(1, "page off\r", 10);
}

static void test_sleep(void **state)
{
    (void)state;
    type("sleep 0.5\r", 400);
    assert_ends("sleep 0.5\r\n");
    type("", 110);
    assert_prompt();
    type("sleep x\r", 10);
    assert_shown("usage: sleep");
}

static void test_pages(void **state)
{
    (void)state;
    type("page 10\r", 10);
    type("help\r", 10);
    assert_ends("-- more --");
    /* The echoed line's end, and nine lines. */
    assert_int_equal(count_of("\r\n"), 1 + 9);
    type("\r", 10);
    assert_int_equal(count_of("\r\n"), 1);
    assert_ends("-- more --");
    type(" ", 10);
    assert_int_equal(count_of("\r\n"), 9);
    assert_ends("-- more --");
    type("x", 10);
    assert_string_equal(uarts[0].screen, "");
    type("q", 10);
    assert_string_equal(uarts[0].screen, "\r\x1b[Kmterm> ");
    /* Short output is not paged. */
    type("version\r", 10);
    assert_prompt();
    assert_null(strstr(uarts[0].screen, "more"));
}

static void test_pages_to_the_end(void **state)
{
    static char whole[65536];
    static char paged[65536] = "";

    (void)state;
    type("page off\r", 10);
    type("help\r", 10);
    strcpy(whole, uarts[0].screen);
    type("page 10\r", 10);
    type("help\r", 10);
    for (unsigned n = 0; n < 30; n++) {
        strcat(paged, uarts[0].screen);
        if (strstr(paged, "mterm> ") != NULL)
            break;
        type(" ", 10);
    }
    for (char *at; (at = strstr(paged, "-- more --\r\x1b[K")) != NULL;)
        memmove(at, at + 14, strlen(at + 14) + 1);
    assert_string_equal(paged, whole);
}

static void test_interrupt_at_the_pages_end(void **state)
{
    (void)state;
    type("help\r", 10);
    assert_ends("-- more --");
    type("\x03", 10);
    assert_prompt();
    type("help | grep page | grep -c page\r", 10);
    assert_prompt();
    type("page off\r", 10);
}

/* A log line does not tear the pager's prompt. */
static void test_log_at_the_pages_end(void **state)
{
    (void)state;
    type("page 10\r", 10);
    type("help\r", 10);
    uarts[0].size = 0;
    log_info("news");
    assert_ends("news\r\n-- more --");
    type("q", 10);
    type("page off\r", 10);
    assert_prompt();
}

/* A long output that nobody reads holds no command up, and takes bounded memory. */
static int flood_lines;

static int flood_run(struct terminal *term, int argc, char **argv)
{
    (void)argc;
    (void)argv;
    for (flood_lines = 0; flood_lines < 20000; flood_lines++)
        term_printf(term, "line %d of a flood\n", flood_lines);
    return 0;
}

static const struct command_verb flood_verbs[] = {
    {.name = "", .usage = "", .help = "h", .run = flood_run},
};
static const struct command flood = {
    .name = "flood", .group = "Test", .help = "h", .verbs = flood_verbs, .verb_count = 1};
COMMAND(flood);

static void test_pager_is_bounded(void **state)
{
    struct heap_stats before, during;
    unsigned n = 0;

    (void)state;
    type("page 1000\r", 10);
    heap_get_stats(&before);
    type("flood\r", 10);
    heap_get_stats(&during);
    assert_int_equal(flood_lines, 20000);
    assert_true(during.bytes_used - before.bytes_used <= 128 * 1024);
    while (strstr(uarts[0].screen, "more than the pager keeps") == NULL && n++ < 50)
        type(" ", 10);
    assert_shown("lines more than the pager keeps]");
    assert_prompt();
    heap_get_stats(&during);
    assert_int_equal(during.bytes_used, before.bytes_used);
    type("page off\r", 10);
}

static void test_bad_pages(void **state)
{
    (void)state;
    type("page 3\r", 10);
    assert_shown("usage: page");
    type("page 99999999999\r", 10);
    assert_shown("usage: page");
    type("page &\r", 10);
    type("jobs wait\r", 100);
    type("jobs output 1\r", 10);
    assert_shown("no keyboard here");
    type("jobs clear\r", 10);
}

static void test_watch(void **state)
{
    (void)state;
    type("watch 0.5 echo 'a b'\r", 1200);
    assert_int_equal(count_of("\x1b[H\x1b[2J"), 3);
    assert_shown("every 0.500 s: echo \"a b\"; q leads back\r\na b\r\n");
    type("x", 10);
    assert_string_equal(uarts[0].screen, "");
    type("q", 10);
    assert_string_equal(uarts[0].screen, "mterm> ");
    type("watch 0.2 'echo one | grep -c o'\r", 300);
    assert_shown("\r\n1\r\n");
    type("\x03", 60);
    assert_prompt();
    type("watch 0 version\r", 10);
    assert_shown("usage: watch");
    type("watch 1x version\r", 10);
    assert_shown("usage: watch");
}

static void test_top(void **state)
{
    (void)state;
    type("vcpu top 0.5\r", 1300);
    assert_shown("\x1b[2J");
    assert_int_equal(count_of("; q leads back"), 3);
    assert_shown("cpu0 ");
    assert_shown("mterm ");
    type("q", 10);
    assert_prompt();
    /* Without a keyboard it is one screen, without cursor movements. */
    type("vcpu top 0.5 | grep VCPUs\r", 600);
    assert_int_equal(count_of(" VCPUs, 0.5"), 1);
    assert_null(strchr(uarts[0].screen, 0x1b));
    assert_prompt();
    type("vcpu top 0.01\r", 10);
    assert_shown("usage: vcpu top");
}

static void test_log_follow(void **state)
{
    (void)state;
    log_info("before");
    type("log follow\r", 50);
    assert_shown("info  before\r\n");
    uarts[0].size = 0;
    log_info("live \x1b[2J");
    log_debug("quiet");
    machine_run_for(150 * MS);
    /* Once, not by the echo as well. */
    assert_int_equal(count_of("live"), 1);
    assert_shown("info  live \\x1b[2J\r\n");
    assert_shown("debug quiet");
    for (unsigned i = 0; i < 10000; i++)
        log_debug("flood %u", i);
    type("", 150);
    assert_shown("lines were overwritten before they could be shown]");
    assert_shown("flood 9999");
    type("q", 10);
    assert_prompt();
    log_info("echoed again");
    assert_shown("echoed again");
    type("log follow warn\r", 50);
    log_info("unwanted");
    log_warn("wanted");
    type("", 150);
    assert_null(strstr(uarts[0].screen, "unwanted"));
    assert_shown("wanted");
    type("\x03", 10);
    assert_prompt();
    type("log show error\r", 10);
    assert_null(strstr(uarts[0].screen, "wanted"));
    type("log show loud\r", 10);
    assert_shown("usage: log show");
}

static void test_background(void **state)
{
    (void)state;
    type("jobs clear\r", 10);
    type("sleep 1 &\r", 10);
    assert_shown("] in the background");
    assert_prompt();
    type("jobs\r", 10);
    assert_shown("running");
    assert_shown("sleep 1\r\n");
    type("jobs wait\r", 1100);
    assert_shown("done: sleep 1");
    type("jobs\r", 10);
    assert_null(strstr(uarts[0].screen, "running"));
    type("nonsense &\r", 50);
    type("\r", 10);
    assert_shown("ENOENT (no such entry): nonsense");
    type("jobs clear\r", 10);
    type("jobs\r", 10);
    assert_ends("COMMAND\r\nmterm> ");
}

static unsigned last_job(void)
{
    struct mterm_job job = {.id = 0};

    while (mterm_job_next(job.id, &job))
        continue;
    return job.id;
}

static void type_job(const char *verb)
{
    char line[40];

    snprintf(line, sizeof(line), "jobs %s %u\r", verb, last_job());
    type(line, 500);
}

static void test_background_is_stopped(void **state)
{
    (void)state;
    type("watch 1 echo hey &\r", 2100);
    type_job("output");
    assert_int_equal(count_of("\r\nhey"), 3);
    assert_null(strchr(uarts[0].screen, 0x1b));
    type_job("stop");
    assert_shown("done: watch 1 echo hey");
    type_job("stop");
    assert_shown("EALREADY");
    type("jobs stop 4711\r", 10);
    assert_shown("\"jobs\" lists them");
    type("jobs wait x\r", 10);
    assert_shown("EINVAL");
}

static void test_the_right_shell_is_told(void **state)
{
    (void)state;
    type_on(0, "sleep 0.2 &\r", 300);
    type_on(1, "\r", 10);
    assert_null(strstr(uarts[1].screen, "done"));
    type_on(0, "\r", 10);
    assert_on(0, "done: sleep 0.2");
}

/* Waits as long as nobody asks it to end, and not for its sleep to be cut short. */
static int stubborn_run(struct terminal *term, int argc, char **argv)
{
    struct completion never;

    (void)argc;
    (void)argv;
    completion_init(&never);
    while (!term_interrupted(term))
        (void)completion_wait_uninterruptible(&never, 10 * MS);
    return 0;
}

static const struct command_verb stubborn_verbs[] = {
    {.name = "", .usage = "", .help = "h", .run = stubborn_run},
};
static const struct command stubborn = {
    .name = "stubborn", .group = "Test", .help = "h", .verbs = stubborn_verbs, .verb_count = 1};
COMMAND(stubborn);

static void test_background_sees_the_interrupt(void **state)
{
    (void)state;
    type("stubborn | grep x &\r", 100);
    type_job("stop");
    assert_shown("ENOENT (no such entry): stubborn | grep x");
}

static void test_background_output_is_bounded(void **state)
{
    (void)state;
    type("flood &\r", 100);
    type_job("output");
    assert_shown("bytes before this are lost]");
    assert_shown("line 19999 of a flood");
    assert_true(uarts[0].size < 20000);
    type("flood | grep 777 &\r", 100);
    type_job("output");
    assert_shown("line 17779 of a flood");
    assert_null(strstr(uarts[0].screen, "line 17766"));
}

static void test_many_in_the_background(void **state)
{
    struct machine_census before, after;

    (void)state;
    type("jobs clear\r", 10);
    before = machine_census();
    for (unsigned i = 0; i < 16; i++)
        type("sleep 1000 &\r", 10);
    assert_shown("] in the background");
    type("sleep 1000 &\r", 10);
    assert_shown("EAGAIN");
    for (unsigned i = 0; i < 16; i++) {
        char line[40];

        snprintf(line, sizeof(line), "jobs stop %u\r", last_job() - i);
        type(line, 200);
    }
    /* The oldest that has ended makes room. */
    type("version &\r", 100);
    assert_shown("] in the background");
    type("jobs clear\r", 100);
    after = machine_census();
    assert_int_equal(after.heap_objects, before.heap_objects);
    assert_int_equal(after.vcpus, before.vcpus);
}

static void test_completion_behind_a_bar(void **state)
{
    (void)state;
    type("guest list | gr\t", 10);
    assert_ends("grep ");
    type("\x15watch 1 gue\t", 10);
    assert_ends("guest ");
    type("\x15", 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_consoles_of_the_device_tree),
        cmocka_unit_test(test_shells_share_nothing),
        cmocka_unit_test(test_sleep),
        cmocka_unit_test(test_pages),
        cmocka_unit_test(test_pages_to_the_end),
        cmocka_unit_test(test_interrupt_at_the_pages_end),
        cmocka_unit_test(test_log_at_the_pages_end),
        cmocka_unit_test(test_pager_is_bounded),
        cmocka_unit_test(test_bad_pages),
        cmocka_unit_test(test_watch),
        cmocka_unit_test(test_top),
        cmocka_unit_test(test_log_follow),
        cmocka_unit_test(test_background),
        cmocka_unit_test(test_background_is_stopped),
        cmocka_unit_test(test_the_right_shell_is_told),
        cmocka_unit_test(test_background_sees_the_interrupt),
        cmocka_unit_test(test_background_output_is_bounded),
        cmocka_unit_test(test_many_in_the_background),
        cmocka_unit_test(test_completion_behind_a_bar),
    };

    return cmocka_run_group_tests(tests, boot, NULL);
}
