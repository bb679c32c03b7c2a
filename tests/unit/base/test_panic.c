// SPDX-License-Identifier: Apache-2.0
// Panic: what it prints and in which order, symbols, a panic while showing one.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arch/system.h>
#include <hv/cpu.h>
#include <hv/panic.h>
#include <hv/symbol.h>
#include <lib/errno.h>
#include <port/host.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The table that tools/symtab.py makes of the image. */
const struct symtab_marker symtab_markers[] = {{0x100, 0}, {0x40000, 15}};
const uint32_t symtab_count = 3;
const uint32_t symtab_group = 2;
const uint8_t symtab_pairs[][2] = {{'i', 'r'}};
const uint8_t symtab_stream[] = "\0f\x80st\0\x80\1second\0\0th\x80"
                                "d";

static void symbol(uint64_t offset)
{
    host_console_clear();
    panic_print_symbol(panic_print, arch_system_image_base() + offset);
}

static void test_symbols(void **state)
{
    (void)state;
    symbol(0x100);
    assert_string_equal(host_console_text(), "first+0x0");
    symbol(0x17f);
    assert_string_equal(host_console_text(), "first+0x7f");
    symbol(0x180);
    assert_string_equal(host_console_text(), "second+0x0");
    symbol(0x40001);
    assert_string_equal(host_console_text(), "third+0x1");
    /* Before the first, and too far behind one. */
    symbol(0xff);
    assert_int_equal(strncmp(host_console_text(), "0x", 2), 0);
    symbol(0x30000);
    assert_int_equal(strncmp(host_console_text(), "0x", 2), 0);
}

static void describe(void (*print)(const char *fmt, ...))
{
    print("VCPU %s\n", "linux0/0");
}

static void fall(void *arg)
{
    panic_describe_hook = arg;
    panic("cause %d", 42);
}

static void describe_badly(void (*print)(const char *fmt, ...))
{
    print("about to fail\n");
    panic("second");
}

static void fail_assertion(void *arg)
{
    ASSERT(arg != NULL);
}

/* A machine panics once, so each is a process of its own. */
static void assert_output(void (*fn)(void *), void *arg, const char *const *parts)
{
    pid_t child = fork();
    int status;

    assert_true(child >= 0);
    if (child == 0) {
        bool good = host_run(fn, arg) == HOST_STOP_HALT && host_smp_stopped();
        const char *at = host_console_text();

        for (; *parts != NULL && at != NULL; parts++)
            at = strstr(at, *parts);
        _exit(good && at != NULL ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void test_output(void **state)
{
    static const char *const parts[] = {"\r\nPANIC: cause 42\r\n", "CPU 0\r\n",
                                        "VCPU linux0/0\r\n",       "back-trace:\r\n",
                                        "system halted",           NULL};

    (void)state;
    assert_output(fall, (void *)describe, parts);
}

static void test_panic_in_panic(void **state)
{
    static const char *const parts[] = {"PANIC: cause 42\r\n", "about to fail",
                                        "PANIC while showing a panic: second\r\n", "system halted",
                                        NULL};

    (void)state;
    assert_output(fall, (void *)describe_badly, parts);
}

static void test_assertion(void **state)
{
    static const char *const parts[] = {"PANIC: assertion failed: arg != NULL (test_panic.c:", NULL};

    (void)state;
    assert_output(fail_assertion, NULL, parts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_symbols),
        cmocka_unit_test(test_output),
        cmocka_unit_test(test_panic_in_panic),
        cmocka_unit_test(test_assertion),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
