// SPDX-License-Identifier: Apache-2.0
// Probing of drivers: the most specific compatible first, after what a device depends on, again
// when more has come; circles; disabled nodes and those that describe guests.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arch/mmu.h>
#include <hv/driver.h>
#include <hv/log.h>
#include <hv/match.h>
#include <hv/page.h>
#include <lib/endian.h>
#include <lib/errno.h>
#include <port/host.h>
#include <string.h>

static char probed[1024];
static char logged[4096];
static bool gate_open;

static int record(const char *driver, const struct device *dev)
{
    strcat(probed, driver);
    strcat(probed, ":");
    strcat(probed, dev->name);
    strcat(probed, " ");
    return 0;
}

static int probe_special(struct device *dev)
{
    return record("special", dev);
}

static int probe_general(struct device *dev)
{
    return record("general", dev);
}

static int probe_broken(struct device *dev)
{
    record("broken", dev);
    return -EINVAL;
}

/* Needs something that its node does not say. */
static int probe_late(struct device *dev)
{
    record(gate_open ? "late" : "early", dev);
    return gate_open ? 0 : -EAGAIN;
}

static int probe_gate(struct device *dev)
{
    gate_open = true;
    return record("gate", dev);
}

static const char *const special_match[] = {"test,unused", "test,special", NULL};
static const struct driver special = {.name = "special", special_match, probe_special};
DRIVER(special);
static const char *const general_match[] = {"test,general", NULL};
static const struct driver general = {.name = "general", general_match, probe_general};
DRIVER(general);
static const char *const broken_match[] = {"test,broken", NULL};
static const struct driver broken = {.name = "broken", broken_match, probe_broken};
DRIVER(broken);
static const char *const late_match[] = {"test,late", NULL};
static const struct driver late = {.name = "late", late_match, probe_late};
DRIVER(late);
static const char *const gate_match[] = {"test,gate", NULL};
static const struct driver gate = {.name = "gate", gate_match, probe_gate};
DRIVER(gate);

static int no_irqchip(struct dt_node *node)
{
    (void)node;
    return -ENODEV;
}

static const char *const early_match[] = {"test,early-irqchip", NULL};
HOST_IRQCHIP(early, early_match, no_irqchip);

static struct dt_node *add(struct dt_node *parent, const char *name, const char *compatible,
                           size_t size)
{
    struct dt_node *node;

    assert_int_equal(dt_add_node(parent, name, &node), 0);
    if (compatible != NULL)
        assert_int_equal(dt_set_attr(node, "compatible", compatible, (uint32_t)size), 0);
    return node;
}
#define ADD(parent, name, compatible) add(parent, name, compatible, sizeof(compatible))

static struct device *probe_and_find(const char *name)
{
    struct device *dev;

    probed[0] = '\0';
    logged[0] = '\0';
    driver_probe_all();
    dev = device_find(name);
    assert_non_null(dev);
    return dev;
}

static enum device_state state_of(const char *name)
{
    assert_non_null(device_find(name));
    return device_find(name)->state;
}

/* Before any bus has been held by its device, as below. */
static void test_probing(void **state)
{
    struct dt_node *root = dt_root(), *soc, *off, *guests;

    (void)state;
    soc = ADD(root, "soc", "simple-bus");
    ADD(soc, "uart@1", "test,special\0test,general");
    ADD(soc, "uart@2", "test,newer\0test,general");
    ADD(soc, "uart@3", "test,broken");
    ADD(soc, "nobody", "test,nobody");
    off = ADD(soc, "uart@4", "test,general");
    assert_int_equal(dt_set_string(off, "status", "disabled"), 0);
    off = ADD(root, "off", "simple-bus");
    assert_int_equal(dt_set_string(off, "status", "disabled"), 0);
    ADD(off, "uart@5", "test,general");
    guests = add(root, "guests", NULL, 0);
    ADD(add(guests, "linux0", NULL, 0), "uart@6", "test,general");
    ADD(add(root, "templates", NULL, 0), "uart@7", "test,general");
    ADD(root, "last", "test,general");
    ADD(root, "uart@1", "test,general");

    probe_and_find("soc");
    /* The bus first, then what is beside it, then what is on it. */
    assert_string_equal(probed, "general:last general:uart@1 special:uart@1#2 general:uart@2 "
                                "broken:uart@3 ");
    assert_int_equal(state_of("soc"), DEVICE_BOUND);
    assert_int_equal(state_of("nobody"), DEVICE_UNBOUND);
    assert_int_equal(state_of("uart@3"), DEVICE_FAILED);
    assert_int_equal(device_find("uart@3")->error, -EINVAL);
    assert_ptr_equal(device_find("uart@2")->parent, device_find("soc"));
    assert_null(device_find("uart@4"));
    assert_null(device_find("uart@5"));
    /* Nothing is probed or found twice. */
    probe_and_find("soc");
    assert_string_equal(probed, "");
}

static void test_same_node_twice(void **state)
{
    struct device *dev;

    (void)state;
    assert_int_equal(device_add(&platform_bus, NULL, dt_find("/last"), "again", &dev), -EEXIST);
}

static void set_cells(struct dt_node *node, const char *name, unsigned count, const uint32_t *cells)
{
    uint8_t data[32];

    for (unsigned i = 0; i < count; i++)
        be32_store(data + 4 * i, cells[i]);
    assert_int_equal(dt_set_attr(node, name, data, 4 * count), 0);
}

/* Clocks with cells, power domains, interrupt controllers, and chains of them: suppliers first. */
static void test_order(void **state)
{
    const uint32_t clocks[] = {20, 7, 21}, power[] = {22}, irq[] = {5};
    struct dt_node *root = dt_root(), *user, *clock, *clock2, *domain, *intc, *other;

    (void)state;
    user = ADD(root, "a-user", "test,general");
    clock = ADD(root, "b-clock", "test,general");
    clock2 = ADD(root, "c-clock", "test,nobody");
    domain = ADD(root, "d-power", "test,general");
    intc = ADD(root, "e-intc", "test,general");
    other = ADD(root, "f-user", "test,general");
    dt_set_u32(clock, "phandle", 20);
    dt_set_u32(clock, "#clock-cells", 1);
    dt_set_u32(clock2, "phandle", 21);
    dt_set_u32(clock2, "#clock-cells", 0);
    dt_set_u32(domain, "phandle", 22);
    dt_set_u32(domain, "#power-domain-cells", 0);
    dt_set_u32(intc, "phandle", 23);
    dt_set_u32(intc, "#interrupt-cells", 1);
    set_cells(user, "clocks", 3, clocks);
    set_cells(clock, "power-domains", 1, power);
    dt_set_u32(domain, "interrupt-parent", 23);
    set_cells(domain, "interrupts", 1, irq);
    /* Not its own supplier, and no phandle of nowhere. */
    dt_set_u32(other, "phandle", 24);
    dt_set_u32(other, "clocks", 24);
    dt_set_u32(other, "resets", 999);
    probe_and_find("a-user");
    assert_string_equal(probed, "general:e-intc general:f-user general:d-power general:b-clock "
                                "general:a-user ");
    assert_string_equal(logged, "");
}

/* What is taken before there are drivers counts as there. */
static void test_early(void **state)
{
    struct dt_node *intc = ADD(dt_root(), "early-intc", "test,early-irqchip\0test,general"), *user;
    const uint32_t irq[] = {5};

    (void)state;
    dt_set_u32(intc, "phandle", 30);
    dt_set_u32(intc, "#interrupt-cells", 1);
    user = ADD(dt_root(), "early-user", "test,general");
    dt_set_u32(user, "interrupt-parent", 30);
    set_cells(user, "interrupts", 1, irq);
    probe_and_find("early-intc");
    assert_string_equal(probed, "general:early-user ");
    assert_int_equal(state_of("early-intc"), DEVICE_EARLY);
}

static void test_try_again(void **state)
{
    (void)state;
    ADD(dt_root(), "late", "test,late");
    probe_and_find("late");
    assert_string_equal(probed, "early:late ");
    assert_int_equal(state_of("late"), DEVICE_WAITING);
    assert_non_null(strstr(logged, "late: driver late still waits"));
    ADD(dt_root(), "gate", "test,gate");
    probe_and_find("late");
    assert_string_equal(probed, "early:late gate:gate late:late ");
    probed[0] = '\0';
    assert_int_equal(state_of("late"), DEVICE_BOUND);
}

static void test_behind_a_failure(void **state)
{
    struct dt_node *user = ADD(dt_root(), "user-of-broken", "test,general");
    struct dt_node *clock = ADD(dt_root(), "broken-clock", "test,broken");

    (void)state;
    dt_set_u32(clock, "phandle", 40);
    dt_set_u32(user, "clocks", 40);
    probe_and_find("broken-clock");
    assert_string_equal(probed, "broken:broken-clock ");
    assert_int_equal(state_of("user-of-broken"), DEVICE_WAITING);
    assert_non_null(strstr(logged, "user-of-broken: waits for broken-clock (failed)"));
}

static void test_circle(void **state)
{
    static const char *const names[] = {"ring0", "ring1", "ring2"};
    struct dt_node *rings[3], *behind;

    (void)state;
    behind = ADD(dt_root(), "behind", "test,general");
    dt_set_u32(behind, "clocks", 50);
    for (unsigned i = 0; i < 3; i++) {
        rings[i] = ADD(dt_root(), names[i], "test,general");
        dt_set_u32(rings[i], "phandle", 50 + i);
        dt_set_u32(rings[i], "clocks", 50 + (i + 1) % 3);
    }
    probe_and_find("behind");
    assert_string_equal(probed, "");
    assert_non_null(strstr(logged, "wait for each other: ring0 -> ring1 -> ring2 -> ring0"));
    assert_non_null(strstr(logged, "behind: waits for ring0 (waiting)"));
    assert_null(strstr(strstr(logged, "each other") + 1, "each other"));
    assert_int_equal(device_find("ring1")->error, -EDEADLK);
    assert_int_equal(state_of("ring1"), DEVICE_WAITING);
    /* Said once. */
    probe_and_find("behind");
    assert_null(strstr(logged, "each other"));
}

static void test_drivers_by_name(void **state)
{
    const struct driver *driver, *previous = NULL;
    unsigned count = 0;

    (void)state;
    for (unsigned i = 0; (driver = driver_at(i)) != NULL; i++, count++, previous = driver)
        assert_true(previous == NULL || strcmp(previous->name, driver->name) < 0);
    assert_true(count >= 6);
}

static void collect(const char *text, size_t size)
{
    (void)size;
    if (strlen(logged) + size < sizeof(logged))
        strcat(logged, text);
}

static int boot(void **state)
{
    (void)state;
    host_reset();
    log_set_sink(collect);
    return page_add_range(hpa(HOST_RAM_BASE), 64 << 20) != 0 || dt_init() != 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_probing),   cmocka_unit_test(test_same_node_twice),
        cmocka_unit_test(test_order),     cmocka_unit_test(test_early),
        cmocka_unit_test(test_try_again), cmocka_unit_test(test_behind_a_failure),
        cmocka_unit_test(test_circle),    cmocka_unit_test(test_drivers_by_name),
    };

    return cmocka_run_group_tests(tests, boot, NULL);
}
