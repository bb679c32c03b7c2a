// SPDX-License-Identifier: Apache-2.0
// Virtual GIC, registers: every offset and width, what is read back, what is fixed, who sees what.

#include "fake_guest.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <lib/errno.h>
#include <lib/macros.h>
#include <port/host.h>

#define SGI_FRAME 0x10000U
#define GICR_STRIDE 0x20000ULL

static const uint64_t patterns[] = {0, UINT64_MAX, 0xa5a5a5a55a5a5a5a};

/* Each offset, width and pattern of a frame: an answer, whatever it is, and the model stays alive. */
static void sweep(unsigned frame, uint64_t size)
{
    for (uint64_t offset = 0; offset < size; offset++) {
        for (unsigned width = 1; width <= 8; width *= 2) {
            uint64_t value = 0;

            if (offset % width != 0)
                continue;
            for (unsigned i = 0; i < ARRAY_SIZE(patterns); i++) {
                int err;

                value = patterns[i];
                err = fake_access(frame, offset, width, true, &value);
                assert_true(err == 0 || err == -EFAULT);
                assert_int_equal(fake_access(frame, offset, width, false, &value), err);
                assert_true(width != 2 || err == -EFAULT || offset == 0x40 || offset == 0x48);
            }
        }
        fake_enter();
    }
}

static void v2_sweep(void **state)
{
    (void)state;
    fake_create(2, 8, 4);
    sweep(0, 0x10000);
}

static void v3_distributor_sweep(void **state)
{
    (void)state;
    fake_create(3, 4, 4);
    sweep(0, 0x10000);
}

static void v3_redistributor_sweep(void **state)
{
    uint64_t value;

    (void)state;
    fake_create(3, 2, 4);
    sweep(1, 2 * GICR_STRIDE);
    /* Behind the last one there is nothing. */
    assert_int_equal(fake_access(1, 2 * GICR_STRIDE, 4, false, &value), -EFAULT);
    assert_int_equal(fake_access(1, UINT64_MAX - 7, 8, false, &value), -EFAULT);
    assert_int_equal(fake_access(2, 0, 4, false, &value), -EFAULT);
}

static int width_check(uint32_t offset, unsigned width)
{
    uint64_t value = 0;

    return fake_access(0, offset, width, false, &value);
}

static void widths(void **state)
{
    (void)state;
    fake_create(3, 1, 4);
    assert_int_equal(width_check(0x104, 1), -EFAULT);
    assert_int_equal(width_check(0x104, 2), -EFAULT);
    assert_int_equal(width_check(0x100, 8), -EFAULT);
    assert_int_equal(width_check(0x000, 1), -EFAULT);
    assert_int_equal(width_check(0x421, 1), 0);
    assert_int_equal(width_check(0x420, 2), -EFAULT);
    assert_int_equal(width_check(0xc04, 1), -EFAULT);
    assert_int_equal(width_check(0x6100, 8), 0);
    assert_int_equal(width_check(0x6100, 4), 0);
    assert_int_equal(width_check(0x6100, 1), -EFAULT);
    assert_int_equal(width_check(0xffe8, 4), 0);
    assert_int_equal(width_check(0xffe8, 1), -EFAULT);
}

static void v3_identification(void **state)
{
    uint64_t typer;

    (void)state;
    fake_create(3, 18, 4);
    assert_int_equal(gicd_read(0x0000), 0x50);
    assert_int_equal(gicd_read(0x0004), 3 | 1 << 16 | 9 << 19 | 1 << 25);
    assert_int_equal(gicd_read(0xffe8), 0x3b);
    for (unsigned i = 0; i < 18; i++) {
        assert_int_equal(fake_access(1, i * GICR_STRIDE + 8, 8, false, &typer), 0);
        assert_int_equal(typer >> 32, (i / 16) << 8 | i % 16);
        assert_int_equal(typer >> 8 & 0xffff, i);
        assert_int_equal(typer >> 4 & 1, i == 17);
        assert_int_equal(typer & 1, 0);
        assert_int_equal(gicr_read(i, 0xc), typer >> 32);
        assert_int_equal(gicr_read(i, 0x8), (uint32_t)typer);
        assert_int_equal(gicr_read(i, 0xffe8), 0x3b);
    }
}

static void v3_control(void **state)
{
    (void)state;
    fake_create(3, 1, 4);
    gicd_write(0, ~0U);
    assert_int_equal(gicd_read(0), 0x53);
    gicd_write(0, 0);
    assert_int_equal(gicd_read(0), 0x50);
}

static void v3_waker(void **state)
{
    (void)state;
    fake_create(3, 2, 4);
    assert_int_equal(gicr_read(1, 0x14), 6);
    gicr_write(1, 0x14, 0);
    assert_int_equal(gicr_read(1, 0x14), 0);
    assert_int_equal(gicr_read(0, 0x14), 6);
    gicr_write(1, 0x14, ~0U);
    assert_int_equal(gicr_read(1, 0x14), 6);
}

/* With affinity routing a distributor knows nothing of private interrupts. */
static void v3_private_are_in_the_redistributor(void **state)
{
    (void)state;
    fake_create(3, 2, 4);
    gicd_write(0x100, ~0U);
    assert_int_equal(gicd_read(0x100), 0);
    gicd_write(0x400, ~0U);
    assert_int_equal(gicd_read(0x400), 0);
    gicr_write(1, SGI_FRAME + 0x100, 0x88000001);
    assert_int_equal(gicr_read(1, SGI_FRAME + 0x100), 0x88000001);
    assert_int_equal(gicr_read(0, SGI_FRAME + 0x100), 0);
    /* A redistributor does not reach SPIs. */
    gicr_write(1, SGI_FRAME + 0x104, ~0U);
    assert_int_equal(gicd_read(0x104), 0);
    assert_int_equal(gicr_read(1, SGI_FRAME + 0x104), 0);
}

static void enable_set_and_clear(void **state)
{
    (void)state;
    fake_create(3, 1, 4);
    gicd_write(0x104, 0x80000001);
    gicd_write(0x104, 0x00000100);
    assert_int_equal(gicd_read(0x104), 0x80000101);
    assert_int_equal(gicd_read(0x184), 0x80000101);
    gicd_write(0x184, 0x80000000);
    assert_int_equal(gicd_read(0x104), 0x00000101);
    /* Beyond the last interrupt. */
    gicd_write(0x110, ~0U);
    assert_int_equal(gicd_read(0x110), 0);
}

static void priority_has_five_bits(void **state)
{
    uint64_t byte = 0xff;

    (void)state;
    fake_create(3, 1, 4);
    gicd_write(0x420, 0x12345678);
    assert_int_equal(gicd_read(0x420), 0x10305078);
    assert_int_equal(fake_access(0, 0x421, 1, true, &byte), 0);
    assert_int_equal(gicd_read(0x420), 0x1030f878);
    assert_int_equal(fake_access(0, 0x423, 1, false, &byte), 0);
    assert_int_equal(byte, 0x10);
    gicr_write(0, SGI_FRAME + 0x41c, ~0U);
    assert_int_equal(gicr_read(0, SGI_FRAME + 0x41c), 0xf8f8f8f8);
}

static void configuration(void **state)
{
    (void)state;
    fake_create(3, 1, 4);
    gicd_write(0xc08, ~0U);
    assert_int_equal(gicd_read(0xc08), 0xaaaaaaaa);
    gicd_write(0xc0c, 0x00000008);
    assert_int_equal(gicd_read(0xc0c), 0x00000008);
    /* SGIs are edge-triggered, PPIs are not; neither can be changed. */
    for (unsigned i = 0; i < ARRAY_SIZE(patterns); i++) {
        gicr_write(0, SGI_FRAME + 0xc00, (uint32_t)patterns[i]);
        gicr_write(0, SGI_FRAME + 0xc04, (uint32_t)patterns[i]);
        assert_int_equal(gicr_read(0, SGI_FRAME + 0xc00), 0xaaaaaaaa);
        assert_int_equal(gicr_read(0, SGI_FRAME + 0xc04), 0);
    }
}

static void irouter(void **state)
{
    uint64_t value = UINT64_MAX;

    (void)state;
    fake_create(3, 1, 4);
    assert_int_equal(fake_access(0, 0x6100, 8, true, &value), 0);
    assert_int_equal(fake_access(0, 0x6100, 8, false, &value), 0);
    assert_int_equal(value, 0x00ffffff);
    value = 0x12;
    assert_int_equal(fake_access(0, 0x6104, 4, true, &value), 0);
    assert_int_equal(gicd_read(0x6104), 0);
    assert_int_equal(gicd_read(0x6100), 0x00ffffff);
    /* None for private interrupts, nor beyond the last. */
    value = 1;
    assert_int_equal(fake_access(0, 0x6000, 8, true, &value), 0);
    assert_int_equal(fake_access(0, 0x6000, 8, false, &value), 0);
    assert_int_equal(value, 0);
    assert_int_equal(gicd_read(0x7ff8), 0);
}

static void v2_identification(void **state)
{
    (void)state;
    fake_create(2, 4, 4);
    assert_int_equal(gicd_read(0x000), 0);
    gicd_write(0x000, ~0U);
    assert_int_equal(gicd_read(0x000), 3);
    assert_int_equal(gicd_read(0x004), 3 | 3 << 5);
    assert_int_equal(gicd_read(0xfe8), 0x2b);
}

static void v2_banked(void **state)
{
    (void)state;
    fake_create(2, 4, 4);
    for (unsigned i = 0; i < 4; i++) {
        fake_switch(i);
        assert_int_equal(gicd_read(0x800), 0x01010101U << i);
        gicd_write(0x800, 0xffffffff);
        assert_int_equal(gicd_read(0x81c), 0x01010101U << i);
        gicd_write(0x100, 1U << (16 + i));
        gicd_write(0x180, 0xffff);
    }
    for (unsigned i = 0; i < 4; i++) {
        fake_switch(i);
        assert_int_equal(gicd_read(0x100), 1U << (16 + i) | 0xffff);
    }
    gicd_write(0x820, 0xff0f0501);
    assert_int_equal(gicd_read(0x820), 0x0f0f0501);
}

static const struct intc_ops *ops(void)
{
    return fake.guest.intc_ops;
}

static void creation_is_refused(void **state)
{
    const struct emulator *v3 = fake_emulator("vgic-v3");
    const struct emulator *v2 = fake_emulator("vgic-v2");
    struct guest guest = {.vcpu_count = 0};
    struct emu_device dev = {.guest = &guest};

    (void)state;
    fake_create(3, 1, 4);
    dev.node = &fake.node;
    /* A second one in the guest. */
    dev.guest = &fake.guest;
    assert_int_equal(v3->probe(&dev), -EBUSY);
    dev.guest = &guest;
    /* What the host's interface can not carry. */
    assert_int_equal(v2->probe(&dev), -EOPNOTSUPP);
    host_guest_irq_set(GUEST_IRQ_V2, 4);
    assert_int_equal(v3->probe(&dev), -EOPNOTSUPP);
    host_guest_irq_set(GUEST_IRQ_NONE, 0);
    assert_int_equal(v3->probe(&dev), -EOPNOTSUPP);
    host_guest_irq_set(GUEST_IRQ_V3, 1);
    assert_int_equal(v3->probe(&dev), -EOPNOTSUPP);
    host_guest_irq_set(GUEST_IRQ_V3, 4);
    assert_null(guest.intc);
}

static void v2_has_eight_vcpus(void **state)
{
    struct vcpu vcpu = {.subid = 8};

    (void)state;
    fake_create(2, 8, 4);
    vcpu.guest = &fake.guest;
    assert_int_equal(ops()->vcpu_init(&vcpu), -ENOSPC);
    assert_null(vcpu.irq);
}

static void device_goes_before_its_vcpus(void **state)
{
    (void)state;
    fake_create(3, 2, 4);
    assert_int_equal(guest_irq_line(&fake.guest, 40, true), 0);
    fake.gic.emulator->remove(&fake.gic);
    assert_null(fake.vcpus[0].irq);
    assert_int_equal(guest_irq_line(&fake.guest, 40, true), -EINVAL);
    assert_int_equal(ops()->private_set(&fake.vcpus[0], 27, true, 27), -EINVAL);
    ops()->flush(&fake.vcpus[0], VCPU_WORK_IRQ);
    assert_false(ops()->deliverable(&fake.vcpus[0]));
    ops()->vcpu_reset(&fake.vcpus[0]);
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
        TEST(v2_sweep),
        TEST(v3_distributor_sweep),
        TEST(v3_redistributor_sweep),
        TEST(widths),
        TEST(v3_identification),
        TEST(v3_control),
        TEST(v3_waker),
        TEST(v3_private_are_in_the_redistributor),
        TEST(enable_set_and_clear),
        TEST(priority_has_five_bits),
        TEST(configuration),
        TEST(irouter),
        TEST(v2_identification),
        TEST(v2_banked),
        TEST(creation_is_refused),
        TEST(v2_has_eight_vcpus),
        TEST(device_goes_before_its_vcpus),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
