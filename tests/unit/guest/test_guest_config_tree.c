// SPDX-License-Identifier: Apache-2.0
// The whole configuration: /vmm, what guests ask of the host and of each other, words that mean nothing, reservations, and random damage.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "fixture.h"

#include <arch/mmu.h>
#include <hv/clock.h>
#include <hv/dt.h>
#include <hv/guest_config.h>
#include <hv/heap.h>
#include <hv/log.h>
#include <hv/page.h>
#include <lib/endian.h>
#include <lib/errno.h>
#include <port/host.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GUEST "/guests/linux0"

static struct fixture_report report;
static struct guest_config config;
static struct guest_layout layout;

static struct dt_node *add(const char *parent, const char *name)
{
    struct dt_node *node = NULL;

    assert_int_equal(dt_add_node(dt_find(parent), name, &node), 0);
    return node;
}

static int fresh_tree(void **state)
{
    struct dt_node *vmm = dt_find("/vmm");

    (void)state;
    if (vmm != NULL)
        dt_delete_node(vmm);
    return fixture_tree(NULL, 0);
}

static int check_all(void)
{
    fixture_report_init(&report);
    return guest_config_check_all(false, &report.report);
}

static void assert_said(const char *line)
{
    char wanted[300];
    char text[FIXTURE_REPORT_SIZE + 2];

    snprintf(wanted, sizeof(wanted), "\n%s", line);
    snprintf(text, sizeof(text), "\n%s", report.text);
    if (strstr(text, wanted) == NULL)
        fprintf(stderr, "wanted: %s\ngot: %s\n", line, report.text);
    assert_non_null(strstr(text, wanted));
}

static void assert_refused(const char *line)
{
    assert_int_equal(check_all(), -EINVAL);
    assert_said(line);
}

static void test_good(void **state)
{
    (void)state;
    assert_int_equal(check_all(), 0);
    assert_string_equal(report.text, "");
}

static void test_vmm(void **state)
{
    static const uint32_t cells[] = {1, 2};
    struct dt_node *vmm = add("/", "vmm");

    (void)state;
    dt_set_string(vmm, "bulkhead,scheduler", CONFIG_SCHED_DEFAULT);
    dt_set_u32(vmm, "bulkhead,time-slice-us", 5000);
    dt_set_string(vmm, "bulkhead,startup", "raw");
    dt_set_string(vmm, "bulkhead,log-level", "debug");
    dt_set_string(vmm, "bulkhead,console", "/timer");
    dt_set_string(vmm, "bulkhead,consoles", "/timer");
    dt_set_string(vmm, "bulkhead,time-zone", "+02:00");
    dt_set_string(vmm, "bulkhead,balancer", CONFIG_BALANCER_DEFAULT);
    assert_int_equal(check_all(), 0);
    assert_string_equal(report.text, "");
    guest_config_vmm_apply();
    assert_int_equal(log_get_level(), LOG_DEBUG);

    dt_set_string(vmm, "bulkhead,scheduler", "lottery");
    dt_set_u32(vmm, "bulkhead,time-slice-us", 99);
    dt_set_string(vmm, "bulkhead,startup", "nofile");
    dt_set_string(vmm, "bulkhead,log-level", "loud");
    dt_set_string(vmm, "bulkhead,console", GUEST);
    dt_set_string(vmm, "bulkhead,balancer", "chance");
    dt_set_u32(vmm, "bulkhead,isolated-cpus", 77);
    dt_set_u32(vmm, "bulkhead,log-levle", 1);
    dt_set_u32(vmm, "bulkhead,zzz", 1);
    dt_set_u32(vmm, "zzz", 1);
    add("/vmm", "sub");
    assert_int_equal(check_all(), -EINVAL);
    assert_said("/vmm: bulkhead,scheduler: no policy \"lottery\"");
    assert_said("/vmm: bulkhead,time-slice-us: 99 is too small");
    assert_said("/vmm: bulkhead,startup: the boot bundle has no file \"nofile\"");
    assert_said("/vmm: bulkhead,log-level: \"loud\" is unknown");
    assert_said("/vmm: bulkhead,console: the host has no device \"" GUEST "\"");
    assert_said("/vmm: bulkhead,log-levle: no such property here; is bulkhead,log-level meant?");
    assert_said("/vmm: bulkhead,zzz: no such property here; look for a typing error");
    assert_said("warning: /vmm: zzz: means nothing here");
    assert_said("warning: /vmm/sub: means nothing here; remove it");
    assert_said("/vmm: bulkhead,balancer: no strategy \"chance\"");
    assert_said("/vmm: bulkhead,isolated-cpus: this host has no CPU 77 online");
    assert_int_equal(report.report.errors, 9);
    assert_int_equal(report.report.warnings, 2);
    guest_config_vmm_apply();
    assert_int_equal(log_get_level(), LOG_DEBUG);

    dt_set_u32(vmm, "bulkhead,scheduler", 3);
    dt_set_string(vmm, "bulkhead,time-slice-us", "long");
    dt_set_u32_array(vmm, "bulkhead,log-level", cells, 2);
    dt_set_attr(vmm, "bulkhead,isolated-cpus", NULL, 0);
    dt_set_attr(vmm, "bulkhead,consoles", "ab", 2);
    assert_int_equal(check_all(), -EINVAL);
    assert_said("/vmm: bulkhead,scheduler: must be a string");
    assert_said("/vmm: bulkhead,time-slice-us: must be one cell");
    assert_said("/vmm: bulkhead,log-level: must be a string");
    assert_said("/vmm: bulkhead,isolated-cpus: must be CPU numbers");
    assert_said("/vmm: bulkhead,consoles: must be a list of strings");
    dt_set_u32(vmm, "bulkhead,isolated-cpus", 0);
    assert_int_equal(check_all(), -EINVAL);
    assert_said("warning: /vmm: bulkhead,isolated-cpus: leaves no CPU for the rest");
    log_set_level(LOG_ERROR);
}

static void test_words_that_mean_nothing(void **state)
{
    (void)state;
    dt_set_u32(dt_find(GUEST), "colour", 1);
    dt_set_u32(dt_find(GUEST "/vcpus"), "cuont", 1);
    dt_set_u32(dt_find(GUEST "/vcpus/vcpu@1"), "prio", 1);
    add(GUEST, "chosn");
    add(GUEST, "elsewhere");
    assert_int_equal(check_all(), 0);
    assert_said("warning: " GUEST ": colour: means nothing here; remove it");
    assert_said("warning: " GUEST "/vcpus: cuont: means nothing here");
    assert_said("warning: " GUEST "/vcpus/vcpu@1: prio: means nothing here");
    assert_said("warning: " GUEST "/chosn: means nothing here; is chosen meant?");
    assert_said("warning: " GUEST "/elsewhere: means nothing here; remove it");
    assert_int_equal(report.report.warnings, 5);
    dt_set_u32(dt_find(GUEST "/aspace"), "bulkhead,colour", 1);
    assert_refused(GUEST "/aspace: bulkhead,colour: no such property here");
}

static void test_names_of_guests(void **state)
{
    (void)state;
    assert_int_equal(
        dt_copy_node(dt_find(GUEST), dt_find("/guests"), "linux1@1", &(struct dt_node *){0}), 0);
    assert_refused("/guests/linux1@1: a guest's name has 1 to 31");
}

static void set_reservation(uint32_t period, uint32_t budget, uint32_t deadline)
{
    struct dt_node *vcpus = dt_find(GUEST "/vcpus");

    dt_delete_attr(vcpus, "bulkhead,period-us");
    dt_delete_attr(vcpus, "bulkhead,budget-us");
    dt_delete_attr(vcpus, "bulkhead,deadline-us");
    if (period != 0)
        dt_set_u32(vcpus, "bulkhead,period-us", period);
    if (budget != 0)
        dt_set_u32(vcpus, "bulkhead,budget-us", budget);
    if (deadline != 0)
        dt_set_u32(vcpus, "bulkhead,deadline-us", deadline);
}

static void test_reservations(void **state)
{
    static const struct {
        uint32_t period, budget, deadline;
        const char *message;
    } bad[] = {
        {99, 10, 0, "bulkhead,period-us: 99 is too small"},
        {1000, 9, 0, "bulkhead,budget-us: 9 is too small"},
        {1000, 100, 99, "bulkhead,deadline-us: 99 is too small"},
        {0, 100, 0, "bulkhead,period-us: missing"},
        {1000, 0, 0, "bulkhead,budget-us: missing"},
        {0, 0, 500, "bulkhead,period-us: missing"},
        {1000, 100, 1001, "bulkhead,deadline-us: is after the period's end; at most 1000"},
        {1000, 1001, 0, "bulkhead,budget-us: is more than there is time for; at most 1000"},
        {1000, 501, 500, "bulkhead,budget-us: is more than there is time for; at most 500"},
    };
    char line[200];

    (void)state;
    set_reservation(10000, 2000, 5000);
    dt_set_u32(dt_find(GUEST "/vcpus/vcpu@1"), "bulkhead,budget-us", 3000);
    fixture_report_init(&report);
    assert_int_equal(guest_config_read(dt_find(GUEST), &config, &layout, &report.report), 0);
    assert_int_equal(config.vcpus[0].period, 10 * NS_PER_MS);
    assert_int_equal(config.vcpus[0].budget, 2 * NS_PER_MS);
    assert_int_equal(config.vcpus[0].deadline, 5 * NS_PER_MS);
    assert_int_equal(config.vcpus[1].budget, 3 * NS_PER_MS);
    dt_delete_attr(dt_find(GUEST "/vcpus/vcpu@1"), "bulkhead,budget-us");
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        set_reservation(bad[i].period, bad[i].budget, bad[i].deadline);
        snprintf(line, sizeof(line), GUEST "/vcpus: %s", bad[i].message);
        assert_refused(line);
    }
}

/* Memory at a place of the host's that is given. */

static void set_fixed(const char *guest, uint64_t host)
{
    char path[100];

    snprintf(path, sizeof(path), "/guests/%s/aspace/memory@40000000", guest);
    assert_int_equal(dt_set_u64(dt_find(path), "bulkhead,host-address", host), 0);
}

#define FIXED GUEST "/aspace/memory@40000000: bulkhead,host-address: "

static void test_fixed_memory(void **state)
{
    struct dt_node *copy;

    (void)state;
    set_fixed("linux0", HOST_RAM_BASE + (32 << 20));
    assert_int_equal(check_all(), 0);
    set_fixed("linux0", HOST_RAM_BASE + (32 << 20) + 8);
    assert_refused(FIXED "0x42000008 must be a multiple of 0x1000");
    set_fixed("linux0", HOST_RAM_BASE);
    assert_refused(FIXED "0x40000000 overlaps \"image\" (0x40000000, size 0x200000)");
    set_fixed("linux0", HOST_RAM_BASE + (256 << 20) - 4096);
    assert_refused(FIXED "0x4ffff000, size 0x1000000: is not RAM");
    set_fixed("linux0", 0x9000000);
    assert_refused(FIXED "0x9000000, size 0x1000000: is not RAM");
    set_fixed("linux0", UINT64_MAX & ~0xfffULL);
    assert_int_equal(check_all(), -EINVAL);
    dt_set_attr(dt_find(GUEST "/aspace/memory@40000000"), "bulkhead,host-address", "abc", 3);
    assert_refused(FIXED "must be an address");

    set_fixed("linux0", HOST_RAM_BASE + (32 << 20));
    assert_int_equal(dt_copy_node(dt_find(GUEST), dt_find("/guests"), "linux1", &copy), 0);
    set_fixed("linux1", HOST_RAM_BASE + (47 << 20));
    assert_refused(
        "/guests/linux1/aspace/memory@40000000: bulkhead,host-address: 0x42f00000 overlaps "
        "memory of guest \"linux0\" (0x42000000, size 0x1000000); move it");
    set_fixed("linux1", HOST_RAM_BASE + (48 << 20));
    assert_int_equal(check_all(), 0);
}

THREAD_TEST(test_fixed_memory_is_taken)
{
    struct fixture_report own;
    struct dt_node *copy;
    struct guest *guest;
    struct page_stats before, after;

    (void)arg;
    assert_int_equal(fixture_tree(NULL, 0), 0);
    set_fixed("linux0", HOST_RAM_BASE + (32 << 20));
    assert_int_equal(dt_copy_node(dt_find(GUEST), dt_find("/guests"), "linux1", &copy), 0);
    page_get_stats(&before);
    fixture_report_init(&own);
    guest = fixture_create(&own);
    assert_non_null(guest);
    for (unsigned i = 0; i < guest->map->count; i++)
        if (guest->map->regions[i]->start.v == 0x40000000)
            assert_int_equal(guest->map->regions[i]->host.v, HOST_RAM_BASE + (32 << 20));
    assert_int_equal(guest_create("linux1", NULL, &own.report), -EBUSY);
    assert_non_null(strstr(own.text, "/guests/linux1/aspace/memory@40000000: "
                                     "bulkhead,host-address: 0x42000000, size 0x1000000: in use"));
    guest_destroy(guest);
    page_get_stats(&after);
    assert_int_equal(after.free, before.free);
}

/* Shared memory. */

static void test_shared_memory_differs(void **state)
{
    struct dt_node *copy;

    (void)state;
    dt_set_string(dt_find(GUEST "/aspace/dev1@9010000"), "compatible", "test,other");
    add(GUEST "/aspace", "memory@60000000");
    dt_set_string(dt_find(GUEST "/aspace/memory@60000000"), "device_type", "memory");
    dt_set_string(dt_find(GUEST "/aspace/memory@60000000"), "bulkhead,shared", "board");
    dt_set_u32_array(dt_find(GUEST "/aspace/memory@60000000"), "reg",
                     (uint32_t[]){0, 0x60000000, 0, 0x10000}, 4);
    assert_int_equal(dt_copy_node(dt_find(GUEST), dt_find("/guests"), "linux1", &copy), 0);
    assert_int_equal(check_all(), 0);
    dt_set_u32_array(dt_find("/guests/linux1/aspace/memory@60000000"), "reg",
                     (uint32_t[]){0, 0x60000000, 0, 0x20000}, 4);
    assert_refused("/guests/linux1/aspace/memory@60000000: reg: shared memory \"board\" has 0x10000 "
                   "bytes in guest \"linux0\", 0x20000 here");
}

/* Devices of the host. */

static void add_host(void)
{
    static const uint32_t uart_irq[] = {0, 1, 4}, gpio_irq[] = {0, 7, 4};
    struct dt_node *gic = add("/", "intc@8000000"), *uart = add("/", "pl011@9000000");
    struct dt_node *gpio = add("/", "pl061@9030000"), *near = add("/", "pl031@9010000");

    dt_set_attr(gic, "interrupt-controller", NULL, 0);
    dt_set_u32(gic, "#interrupt-cells", 3);
    dt_set_u32(gic, "phandle", 77);
    dt_set_u32(dt_root(), "interrupt-parent", 77);
    dt_set_u32_array(uart, "interrupts", uart_irq, 3);
    dt_set_u32_array(near, "interrupts", uart_irq, 3);
    dt_set_u32_array(gpio, "interrupts", gpio_irq, 3);
    dt_set_string(dt_find("/chosen"), "stdout-path", "/pl011@9000000:115200");
}

static void remove_host(void)
{
    static const char *const names[] = {"/intc@8000000", "/pl011@9000000", "/pl061@9030000",
                                        "/pl031@9010000"};

    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(dt_delete_node(dt_find(names[i])), 0);
    dt_delete_attr(dt_find("/chosen"), "stdout-path");
}

static void pass(const char *guest, const char *name, const char *host)
{
    char path[100];

    snprintf(path, sizeof(path), "/guests/%s/aspace", guest);
    assert_int_equal(dt_set_string(add(path, name), "bulkhead,passthrough", host), 0);
}

#define PASS GUEST "/aspace/a: bulkhead,passthrough: "

static void test_passthrough(void **state)
{
    static const struct {
        const char *host;
        const char *message;
    } bad[] = {
        {"/nothing", PASS "the host has no device \"/nothing\""},
        {GUEST, PASS "the host has no device \"" GUEST "\""},
        {"", PASS "must be a string that is not empty"},
        {"/pl011@9000000", PASS "\"pl011@9000000\" is the hypervisor's console"},
        {"/intc@8000000", PASS "\"intc@8000000\" is the hypervisor's interrupt controller"},
        {"/pl031@9010000", PASS
         "interrupt 1 of \"pl031@9010000\" is also that of \"pl011@9000000\", the hypervisor's "
         "console"},
        {"/pl061@9030000", PASS "host devices can not be passed to guests in this version"},
    };
    struct dt_node *copy;

    (void)state;
    add_host();
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        pass("linux0", "a", bad[i].host);
        assert_refused(bad[i].message);
        dt_delete_node(dt_find(GUEST "/aspace/a"));
    }
    /* Twice in a guest, and in two guests. */
    pass("linux0", "a", "/pl061@9030000");
    assert_int_equal(dt_copy_node(dt_find(GUEST), dt_find("/guests"), "linux1", &copy), 0);
    assert_refused("/guests/linux1/aspace/a: bulkhead,passthrough: guest \"linux0\" has "
                   "\"pl061@9030000\" already");
    pass("linux0", "b", "/pl061@9030000");
    assert_refused(GUEST "/aspace/b: bulkhead,passthrough: \"pl061@9030000\" is passed to \"a\"");
    remove_host();
}

static void test_hypervisors_own_nodes_stay(void **state)
{
    (void)state;
    add_host();
    assert_int_equal(guest_config_hold_host(), 0);
    assert_int_equal(dt_delete_node(dt_find("/intc@8000000")), -EBUSY);
    assert_int_equal(dt_set_u32(dt_find("/intc@8000000"), "reg", 1), -EBUSY);
    assert_string_equal(dt_user(dt_find("/intc@8000000")), "the hypervisor");
    assert_int_equal(dt_delete_node(dt_find("/pl061@9030000")), 0);
    assert_int_equal(dt_delete_node(dt_find("/pl031@9010000")), 0);
}

static void test_autostart_beyond_the_host(void **state)
{
    struct dt_node *copy;
    char name[20];

    (void)state;
    dt_set_attr(dt_find(GUEST), "bulkhead,autostart", NULL, 0);
    for (unsigned i = 1; i < 16; i++) {
        snprintf(name, sizeof(name), "more%u", i);
        assert_int_equal(dt_copy_node(dt_find(GUEST), dt_find("/guests"), name, &copy), 0);
    }
    assert_int_equal(check_all(), 0);
    assert_said("warning: /guests/more15: bulkhead,autostart: the guests that start by themselves "
                "have 257 MiB, the host 25");
}

static void test_out_of_memory_at_any_point(void **state)
{
    struct fixture_census before;
    unsigned n = 0;
    int err;

    (void)state;
    set_fixed("linux0", HOST_RAM_BASE + (32 << 20));
    fixture_census(&before);
    do {
        page_fail_after(++n);
        err = check_all();
        page_fail_after(0);
        assert_true(fixture_census_equal(&before));
    } while (err == -ENOMEM);
    assert_int_equal(err, 0);
    assert_true(n > 3);
}

/* Each property of the guest damaged in each way: told with its node, nothing left behind. */

struct damage {
    const char *name;
    const void *data;
    uint32_t size;
};
static uint8_t huge[65536];
static const struct damage damages[] = {
    {"empty", "", 0},
    {"one byte", "x", 1},
    {"no terminator", "abc", 3},
    {"zero cell", "\0\0\0\0", 4},
    {"ones", "\xff\xff\xff\xff", 4},
    {"two cells", "\x80\0\0\0\x80\0\0\0", 8},
    {"strings", "a\0b\0c", 6},
    {"huge", huge, sizeof(huge)},
};

static struct dt_node *nth_attr(unsigned index, const struct dt_attr **attr)
{
    struct dt_node *top = dt_find(GUEST);

    for (struct dt_node *node = top; node != NULL; node = dt_next(top, node)) {
        LIST_FOR_EACH(at, &node->attrs, struct dt_attr, link) {
            if (index-- == 0) {
                *attr = at;
                return node;
            }
        }
    }
    return NULL;
}

static void assert_paths(void)
{
    char text[FIXTURE_REPORT_SIZE];
    char *at = NULL;

    memcpy(text, report.text, sizeof(text));
    for (char *line = strtok_r(text, "\n", &at); line != NULL; line = strtok_r(NULL, "\n", &at)) {
        line += strncmp(line, "warning: ", 9) == 0 ? 9 : 0;
        assert_true(strncmp(line, "/guests/linux0", 14) == 0);
    }
}

static void test_every_property_damaged(void **state)
{
    struct fixture_census before;
    const struct dt_attr *attr;
    unsigned refused = 0, accepted = 0;

    (void)state;
    for (unsigned i = 0; nth_attr(i, &attr) != NULL; i++) {
        for (unsigned n = 0; n <= sizeof(damages) / sizeof(damages[0]); n++) {
            struct dt_node *node = nth_attr(i, &attr);
            char name[40];

            snprintf(name, sizeof(name), "%s", attr->name);
            if (n < sizeof(damages) / sizeof(damages[0]))
                assert_int_equal(dt_set_attr(node, name, damages[n].data, damages[n].size), 0);
            else
                assert_int_equal(dt_delete_attr(node, name), 0);
            fixture_census(&before);
            if (check_all() == 0)
                accepted++;
            else
                refused++;
            assert_true(fixture_census_equal(&before));
            assert_paths();
            assert_int_equal(fresh_tree(NULL), 0);
        }
    }
    assert_true(refused > 5 * accepted / 2);
}

/* Random trees of known words and bad values, from a seed. */

static uint32_t random_state;

static uint32_t random_below(uint32_t bound)
{
    random_state = random_state * 1664525 + 1013904223;
    return (random_state >> 8) % bound;
}

static void damage_once(void)
{
    static const char *const words[] = {"bulkhead,alias",
                                        "bulkhead,shared",
                                        "bulkhead,passthrough",
                                        "bulkhead,host-address",
                                        "bulkhead,count",
                                        "reg",
                                        "interrupts",
                                        "compatible",
                                        "status",
                                        "device_type",
                                        "phandle",
                                        "bulkhead,file",
                                        "bulkhead,period-us",
                                        "bulkhead,affinity",
                                        "#address-cells",
                                        "bulkhead,load",
                                        "bulkhead,spi-count",
                                        "bulkhead,form",
                                        "bulkhead,format",
                                        "bulkhead,dtb"};
    const struct dt_attr *attr = NULL;
    struct dt_node *node = nth_attr(random_below(30), &attr);
    struct dt_node *new;
    uint8_t data[64];
    uint32_t size = random_below(sizeof(data));

    if (node == NULL)
        return;
    for (uint32_t i = 0; i < size; i++)
        data[i] = (uint8_t)(random_below(4) == 0 ? random_below(256) : 0);
    switch (random_below(5)) {
    case 0:
        dt_set_attr(node, words[random_below(20)], data, size);
        break;
    case 1:
        dt_set_u32(node, words[random_below(20)], random_below(16));
        break;
    case 2:
        dt_delete_node(node);
        break;
    case 3:
        dt_copy_node(node, node->parent, random_below(2) != 0 ? "copy@1" : "copy", &new);
        break;
    default:
        size = MIN(attr->size, (uint32_t)sizeof(data));
        memcpy(data, attr->data, size);
        if (size > 0)
            data[random_below(size)] ^= (uint8_t)(1U << random_below(8));
        dt_set_attr(node, attr->name, data, size);
    }
}

static void test_random_damage(void **state)
{
    struct fixture_census before;

    (void)state;
    for (uint32_t seed = 1; seed <= 1500; seed++) {
        random_state = seed;
        assert_int_equal(fresh_tree(NULL), 0);
        for (unsigned i = 0; i < 4; i++)
            damage_once();
        fixture_census(&before);
        (void)check_all();
        assert_true(fixture_census_equal(&before));
    }
}

static int set_up(void **state)
{
    (void)state;
    return fixture_init();
}

#define TEST(test) cmocka_unit_test_setup(test, fresh_tree)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_good),
        TEST(test_vmm),
        TEST(test_words_that_mean_nothing),
        TEST(test_names_of_guests),
        TEST(test_reservations),
        TEST(test_fixed_memory),
        TEST(test_fixed_memory_is_taken),
        TEST(test_shared_memory_differs),
        TEST(test_passthrough),
        TEST(test_autostart_beyond_the_host),
        TEST(test_out_of_memory_at_any_point),
        TEST(test_every_property_damaged),
        TEST(test_random_damage),
        TEST(test_hypervisors_own_nodes_stay),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
