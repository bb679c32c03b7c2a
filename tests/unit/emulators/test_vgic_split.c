// SPDX-License-Identifier: Apache-2.0
// Interrupts that end in two steps: deactivated by name, in any order, on any VCPU, though they are in no list register.

#include "vgic_fixture.h"

#include <port/host.h>

#define GICC_DIR 0x1000
#define FIRST 40
#define COUNT 12

static void dir(uint32_t intid)
{
    uint64_t value = intid;

    if (fake.guest.intc_version == 2)
        assert_int_equal(fake_access(1, GICC_DIR, 4, true, &value), 0);
    else
        assert_int_equal(
            ops()->sysreg(&fake.vcpus[fake.current], GUEST_SYSREG_ICC_DIR, true, &value), 0);
}

static bool is_active(uint32_t intid)
{
    return (gicd_read(ISACTIVER + word(intid)) & bit(intid)) != 0;
}

static void pend(uint32_t intid)
{
    gicd_write(ISPENDR + word(intid), bit(intid));
}

static void boot(unsigned version, unsigned vcpus)
{
    if (version == 2)
        v2(vcpus, 4);
    else
        v3(vcpus, 4);
    for (uint32_t irq = FIRST; irq < FIRST + COUNT; irq++) {
        edge(irq);
        priority(irq, 0xa0);
    }
    host_guest_irq_set_split(true);
}

/* All are taken before the first is deactivated. */
static void any_order(unsigned version)
{
    uint64_t taken = 0;

    boot(version, 1);
    for (uint32_t irq = FIRST; irq < FIRST + COUNT; irq++)
        pend(irq);
    for (unsigned i = 0; i < COUNT; i++) {
        fake_enter();
        uint32_t irq = fake_ack();
        assert_in_range(irq, FIRST, FIRST + COUNT - 1);
        assert_int_equal(taken >> irq & 1, 0);
        taken |= 1ULL << irq;
    }
    fake_enter();
    for (unsigned i = 0; i < COUNT; i++) {
        uint32_t irq = FIRST + i * 5 % COUNT;

        assert_true(is_active(irq));
        dir(irq);
        fake_enter();
        assert_false(is_active(irq));
    }
    assert_int_equal(host_guest_irq_maintain(), 0);
}

static void many_v2(void **state)
{
    (void)state;
    any_order(2);
}

static void many_v3(void **state)
{
    (void)state;
    any_order(3);
}

static void only_when_split(void **state)
{
    (void)state;
    for (unsigned version = 2; version <= 3; version++) {
        boot(version, 1);
        pend(FIRST);
        fake_enter();
        assert_int_equal(fake_ack(), FIRST);
        host_guest_irq_set_split(false);
        dir(FIRST);
        assert_true(is_active(FIRST));
        host_guest_irq_set_split(true);
        dir(FIRST);
        fake_enter();
        assert_null(fake_lr(FIRST));
        assert_false(is_active(FIRST));
        dir(0x3ff);
        if (version == 2)
            fake_destroy();
    }
}

static void on_another_vcpu(void **state)
{
    (void)state;
    boot(3, 2);
    pend(FIRST);
    fake_enter();
    assert_int_equal(fake_ack(), FIRST);
    fake_switch(1);
    assert_true(is_active(FIRST));
    dir(FIRST);
    assert_false(is_active(FIRST));
    fake_switch(0);
    fake_enter();
    assert_null(fake_lr(FIRST));
}

/* What a VCPU held that stopped itself is free for the others. */
static void off_gives_back(void **state)
{
    (void)state;
    boot(3, 2);
    pend(FIRST);
    pend(FIRST + 1);
    fake_enter();
    uint32_t active = fake_ack(), waiting = active == FIRST ? FIRST + 1 : FIRST;
    ops()->vcpu_off(&fake.vcpus[0]);
    assert_null(fake_lr(active));
    assert_null(fake_lr(waiting));
    fake_switch(1);
    assert_false(is_active(active));
    pend(active);
    for (uint32_t irq = FIRST; irq < FIRST + 2; irq++)
        gicd_write(0x6000 + irq * 8, 1);
    assert_in_range(fake_take(), FIRST, FIRST + 1);
    assert_in_range(fake_take(), FIRST, FIRST + 1);
    assert_int_equal(fake_take(), FAKE_SPURIOUS);
}

/* A GICv2 with one CPU interface has nothing to choose. */
static void one_vcpu_is_the_target(void **state)
{
    (void)state;
    boot(2, 1);
    gicd_write(ITARGETSR + FIRST, 0);
    assert_int_equal(gicd_read(ITARGETSR + FIRST), 0);
    assert_int_equal(gicd_read(ITARGETSR), 0);
    pend(FIRST);
    assert_int_equal(fake_take(), FIRST);
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
        TEST(many_v2),         TEST(many_v3),        TEST(only_when_split),
        TEST(on_another_vcpu), TEST(off_gives_back), TEST(one_vcpu_is_the_target),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
