// SPDX-License-Identifier: Apache-2.0
// Virtual GIC, SGIs: who gets them, groups, sources, and deactivation by system register.

#include "vgic_fixture.h"

#include <lib/errno.h>
#include <port/host.h>

static void v3_sgis(void **state)
{
    (void)state;
    v3(18, 4);
    /* To itself, and to a list with members that do not exist. */
    sgi1r(0, 3ULL << 24 | 1);
    assert_int_equal(fake_take(), 3);
    sgi1r(0, 4ULL << 24 | 1ULL << 16 | 0xffff);
    for (unsigned i = 0; i < 18; i++) {
        fake_switch(i);
        assert_int_equal(fake_take(), i < 16 ? FAKE_SPURIOUS : 4);
    }
    /* Everybody but itself. */
    sgi1r(2, 5ULL << 24 | 1ULL << 40);
    for (unsigned i = 0; i < 18; i++) {
        fake_switch(i);
        assert_int_equal(fake_take(), i == 2 ? FAKE_SPURIOUS : 5);
    }
    /* Nobody: other affinities, other ranges. */
    sgi1r(0, 1ULL << 48 | 1);
    sgi1r(0, 1ULL << 32 | 1);
    sgi1r(0, 0xffULL << 16 | 1);
    sgi1r(0, 1ULL << 44 | 1);
    for (unsigned i = 0; i < 18; i++) {
        fake_switch(i);
        assert_int_equal(fake_take(), FAKE_SPURIOUS);
    }
}

static void v3_sgi_groups(void **state)
{
    uint64_t value = 6ULL << 24 | 1;

    (void)state;
    v3(1, 4);
    gicd_write(0, 3);
    assert_int_equal(ops()->sysreg(&fake.vcpus[0], GUEST_SYSREG_ICC_SGI0R, true, &value), 0);
    assert_int_equal(ops()->sysreg(&fake.vcpus[0], GUEST_SYSREG_ICC_ASGI1R, true, &value), 0);
    assert_int_equal(fake_take(), FAKE_SPURIOUS);
    gicr_write(0, SGI_FRAME + IGROUPR, ~bit(6));
    assert_int_equal(ops()->sysreg(&fake.vcpus[0], GUEST_SYSREG_ICC_SGI0R, true, &value), 0);
    assert_int_equal(fake_take(), 6);
    sgi1r(0, value);
    assert_int_equal(fake_take(), 6);
    assert_int_equal(ops()->sysreg(&fake.vcpus[0], GUEST_SYSREG_ICC_SGI0R, false, &value), -ENOENT);
    assert_int_equal(ops()->sysreg(&fake.vcpus[0], 77, true, &value), -ENOENT);
}

/* One SGI from several sources is one interrupt for each of them. */
static void v2_sgis(void **state)
{
    unsigned source, sources = 0;

    (void)state;
    v2(4, 4);
    for (unsigned i = 0; i < 4; i++) {
        fake_switch(i);
        gicd_write(0xf00, 0x00010002); /* list: VCPU 0, SGI 2 */
        gicd_write(0xf00, 0x00010002);
    }
    fake_switch(0);
    assert_int_equal(gicd_read(0xf20), 0x000f0000);
    for (unsigned i = 0; i < 4; i++) {
        fake_enter();
        assert_int_equal(fake_ack_source(&source), 2);
        sources |= 1U << source;
        fake_enter();
        fake_end(2);
    }
    assert_int_equal(sources, 0xf);
    assert_int_equal(fake_take(), FAKE_SPURIOUS);
    /* Filters: others, itself, reserved. */
    gicd_write(0xf00, 1U << 24 | 5);
    gicd_write(0xf00, 2U << 24 | 6);
    gicd_write(0xf00, 3U << 24 | 0xff0000 | 7);
    gicd_write(0xf00, 0xf00000 | 8);
    assert_int_equal(fake_take(), 6);
    assert_int_equal(fake_take(), FAKE_SPURIOUS);
    for (unsigned i = 1; i < 4; i++) {
        fake_switch(i);
        assert_int_equal(fake_take(), 5);
        assert_int_equal(fake_take(), FAKE_SPURIOUS);
    }
}

static void v2_sgi_pending_registers(void **state)
{
    uint64_t byte = 0x05;

    (void)state;
    v2(4, 4);
    assert_int_equal(fake_access(0, 0xf23, 1, true, &byte), 0);
    assert_int_equal(gicd_read(0xf10), 0x05000000);
    fake_enter();
    assert_int_equal(gicd_read(0xf20), 0x05000000);
    byte = 0x01;
    assert_int_equal(fake_access(0, 0xf13, 1, true, &byte), 0);
    assert_int_equal(gicd_read(0xf20), 0x04000000);
    assert_int_equal(fake_take(), 3);
    assert_int_equal(fake_take(), FAKE_SPURIOUS);
    /* The pending registers of other interrupts do not reach SGIs. */
    gicd_write(ISPENDR, 0xffff);
    assert_int_equal(gicd_read(ISPENDR), 0);
}

static int before(void **state)
{
    (void)state;
    fake_boot();
    return 0;
}

static int after(void **state)
{
    (void)state;
    fake_destroy();
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, before, after)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(v3_sgis),
        TEST(v3_sgi_groups),
        TEST(v2_sgis),
        TEST(v2_sgi_pending_registers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
