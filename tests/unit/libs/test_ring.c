// SPDX-License-Identifier: Apache-2.0
// Byte ring: single bytes, blocks, wrap-around, overwriting, size 0.
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <lib/macros.h>
#include <lib/ring.h>

static void test_bytes(void **state UNUSED)
{
    uint8_t memory[3];
    struct ring ring;
    uint8_t byte;

    ring_init(&ring, memory, sizeof(memory));
    assert_false(ring_get(&ring, &byte));
    assert_true(ring_put(&ring, 'a'));
    assert_true(ring_put(&ring, 'b'));
    assert_true(ring_put(&ring, 'c'));
    assert_false(ring_put(&ring, 'd'));
    assert_int_equal(ring_free(&ring), 0);
    assert_true(ring_peek(&ring, 2, &byte));
    assert_int_equal(byte, 'c');
    assert_false(ring_peek(&ring, 3, &byte));
    assert_true(ring_get(&ring, &byte));
    assert_int_equal(byte, 'a');
    ring_put_over(&ring, 'd');
    ring_put_over(&ring, 'e');
    assert_int_equal(ring_count(&ring), 3);
    assert_true(ring_get(&ring, &byte));
    assert_int_equal(byte, 'c');
    ring_clear(&ring);
    assert_int_equal(ring_free(&ring), 3);
}

static void test_size_zero(void **state UNUSED)
{
    struct ring ring;
    uint8_t byte = 0;

    ring_init(&ring, NULL, 0);
    assert_false(ring_put(&ring, 1));
    ring_put_over(&ring, 1);
    assert_false(ring_get(&ring, &byte));
    assert_int_equal(ring_write(&ring, "x", 1), 0);
    assert_int_equal(ring_read(&ring, &byte, 1), 0);
}

// Bytes come out as they went in: a counting stream through a ring of any size.
static void test_blocks(void **state UNUSED)
{
    uint8_t memory[17];
    uint8_t block[32];

    srand(4);
    for (size_t size = 1; size <= sizeof(memory); size++) {
        struct ring ring;
        uint8_t in = 0;
        uint8_t out = 0;

        ring_init(&ring, memory, size);
        for (int step = 0; step < 2000; step++) {
            size_t n = (size_t)rand() % sizeof(block);
            size_t before = ring_count(&ring);
            size_t moved;

            if (rand() % 2) {
                for (size_t i = 0; i < n; i++) {
                    block[i] = (uint8_t)(in + i);
                }
                moved = ring_write(&ring, block, n);
                assert_int_equal(moved, MIN(n, size - before));
                in = (uint8_t)(in + moved);
            } else {
                moved = ring_read(&ring, block, n);
                assert_int_equal(moved, MIN(n, before));
                for (size_t i = 0; i < moved; i++) {
                    assert_int_equal(block[i], out++);
                }
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_size_zero),
        cmocka_unit_test(test_blocks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
