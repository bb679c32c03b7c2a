// SPDX-License-Identifier: Apache-2.0
// Virtual GIC, delivery: from lines, SGIs and registers through list registers to the guest and back.

#include "fake_guest.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <hv/upcall.h>
#include <lib/errno.h>
#include <port/host.h>

#define IGROUPR 0x080
#define ISENABLER 0x100
#define ICENABLER 0x180
#define ISPENDR 0x200
#define ICPENDR 0x280
#define ISACTIVER 0x300
#define ICACTIVER 0x380
#define IPRIORITYR 0x400
#define ITARGETSR 0x800
#define ICFGR 0xc00
#define SGI_FRAME 0x10000
#define TIMER_PPI 27
#define TIMER_PIRQ 27

static const struct intc_ops *ops(void)
{
    return fake.guest.intc_ops;
}

static void line(uint32_t irq, bool level)
{
    assert_int_equal(ops()->line_set(&fake.guest, irq, level), 0);
}

static void timer(unsigned vcpu, bool level)
{
    assert_int_equal(ops()->private_set(&fake.vcpus[vcpu], TIMER_PPI, level, TIMER_PIRQ), 0);
}

static uint32_t bit(uint32_t irq)
{
    return 1U << (irq % 32);
}

static uint32_t word(uint32_t irq)
{
    return irq / 32 * 4;
}

static void priority(uint32_t irq, uint8_t value)
{
    uint64_t wide = value;

    assert_int_equal(fake_access(0, IPRIORITYR + irq, 1, true, &wide), 0);
}

static void edge(uint32_t irq)
{
    uint32_t offset = ICFGR + irq / 16 * 4;

    gicd_write(offset, gicd_read(offset) | 2U << (irq % 16 * 2));
}

/* GICv3 on: all SPIs routed to VCPU 0, group 1, enabled. */
static void v3(unsigned vcpus, unsigned lrs)
{
    fake_create(3, vcpus, lrs);
    gicd_write(0, 2);
    for (uint32_t irq = 32; irq < 128; irq += 32) {
        gicd_write(IGROUPR + word(irq), ~0U);
        gicd_write(ISENABLER + word(irq), ~0U);
    }
    for (unsigned i = 0; i < vcpus; i++) {
        gicr_write(i, SGI_FRAME + IGROUPR, ~0U);
        gicr_write(i, SGI_FRAME + ISENABLER, ~0U);
    }
    fake_enter();
}

static void v2(unsigned vcpus, unsigned lrs)
{
    fake_create(2, vcpus, lrs);
    gicd_write(0, 1);
    for (uint32_t irq = 32; irq < 128; irq += 4)
        gicd_write(ITARGETSR + irq, 0x01010101);
    for (uint32_t irq = 32; irq < 128; irq += 32)
        gicd_write(ISENABLER + word(irq), ~0U);
    fake_enter();
}

static void sgi1r(unsigned from, uint64_t value)
{
    assert_int_equal(ops()->sysreg(&fake.vcpus[from], GUEST_SYSREG_ICC_SGI1R, true, &value), 0);
}

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
    assert_false(host_guest_irq_underflow());
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
    assert_true(host_guest_irq_underflow());
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
    assert_true(fake.vcpus[0].exit_work & VCPU_WORK_IRQ);
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
    assert_int_equal(ops()->sysreg(&fake.vcpus[0], GUEST_SYSREG_ICC_SGI1R, false, &value), -ENOENT);
    assert_int_equal(ops()->sysreg(&fake.vcpus[0], 77, true, &value), -ENOENT);
}

static void v3_dir(void **state)
{
    uint64_t value = 60;

    (void)state;
    v3(2, 4);
    edge(60);
    line(60, true);
    fake_enter();
    assert_int_equal(fake_ack(), 60);
    assert_int_equal(ops()->sysreg(&fake.vcpus[0], GUEST_SYSREG_ICC_DIR, true, &value), 0);
    fake_enter();
    assert_null(fake_lr(60));
    value = 0xffffff;
    assert_int_equal(ops()->sysreg(&fake.vcpus[0], GUEST_SYSREG_ICC_DIR, true, &value), 0);
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
    fake_enter();
    /* The world is dropped: nothing of the list registers survives. */
    for (unsigned i = 0; i < 4; i++)
        arch_guest_irq_lr_clear(i);
    ops()->vcpu_reset(&fake.vcpus[0]);
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
    assert_int_equal(ops()->line_set(&fake.guest, 128, true), -EINVAL);
    assert_int_equal(ops()->line_set(&fake.guest, 31, true), -EINVAL);
    assert_int_equal(ops()->line_set(&fake.guest, UINT32_MAX, true), -EINVAL);
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, before, after)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(level_line_is_delivered_until_low),
        TEST(level_line_low_before_ack_is_withdrawn),
        TEST(edge_is_latched_once),
        TEST(disable_while_in_list_register),
        TEST(groups_and_distributor_enable),
        TEST(priority_mask_decides_wfi),
        TEST(overflow),
        TEST(more_urgent_one_replaces),
        TEST(active_overflow),
        TEST(timer_life_cycle),
        TEST(timer_withdrawn),
        TEST(timer_while_disabled),
        TEST(timer_stopped_and_disabled),
        TEST(timer_event_of_a_descheduled_vcpu),
        TEST(timer_cleared_by_register),
        TEST(timer_pended_by_software),
        TEST(set_and_clear_pending),
        TEST(set_and_clear_active),
        TEST(clear_active_of_another_vcpu),
        TEST(irouter_moves_pending),
        TEST(irouter_moves_after_end),
        TEST(itargetsr_moves_pending),
        TEST(v3_sgis),
        TEST(v3_sgi_groups),
        TEST(v3_dir),
        TEST(v2_sgis),
        TEST(v2_sgi_pending_registers),
        TEST(vcpu_reset_empties),
        TEST(device_reset_empties),
        TEST(numbers_that_do_not_exist),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
