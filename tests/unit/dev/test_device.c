// SPDX-License-Identifier: Apache-2.0
// What devices hold: registers, interrupts, memory; all of it given back after a failure at any
// point and after removal; registers that two devices ask for; classes.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <hv/chardev.h>
#include <hv/class.h>
#include <hv/clock.h>
#include <hv/driver.h>
#include <hv/irq_thread.h>
#include <hv/page.h>
#include <hv/vmap.h>
#include <lib/endian.h>
#include <lib/errno.h>
#include <port/host.h>
#include <port/machine.h>
#include <string.h>

#define IRQ0 (32 + 40)

static char trace[256];
static unsigned probes;
static int probe_result;

static void say(const char *word)
{
    if (strlen(trace) + strlen(word) < sizeof(trace))
        strcat(trace, word);
}

static void released(void *arg)
{
    say(arg);
}

static enum irq_result handler(uint32_t irq, void *arg)
{
    (void)irq;
    (void)arg;
    say("irq ");
    return IRQ_HANDLED;
}

static void second(uint32_t irq, void *arg)
{
    (void)irq;
    (void)arg;
    say("thread ");
}

static size_t tx(struct chardev *dev, const uint8_t *data, size_t size)
{
    (void)dev;
    (void)data;
    return size;
}

static void tx_interrupt(struct chardev *dev, bool enable)
{
    (void)dev;
    (void)enable;
}

static void tx_sync(struct chardev *dev, const uint8_t *data, size_t size)
{
    (void)dev;
    (void)data;
    (void)size;
}

static const struct chardev_ops ops = {tx, tx_interrupt, tx_sync};

/* One of everything, in this order. */
static int probe(struct device *dev)
{
    struct chardev *chardev;
    uint8_t *memory = device_alloc(dev, 100);
    void *regs;
    int err = memory == NULL ? -ENOMEM : device_map(dev, 0, &regs);

    probes++;
    if (err == 0) {
        assert_true(memory[0] == 0 && memory[99] == 0);
        err = device_on_release(dev, released, "one ");
    }
    if (err == 0)
        err = chardev_add(dev, &ops, memory, &chardev);
    if (err == 0)
        err = device_request_irq(dev, 0, handler, dev);
    if (err == 0)
        err = device_request_irq_thread(dev, 1, NULL, second, dev);
    if (err == 0)
        err = device_on_release(dev, released, "two ");
    return err == 0 ? probe_result : err;
}

static void remove(struct device *dev)
{
    assert_int_equal(dev->state, DEVICE_BOUND);
    say("remove ");
}

static const char *const match[] = {"test,full", NULL};
static const struct driver full = {"full", match, probe, remove, NULL};
DRIVER(full);

static int probe_fixed(struct device *dev)
{
    void *regs;

    return device_map(dev, 0, &regs);
}

static const char *const fixed_match[] = {"test,fixed", NULL};
static const struct driver fixed = {"fixed", fixed_match, probe_fixed, NULL, NULL};
DRIVER(fixed);

static void set_cells(struct dt_node *node, const char *name, unsigned count, const uint32_t *cells)
{
    uint8_t data[32];

    for (unsigned i = 0; i < count; i++)
        be32_store(data + 4 * i, cells[i]);
    assert_int_equal(dt_set_attr(node, name, data, 4 * count), 0);
}

static struct dt_node *add(const char *name, const char *compatible, uint32_t addr, uint32_t size)
{
    const uint32_t reg[] = {0, addr, 0, size}, interrupts[] = {0, 40, 4, 0, 41, 4};
    struct dt_node *node;

    assert_int_equal(dt_add_node(dt_root(), name, &node), 0);
    dt_set_string(node, "compatible", compatible);
    set_cells(node, "reg", 4, reg);
    set_cells(node, "interrupts", 6, interrupts);
    return node;
}

static int boot(void **state)
{
    struct dt_node *gic;

    (void)state;
    machine_start(1);
    dt_set_u32(dt_root(), "#address-cells", 2);
    dt_set_u32(dt_root(), "#size-cells", 2);
    dt_set_u32(dt_root(), "interrupt-parent", 1);
    if (dt_add_node(dt_root(), "gic", &gic) != 0)
        return -1;
    dt_set_u32(gic, "#interrupt-cells", 3);
    dt_set_u32(gic, "phandle", 1);
    return 0;
}

struct state {
    struct machine_census census;
    unsigned mappings;
};

static struct state state_now(void)
{
    machine_run();
    return (struct state){machine_census(), vmap_count()};
}

static void assert_same(const struct state *before)
{
    struct state now = state_now();

    assert_int_equal(now.census.heap_objects, before->census.heap_objects);
    assert_int_equal(now.census.vcpus, before->census.vcpus);
    assert_int_equal(now.mappings, before->mappings);
    assert_null(irq_owner(IRQ0));
    assert_null(irq_owner(IRQ0 + 1));
    assert_null(chardev_find_name("full"));
}

static int probe_all(void *arg)
{
    (void)arg;
    trace[0] = '\0';
    driver_probe_all();
    return 0;
}

static struct device *dev;

static int try_again(void *arg)
{
    dev->state = DEVICE_UNBOUND;
    return probe_all(arg);
}

static int remove_it(void *arg)
{
    trace[0] = '\0';
    (void)arg;
    return device_remove(dev);
}

static void test_bind_and_remove(void **state)
{
    struct state before;

    (void)state;
    add("full", "test,full", 0x9000000, 0x1000);
    probe_result = -EIO;
    machine_call(probe_all, NULL);
    dev = device_find("full");
    assert_int_equal(dev->state, DEVICE_FAILED);
    assert_string_equal(trace, "two one ");
    before = state_now();

    probe_result = 0;
    machine_call(try_again, NULL);
    assert_int_equal(dev->state, DEVICE_BOUND);
    assert_ptr_equal(dev->cls, &chardev_class);
    assert_string_equal(irq_owner(IRQ0), "full");
    assert_true(irq_thread_exists(IRQ0 + 1));
    host_irq_raise(0, IRQ0);
    host_irq_raise(0, IRQ0 + 1);
    machine_run();
    assert_string_equal(trace, "irq thread ");
    assert_ptr_equal(device_owner_of(hpa(0x9000fff), 1), dev);
    assert_null(device_owner_of(hpa(0x9001000), 1));
    assert_ptr_equal(class_device_at(&chardev_class, 0), dev);
    assert_null(class_device_at(&chardev_class, 1));
    assert_ptr_equal(class_find("char"), &chardev_class);
    assert_null(class_find("no such"));

    /* In use it stays. */
    assert_int_equal(chardev_open(chardev_find_name("full"), "a test"), 0);
    assert_int_equal(machine_call(remove_it, NULL), -EBUSY);
    chardev_close(chardev_find_name("full"));
    assert_int_equal(machine_call(remove_it, NULL), 0);
    assert_string_equal(trace, "remove two one ");
    assert_int_equal(dev->state, DEVICE_UNBOUND);
    assert_int_equal(machine_call(remove_it, NULL), -ENODEV);
    assert_same(&before);
}

/* The first, the second ... allocation of the probe fails, until one probe gets through. */
static void test_every_allocation_fails(void **state)
{
    struct state before;
    unsigned failed = 0;

    (void)state;
    probe_result = -EIO;
    machine_call(try_again, NULL);
    before = state_now();
    probe_result = 0;
    for (unsigned n = 1; n < 100; n++) {
        page_fail_after(n);
        dev->state = DEVICE_UNBOUND;
        driver_probe_all();
        page_fail_after(0);
        if (dev->state == DEVICE_BOUND)
            break;
        failed++;
        assert_int_equal(dev->state, DEVICE_FAILED);
        assert_int_equal(dev->error, -ENOMEM);
        assert_same(&before);
    }
    assert_in_range(failed, 5, 90);
    assert_int_equal(machine_call(remove_it, NULL), 0);
}

static void test_registers_of_two(void **state)
{
    (void)state;
    add("first", "test,fixed", 0xa000000, 0x1000);
    add("second", "test,fixed", 0xa000800, 0x1000);
    add("third", "test,fixed", 0xa001800, 0x1000);
    machine_call(probe_all, NULL);
    assert_int_equal(device_find("first")->state, DEVICE_BOUND);
    assert_int_equal(device_find("second")->state, DEVICE_FAILED);
    assert_int_equal(device_find("second")->error, -EBUSY);
    assert_int_equal(device_find("third")->state, DEVICE_BOUND);
    /* A driver that can not let go. */
    assert_int_equal(device_remove(device_find("first")), -EBUSY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bind_and_remove),
        cmocka_unit_test(test_every_allocation_fails),
        cmocka_unit_test(test_registers_of_two),
    };

    return cmocka_run_group_tests(tests, boot, NULL);
}
