// SPDX-License-Identifier: Apache-2.0
// Maximum and histogram of times: every border of the buckets, sums of rows.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <hv/latency.h>
#include <lib/macros.h>

static unsigned only_bucket(const struct latency_row *row)
{
    unsigned found = LATENCY_BUCKETS;

    for (unsigned i = 0; i < LATENCY_BUCKETS; i++) {
        if (row->buckets[i] == 0)
            continue;
        assert_int_equal(found, LATENCY_BUCKETS);
        assert_int_equal(row->buckets[i], 1);
        found = i;
    }
    return found;
}

static unsigned bucket(uint64_t ns)
{
    struct latency_row row = {0};

    latency_count(&row, ns);
    assert_int_equal(row.count, 1);
    assert_true(row.max == ns);
    return only_bucket(&row);
}

static void test_buckets(void **state UNUSED)
{
    assert_int_equal(bucket(0), 0);
    assert_int_equal(bucket(1), 0);
    for (unsigned i = 0; i < LATENCY_BUCKETS - 1; i++) {
        assert_int_equal(bucket(((uint64_t)LATENCY_FIRST_NS << i) - 1), i);
        assert_int_equal(bucket((uint64_t)LATENCY_FIRST_NS << i), i + 1);
    }
    assert_int_equal(bucket((uint64_t)LATENCY_FIRST_NS << LATENCY_BUCKETS), LATENCY_BUCKETS - 1);
    assert_int_equal(bucket(UINT64_MAX), LATENCY_BUCKETS - 1);
}

static void test_sums(void **state UNUSED)
{
    struct latency_row row = {0}, sum = {0};

    latency_count(&row, 100);
    latency_count(&row, 5000);
    latency_count(&row, 70);
    assert_true(row.count == 3 && row.max == 5000);
    assert_true(row.buckets[1] == 2 && row.buckets[7] == 1);
    latency_add(&sum, &row);
    row.max = 10;
    latency_add(&sum, &row);
    assert_true(sum.count == 6 && sum.max == 5000);
    assert_true(sum.buckets[1] == 4 && sum.buckets[7] == 2 && sum.buckets[0] == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_buckets),
        cmocka_unit_test(test_sums),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
