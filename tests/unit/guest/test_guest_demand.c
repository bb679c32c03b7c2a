// SPDX-License-Identifier: Apache-2.0
// Memory on demand: what is touched is there, the rest costs nothing; no memory left; all of it given back.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "fixture.h"

#include <arch/guest_mmu.h>
#include <arch/mmu.h>
#include <hv/guest_parts.h>
#include <hv/page.h>
#include <hv/upcall.h>
#include <lib/errno.h>
#include <string.h>

#define RAM 0x40000000UL
#define ALIAS 0x80000000UL
#define FAR 0x40e00000UL /* behind all images */
#define STOCK 0x10000
#define PIECES_MAX 4096

static const uint8_t gigabyte[16] = {[4] = 0x40, [12] = 0x40};
/* More than the host has. */
static const struct fixture_edit demand[] = {
    {"memory", "bulkhead,demand", NULL, 0, false},
    {"memory", "reg", gigabyte, sizeof(gigabyte), false},
};

static struct fixture_report report;

static struct guest *create(void)
{
    assert_int_equal(fixture_tree(demand, 2), 0);
    return fixture_create(&report);
}

static uint64_t owned(const struct guest *guest)
{
    return page_owned(PAGE_OWNER_GUEST + guest->id);
}

static bool is_there(struct guest *guest, uint64_t addr, hpa_t *host)
{
    enum guest_mmu_attr attr;

    return arch_guest_mmu_lookup(&guest->arch.mmu, gpa(addr), host, &attr) == 0;
}

THREAD_TEST(test_pages_come_when_they_are_touched)
{
    struct fixture_census before;
    struct guest *guest;
    uint64_t word = 0, count = 0, taken;
    hpa_t host, again;

    (void)arg;
    assert_int_equal(fixture_tree(demand, 2), 0);
    fixture_census(&before);
    guest = fixture_create(&report);
    assert_non_null(guest);
    taken = owned(guest);
    assert_true(taken < 8 << 20);
    assert_false(is_there(guest, FAR, &host));
    /* Across two pages; what is new is zero, and what is written stays there. */
    for (uint64_t at = FAR; at < FAR + 3 * STOCK; at += PAGE_SIZE)
        assert_int_equal(guest_mem_read(guest, gpa(at + PAGE_SIZE - 4), &word, sizeof(word)), 0);
    assert_int_equal(word, 0);
    assert_in_range(owned(guest) - taken, 3 * STOCK, 4 * STOCK + PAGE_SIZE);
    word = 0x1234567890abcdef;
    assert_int_equal(guest_mem_write(guest, gpa(FAR + PAGE_SIZE - 4), &word, sizeof(word)), 0);
    assert_int_equal(guest_mem_read(guest, gpa(FAR + PAGE_SIZE - 4), &count, sizeof(count)), 0);
    assert_int_equal(count, word);
    assert_true(is_there(guest, FAR, &host));
    assert_int_equal(guest_reset(guest, &report.report), 0);
    assert_int_equal(guest_mem_read(guest, gpa(FAR + PAGE_SIZE - 4), &count, sizeof(count)), 0);
    assert_int_equal(count, word);
    assert_true(is_there(guest, FAR, &again));
    assert_int_equal(again.v, host.v);
    assert_int_equal(guest_destroy(guest), 0);
    assert_int_equal(*(uint32_t *)((char *)arch_mmu_linear(host) + PAGE_SIZE - 4), 0);
    assert_true(fixture_census_equal(&before));
}

THREAD_TEST(test_a_guests_own_touch)
{
    struct guest *guest = create();
    struct vcpu *vcpu;
    hpa_t host, other;

    (void)arg;
    assert_non_null(guest);
    vcpu = guest->vcpus[0];
    assert_true(hv_guest_touch(vcpu, gpa(FAR + 0x123), false));
    assert_true(is_there(guest, FAR, &host));
    assert_false(is_there(guest, FAR + PAGE_SIZE, &other));
    /* The second CPU that comes. */
    assert_true(hv_guest_touch(vcpu, gpa(FAR + 0x456), true));
    assert_true(is_there(guest, FAR, &other));
    assert_int_equal(other.v, host.v);
    /* Through the alias, whose page is the same one, whichever is touched first. */
    assert_true(hv_guest_touch(vcpu, gpa(ALIAS + 0x8123), false));
    assert_true(is_there(guest, ALIAS + 0x8000, &host));
    assert_true(is_there(guest, RAM + 0x8000, &other));
    assert_int_equal(other.v, host.v);
    assert_true(hv_guest_touch(vcpu, gpa(ALIAS + 0x8123), false));
    /* Devices, memory that is always there, nothing. */
    assert_false(hv_guest_touch(vcpu, gpa(0x09000000), false));
    assert_false(hv_guest_touch(vcpu, gpa(0), false));
    assert_false(hv_guest_touch(vcpu, gpa(0x20000000), false));
    assert_int_equal(guest_destroy(guest), 0);
}

static hpa_t pieces[PIECES_MAX];
static unsigned piece_orders[PIECES_MAX];
static unsigned piece_count;

static void take_all(void)
{
    for (int order = PAGE_ORDER_MAX; order >= 0; order--) {
        while (piece_count < PIECES_MAX &&
               page_alloc((unsigned)order, PAGE_OWNER_HEAP, &pieces[piece_count]) == 0)
            piece_orders[piece_count++] = (unsigned)order;
    }
    assert_true(piece_count < PIECES_MAX);
}

static void give_all(void)
{
    while (piece_count > 0) {
        piece_count--;
        page_free(pieces[piece_count], piece_orders[piece_count]);
    }
}

THREAD_TEST(test_no_memory_left)
{
    struct fixture_census before;
    struct guest *guest;
    uint64_t word = 1, at = FAR;
    bool was_paused;

    (void)arg;
    assert_int_equal(fixture_tree(demand, 2), 0);
    fixture_census(&before);
    guest = fixture_create(&report);
    assert_non_null(guest);
    assert_int_equal(guest_kick(guest), 0);
    take_all();
    while (guest_mem_write(guest, gpa(at), &word, sizeof(word)) == 0)
        at += PAGE_SIZE;
    assert_true(at <= FAR + STOCK);
    assert_int_equal(guest_mem_write(guest, gpa(at), &word, sizeof(word)), -ENOMEM);
    assert_true(hv_guest_touch(guest->vcpus[0], gpa(at), false));
    was_paused = strstr(guest->stop_reason, "no memory") != NULL;
    give_all();
    fixture_settle();
    assert_true(was_paused);
    assert_int_equal(guest_mem_write(guest, gpa(at), &word, sizeof(word)), 0);
    assert_int_equal(guest_destroy(guest), 0);
    assert_true(fixture_census_equal(&before));
}

/* Wherever an allocation fails while a guest of such memory is made, nothing stays behind. */
THREAD_TEST(test_creation_without_memory)
{
    struct fixture_census before;
    struct guest *guest = NULL;
    unsigned failed = 0;

    (void)arg;
    assert_int_equal(fixture_tree(demand, 2), 0);
    fixture_census(&before);
    for (unsigned n = 1; guest == NULL && n < 400; n++) {
        fixture_report_init(&report);
        page_fail_after(n);
        if (guest_create("linux0", NULL, &report.report) == 0)
            guest = guest_find("linux0");
        page_fail_after(0);
        failed += guest == NULL;
        if (guest == NULL)
            assert_true(fixture_census_equal(&before));
    }
    assert_non_null(guest);
    assert_true(failed > 0);
    assert_int_equal(guest_destroy(guest), 0);
}

THREAD_TEST(test_what_can_not_come_later)
{
    static const uint8_t place[4] = {0x48};
    const struct fixture_edit shared[] = {demand[0],
                                          {"memory", "bulkhead,shared", "pipe", 5, false}};
    const struct fixture_edit fixed[] = {demand[0],
                                         {"memory", "bulkhead,host-address", place, 4, false}};

    (void)arg;
    assert_int_equal(fixture_tree(shared, 2), 0);
    fixture_report_init(&report);
    assert_int_equal(guest_create("linux0", NULL, &report.report), -EINVAL);
    assert_non_null(strstr(report.text, "bulkhead,demand: shared memory and memory"));
    assert_int_equal(fixture_tree(fixed, 2), 0);
    fixture_report_init(&report);
    assert_int_equal(guest_create("linux0", NULL, &report.report), -EINVAL);
    assert_non_null(strstr(report.text, "bulkhead,demand: shared memory and memory"));
}

static int set_up(void **state)
{
    (void)state;
    return fixture_init();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pages_come_when_they_are_touched),
        cmocka_unit_test(test_a_guests_own_touch),
        cmocka_unit_test(test_no_memory_left),
        cmocka_unit_test(test_creation_without_memory),
        cmocka_unit_test(test_what_can_not_come_later),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
