// SPDX-License-Identifier: Apache-2.0
// Formatting, compared with the C library's snprintf on chosen and on random input.
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lib/fmt.h>

#pragma GCC diagnostic ignored "-Wformat"
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-extra-args"
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wformat-overflow"
#pragma GCC diagnostic ignored "-Wformat-truncation"
#endif

#define SAME(...)                                                                                  \
    do {                                                                                           \
        char ours[256];                                                                            \
        char theirs[256];                                                                          \
        int length = snprintf(theirs, sizeof(theirs), __VA_ARGS__);                                \
        assert_int_equal(fmt_snprintf(ours, sizeof(ours), __VA_ARGS__), length);                   \
        assert_string_equal(ours, theirs);                                                         \
    } while (0)

static void test_chosen(void **state UNUSED)
{
    SAME("plain");
    SAME("%%|%c|%5c|%-5c|", 'a', 'b', 'c');
    SAME("%s|%10s|%-10s|%.2s|%10.3s|%.0s|", "abc", "abc", "abc", "abc", "abcdef", "x");
    SAME("%*d|%-*d|%*d|%.*d|%.*d", 6, 42, 6, 42, -6, 42, 4, 42, -4, 42);
    SAME("%.0d|%.d|%5.0d|%#.0o|%#o|%#x|%#.3o|%+.0d", 0, 0, 0, 0, 0, 0, 8, 0);
    SAME("%hhd|%hhu|%hd|%hu|%hhx", 0x1ff, 0x1ff, 0x18000, 0x18001, -1);
    SAME("%ld|%lld|%zd|%jd|%td", LONG_MIN, LLONG_MAX, (size_t)-1, INTMAX_MIN, (ptrdiff_t)-5);
    SAME("%lu|%llx|%zX|%jo|%tu", ULONG_MAX, ULLONG_MAX, SIZE_MAX, UINTMAX_MAX, (ptrdiff_t)5);
    SAME("%d|%i|%u", INT_MIN, INT_MAX, UINT_MAX);
    SAME("%p|%20p|%-20p|", (void *)0x1234, (void *)0xabcdef, (void *)UINTPTR_MAX);
    SAME("% +d|%+ d|% 05d|%-05d|%05.2d", 1, 2, 3, 4, 5);
    SAME("%s", (char *)NULL);
}

static void test_random(void **state UNUSED)
{
    static const char conversions[] = "diuxXo";
    static const char *const lengths[] = {"", "hh", "h", "l", "ll", "z", "j", "t"};

    srand(10);
    for (int step = 0; step < 200000; step++) {
        char format[40] = "<%";
        size_t n = 2;
        unsigned long value = (unsigned long)rand() << 33 ^ (unsigned long)rand();

        for (int flags = rand() % 4; flags > 0; flags--) {
            format[n++] = "0-+ #"[rand() % 5];
        }
        n += (size_t)sprintf(format + n, rand() % 2 ? "%d" : "", 1 + rand() % 40);
        n += (size_t)sprintf(format + n, rand() % 3 ? "" : ".%d", rand() % 40);
        sprintf(format + n, "%s%c>", lengths[rand() % 8], conversions[rand() % 6]);
        value >>= rand() % 64;
        value = rand() % 2 ? value : 0 - value;
        SAME(format, value);
    }
}

static void test_truncation(void **state UNUSED)
{
    for (size_t size = 1; size < 14; size++) {
        char ours[16];
        char theirs[16];

        memset(ours, 'z', sizeof(ours));
        memset(theirs, 'z', sizeof(theirs));
        assert_int_equal(fmt_snprintf(ours, size, "%s %05d!", "abc", 42), 10);
        snprintf(theirs, size, "%s %05d!", "abc", 42);
        assert_memory_equal(ours, theirs, sizeof(ours));
    }
    assert_int_equal(fmt_snprintf(NULL, 0, "%d", 12345), 5);
}

static void test_special(void **state UNUSED)
{
    char text[64];

    assert_int_equal(fmt_snprintf(text, sizeof(text), "%p", NULL), 3);
    assert_string_equal(text, "0x0");
    fmt_snprintf(text, sizeof(text), "%.3s", (char *)NULL);
    assert_string_equal(text, "(nu");
    assert_int_equal(fmt_snprintf(text, sizeof(text), "a%cb", 0), 3);
    assert_memory_equal(text, "a\0b", 4);
    fmt_snprintf(text, sizeof(text), "%d %y %s", 1, 2, 3);
    assert_string_equal(text, "1 %y %s");
    fmt_snprintf(text, sizeof(text), "100%");
    assert_string_equal(text, "100%");
    fmt_snprintf(text, sizeof(text), "%-08.3l");
    assert_string_equal(text, "%-08.3l");
    assert_int_equal(fmt_snprintf(text, sizeof(text), "%99999d", 1), 99999);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chosen),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_truncation),
        cmocka_unit_test(test_special),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
