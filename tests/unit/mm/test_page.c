// SPDX-License-Identifier: Apache-2.0
// Page allocator: sparse ranges, reservations, orders, ranges, accounting, failures, bugs of
// callers, and a random walk.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arch/mmu.h>
#include <hv/page.h>
#include <lib/errno.h>
#include <lib/macros.h>
#include <port/host.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB (1ULL << 20)
#define GIB (1ULL << 30)
#define OWNER (PAGE_OWNER_GUEST + 1)

/* Two ranges with ragged ends, far apart, and one that only borders the second. */
#define LOW_START (HOST_RAM_BASE + 0x3000)
#define LOW_END (HOST_RAM_BASE + 200 * MIB + 0x7000)
#define HIGH_START (HOST_RAM_BASE + GIB)
#define HIGH_END (HOST_RAM_BASE + 3 * GIB)
#define NEXT_END (HIGH_END + 64 * MIB)
/* Behind the late reservation of test set-up. */
#define LARGEST (HIGH_END - (HIGH_START + 104 * MIB))

static uint32_t seed = 12345;

static uint32_t random_below(uint32_t n)
{
    seed = seed * 1664525 + 1013904223;
    return (uint32_t)(((uint64_t)seed * n) >> 32);
}

static int add_ram(void **state)
{
    (void)state;
    page_reserve(hpa(HOST_RAM_BASE + 2 * MIB + 0x800), 0x1234, "early");
    page_reserve(hpa(LOW_START), 0x1000, "at the start");
    return page_add_range(hpa(HIGH_START), HIGH_END - HIGH_START) != 0 ||
           page_add_range(hpa(LOW_START - 0x800), LOW_END - LOW_START + 0x1000) != 0 ||
           page_add_range(hpa(HIGH_END), NEXT_END - HIGH_END) != 0 ||
           page_reserve(hpa(HIGH_START + 100 * MIB + 0x5000), 3 * MIB, "late") != 0;
}

static uint64_t free_bytes(void)
{
    struct page_stats stats;

    page_get_stats(&stats);
    return stats.free;
}

static void test_ranges_as_added(void **state)
{
    struct page_stats stats;
    hpa_t start;
    uint64_t size;
    const char *what;
    unsigned named = 0;

    (void)state;
    page_get_stats(&stats);
    assert_int_equal(stats.total,
                     (HIGH_END - HIGH_START) + (LOW_END - LOW_START) + (NEXT_END - HIGH_END));
    /* 16 bytes per 2 MiB: 16 KiB and 2 pages; early 2 pages, start 1, late 768. */
    assert_int_equal(stats.reserved, (4 + 1 + 1 + 2 + 1 + 768) * PAGE_SIZE);
    assert_int_equal(stats.free, stats.total - stats.reserved);
    assert_int_equal(stats.largest_free, LARGEST);
    assert_true(page_is_ram(hpa(LOW_START), LOW_END - LOW_START));
    assert_true(page_is_ram(hpa(HIGH_END - PAGE_SIZE), 2 * PAGE_SIZE));
    assert_false(page_is_ram(hpa(LOW_END - PAGE_SIZE), 2 * PAGE_SIZE));
    assert_false(page_is_ram(hpa(~0ULL - 5), 100));
    assert_true(page_ram_range(2, &start, &size) && start.v == HIGH_END && size == 64 * MIB);
    assert_false(page_ram_range(3, &start, &size));
    for (unsigned i = 0; page_reserved_range(i, &start, &size, &what); i++)
        named += strcmp(what, "early") == 0 && start.v == HOST_RAM_BASE + 2 * MIB &&
                 size == 2 * PAGE_SIZE;
    assert_int_equal(named, 1);
}

static void test_bad_ranges_are_refused(void **state)
{
    uint64_t before = free_bytes();

    (void)state;
    assert_int_equal(page_add_range(hpa(HIGH_START + MIB), MIB), -EEXIST);
    assert_int_equal(page_add_range(hpa(HIGH_START - MIB), 2 * MIB), -EEXIST);
    assert_int_equal(page_add_range(hpa(NEXT_END), 0), -EINVAL);
    assert_int_equal(page_add_range(hpa(NEXT_END + 5), 100), -EINVAL);
    assert_int_equal(page_add_range(hpa(~0ULL - MIB), 2 * MIB), -EINVAL);
    assert_int_equal(page_add_range(hpa(BIT(53)), MIB), -EINVAL);
    /* The block at the end of the low range has its descriptor there. */
    assert_int_equal(page_add_range(hpa(LOW_END), MIB), -EINVAL);
    assert_int_equal(page_reserve(hpa(~0ULL), 2, "wraps"), -EINVAL);
    assert_int_equal(page_reserve(hpa(0), 0, "empty"), -EINVAL);
    assert_int_equal(free_bytes(), before);
}

static void test_every_order(void **state)
{
    uint64_t before = free_bytes();

    (void)state;
    for (unsigned order = 0; order <= PAGE_ORDER_MAX; order++) {
        hpa_t addr;

        assert_int_equal(page_alloc(order, OWNER, &addr), 0);
        assert_int_equal(addr.v & ((PAGE_SIZE << order) - 1), 0);
        assert_true(page_is_ram(addr, PAGE_SIZE << order));
        assert_int_equal(page_owned(OWNER), PAGE_SIZE << order);
        assert_int_equal(free_bytes(), before - (PAGE_SIZE << order));
        page_free(addr, order);
    }
    assert_int_equal(page_owned(OWNER), 0);
    assert_int_equal(free_bytes(), before);
}

static void test_free_pieces(void **state)
{
    uint64_t before[PAGE_ORDER_MAX + 1], now[PAGE_ORDER_MAX + 1];
    uint64_t largest, bytes = 0;
    hpa_t addr, other;

    (void)state;
    page_get_free(before, &largest);
    assert_int_equal(largest, LARGEST);
    for (unsigned order = 0; order <= PAGE_ORDER_MAX; order++)
        bytes += before[order] * (PAGE_SIZE << order);
    /* Of the ends and of what is reserved seven blocks are split: a page of descriptors in each. */
    assert_int_equal(bytes, free_bytes() - 7 * PAGE_SIZE);
    assert_int_equal(before[PAGE_ORDER_MAX], 1);
    assert_int_equal(page_alloc(PAGE_ORDER_MAX, OWNER, &addr), 0);
    page_get_free(now, &largest);
    assert_int_equal(now[PAGE_ORDER_MAX], 0);
    assert_int_equal(largest, LARGEST - GIB);
    page_free(addr, PAGE_ORDER_MAX);
    /* A page taken out of the middle leaves its buddies, one of each order. */
    assert_int_equal(page_alloc(PAGE_ORDER_MAX, OWNER, &addr), 0);
    page_get_free(before, &largest);
    page_free(addr, PAGE_ORDER_MAX);
    other = hpa(addr.v + 5 * 2 * MIB + 7 * PAGE_SIZE);
    assert_int_equal(page_claim_range(other, PAGE_SIZE, OWNER), 0);
    page_get_free(now, &largest);
    for (unsigned order = 9; order < PAGE_ORDER_MAX; order++)
        assert_int_equal(now[order], before[order] + 1);
    /* The descriptors are in the block's last page: the other half lost its buddy order too. */
    assert_int_equal(now[8], before[8]);
    assert_int_equal(now[7], before[7] + 2);
    assert_int_equal(now[0], before[0] + 2);
    page_free_range(other, PAGE_SIZE);
}

static void test_owner_list(void **state)
{
    hpa_t addr[2];
    uint32_t owner;
    uint64_t bytes;
    unsigned found = 0;

    (void)state;
    assert_int_equal(page_alloc(3, PAGE_OWNER_SHARED + 5, &addr[0]), 0);
    assert_int_equal(page_alloc(0, PAGE_OWNER_STACK, &addr[1]), 0);
    for (unsigned i = 0; page_owner_at(i, &owner, &bytes); i++) {
        found += owner == PAGE_OWNER_SHARED + 5 && bytes == 8 * PAGE_SIZE;
        found += owner == PAGE_OWNER_STACK && bytes == PAGE_SIZE;
        found += owner == PAGE_OWNER_NONE;
        assert_true(bytes > 0);
    }
    assert_int_equal(found, 3);
    page_free(addr[0], 3);
    page_free(addr[1], 0);
    for (unsigned i = 0; page_owner_at(i, &owner, &bytes); i++)
        assert_int_equal(owner, PAGE_OWNER_NONE);
}

/* Whatever holes there are: when an order is in a split block, no whole block is cut for it. */
static void test_found_in_split_blocks(void **state)
{
    uint64_t orders[PAGE_ORDER_MAX + 1], now[PAGE_ORDER_MAX + 1], largest;
    uint64_t start, before = free_bytes();
    bool held[4096] = {false};
    hpa_t base;

    (void)state;
    assert_int_equal(page_alloc_range(sizeof(held) * PAGE_SIZE, 2 * MIB, OWNER, &base), 0);
    page_free_range(base, sizeof(held) * PAGE_SIZE);
    start = base.v;
    for (unsigned step = 0; step < 3000; step++) {
        unsigned page = random_below(sizeof(held)), order = random_below(9), fit = order;
        hpa_t got;

        if (held[page])
            page_free_range(hpa(start + page * PAGE_SIZE), PAGE_SIZE);
        if (held[page] || page_claim_range(hpa(start + page * PAGE_SIZE), PAGE_SIZE, OWNER) == 0)
            held[page] = !held[page];
        page_get_free(orders, &largest);
        while (orders[fit] == 0)
            fit++;
        assert_int_equal(page_alloc(order, OWNER, &got), 0);
        page_get_free(now, &largest);
        assert_int_equal(memcmp(&now[9], &orders[9], (PAGE_ORDER_MAX - 8) * sizeof(now[0])) == 0,
                         fit < 9);
        page_free(got, order);
    }
    for (unsigned page = 0; page < sizeof(held); page++) {
        if (held[page])
            page_free_range(hpa(start + page * PAGE_SIZE), PAGE_SIZE);
    }
    assert_int_equal(free_bytes(), before);
}

static void test_all_memory_and_back(void **state)
{
    struct page_stats stats;
    /* Page numbers: to write to each page would cost the host gigabytes. */
    static uint32_t taken[(NEXT_END - HOST_RAM_BASE) / PAGE_SIZE];
    hpa_t addr;
    uint64_t before = free_bytes(), count = 0;

    (void)state;
    while (page_alloc(0, OWNER, &addr) == 0) {
        assert_true(count < ARRAY_SIZE(taken));
        taken[count++] = (uint32_t)((addr.v - HOST_RAM_BASE) / PAGE_SIZE);
    }
    page_get_stats(&stats);
    assert_int_equal(stats.largest_free, 0);
    assert_int_equal(page_owned(OWNER), count * PAGE_SIZE);
    /* All but one page of descriptors in each 2 MiB. */
    assert_true(count * PAGE_SIZE >= before - before / 511 - 4 * PAGE_SIZE);
    while (count > 0)
        page_free(hpa(HOST_RAM_BASE + (uint64_t)taken[--count] * PAGE_SIZE), 0);
    page_get_stats(&stats);
    assert_int_equal(stats.free, before);
    assert_int_equal(stats.largest_free, LARGEST);
}

static void test_range_of_any_size(void **state)
{
    static const uint64_t sizes[] = {PAGE_SIZE, 3 * PAGE_SIZE, MIB + PAGE_SIZE,
                                     2 * MIB,   3 * MIB,       77 * MIB + 5 * PAGE_SIZE,
                                     640 * MIB, GIB,           GIB + 300 * MIB + PAGE_SIZE,
                                     1900 * MIB};
    uint64_t before = free_bytes();

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
        for (uint64_t align = PAGE_SIZE; align <= 64 * MIB; align <<= 7) {
            hpa_t addr;

            assert_int_equal(page_alloc_range(sizes[i], align, OWNER, &addr), 0);
            assert_int_equal(addr.v & (align - 1), 0);
            assert_true(page_is_ram(addr, sizes[i]));
            assert_int_equal(page_owned(OWNER), sizes[i]);
            assert_int_equal(free_bytes(), before - sizes[i]);
            page_free_range(addr, sizes[i]);
            assert_int_equal(free_bytes(), before);
        }
    }
    assert_int_equal(page_alloc_range(3 * GIB, PAGE_SIZE, OWNER, &(hpa_t){0}), -ENOMEM);
    assert_int_equal(page_alloc_range(1ULL << 60, PAGE_SIZE, OWNER, &(hpa_t){0}), -ENOMEM);
    assert_int_equal(page_alloc_range(PAGE_SIZE, 1ULL << 60, OWNER, &(hpa_t){0}), -ENOMEM);
}

static void test_range_freed_in_parts(void **state)
{
    uint64_t before = free_bytes();
    uint64_t size = 9 * MIB + 3 * PAGE_SIZE;
    hpa_t addr;

    (void)state;
    assert_int_equal(page_alloc_range(size, PAGE_SIZE, OWNER, &addr), 0);
    for (uint64_t at = 0; at < size; at += 5 * PAGE_SIZE)
        page_free_range(hpa(addr.v + at), PAGE_SIZE);
    for (uint64_t at = 0; at < size; at += 5 * PAGE_SIZE)
        page_free_range(hpa(addr.v + at + PAGE_SIZE), MIN(4 * PAGE_SIZE, size - at - PAGE_SIZE));
    assert_int_equal(free_bytes(), before);
}

static void test_claim(void **state)
{
    uint64_t before = free_bytes();
    hpa_t block = hpa(HIGH_START + 512 * MIB);
    hpa_t page = hpa(block.v + 2 * MIB - PAGE_SIZE);

    (void)state;
    assert_int_equal(page_claim_range(hpa(block.v + 1), PAGE_SIZE, OWNER), -EINVAL);
    assert_int_equal(page_claim_range(block, 0, OWNER), -EINVAL);
    assert_int_equal(page_claim_range(hpa(LOW_END - PAGE_SIZE), 2 * PAGE_SIZE, OWNER), -EBUSY);
    assert_int_equal(page_claim_range(hpa(HIGH_START + 99 * MIB), 4 * MIB, OWNER), -EBUSY);
    assert_int_equal(free_bytes(), before);
    /* The first page makes the last one the descriptors' page, which has to give way then. */
    assert_int_equal(page_claim_range(block, PAGE_SIZE, OWNER), 0);
    assert_int_equal(page_claim_range(page, PAGE_SIZE, OWNER), 0);
    assert_int_equal(page_claim_range(page, PAGE_SIZE, OWNER), -EBUSY);
    assert_int_equal(page_claim_range(hpa(block.v - 8 * MIB), 9 * MIB, OWNER), -EBUSY);
    assert_int_equal(page_owned(OWNER), 2 * PAGE_SIZE);
    page_free_range(block, PAGE_SIZE);
    page_free_range(page, PAGE_SIZE);
    /* Ragged ends; then into the next range, which begins with its descriptors. */
    assert_int_equal(
        page_claim_range(hpa(HIGH_END - 5 * MIB - PAGE_SIZE), 5 * MIB - 7 * PAGE_SIZE, OWNER), 0);
    page_free_range(hpa(HIGH_END - 5 * MIB - PAGE_SIZE), 5 * MIB - 7 * PAGE_SIZE);
    assert_int_equal(page_claim_range(hpa(HIGH_END - 5 * MIB), 9 * MIB, OWNER), -EBUSY);
    assert_int_equal(free_bytes(), before);
    assert_int_equal(page_owned(OWNER), 0);
}

static void test_references(void **state)
{
    uint64_t before = free_bytes();
    hpa_t small, large;

    (void)state;
    assert_int_equal(page_alloc(1, OWNER, &small), 0);
    assert_int_equal(page_alloc(10, OWNER, &large), 0);
    page_ref(small, 1);
    page_ref(large, 10);
    page_free(small, 1);
    page_free(large, 10);
    assert_int_equal(free_bytes(), before - (PAGE_SIZE << 1) - (PAGE_SIZE << 10));
    page_free(small, 1);
    page_free(large, 10);
    assert_int_equal(free_bytes(), before);
}

static void test_zeroed(void **state)
{
    hpa_t addr;

    (void)state;
    assert_int_equal(page_alloc(3, OWNER, &addr), 0);
    memset(arch_mmu_linear(addr), 0x5a, PAGE_SIZE << 3);
    page_free(addr, 3);
    assert_int_equal(page_alloc_zeroed(3, OWNER, &addr), 0);
    for (unsigned i = 0; i < PAGE_SIZE << 3; i++)
        assert_int_equal(((uint8_t *)arch_mmu_linear(addr))[i], 0);
    memset(arch_mmu_linear(addr), 0x5a, PAGE_SIZE << 3);
    page_scrub(addr, PAGE_SIZE << 3);
    for (unsigned i = 0; i < PAGE_SIZE << 3; i++)
        assert_int_equal(((uint8_t *)arch_mmu_linear(addr))[i], 0);
    page_free(addr, 3);
}

static void test_many_owners(void **state)
{
    hpa_t pages[600];
    uint64_t before = free_bytes();
    unsigned count = 0;

    (void)state;
    /* Guests come and go: their numbers only ever grow. */
    for (uint32_t id = 0; id < 5000; id++) {
        assert_int_equal(page_alloc(0, PAGE_OWNER_GUEST + id, &pages[0]), 0);
        assert_int_equal(page_owned(PAGE_OWNER_GUEST + id), PAGE_SIZE);
        page_free(pages[0], 0);
        assert_int_equal(page_owned(PAGE_OWNER_GUEST + id), 0);
    }
    while (count < 600 && page_alloc(0, PAGE_OWNER_GUEST + 7 * count, &pages[count]) == 0)
        count++;
    assert_int_equal(count, 512 - PAGE_OWNER_GUEST);
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(page_owned(PAGE_OWNER_GUEST + 7 * i), PAGE_SIZE);
    while (count > 0)
        page_free(pages[--count], 0);
    assert_int_equal(free_bytes(), before);
}

static void test_fail_after(void **state)
{
    struct page_stats stats;
    hpa_t addr[3];
    uint64_t fails;

    (void)state;
    page_get_stats(&stats);
    fails = stats.fail_count;
    page_fail_after(3);
    assert_int_equal(page_alloc(0, OWNER, &addr[0]), 0);
    assert_int_equal(page_alloc_range(MIB, PAGE_SIZE, OWNER, &addr[1]), 0);
    assert_int_equal(page_claim_range(hpa(HIGH_START + GIB), MIB, OWNER), -ENOMEM);
    assert_int_equal(page_alloc(0, OWNER, &addr[2]), 0);
    page_get_stats(&stats);
    assert_int_equal(stats.fail_count, fails + 1);
    page_free(addr[0], 0);
    page_free_range(addr[1], MIB);
    page_free(addr[2], 0);
}

/*
 * Bugs of callers. Each stops the machine with the allocator's lock held, so each runs in a process
 * of its own.
 */
static void free_twice(void *arg)
{
    unsigned order = *(unsigned *)arg;
    hpa_t addr;

    page_alloc(order, OWNER, &addr);
    page_free(addr, order);
    page_free(addr, order);
}

static void free_wrong_order(void *arg)
{
    hpa_t addr;

    (void)arg;
    page_alloc(4, OWNER, &addr);
    page_free(addr, 3);
}

static void free_inside(void *arg)
{
    hpa_t addr;

    (void)arg;
    page_alloc(4, OWNER, &addr);
    page_free(hpa(addr.v + PAGE_SIZE), 0);
}

static void free_reserved(void *arg)
{
    (void)arg;
    page_free_range(hpa(LOW_START - PAGE_SIZE), 2 * PAGE_SIZE);
}

static void free_range_twice(void *arg)
{
    hpa_t addr;

    (void)arg;
    page_alloc_range(5 * MIB, PAGE_SIZE, OWNER, &addr);
    page_free_range(hpa(addr.v + PAGE_SIZE), PAGE_SIZE);
    page_free_range(addr, 5 * MIB);
}

static void assert_panics(void (*fn)(void *), void *arg, const char *text)
{
    pid_t child = fork();
    int status;

    assert_true(child >= 0);
    if (child == 0) {
        enum host_stop stop = host_run(fn, arg);

        _exit(stop == HOST_STOP_HALT && strstr(host_console_text(), text) != NULL ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void test_bugs_of_callers_panic(void **state)
{
    (void)state;
    for (unsigned order = 0; order <= PAGE_ORDER_MAX; order += 3)
        assert_panics(free_twice, &order, "not allocated");
    assert_panics(free_wrong_order, NULL, "not allocated with order 3");
    assert_panics(free_inside, NULL, "not allocated with order 0");
    assert_panics(free_reserved, NULL, "no RAM");
    assert_panics(free_range_twice, NULL, "not allocated");
}

/* Random walk against a reference model that knows the owner of every page. */
#define MODEL_PAGES ((NEXT_END - HOST_RAM_BASE) / PAGE_SIZE)
#define SLOTS 400

static uint8_t *model;
static struct slot {
    hpa_t addr;
    uint64_t size;
    unsigned order;
    bool is_range;
} slots[SLOTS];

static void model_change(hpa_t addr, uint64_t size, uint8_t from, uint8_t to)
{
    uint64_t first = (addr.v - HOST_RAM_BASE) / PAGE_SIZE;

    for (uint64_t i = first; i < first + size / PAGE_SIZE; i++) {
        assert_int_equal(model[i], from);
        model[i] = to;
    }
}

static bool walk_alloc(struct slot *slot)
{
    unsigned scale = random_below(1000) < 990 ? 10 : PAGE_ORDER_MAX + 1;

    slot->is_range = random_below(3) == 0;
    slot->order = random_below(scale);
    slot->size = PAGE_SIZE << slot->order;
    if (!slot->is_range)
        return page_alloc(slot->order, OWNER, &slot->addr) == 0;
    slot->size = (uint64_t)(1 + random_below(1u << slot->order)) * PAGE_SIZE;
    if (random_below(2) == 0)
        return page_alloc_range(slot->size, PAGE_SIZE << random_below(12), OWNER, &slot->addr) == 0;
    slot->addr =
        hpa(HIGH_START + random_below((uint32_t)((HIGH_END - HIGH_START) / PAGE_SIZE)) * PAGE_SIZE);
    return page_claim_range(slot->addr, slot->size, OWNER) == 0;
}

static void walk_free(struct slot *slot)
{
    model_change(slot->addr, slot->size, 1, 0);
    if (slot->is_range && slot->size > PAGE_SIZE && random_below(2) == 0) {
        uint64_t cut =
            (uint64_t)(1 + random_below((uint32_t)(slot->size / PAGE_SIZE) - 1)) * PAGE_SIZE;

        page_free_range(hpa(slot->addr.v + cut), slot->size - cut);
        page_free_range(slot->addr, cut);
    } else if (slot->is_range) {
        page_free_range(slot->addr, slot->size);
    } else {
        page_free(slot->addr, slot->order);
    }
    slot->size = 0;
}

static void test_random_walk(void **state)
{
    struct page_stats stats;
    uint64_t before = free_bytes(), used = 0;
    uint64_t orders_before[PAGE_ORDER_MAX + 1], orders[PAGE_ORDER_MAX + 1], largest;

    (void)state;
    page_get_free(orders_before, &largest);
    model = calloc(MODEL_PAGES, 1);
    for (unsigned step = 0; step < 100000; step++) {
        struct slot *slot = &slots[random_below(SLOTS)];

        if (slot->size != 0) {
            used -= slot->size;
            walk_free(slot);
        } else if (walk_alloc(slot)) {
            model_change(slot->addr, slot->size, 0, 1);
            used += slot->size;
        } else {
            slot->size = 0;
        }
        assert_int_equal(page_owned(OWNER), used);
    }
    for (unsigned i = 0; i < SLOTS; i++) {
        if (slots[i].size != 0)
            walk_free(&slots[i]);
    }
    free(model);
    page_get_stats(&stats);
    assert_int_equal(stats.free, before);
    /* Fragmentation heals. */
    assert_int_equal(stats.largest_free, LARGEST);
    page_get_free(orders, &largest);
    assert_memory_equal(orders, orders_before, sizeof(orders));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ranges_as_added),
        cmocka_unit_test(test_bad_ranges_are_refused),
        cmocka_unit_test(test_every_order),
        cmocka_unit_test(test_free_pieces),
        cmocka_unit_test(test_owner_list),
        cmocka_unit_test(test_found_in_split_blocks),
        cmocka_unit_test(test_all_memory_and_back),
        cmocka_unit_test(test_range_of_any_size),
        cmocka_unit_test(test_range_freed_in_parts),
        cmocka_unit_test(test_claim),
        cmocka_unit_test(test_references),
        cmocka_unit_test(test_zeroed),
        cmocka_unit_test(test_many_owners),
        cmocka_unit_test(test_fail_after),
        cmocka_unit_test(test_random_walk),
        /*
         * Last: its processes share the simulated RAM, and so leave the descriptors in it damaged.
         */
        cmocka_unit_test(test_bugs_of_callers_panic),
    };

    return cmocka_run_group_tests(tests, add_ram, NULL);
}
