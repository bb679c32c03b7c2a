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

static uint64_t class_objects(size_t size)
{
    struct heap_class class;

    for (unsigned i = 0; heap_get_class(i, &class); i++) {
        if (size <= class.room || class.room == 0)
            return class.objects;
    }
    return 0;
}

static void test_classes_and_peak(void **state)
{
    struct heap_class class;
    struct heap_stats stats;
    uint64_t taken = 0, objects = 0, bytes = 0;
    void *ptrs[6];

    (void)state;
    for (unsigned i = 0; i < 6; i++)
        ptrs[i] = heap_alloc(i < 5 ? 100 : 100000);
    assert_int_equal(class_objects(100), 5);
    assert_int_equal(class_objects(100000), 1);
    for (unsigned i = 0; heap_get_class(i, &class); i++) {
        taken += class.taken;
        objects += class.objects;
        bytes += class.bytes;
    }
    heap_get_stats(&stats);
    assert_int_equal(taken, stats.bytes_taken);
    assert_int_equal(objects, stats.objects);
    assert_int_equal(bytes, stats.bytes_used);
    for (unsigned i = 0; i < 6; i++)
        heap_free(ptrs[i]);
    assert_int_equal(class_objects(100), 0);
    heap_get_stats(&stats);
    assert_true(stats.bytes_peak >= 100500 && stats.objects_peak >= 6);
    assert_empty();
}

/* The place with that line. */
static struct heap_site site_of(unsigned line)
{
    struct heap_site site = {0};

    for (unsigned i = 0; heap_get_site(i, &site); i++) {
        if (site.line == line && strstr(site.file, "test_heap.c") != NULL)
            return site;
    }
    return (struct heap_site){0};
}

struct census {
    uint64_t objects, bytes, of_guest, faults;
    const char *fault;
};

static void count(const struct heap_object *object, void *arg)
{
    struct census *census = arg;

    census->objects++;
    census->bytes += object->size;
    census->of_guest += object->guest == 3;
    census->faults += object->fault != NULL;
    if (object->fault != NULL)
        census->fault = object->fault;
}

static uint32_t guest_two(void)
{
    return 3;
}

static void test_owners(void **state)
{
    struct census census = {0};
    void *ptrs[40];
    unsigned line = 0;

    (void)state;
    for (unsigned i = 0; i < 40; i++) {
        heap_guest_hook = i % 4 == 0 ? guest_two : NULL;
        ptrs[i] = heap_alloc(i * 100), line = __LINE__;
    }
    heap_guest_hook = NULL;
    assert_int_equal(site_of(line).objects, 40);
    assert_int_equal(site_of(line).bytes, 78000);
    assert_int_equal(heap_walk(count, &census), 0);
    assert_int_equal(census.objects, 40);
    assert_int_equal(census.bytes, 78000);
    assert_int_equal(census.of_guest, 10);
    assert_int_equal(census.faults, 0);
    for (unsigned i = 0; i < 40; i++)
        heap_free(ptrs[i]);
    assert_int_equal(site_of(line).objects, 0);
    assert_int_equal(site_of(line).bytes, 0);
    page_fail_after(1);
    for (unsigned i = 0; i < 2; i++)
        ptrs[i] = heap_alloc(1), line = __LINE__;
    assert_int_equal(site_of(line).fails, 1);
    heap_free(ptrs[1]);
    assert_empty();
}

static const char *check(void)
{
    struct census census = {0};

    assert_int_equal(heap_walk(count, &census), 0);
    assert_int_equal(census.faults, census.fault != NULL);
    return census.fault;
}

/* A check finds what nobody has stumbled over yet; undone, all is well again. */
static void test_check(void **state)
{
    char *small = heap_alloc(100), *other = heap_alloc(100), *large = heap_alloc(9000);
    char *header = (char *)((uintptr_t)small & PAGE_MASK);

    (void)state;
    assert_null(check());
    small[100] ^= 1;
    assert_string_equal(check(), "overrun");
    small[100] ^= 1;
    large[9000] ^= 1;
    assert_string_equal(check(), "overrun");
    large[9000] ^= 1;
    header[8] ^= 1;
    assert_string_equal(check(), "damaged header of a slab");
    header[8] ^= 1;
    large[-64 + 8] ^= 1;
    assert_string_equal(check(), "damaged header");
    large[-64 + 8] ^= 1;
    heap_free(other);
    other[99] ^= 1;
    assert_string_equal(check(), "write after free");
    other[99] ^= 1;
    assert_null(check());
    heap_free(small);
    heap_free(large);
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

/* Found by the next allocation of that size. */
static void flip_header_bit_and_alloc(void *arg)
{
    char *ptr = heap_alloc(*(size_t *)arg);

    ((char *)((uintptr_t)ptr & PAGE_MASK))[9] ^= 0x10;
    heap_alloc(*(size_t *)arg);
}

static void flip_seal_bit(void *arg)
{
    size_t size = *(size_t *)arg;
    char *ptr = heap_alloc(size);
    char *next = heap_alloc(size);

    next[-3] ^= 1; /* what belongs to the seal of the object before, whatever its field */
    heap_free(ptr);
}

static void overrun_into_free(void *arg)
{
    size_t size = *(size_t *)arg;
    char *ptr = heap_alloc(size);
    char *next = heap_alloc(size);

    keep = heap_alloc(size);
    heap_free(next);
    memset(ptr + size, 0, (size_t)(next - ptr) * 2 - size);
    heap_alloc(size);
}

static uint32_t guest_four(void)
{
    return 5;
}

#define OWNED "bytes of tests/unit/mm/test_heap.c:"

static void assert_panics(void (*fn)(void *), size_t size, const char *text, const char *owner)
{
    pid_t child = fork();
    int status;

    assert_true(child >= 0);
    if (child == 0) {
        enum host_stop stop = host_run(fn, &size);

        _exit(stop == HOST_STOP_HALT && strstr(host_console_text(), text) != NULL &&
                      strstr(host_console_text(), owner) != NULL
                  ? 0
                  : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void test_bugs_of_callers_panic(void **state)
{
    static const size_t sizes[] = {1, 24, 100, 120, 1000, 2008};

    (void)state;
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        assert_panics(free_twice, sizes[i], "double free", OWNED);
        assert_panics(overrun_by_one, sizes[i], "overrun", OWNED);
        assert_panics(free_inside, sizes[i], "no object, but inside of one", OWNED);
        assert_panics(flip_header_bit, sizes[i], "damaged", OWNED);
        assert_panics(flip_header_bit_and_alloc, sizes[i], "damaged header of a slab", OWNED);
        assert_panics(flip_seal_bit, sizes[i], "overrun", "heap:");
        assert_panics(overrun_into_free, sizes[i], "overrun into the free slot", "heap:");
    }
    assert_panics(write_after_free, 100, "write after free", OWNED);
    assert_panics(free_twice, 5000, "freed", "owner unknown");
    assert_panics(overrun_by_one, 5000, "overrun", OWNED);
    assert_panics(flip_header_bit, 5000, "damaged", "owner unknown");
    assert_panics(free_stack, 0, "no object", "owner unknown");
    heap_guest_hook = guest_four;
    assert_panics(overrun_by_one, 100, "overrun", "for guest 4");
    heap_guest_hook = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_size),
        cmocka_unit_test(test_calloc_zeroes_and_checks),
        cmocka_unit_test(test_strdup),
        cmocka_unit_test(test_fails_at_any_point),
        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_classes_and_peak),
        cmocka_unit_test(test_owners),
        cmocka_unit_test(test_check),
        cmocka_unit_test(test_random_walk),
        /* Last: its processes share the simulated RAM. */
        cmocka_unit_test(test_bugs_of_callers_panic),
    };

    return cmocka_run_group_tests(tests, add_ram, NULL);
}
