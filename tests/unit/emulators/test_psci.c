// SPDX-License-Identifier: Apache-2.0
// PSCI and SMCCC services: what each call answers, its errors, and which registers it leaves alone.

#include "fake_guest.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <hv/guest_parts.h>
#include <hv/heap.h>
#include <hv/page.h>
#include <hv/upcall.h>
#include <lib/macros.h>
#include <port/machine.h>
#include <string.h>

#define RAM 0x40000000ULL
#define RAM_SIZE 0x1000ULL
#define MMIO 0x09000000ULL

#define CPU_SUSPEND 0x84000001
#define CPU_OFF 0x84000002
#define CPU_ON 0x84000003
#define CPU_ON_64 0xc4000003
#define AFFINITY_INFO 0x84000004
#define AFFINITY_INFO_64 0xc4000004
#define FEATURES 0x8400000a
#define RESET2 0x84000012
#define RESET2_64 0xc4000012

#define NOT_SUPPORTED -1
#define INVALID_PARAMETERS -2
#define ALREADY_ON -4
#define ON_PENDING -5
#define INVALID_ADDRESS -9

static struct guest_vcpu own[FAKE_VCPUS_MAX];
static struct guest_region ram = {
    .start = {RAM}, .size = RAM_SIZE, .kind = GUEST_REGION_MEMORY, .name = "memory"};
static struct guest_region mmio = {
    .start = {MMIO}, .size = 0x1000, .kind = GUEST_REGION_VIRTUAL, .name = "uart0"};
static struct guest_region_map *map;

static uint64_t x[18];

static int64_t call(uint64_t id, uint64_t x1, uint64_t x2, uint64_t x3)
{
    for (unsigned i = 0; i < ARRAY_SIZE(x); i++)
        x[i] = 0x1111111111111111ULL * (i % 16);
    x[0] = id;
    x[1] = x1;
    x[2] = x2;
    x[3] = x3;
    hv_hypercall(&fake.vcpus[0], x);
    for (unsigned i = 4; i < ARRAY_SIZE(x); i++)
        assert_int_equal(x[i], 0x1111111111111111ULL * (i % 16));
    return (int64_t)x[0];
}

static void set_state(unsigned vcpu, enum vcpu_state state)
{
    fake.vcpus[vcpu].state = state;
}

static int start(void **state)
{
    (void)state;
    fake_create(3, 18, 4);
    memset(own, 0, sizeof(own));
    fake.guest.map = map;
    for (unsigned i = 0; i < 18; i++) {
        fake.vcpus[i].emu = &own[i];
        set_state(i, i == 0 ? VCPU_RUNNING : VCPU_RESET);
    }
    return 0;
}

static int stop(void **state)
{
    (void)state;
    fake_destroy();
    return 0;
}

static void cpu_on(void **state)
{
    (void)state;
    assert_int_equal(call(CPU_ON_64, 1, RAM, 0x123456789abcdef0), 0);
    assert_int_equal(own[1].on_entry, RAM);
    assert_int_equal(own[1].on_arg, 0x123456789abcdef0);
    assert_int_equal(call(CPU_ON_64, 1, RAM, 7), ON_PENDING);
    assert_int_equal(own[1].on_arg, 0x123456789abcdef0);
    assert_int_equal(call(CPU_ON_64, 0, RAM, 0), ALREADY_ON);
    /* The second cluster; 32-bit calls see only lower halves. */
    assert_int_equal(call(0xffffffff00000000 | CPU_ON, 0xdead000000000101, 0xbeef000040000ffc,
                          0xcafe000012345678),
                     0);
    assert_int_equal(own[17].on_entry, RAM + 0xffc);
    assert_int_equal(own[17].on_arg, 0x12345678);
}

static void cpu_on_errors(void **state)
{
    static const uint64_t entries[] = {
        RAM + 1, RAM + 2, MMIO, RAM - 4, RAM + RAM_SIZE, 0, UINT64_MAX, UINT64_MAX - 3, 1ULL << 52};
    static const uint64_t targets[] = {18, 0x10, 0x102, 1ULL << 32 | 1, 1ULL << 31 | 1, UINT64_MAX};

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(entries); i++)
        assert_int_equal(call(CPU_ON_64, 1, entries[i], 0), INVALID_ADDRESS);
    for (unsigned i = 0; i < ARRAY_SIZE(targets); i++)
        assert_int_equal(call(CPU_ON_64, targets[i], RAM, 0), INVALID_PARAMETERS);
    assert_int_equal(own[1].on_state, GUEST_VCPU_ON_NONE);
}

static void affinity_info(void **state)
{
    (void)state;
    assert_int_equal(call(AFFINITY_INFO_64, 0, 0, 0), 0);
    assert_int_equal(call(AFFINITY_INFO_64, 1, 0, 0), 1);
    assert_int_equal(call(CPU_ON_64, 1, RAM, 0), 0);
    assert_int_equal(call(AFFINITY_INFO_64, 1, 0, 0), 2);
    assert_int_equal(call(AFFINITY_INFO, 0xffffffff00000001, 0xffffffff00000000, 0), 2);
    assert_int_equal(call(AFFINITY_INFO_64, 2, 0, 0), 1);
    /* Levels: the first cluster has one that is on, the second has none. */
    assert_int_equal(call(AFFINITY_INFO_64, 5, 1, 0), 0);
    assert_int_equal(call(AFFINITY_INFO_64, 0x100, 1, 0), 1);
    assert_int_equal(call(AFFINITY_INFO_64, 0x100, 2, 0), 0);
    assert_int_equal(call(AFFINITY_INFO_64, 0x100, 3, 0), 0);
    assert_int_equal(call(AFFINITY_INFO_64, 0x200, 1, 0), INVALID_PARAMETERS);
    assert_int_equal(call(AFFINITY_INFO_64, 0, 4, 0), INVALID_PARAMETERS);
    assert_int_equal(call(AFFINITY_INFO_64, 18, 0, 0), INVALID_PARAMETERS);
    assert_int_equal(call(AFFINITY_INFO_64, 1ULL << 31, 0, 0), INVALID_PARAMETERS);
    assert_int_equal(call(AFFINITY_INFO_64, UINT64_MAX, UINT64_MAX, 0), INVALID_PARAMETERS);
}

static void suspend_errors(void **state)
{
    (void)state;
    assert_int_equal(call(CPU_SUSPEND, 1U << 31, RAM, 0), INVALID_PARAMETERS);
    assert_int_equal(call(CPU_SUSPEND, 1U << 17, RAM, 0), INVALID_PARAMETERS);
    assert_int_equal(call(0xc4000001, 1ULL << 32, RAM, 0), INVALID_PARAMETERS);
    assert_int_equal(call(CPU_SUSPEND, 1U << 16, MMIO, 0), INVALID_ADDRESS);
    assert_int_equal(call(0xc4000001, 1U << 16, UINT64_MAX, 0), INVALID_ADDRESS);
}

static void system_reset2(void **state)
{
    (void)state;
    assert_int_equal(call(RESET2, 1, 0, 0), INVALID_PARAMETERS);
    assert_int_equal(call(RESET2, 0x7fffffff, UINT64_MAX, 0), INVALID_PARAMETERS);
    assert_int_equal(call(RESET2_64, 0x80000000, UINT64_MAX, 0), INVALID_PARAMETERS);
    assert_int_equal(fake.guest.power_request, GUEST_POWER_NONE);
}

/* Which functions exist, and in which convention. */
static bool exists(uint32_t id)
{
    static const uint32_t both = 1U << 1 | 1U << 3 | 1U << 4 | 1U << 0x12;
    static const uint32_t only32 = 1U << 0 | 1U << 2 | 1U << 6 | 1U << 8 | 1U << 9 | 1U << 0xa;
    uint32_t number = id & 0x1f;

    return ((id & 0x40000000) != 0 ? both : both | only32) >> number & 1;
}

static void features_and_calls_agree(void **state)
{
    (void)state;
    assert_int_equal(call(0x84000000, 0, 0, 0), 0x10001);
    assert_int_equal(call(0x84000006, 0, 0, 0), 2);
    assert_int_equal(call(FEATURES, 0x80000000, 0, 0), 0);
    for (uint32_t number = 0; number < 0x20; number++) {
        for (unsigned wide = 0; wide < 2; wide++) {
            uint32_t id = 0x84000000 | number | wide << 30;

            assert_int_equal(call(FEATURES, 0xffffffff00000000 | id, 0, 0),
                             exists(id) ? 0 : NOT_SUPPORTED);
            if (!exists(id))
                assert_int_equal(call(id, 0, 0, 0), NOT_SUPPORTED);
        }
    }
}

static void architecture_calls(void **state)
{
    static const uint32_t absent[] = {0x80000002, 0x80008000, 0x80007fff, 0x80003fff,
                                      0x8000ffff, 0xc0000000, 0xc0000001, 0xc5000020};

    (void)state;
    assert_int_equal(call(0x80000000, 0, 0, 0), 0x10002);
    assert_int_equal(call(0x80000001, 0x80000000, 0, 0), 0);
    assert_int_equal(call(0x80000001, 0x80000001, 0, 0), 0);
    for (unsigned i = 0; i < ARRAY_SIZE(absent); i++) {
        assert_int_equal(call(0x80000001, absent[i], 0, 0), NOT_SUPPORTED);
        assert_int_equal(call(absent[i], 7, 8, 9), NOT_SUPPORTED);
        assert_int_equal(x[1], 7);
        assert_int_equal(x[2], 8);
        assert_int_equal(x[3], 9);
    }
}

static void hypervisor_calls(void **state)
{
    (void)state;
    assert_int_not_equal((uint32_t)call(0x8600ff01, 0, 0, 0), UINT32_MAX);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(x[i] >> 32, 0);
    assert_int_equal(call(0x8600ff03, 0, 0, 0), 1);
    assert_int_equal(call(0x86000000, 0, 0, 0), NOT_SUPPORTED);
    assert_int_equal(call(0xc600ff01, 0, 0, 0), NOT_SUPPORTED);
}

/* Random ids of all owners that have no service. */
static void unknown_calls(void **state)
{
    uint64_t seed = 88172645463325252ULL;

    (void)state;
    for (unsigned i = 0; i < 200000; i++) {
        uint32_t id;

        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        id = (uint32_t)seed;
        if ((id & 0xbf000000) == 0x84000000 || (id & 0xbf000000) == 0x80000000 ||
            (id & 0xbf000000) == 0x86000000)
            continue;
        assert_int_equal(call(id, seed, seed, seed), NOT_SUPPORTED);
        assert_int_equal(x[1], seed);
    }
}

static int boot(void **state)
{
    (void)state;
    machine_start(1);
    guest_power_init();
    map = heap_zalloc(sizeof(*map) + 2 * sizeof(map->regions[0]));
    map->count = 2;
    map->regions[0] = &mmio;
    map->regions[1] = &ram;
    return page_alloc(0, PAGE_OWNER_MISC, &ram.host);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(cpu_on),
        TEST(cpu_on_errors),
        TEST(affinity_info),
        TEST(suspend_errors),
        TEST(system_reset2),
        TEST(features_and_calls_agree),
        TEST(architecture_calls),
        TEST(hypervisor_calls),
        TEST(unknown_calls),
    };

    return cmocka_run_group_tests(tests, boot, NULL);
}
