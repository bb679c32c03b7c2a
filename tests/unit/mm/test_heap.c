// SPDX-License-Identifier: Apache-2.0
// Heap: every size, statistics and give-back, failures, a random walk, and the detection of
// callers' bugs.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arch/mmu.h>
#include <hv/heap.h>
#include <hv/page.h>
#include <port/host.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int add_ram(void **state)
{
    (void)state;
    return page_add_range(hpa(HOST_RAM_BASE), 64 << 20);
}

static void assert_empty(void)
{
    struct heap_stats stats;

    heap_get_stats(&stats);
    assert_int_equal(stats.bytes_used, 0);
    assert_int_equal(stats.bytes_taken, 0);
    assert_int_equal(stats.objects, 0);
    assert_int_equal(page_owned(PAGE_OWNER_HEAP), 0);
}

static void test_every_size(void **state)
{
    (void)state;
    for (size_t size = 0; size < 3 * PAGE_SIZE; size++) {
        uint8_t *ptr = heap_alloc(size);
        struct heap_stats stats;

        assert_non_null(ptr);
        assert_int_equal((uintptr_t)ptr & 15, 0);
        memset(ptr, 0xa5, size);
        heap_get_stats(&stats);
        assert_int_equal(stats.bytes_used, size);
        assert_int_equal(stats.objects, 1);
        assert_int_equal(stats.bytes_taken, page_owned(PAGE_OWNER_HEAP));
        heap_free(ptr);
    }
    heap_free(NULL);
    assert_empty();
}

static void test_calloc_zeroes_and_checks(void **state)
{
    uint8_t *ptr;

    (void)state;
    assert_null(heap_calloc(SIZE_MAX / 2, 3));
    assert_null(heap_calloc(1ULL << 50, 1));
    assert_null(heap_alloc(SIZE_MAX));
    assert_null(heap_alloc(SIZE_MAX - 4096));
    for (size_t size = 16; size < 20000; size *= 3) {
        ptr = heap_calloc(size, 1);
        assert_non_null(ptr);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(ptr[i], 0);
        heap_free(ptr);
    }
    assert_empty();
}

static void test_strdup(void **state)
{
    char *copy = heap_strdup("cpu@0");

    (void)state;
    assert_string_equal(copy, "cpu@0");
    heap_free(copy);
    page_fail_after(1);
    assert_null(heap_strdup("x"));
    assert_empty();
}

static void test_fails_at_any_point(void **state)
{
    struct heap_stats before, after;

    (void)state;
    heap_get_stats(&before);
    page_fail_after(1);
    assert_null(heap_alloc(100));
    page_fail_after(2); /* the heap's own call passes, its page does not come */
    assert_null(heap_zalloc(100));
    page_fail_after(2);
    assert_null(heap_zalloc(100000));
    heap_get_stats(&after);
    assert_int_equal(after.fails, before.fails + 3);
    assert_empty();
}

static void test_out_of_memory(void **state)
{
    static void *ptrs[64];
    unsigned count = 0;

    (void)state;
    while (count < 64 && (ptrs[count] = heap_alloc(4 << 20)) != NULL)
        count++;
    assert_in_range(count, 8, 15);
    while (count > 0)
        heap_free(ptrs[--count]);
    assert_empty();
}

#define SLOTS 500
static uint32_t seed = 99;

static uint32_t random_below(uint32_t n)
{
    seed = seed * 1664525 + 1013904223;
    return (uint32_t)(((uint64_t)seed * n) >> 32);
}

static void test_random_walk(void **state)
{
    static uint8_t *ptrs[SLOTS];
    static size_t sizes[SLOTS];
    uint64_t used = 0;
    struct heap_stats stats;

    (void)state;
    for (unsigned step = 0; step < 100000; step++) {
        unsigned i = random_below(SLOTS);

        if (ptrs[i] == NULL) {
            sizes[i] = random_below(random_below(20) == 0 ? 30000 : 300);
            ptrs[i] = heap_alloc(sizes[i]);
            assert_non_null(ptrs[i]);
            memset(ptrs[i], (int)i, sizes[i]);
            used += sizes[i];
        } else {
            for (size_t at = 0; at < sizes[i]; at++) {
                if (ptrs[i][at] != (uint8_t)i)
                    fail();
            }
            heap_free(ptrs[i]);
            ptrs[i] = NULL;
            used -= sizes[i];
        }
        heap_get_stats(&stats);
        assert_int_equal(stats.bytes_used, used);
    }
    for (unsigned i = 0; i < SLOTS; i++)
        heap_free(ptrs[i]);
    assert_empty();
}

/* Bugs of callers, each in a process of its own because the machine stops with locks held. */
static void *keep; /* keeps the slab in place */

static void free_twice(void *arg)
{
    void *ptr = heap_alloc(*(size_t *)arg);

    keep = heap_alloc(*(size_t *)arg);
    heap_free(ptr);
    heap_free(ptr);
}

static void overrun_by_one(void *arg)
{
    size_t size = *(size_t *)arg;
    char *ptr = heap_alloc(size);

    ptr[size] ^= 1;
    heap_free(ptr);
}

static void free_inside(void *arg)
{
    char *ptr = heap_alloc(*(size_t *)arg);

    heap_free(ptr + 16);
}

static void write_after_free(void *arg)
{
    size_t size = *(size_t *)arg;
    char *ptr = heap_alloc(size);

    keep = heap_alloc(size);
    heap_free(ptr);
    ptr[size / 2] = 0;
    heap_alloc(size);
}

static void flip_header_bit(void *arg)
{
    char *ptr = heap_alloc(*(size_t *)arg);

    ((char *)((uintptr_t)ptr & PAGE_MASK))[9] ^= 0x10;
    heap_free(ptr);
}

static void free_stack(void *arg)
{
    _Alignas(16) char local[32];

    (void)arg;
    heap_free(local);
}

static void assert_panics(void (*fn)(void *), size_t size, const char *text)
{
    pid_t child = fork();
    int status;

    assert_true(child >= 0);
    if (child == 0) {
        enum host_stop stop = host_run(fn, &size);

        _exit(stop == HOST_STOP_HALT && strstr(host_console_text(), text) != NULL ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void test_bugs_of_callers_panic(void **state)
{
    static const size_t sizes[] = {1, 28, 100, 124, 1000, 2012};

    (void)state;
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        assert_panics(free_twice, sizes[i], "double free");
        assert_panics(overrun_by_one, sizes[i], "overrun");
        assert_panics(free_inside, sizes[i], "no object");
        assert_panics(flip_header_bit, sizes[i], "damaged");
    }
    assert_panics(write_after_free, 100, "write after free");
    assert_panics(free_twice, 5000, "freed");
    assert_panics(overrun_by_one, 5000, "overrun");
    assert_panics(flip_header_bit, 5000, "damaged");
    assert_panics(free_stack, 0, "no object");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_size),
        cmocka_unit_test(test_calloc_zeroes_and_checks),
        cmocka_unit_test(test_strdup),
        cmocka_unit_test(test_fails_at_any_point),
        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_random_walk),
        /* Last: its processes share the simulated RAM. */
        cmocka_unit_test(test_bugs_of_callers_panic),
    };

    return cmocka_run_group_tests(tests, add_ram, NULL);
}
