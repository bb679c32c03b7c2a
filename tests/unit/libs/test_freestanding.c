// SPDX-License-Identifier: Apache-2.0
// The image's own C library functions, under other names, against the host's.
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <lib/macros.h>

void *own_memcpy(void *restrict to, const void *restrict from, size_t size);
void *own_memmove(void *to, const void *from, size_t size);
void *own_memset(void *to, int value, size_t size);
int own_memcmp(const void *a, const void *b, size_t size);
void *own_memchr(const void *s, int c, size_t size);
size_t own_strlen(const char *s);
size_t own_strnlen(const char *s, size_t max);
int own_strcmp(const char *a, const char *b);
int own_strncmp(const char *a, const char *b, size_t max);
char *own_strchr(const char *s, int c);
char *own_strrchr(const char *s, int c);
char *own_strstr(const char *s, const char *part);
unsigned long own_strtoul(const char *restrict s, char **restrict end, int base);

#define memcpy own_memcpy
#define memmove own_memmove
#define memset own_memset
#define memcmp own_memcmp
#define memchr own_memchr
#define strlen own_strlen
#define strnlen own_strnlen
#define strcmp own_strcmp
#define strncmp own_strncmp
#define strchr own_strchr
#define strrchr own_strrchr
#define strstr own_strstr
#define strtoul own_strtoul
#include "libs/freestanding/memory.c"
#include "libs/freestanding/string.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef memchr
#undef strlen
#undef strnlen
#undef strcmp
#undef strncmp
#undef strchr
#undef strrchr
#undef strstr
#undef strtoul

#define AREA 256

static uint8_t source[AREA];
static uint8_t ours[AREA];
static uint8_t theirs[AREA];

static void fill_areas(void)
{
    for (size_t i = 0; i < AREA; i++) {
        source[i] = (uint8_t)rand();
        ours[i] = (uint8_t)rand();
        theirs[i] = ours[i];
    }
}

static void test_copy_and_set(void **state UNUSED)
{
    srand(5);
    for (size_t size = 0; size <= 100; size++) {
        for (size_t pair = 0; pair < 16 * 16; pair++) {
            size_t from = pair % 16;
            size_t to = pair / 16;

            fill_areas();
            assert_ptr_equal(own_memcpy(ours + to, source + from, size), ours + to);
            memcpy(theirs + to, source + from, size);
            assert_memory_equal(ours, theirs, AREA);
            assert_ptr_equal(own_memset(ours + to, (int)(from + 0x1f5), size), ours + to);
            memset(theirs + to, (int)(from + 0x1f5), size);
            assert_memory_equal(ours, theirs, AREA);
        }
    }
}

static void test_move(void **state UNUSED)
{
    srand(6);
    for (int step = 0; step < 30000; step++) {
        size_t size = (size_t)rand() % 150;
        size_t from = (size_t)rand() % (AREA - size);
        size_t to = (size_t)rand() % (AREA - size);

        if (step % 64 == 0) {
            fill_areas();
        }
        assert_ptr_equal(own_memmove(ours + to, ours + from, size), ours + to);
        memmove(theirs + to, theirs + from, size);
        assert_memory_equal(ours, theirs, AREA);
    }
}

static int sign(int value)
{
    return (value > 0) - (value < 0);
}

static void test_compare(void **state UNUSED)
{
    srand(7);
    for (int step = 0; step < 20000; step++) {
        size_t size = (size_t)rand() % 40;
        size_t a = (size_t)rand() % 16;
        size_t b = (size_t)rand() % 16;

        if (step % 2) {
            a &= 8;
            b &= 8;
        }
        for (size_t i = 0; i < size; i++) {
            ours[a + i] = theirs[b + i] = (uint8_t)rand();
        }
        if (size > 0 && step % 3) {
            theirs[b + (size_t)rand() % size] = (uint8_t)rand();
        }
        assert_int_equal(sign(own_memcmp(ours + a, theirs + b, size)),
                         sign(memcmp(ours + a, theirs + b, size)));
        assert_ptr_equal(own_memchr(ours + a, theirs[b], size), memchr(ours + a, theirs[b], size));
    }
}

static void test_strings(void **state UNUSED)
{
    srand(8);
    for (int step = 0; step < 20000; step++) {
        char a[12] = {0};
        char b[4] = {0};
        size_t max = (size_t)rand() % 12;

        for (int i = rand() % 12 - 1; i >= 0; i--) {
            a[i] = (char)("ab\xff"[rand() % 3]);
        }
        for (int i = rand() % 4 - 1; i >= 0; i--) {
            b[i] = (char)("ab\xff"[rand() % 3]);
        }
        assert_int_equal(own_strlen(a), strlen(a));
        assert_int_equal(own_strnlen(a, max), strnlen(a, max));
        assert_int_equal(sign(own_strcmp(a, b)), sign(strcmp(a, b)));
        assert_int_equal(sign(own_strncmp(a, b, max)), sign(strncmp(a, b, max)));
        assert_ptr_equal(own_strchr(a, b[0]), strchr(a, b[0]));
        assert_ptr_equal(own_strrchr(a, b[0]), strrchr(a, b[0]));
        assert_ptr_equal(own_strchr(a, 0), strchr(a, 0));
        assert_ptr_equal(own_strstr(a, b), strstr(a, b));
    }
}

static void test_strtoul(void **state UNUSED)
{
    static const char *const texts[] = {
        "0",
        "1",
        "  +12x",
        "-1",
        "0x",
        "0x1fg",
        "0XfF",
        "077",
        "08",
        "",
        " ",
        "-",
        "+-1",
        "x",
        "18446744073709551615",
        "18446744073709551616",
        "-18446744073709551616",
        "zz",
        "Zz9",
        "\t\n\v\f\r 7",
        "0x10000000000000000",
        "1777777777777777777777",
        "0b11",
    };
    static const int bases[] = {0, 2, 8, 10, 16, 36};

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        for (size_t j = 0; j < ARRAY_SIZE(bases); j++) {
            char *own_end;
            char *end;

            assert_true(own_strtoul(texts[i], &own_end, bases[j]) ==
                        strtoul(texts[i], &end, bases[j]));
            assert_ptr_equal(own_end, end);
        }
    }
    assert_int_equal(own_strtoul("12", NULL, 10), 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_copy_and_set), cmocka_unit_test(test_move),
        cmocka_unit_test(test_compare),      cmocka_unit_test(test_strings),
        cmocka_unit_test(test_strtoul),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
