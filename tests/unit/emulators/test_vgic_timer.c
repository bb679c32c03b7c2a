// SPDX-License-Identifier: Apache-2.0
// Virtual GIC, hardware-linked interrupts: the life of a timer interrupt and of its physical half.

#include "vgic_fixture.h"

#include <port/host.h>

static void timer_life_cycle(void **state)
{
    uint32_t pirq;

    (void)state;
    v3(1, 4);
    timer(0, true);
    assert_true(ops()->deliverable(&fake.vcpus[0]));
    fake_enter();
    assert_true(fake_lr(TIMER_PPI)->hw);
    assert_int_equal(fake_lr(TIMER_PPI)->pirq, TIMER_PIRQ);
    assert_false(fake_lr(TIMER_PPI)->eoi);
    assert_int_equal(fake_ack(), TIMER_PPI);
    fake_end(TIMER_PPI);
    assert_int_equal(fake.physical_ends, 1);
    /* It fires again before the end of the first was seen. */
    timer(0, true);
    assert_int_equal(fake_take(), TIMER_PPI);
    assert_int_equal(fake_take(), FAKE_SPURIOUS);
    assert_int_equal(gicr_read(0, SGI_FRAME + ISPENDR), 0);
    assert_int_equal(fake.physical_ends, 2);
    assert_int_equal(host_guest_irq_deactivated(&pirq), 0);
}

static void timer_withdrawn(void **state)
{
    uint32_t pirq;

    (void)state;
    v3(1, 4);
    timer(0, true);
    fake_enter();
    timer(0, false);
    fake_enter();
    assert_null(fake_lr(TIMER_PPI));
    assert_int_equal(host_guest_irq_deactivated(&pirq), 1);
    assert_int_equal(pirq, TIMER_PIRQ);
    /* While the guest has it active, the guest ends it. */
    timer(0, true);
    fake_enter();
    assert_int_equal(fake_ack(), TIMER_PPI);
    timer(0, false);
    fake_enter();
    assert_true(fake_lr(TIMER_PPI)->active);
    assert_int_equal(host_guest_irq_deactivated(&pirq), 1);
    fake_end(TIMER_PPI);
    assert_int_equal(fake.physical_ends, 1);
    assert_int_equal(fake_take(), FAKE_SPURIOUS);
}

/* Disabled by the guest: pending in the model, physically active, so no storm. Enabled: asked anew, delivered once. */
static void timer_while_disabled(void **state)
{
    uint32_t pirq;

    (void)state;
    v3(1, 4);
    gicr_write(0, SGI_FRAME + ICENABLER, bit(TIMER_PPI));
    fake_enter();
    timer(0, true);
    fake_enter();
    assert_null(fake_lr(TIMER_PPI));
    assert_int_equal(gicr_read(0, SGI_FRAME + ISPENDR), bit(TIMER_PPI));
    assert_int_equal(host_guest_irq_deactivated(&pirq), 0);
    gicr_write(0, SGI_FRAME + ISENABLER, bit(TIMER_PPI));
    fake_enter();
    assert_null(fake_lr(TIMER_PPI));
    assert_int_equal(host_guest_irq_deactivated(&pirq), 1);
    assert_int_equal(gicr_read(0, SGI_FRAME + ISPENDR), 0);
    timer(0, true);
    fake_enter();
    assert_true(fake_lr(TIMER_PPI)->hw);
    assert_int_equal(fake_take(), TIMER_PPI);
    assert_int_equal(fake_take(), FAKE_SPURIOUS);
}

/* The guest stops its timer while the interrupt waits, and disables it: nothing is left of it. */
static void timer_stopped_and_disabled(void **state)
{
    uint32_t pirq;

    (void)state;
    v3(1, 4);
    timer(0, true);
    fake_enter();
    assert_non_null(fake_lr(TIMER_PPI));
    gicr_write(0, SGI_FRAME + ICENABLER, bit(TIMER_PPI));
    fake_enter();
    assert_null(fake_lr(TIMER_PPI));
    assert_int_equal(host_guest_irq_deactivated(&pirq), 1);
    assert_int_equal(gicr_read(0, SGI_FRAME + ISPENDR), 0);
    gicr_write(0, SGI_FRAME + ISENABLER, bit(TIMER_PPI));
    assert_int_equal(fake_take(), FAKE_SPURIOUS);
}

/* Timer event of a descheduled VCPU whose handler is still at work: no second interrupt. */
static void timer_event_of_a_descheduled_vcpu(void **state)
{
    (void)state;
    v3(1, 4);
    timer(0, true);
    fake_enter();
    assert_int_equal(fake_ack(), TIMER_PPI);
    timer(0, true);
    fake_enter();
    fake_end(TIMER_PPI);
    assert_int_equal(fake_take(), FAKE_SPURIOUS);
}

static void timer_cleared_by_register(void **state)
{
    uint32_t pirq;

    (void)state;
    v3(1, 4);
    timer(0, true);
    fake_enter();
    assert_int_equal(fake_ack(), TIMER_PPI);
    gicr_write(0, SGI_FRAME + ICACTIVER, bit(TIMER_PPI));
    fake_enter();
    assert_null(fake_lr(TIMER_PPI));
    assert_int_equal(host_guest_irq_deactivated(&pirq), 1);
    assert_int_equal(gicr_read(0, SGI_FRAME + ISACTIVER), 0);
}

/* Pended by software: never linked to the physical one. */
static void timer_pended_by_software(void **state)
{
    (void)state;
    v3(1, 4);
    gicr_write(0, SGI_FRAME + ISPENDR, bit(TIMER_PPI));
    fake_enter();
    assert_false(fake_lr(TIMER_PPI)->hw);
    assert_int_equal(fake_ack(), TIMER_PPI);
    /* The real one fires meanwhile. */
    timer(0, true);
    fake_enter();
    fake_end(TIMER_PPI);
    assert_int_equal(fake.physical_ends, 0);
    assert_int_equal(fake_take(), FAKE_SPURIOUS);
    timer(0, true);
    assert_int_equal(fake_take(), TIMER_PPI);
    assert_int_equal(fake.physical_ends, 1);
    assert_int_equal(fake_take(), FAKE_SPURIOUS);
}

/* The guest stops its timer unseen and looks at the pending bit: that is what the source says, enabled or not. */
static void timer_pending_follows_its_source(void **state)
{
    uint32_t pirq;

    (void)state;
    v3(1, 4);
    for (unsigned disabled = 0; disabled < 2; disabled++) {
        if (disabled)
            gicr_write(0, SGI_FRAME + ICENABLER, bit(TIMER_PPI));
        host_guest_irq_set_asserts(true);
        timer(0, true);
        fake_enter();
        assert_int_equal(gicr_read(0, SGI_FRAME + ISPENDR), bit(TIMER_PPI));
        host_guest_irq_set_asserts(false);
        assert_int_equal(gicr_read(0, SGI_FRAME + ISPENDR), 0);
        fake_enter();
        assert_null(fake_lr(TIMER_PPI));
        assert_int_equal(host_guest_irq_deactivated(&pirq), disabled + 1);
    }
    gicr_write(0, SGI_FRAME + ISENABLER, bit(TIMER_PPI));
    assert_int_equal(fake_take(), FAKE_SPURIOUS);
    host_guest_irq_set_asserts(true);
    timer(0, true);
    assert_int_equal(fake_take(), TIMER_PPI);
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
        TEST(timer_life_cycle),
        TEST(timer_withdrawn),
        TEST(timer_while_disabled),
        TEST(timer_stopped_and_disabled),
        TEST(timer_event_of_a_descheduled_vcpu),
        TEST(timer_cleared_by_register),
        TEST(timer_pended_by_software),
        TEST(timer_pending_follows_its_source),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
