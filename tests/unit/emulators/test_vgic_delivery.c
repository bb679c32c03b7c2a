// SPDX-License-Identifier: Apache-2.0
// Virtual GIC, delivery: from lines and registers through list registers to the guest and back.

#include "vgic_fixture.h"

#include <lib/errno.h>
#include <port/host.h>

static void level_line_is_delivered_until_low(void **state)
{
    (void)state;
    v3(1, 4);
    line(40, true);
    assert_true(fake.vcpus[0].exit_work & VCPU_WORK_IRQ);
    assert_true(fake_enter());
    assert_false(fake_enter());
    assert_true(fake_lr(40)->group1);
    assert_int_equal(fake_ack(), 40);
    assert_int_equal(gicd_read(ISACTIVER + word(40)), bit(40));
    assert_int_equal(gicd_read(ISPENDR + word(40)), bit(40));
    /* Still high at its end: again. */
    fake_end(40);
    assert_int_equal(fake_take(), 40);
    /* Lowered by the handler: over, and without a maintenance interrupt. */
    fake_enter();
    assert_int_equal(fake_ack(), 40);
    line(40, false);
    assert_true(fake_enter());
    assert_false(fake_lr(40)->eoi);
    fake_end(40);
    assert_int_equal(arch_guest_irq_lr_ended(), 0);
    assert_int_equal(fake_take(), FAKE_SPURIOUS);
    assert_int_equal(gicd_read(ISPENDR + word(40)), 0);
    assert_int_equal(gicd_read(ISACTIVER + word(40)), 0);
}

static void level_line_low_before_ack_is_withdrawn(void **state)
{
    (void)state;
    v3(1, 4);
    line(40, true);
    fake_enter();
    line(40, false);
    fake_enter();
    assert_null(fake_lr(40));
    assert_int_equal(fake_take(), FAKE_SPURIOUS);
}

static void edge_is_latched_once(void **state)
{
    (void)state;
    v3(1, 4);
    edge(41);
    line(41, true);
    line(41, false);
    line(41, true);
    assert_int_equal(fake_take(), 41);
    assert_int_equal(fake_take(), FAKE_SPURIOUS);
    /* A second edge while the first is being served comes afterwards. */
    line(41, false);
    line(41, true);
    fake_enter();
    assert_int_equal(fake_ack(), 41);
    line(41, false);
    line(41, true);
    fake_enter();
    fake_end(41);
    assert_int_equal(fake_take(), 41);
    assert_int_equal(fake_take(), FAKE_SPURIOUS);
}

static void disable_while_in_list_register(void **state)
{
    (void)state;
    v3(1, 4);
    edge(42);
    line(42, true);
    fake_enter();
    gicd_write(ICENABLER + word(42), bit(42));
    fake_enter();
    assert_null(fake_lr(42));
    assert_int_equal(gicd_read(ISPENDR + word(42)), bit(42));
    assert_false(ops()->deliverable(&fake.vcpus[0]));
    gicd_write(ISENABLER + word(42), bit(42));
    assert_true(ops()->deliverable(&fake.vcpus[0]));
    assert_int_equal(fake_take(), 42);
    assert_int_equal(fake_take(), FAKE_SPURIOUS);
}

static void groups_and_distributor_enable(void **state)
{
    (void)state;
    v3(1, 4);
    gicd_write(0, 0);
    line(40, true);
    assert_int_equal(fake_take(), FAKE_SPURIOUS);
    assert_false(ops()->deliverable(&fake.vcpus[0]));
    gicd_write(0, 1);
    assert_int_equal(fake_take(), FAKE_SPURIOUS);
    gicd_write(0, 3);
    assert_true(ops()->deliverable(&fake.vcpus[0]));
    fake_enter();
    assert_non_null(fake_lr(40));
    gicd_write(IGROUPR + word(40), ~bit(40));
    fake_enter();
    assert_false(fake_lr(40)->group1);
    gicd_write(0, 2);
    fake_enter();
    assert_null(fake_lr(40));
    assert_int_equal(gicd_read(ISPENDR + word(40)), bit(40));
    gicd_write(0, 1);
    assert_int_equal(fake_take(), 40);
}

/* Its end finds it by what it was acknowledged with; what is pended meanwhile comes as configured. */
static void configured_anew_while_active(void **state)
{
    (void)state;
    v3(1, 4);
    gicd_write(0, 3);
    edge(40);
    priority(40, 0x80);
    gicd_write(ISPENDR + word(40), bit(40));
    fake_enter();
    assert_int_equal(fake_ack(), 40);
    priority(40, 0x40);
    gicd_write(IGROUPR + word(40), ~bit(40));
    fake_enter();
    assert_int_equal(fake_lr(40)->priority, 0x80);
    assert_true(fake_lr(40)->group1);
    gicd_write(ISPENDR + word(40), bit(40));
    fake_enter();
    assert_true(fake_lr(40)->active && !fake_lr(40)->pending);
    fake_end(40);
    fake_enter();
    assert_int_equal(fake_lr(40)->priority, 0x40);
    assert_false(fake_lr(40)->group1);
    assert_int_equal(fake_take(), 40);
    assert_int_equal(fake_take(), FAKE_SPURIOUS);
}

/* More urgent ones of a group that is closed, or gets closed, leave a list register to the open one. */
static void closed_group_keeps_nothing_out(void **state)
{
    unsigned taken = 0;

    (void)state;
    v3(1, 4);
    gicd_write(0, 3);
    gicd_write(IGROUPR + word(40), ~0xff00U);
    for (uint32_t irq = 40; irq < 48; irq++) {
        priority(irq, 0x40);
        line(irq, true);
    }
    edge(48);
    priority(48, 0x80);
    host_guest_irq_set_groups(2);
    line(48, true);
    line(48, false);
    assert_int_equal(fake_take(), 48);
    fake_enter();
    assert_false(fake_enter());
    host_guest_irq_set_groups(3);
    line(48, true);
    assert_true(fake_enter());
    assert_null(fake_lr(48));
    assert_false(fake_enter());
    host_guest_irq_set_groups(2);
    assert_int_equal(fake_take(), 48);
    assert_int_equal(fake_take(), FAKE_SPURIOUS);
    host_guest_irq_set_groups(3);
    for (uint32_t irq; (irq = fake_take()) != FAKE_SPURIOUS; taken++)
        line(irq, false);
    assert_int_equal(taken, 8);
}

static void priority_mask_decides_wfi(void **state)
{
    (void)state;
    v3(1, 4);
    priority(40, 0x80);
    line(40, true);
    host_guest_irq_set_mask(0x80);
    assert_false(ops()->deliverable(&fake.vcpus[0]));
    host_guest_irq_set_mask(0x88);
    assert_true(ops()->deliverable(&fake.vcpus[0]));
    fake_enter();
    assert_true(ops()->deliverable(&fake.vcpus[0]));
    fake_ack();
    assert_false(ops()->deliverable(&fake.vcpus[0]));
    host_guest_irq_set_mask(256);
}

/* More pending than list registers: each once, in the order of priority. */
static void overflow(void **state)
{
    unsigned maintenance = 0, taken = 0;
    uint8_t last = 0;
    uint64_t seen[2] = {0, 0};

    (void)state;
    v3(1, 4);
    for (uint32_t irq = 32; irq < 128; irq++) {
        edge(irq);
        priority(irq, (uint8_t)(irq * 40 & 0xf8));
        line(irq, true);
    }
    for (uint32_t sgi = 0; sgi < 16; sgi++)
        sgi1r(0, (uint64_t)sgi << 24 | 1);
    for (;;) {
        unsigned source;
        uint32_t irq;
        const struct guest_irq_lr *lr;

        maintenance += fake_enter();
        irq = fake_ack_source(&source);
        if (irq == FAKE_SPURIOUS)
            break;
        lr = fake_lr(irq);
        assert_non_null(lr);
        assert_true(lr->priority >= last);
        last = lr->priority;
        assert_int_equal(seen[irq / 64] >> (irq % 64) & 1, 0);
        seen[irq / 64] |= 1ULL << (irq % 64);
        taken++;
        fake_end(irq);
    }
    assert_int_equal(taken, 96 + 16);
    assert_true(maintenance <= (96 + 16) / 3 + 2);
    assert_int_equal(host_guest_irq_maintain(), 0);
}

static void more_urgent_one_replaces(void **state)
{
    uint64_t seen = 0;

    (void)state;
    v3(1, 4);
    for (uint32_t irq = 40; irq < 46; irq++) {
        edge(irq);
        priority(irq, 0xa0);
        line(irq, true);
    }
    fake_enter();
    assert_int_equal(host_guest_irq_maintain(), GUEST_IRQ_WHEN_NO_PENDING | GUEST_IRQ_WHEN_GROUPS);
    edge(50);
    priority(50, 0x20);
    line(50, true);
    fake_enter();
    assert_non_null(fake_lr(50));
    assert_int_equal(fake_take(), 50);
    /* The others are equal: each comes, in any order. */
    for (unsigned i = 0; i < 6; i++)
        seen |= 1ULL << fake_take();
    assert_int_equal(seen, 0x3fULL << 40);
    assert_int_equal(fake_take(), FAKE_SPURIOUS);
}

/* Nested deeper than there are list registers: the next one still comes in, and each is ended in its turn. */
static void active_overflow(void **state)
{
    (void)state;
    v3(1, 4);
    for (uint32_t irq = 40; irq < 48; irq++) {
        edge(irq);
        priority(irq, (uint8_t)(0xf0 - (irq - 40) * 0x10));
        line(irq, true);
        fake_enter();
        assert_int_equal(fake_ack(), irq);
    }
    for (uint32_t irq = 48; irq-- > 40;) {
        fake_enter();
        assert_non_null(fake_lr(irq));
        fake_end(irq);
    }
    assert_int_equal(fake_take(), FAKE_SPURIOUS);
    assert_int_equal(gicd_read(ISACTIVER + word(40)), 0);
}

static void set_and_clear_pending(void **state)
{
    (void)state;
    v3(1, 4);
    gicd_write(ISPENDR + word(60), bit(60));
    assert_int_equal(gicd_read(ISPENDR + word(60)), bit(60));
    fake_enter();
    assert_non_null(fake_lr(60));
    gicd_write(ICPENDR + word(60), bit(60));
    fake_enter();
    assert_null(fake_lr(60));
    /* A level-sensitive line stays pending by its level. */
    line(61, true);
    gicd_write(ICPENDR + word(61), bit(61));
    assert_int_equal(gicd_read(ICPENDR + word(61)), bit(61));
    line(61, false);
    assert_int_equal(gicd_read(ICPENDR + word(61)), 0);
}

static void set_and_clear_active(void **state)
{
    (void)state;
    v3(1, 4);
    gicd_write(ISACTIVER + word(60), bit(60));
    line(60, true);
    fake_enter();
    assert_true(fake_lr(60)->active);
    assert_int_equal(fake_ack(), FAKE_SPURIOUS);
    gicd_write(ICACTIVER + word(60), bit(60));
    assert_int_equal(gicd_read(ISACTIVER + word(60)), 0);
    fake_enter();
    assert_int_equal(fake_ack(), 60);
    gicd_write(ICACTIVER + word(60), bit(60));
    fake_enter();
    assert_false(fake_lr(60)->active);
    line(60, false);
    fake_enter();
    assert_null(fake_lr(60));
}

/* The interrupt is active in the list register of another VCPU, which folds when it next comes by. */
static void clear_active_of_another_vcpu(void **state)
{
    (void)state;
    v3(2, 4);
    edge(60);
    line(60, true);
    fake_enter();
    assert_int_equal(fake_ack(), 60);
    fake_switch(1);
    gicd_write(ICACTIVER + word(60), bit(60));
    assert_true(fake.vcpus[0].exit_work & (VCPU_WORK_IRQ | VCPU_WORK_IRQ_NEW));
    assert_int_equal(gicd_read(ISACTIVER + word(60)), 0);
    fake_switch(0);
    fake_enter();
    assert_null(fake_lr(60));
    assert_int_equal(gicd_read(ISACTIVER + word(60)), 0);
    line(60, false);
    line(60, true);
    assert_int_equal(fake_take(), 60);
}

static void irouter_moves_pending(void **state)
{
    uint64_t route = 1;

    (void)state;
    v3(2, 4);
    edge(60);
    line(60, true);
    fake_enter();
    assert_non_null(fake_lr(60));
    assert_int_equal(fake_access(0, 0x6000 + 60 * 8, 8, true, &route), 0);
    fake_enter();
    assert_null(fake_lr(60));
    assert_int_equal(fake_take(), FAKE_SPURIOUS);
    fake_switch(1);
    assert_int_equal(fake_take(), 60);
    /* To nobody: pending is kept until somebody is named. */
    route = 0x55;
    assert_int_equal(fake_access(0, 0x6000 + 60 * 8, 8, true, &route), 0);
    assert_int_equal(fake_access(0, 0x6000 + 60 * 8, 8, false, &route), 0);
    assert_int_equal(route, 0x55);
    line(60, false);
    line(60, true);
    assert_int_equal(fake_take(), FAKE_SPURIOUS);
    route = 0;
    assert_int_equal(fake_access(0, 0x6000 + 60 * 8, 8, true, &route), 0);
    fake_switch(0);
    assert_int_equal(fake_take(), 60);
}

/* Active on one VCPU and pending again for another: it moves when the first has ended it. */
static void irouter_moves_after_end(void **state)
{
    uint64_t route = 1;

    (void)state;
    v3(2, 4);
    edge(60);
    line(60, true);
    fake_enter();
    assert_int_equal(fake_ack(), 60);
    assert_int_equal(fake_access(0, 0x6000 + 60 * 8, 8, true, &route), 0);
    line(60, false);
    line(60, true);
    fake_enter();
    assert_true(fake_lr(60)->active);
    assert_false(fake_lr(60)->pending);
    fake_switch(1);
    assert_int_equal(fake_take(), FAKE_SPURIOUS);
    fake_switch(0);
    fake_end(60);
    fake_enter();
    assert_int_equal(fake_ack(), FAKE_SPURIOUS);
    fake_switch(1);
    assert_int_equal(fake_take(), 60);
}

static void itargetsr_moves_pending(void **state)
{
    uint64_t target = 0;

    (void)state;
    v2(3, 4);
    line(60, true);
    fake_enter();
    assert_int_equal(fake_access(0, ITARGETSR + 60, 1, true, &target), 0);
    assert_int_equal(fake_take(), FAKE_SPURIOUS);
    assert_int_equal(gicd_read(ISPENDR + word(60)), bit(60));
    target = 0xfc; /* the third VCPU, and five that do not exist */
    assert_int_equal(fake_access(0, ITARGETSR + 60, 1, true, &target), 0);
    assert_int_equal(gicd_read(ITARGETSR + 60) & 0xff, 4);
    fake_switch(2);
    fake_enter();
    assert_false(fake_lr(60)->group1);
    assert_int_equal(fake_take(), 60);
}

static void vcpu_reset_empties(void **state)
{
    (void)state;
    v3(2, 4);
    edge(60);
    edge(61);
    line(60, true);
    fake_enter();
    assert_int_equal(fake_ack(), 60);
    line(61, true);
    sgi1r(1, 3ULL << 24 | 1);
    timer(0, true);
    /* That 60 was acknowledged only its list register knows. */
    arch_vcpu_sync(&fake.vcpus[0]);
    ops()->vcpu_reset(&fake.vcpus[0]);
    arch_vcpu_reset(&fake.vcpus[0], 0, 0);
    fake_switch(0);
    assert_int_equal(gicd_read(ISPENDR + word(60)), bit(61));
    assert_int_equal(gicr_read(0, SGI_FRAME + ISPENDR), 0);
    assert_int_equal(gicr_read(0, SGI_FRAME + ISENABLER), 0);
    assert_int_equal(gicd_read(ISACTIVER + word(60)), 0);
    gicr_write(0, SGI_FRAME + ISENABLER, ~0U);
    assert_int_equal(fake_take(), 61);
    assert_int_equal(fake_take(), FAKE_SPURIOUS);
}

static void device_reset_empties(void **state)
{
    (void)state;
    v3(2, 4);
    line(60, true);
    edge(61);
    line(61, true);
    fake_enter();
    for (unsigned i = 0; i < 4; i++)
        arch_guest_irq_lr_clear(i);
    fake.gic.emulator->reset(&fake.gic);
    ops()->vcpu_reset(&fake.vcpus[0]);
    ops()->vcpu_reset(&fake.vcpus[1]);
    assert_int_equal(fake_take(), FAKE_SPURIOUS);
    assert_int_equal(gicd_read(0), 0x50);
    /* The lines are the devices': still high, and level-sensitive now. */
    assert_int_equal(gicd_read(ISPENDR + word(60)), bit(60) | bit(61));
    line(60, false);
    line(61, false);
    assert_int_equal(gicd_read(ISPENDR + word(60)), 0);
}

static void numbers_that_do_not_exist(void **state)
{
    (void)state;
    v3(1, 4);
    assert_int_equal(guest_irq_line(&fake.guest, 128, true), -EINVAL);
    assert_int_equal(guest_irq_line(&fake.guest, 31, true), -EINVAL);
    assert_int_equal(guest_irq_line(&fake.guest, UINT32_MAX, true), -EINVAL);
    assert_int_equal(ops()->private_set(&fake.vcpus[0], 15, true, 0), -EINVAL);
    assert_int_equal(ops()->private_set(&fake.vcpus[0], 32, true, 0), -EINVAL);
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

/* By the guest's own store, and from a device behind its back; as a level until it is cleared. */
static void message_based(void **state)
{
    (void)state;
    v3(1, 4);
    edge(40);
    assert_int_equal(gicd_read(4) >> 16 & 1, 1);
    gicd_write(SETSPI, 40);
    assert_int_equal(fake_take(), 40);
    assert_int_equal(fake_take(), FAKE_SPURIOUS);
    assert_int_equal(guest_irq_message(&fake.guest, gpa(SETSPI), 40, 7), 0);
    gicd_write(CLRSPI, 40);
    assert_int_equal(fake_take(), FAKE_SPURIOUS);
    assert_int_equal(guest_irq_message(&fake.guest, gpa(SETSPI), 41, 7), 0);
    assert_int_equal(fake_take(), 41);
    assert_int_equal(fake_take(), 41);
    assert_int_equal(guest_irq_message(&fake.guest, gpa(CLRSPI), 41, 7), 0);
    assert_int_equal(fake_take(), FAKE_SPURIOUS);
    /* Numbers that are no SPI, and the place between the registers. */
    gicd_write(SETSPI, 31);
    gicd_write(SETSPI, 1023);
    assert_int_equal(guest_irq_message(&fake.guest, gpa(SETSPI + 4), 40, 7), -EFAULT);
    assert_int_equal(fake_take(), FAKE_SPURIOUS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, before, after)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(level_line_is_delivered_until_low),
        TEST(level_line_low_before_ack_is_withdrawn),
        TEST(edge_is_latched_once),
        TEST(disable_while_in_list_register),
        TEST(groups_and_distributor_enable),
        TEST(configured_anew_while_active),
        TEST(closed_group_keeps_nothing_out),
        TEST(priority_mask_decides_wfi),
        TEST(overflow),
        TEST(more_urgent_one_replaces),
        TEST(active_overflow),
        TEST(set_and_clear_pending),
        TEST(set_and_clear_active),
        TEST(clear_active_of_another_vcpu),
        TEST(irouter_moves_pending),
        TEST(irouter_moves_after_end),
        TEST(itargetsr_moves_pending),
        TEST(vcpu_reset_empties),
        TEST(device_reset_empties),
        TEST(numbers_that_do_not_exist),
        TEST(message_based),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
