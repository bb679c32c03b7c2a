// SPDX-License-Identifier: Apache-2.0
// The router of a guest's interrupts: lines by sparse 32-bit numbers, messages by address, overlaps, removal.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <hv/guest_parts.h>
#include <lib/errno.h>

static struct guest guest;

static struct {
    const void *who;
    uint64_t where;
    uint32_t what, from;
} last;

static int set(struct guest_irq_lines *lines, uint32_t irq, bool level)
{
    last.who = lines;
    last.where = irq;
    last.what = level;
    return 0;
}

static int message(struct guest_irq_doorbell *bell, uint64_t offset, uint32_t data, uint32_t device)
{
    last.who = bell;
    last.where = offset;
    last.what = data;
    last.from = device;
    return 0;
}

static int fresh(void **state)
{
    (void)state;
    guest_irq_router_init(&guest);
    last.who = NULL;
    return 0;
}

static void test_lines(void **state)
{
    struct guest_irq_lines spis = {.first = 32, .count = 988, .set = set};
    struct guest_irq_lines lpis = {.first = 8192, .count = 65536, .set = set};
    struct guest_irq_lines top = {.first = UINT32_MAX, .count = 1, .set = set};
    struct guest_irq_lines bad = {.first = 1019, .count = 2, .set = set};

    (void)state;
    assert_int_equal(guest_irq_line(&guest, 40, true), -EINVAL);
    assert_int_equal(guest_irq_attach_lines(&guest, &spis), 0);
    assert_int_equal(guest_irq_attach_lines(&guest, &top), 0);
    assert_int_equal(guest_irq_attach_lines(&guest, &lpis), 0);
    assert_int_equal(guest_irq_attach_lines(&guest, &bad), -EEXIST);
    bad.first = 0;
    bad.count = 33;
    assert_int_equal(guest_irq_attach_lines(&guest, &bad), -EEXIST);
    bad.count = 0;
    assert_int_equal(guest_irq_attach_lines(&guest, &bad), -EINVAL);
    bad.first = UINT32_MAX;
    bad.count = 2;
    assert_int_equal(guest_irq_attach_lines(&guest, &bad), -EINVAL);

    assert_int_equal(guest_irq_line(&guest, 1019, true), 0);
    assert_ptr_equal(last.who, &spis);
    assert_int_equal(guest_irq_line(&guest, 8192, false), 0);
    assert_ptr_equal(last.who, &lpis);
    assert_int_equal(last.what, false);
    assert_int_equal(guest_irq_line(&guest, UINT32_MAX, true), 0);
    assert_ptr_equal(last.who, &top);
    assert_int_equal(last.where, UINT32_MAX);
    assert_int_equal(guest_irq_line(&guest, 1020, true), -EINVAL);
    assert_int_equal(guest_irq_line(&guest, 31, true), -EINVAL);
    guest_irq_detach_lines(&spis);
    assert_int_equal(guest_irq_line(&guest, 40, true), -EINVAL);
}

static void test_messages(void **state)
{
    struct guest_irq_doorbell frame = {.start = gpa(0x8000040), .size = 16, .message = message};
    struct guest_irq_doorbell its = {.start = gpa(0x8090040), .size = 4, .message = message};
    struct guest_irq_doorbell bad = {.start = gpa(0x800004f), .size = 1, .message = message};

    (void)state;
    assert_int_equal(guest_irq_attach_doorbell(&guest, &frame), 0);
    assert_int_equal(guest_irq_attach_doorbell(&guest, &its), 0);
    assert_int_equal(guest_irq_attach_doorbell(&guest, &bad), -EEXIST);
    bad.size = 0;
    assert_int_equal(guest_irq_attach_doorbell(&guest, &bad), -EINVAL);
    bad.start = gpa(UINT64_MAX);
    bad.size = 2;
    assert_int_equal(guest_irq_attach_doorbell(&guest, &bad), -EINVAL);

    assert_int_equal(guest_irq_message(&guest, gpa(0x8000048), 77, 3), 0);
    assert_ptr_equal(last.who, &frame);
    assert_int_equal(last.where, 8);
    assert_int_equal(last.what, 77);
    assert_int_equal(last.from, 3);
    assert_int_equal(guest_irq_message(&guest, gpa(0x8000050), 77, 3), -EFAULT);
    assert_int_equal(guest_irq_message(&guest, gpa(0x800003f), 77, 3), -EFAULT);
    guest_irq_detach_doorbell(&frame);
    assert_int_equal(guest_irq_message(&guest, gpa(0x8000048), 77, 3), -EFAULT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_lines, fresh),
        cmocka_unit_test_setup(test_messages, fresh),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
