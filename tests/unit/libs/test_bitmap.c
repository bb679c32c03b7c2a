// SPDX-License-Identifier: Apache-2.0
// Bitmaps against a plain array of booleans.
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <lib/bitmap.h>
#include <lib/macros.h>

#define BITS_MAX 200

static bool model[BITS_MAX];

static size_t model_find(size_t bits, size_t from, bool value)
{
    while (from < bits && model[from] != value) {
        from++;
    }
    return MIN(from, bits);
}

static size_t model_find_run(size_t bits, size_t from, size_t count, size_t align)
{
    for (size_t start = ALIGN_UP(from, align); start + count <= bits; start += align) {
        if (model_find(start + count, start, true) == start + count) {
            return start;
        }
    }
    return bits;
}

static void compare(const uint64_t *map, size_t bits)
{
    size_t count = 0;

    for (size_t i = 0; i < bits; i++) {
        assert_int_equal(bitmap_test(map, i), model[i]);
        count += model[i];
    }
    assert_int_equal(bitmap_count(map, bits), count);
    assert_int_equal(bitmap_is_empty(map, bits), count == 0);
}

static void compare_searches(const uint64_t *map, size_t bits)
{
    for (size_t from = 0; from <= bits + 1; from++) {
        size_t count = 1 + (size_t)rand() % 20;
        size_t align = (size_t)1 << rand() % 4;

        assert_int_equal(bitmap_find_set(map, bits, from),
                         from > bits ? bits : model_find(bits, from, true));
        assert_int_equal(bitmap_find_zero(map, bits, from),
                         from > bits ? bits : model_find(bits, from, false));
        assert_int_equal(bitmap_find_zero_run(map, bits, from, count, align),
                         model_find_run(bits, from, count, align));
    }
}

static void random_step(uint64_t *map, size_t bits)
{
    size_t start = (size_t)rand() % bits;
    size_t count = (size_t)rand() % (bits - start + 1);

    switch (rand() % 4) {
    case 0:
        bitmap_set(map, start);
        model[start] = true;
        break;
    case 1:
        bitmap_clear(map, start);
        model[start] = false;
        break;
    case 2:
        bitmap_set_range(map, start, MIN(count, (size_t)70));
        memset(model + start, true, MIN(count, (size_t)70));
        break;
    default:
        bitmap_clear_range(map, start, count);
        memset(model + start, false, count);
        break;
    }
}

static void test_random(void **state UNUSED)
{
    static const size_t sizes[] = {1, 63, 64, 65, 127, 128, 200};

    srand(3);
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        BITMAP(map, BITS_MAX) = {0};

        memset(model, 0, sizeof(model));
        for (int step = 0; step < 500; step++) {
            random_step(map, sizes[i]);
            compare(map, sizes[i]);
            compare_searches(map, sizes[i]);
        }
        for (size_t bit = sizes[i]; bit < ARRAY_SIZE(map) * 64; bit++) {
            assert_false(bitmap_test(map, bit));
        }
    }
}

static void test_stray_bits_do_not_count(void **state UNUSED)
{
    uint64_t map[1] = {~UINT64_C(0) << 10};

    assert_int_equal(bitmap_count(map, 10), 0);
    assert_true(bitmap_is_empty(map, 10));
    assert_int_equal(bitmap_find_set(map, 10, 0), 10);
    assert_int_equal(bitmap_find_zero_run(map, 10, 0, 10, 1), 0);
    assert_int_equal(bitmap_find_zero_run(map, 10, 0, 11, 1), 10);
    assert_int_equal(bitmap_find_zero_run(map, 10, 0, SIZE_MAX, 1), 10);
    assert_int_equal(bitmap_find_zero(map, 0, 0), 0);
    bitmap_set_range(map, 3, 0);
    bitmap_clear_range(map, 64, 0);
    assert_int_equal(map[0], ~UINT64_C(0) << 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_stray_bits_do_not_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
