// SPDX-License-Identifier: Apache-2.0
// Hypercalls reach the service that has their id, by both conventions; unknown ones change x0 only.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <hv/emulator.h>
#include <hv/upcall.h>
#include <string.h>

static unsigned calls;

static void call(struct vcpu *vcpu, uint64_t x[18])
{
    (void)vcpu;
    calls++;
    x[0] = 0x600d;
}

static const struct smccc_service service = {.first = 0x86000010, .last = 0x8600001f, .call = call};
SMCCC_SERVICE(service);

static uint64_t x[18];

static uint64_t hypercall(uint64_t id)
{
    for (unsigned i = 0; i < 18; i++)
        x[i] = i;
    x[0] = id;
    hv_hypercall(NULL, x);
    return x[0];
}

static void test_known(void **state)
{
    (void)state;
    calls = 0;
    assert_int_equal(hypercall(0x86000010), 0x600d);
    assert_int_equal(hypercall(0x8600001f), 0x600d);
    assert_int_equal(hypercall(0xc6000010), 0x600d);
    assert_int_equal(hypercall(0xdeadbeef86000011), 0x600d);
    assert_int_equal(calls, 4);
}

static void test_unknown(void **state)
{
    static const uint64_t ids[] = {0x8600000f, 0x86000020, 0x06000010,
                                   0xffffffff, 0x7fffffff, UINT64_MAX};

    (void)state;
    calls = 0;
    for (unsigned i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        assert_int_equal(hypercall(ids[i]), UINT64_MAX);
        for (unsigned r = 1; r < 18; r++)
            assert_int_equal(x[r], r);
    }
    assert_int_equal(calls, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_known), cmocka_unit_test(test_unknown)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
