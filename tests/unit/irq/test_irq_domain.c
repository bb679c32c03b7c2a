// SPDX-License-Identifier: Apache-2.0
// Interrupt domains: sparse numbers on demand, chained controllers, interrupt parents, routes.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arch/mmu.h>
#include <hv/dt.h>
#include <hv/irq.h>
#include <hv/page.h>
#include <lib/endian.h>
#include <lib/errno.h>
#include <port/host.h>
#include <port/machine.h>
#include <string.h>

#define PARENT 77

/* A secondary controller of any size, its pending register of one number at a time. */
static struct chained {
    struct irq_domain *domain;
    uint32_t pending;
    uint32_t mapped, unmapped, enabled, disabled, trigger;
    int map_result;
} chained;

static int chained_translate(struct irq_domain *domain, const uint32_t *cells, unsigned count,
                             uint32_t *hwirq, uint32_t *trigger)
{
    assert_ptr_equal(irq_domain_priv(domain), &chained);
    *hwirq = cells[0];
    *trigger = count == 2 ? cells[1] : 0;
    return count == 2 ? 0 : -EINVAL;
}

static int chained_map(struct irq_domain *domain, uint32_t hwirq, uint32_t irq)
{
    (void)domain;
    assert_true(irq >= IRQ_MAX);
    if (chained.map_result == 0)
        chained.mapped = hwirq;
    return chained.map_result;
}

static void chained_unmap(struct irq_domain *domain, uint32_t hwirq)
{
    (void)domain;
    chained.unmapped = hwirq;
}

static void chained_enable(struct irq_domain *domain, uint32_t hwirq)
{
    (void)domain;
    chained.enabled = hwirq;
}

static void chained_disable(struct irq_domain *domain, uint32_t hwirq)
{
    (void)domain;
    chained.disabled = hwirq;
}

static int chained_configure(struct irq_domain *domain, uint32_t hwirq, uint32_t trigger)
{
    (void)domain;
    (void)hwirq;
    chained.trigger = trigger;
    return trigger == 3 ? -EINVAL : 0;
}

static const struct irq_domain_ops chained_ops = {
    .translate = chained_translate,
    .map = chained_map,
    .unmap = chained_unmap,
    .enable = chained_enable,
    .disable = chained_disable,
    .configure = chained_configure,
};

static enum irq_result parent_handler(uint32_t irq, void *arg)
{
    struct chained *chip = arg;

    assert_int_equal(irq, PARENT);
    return irq_domain_handle(chip->domain, chip->pending);
}

static unsigned handled;
static uint32_t handled_irq;

static enum irq_result handler(uint32_t irq, void *arg)
{
    assert_ptr_equal(arg, &handled);
    handled++;
    handled_irq = irq;
    return IRQ_HANDLED;
}

static struct dt_node *add(struct dt_node *parent, const char *name)
{
    struct dt_node *node = NULL;

    assert_int_equal(dt_add_node(parent, name, &node), 0);
    return node;
}

static void set_interrupt(struct dt_node *node, uint32_t number, uint32_t trigger)
{
    uint8_t cells[8];

    be32_store(cells, number);
    be32_store(cells + 4, trigger);
    assert_int_equal(dt_set_attr(node, "interrupts", cells, 8), 0);
}

static struct dt_node *gpio;

static int boot(void **state)
{
    (void)state;
    machine_start(4);
    gpio = add(dt_root(), "gpio");
    dt_set_u32(gpio, "#interrupt-cells", 2);
    dt_set_u32(gpio, "phandle", 7);
    return irq_domain_create(gpio, "gpio", &chained_ops, &chained, &chained.domain);
}

static void test_one_domain_a_node(void **state)
{
    struct irq_domain *second;

    (void)state;
    assert_int_equal(irq_domain_create(gpio, "again", &chained_ops, NULL, &second), -EEXIST);
}

/* Numbers far apart, given when asked for, the same while held, free again afterwards. */
static void test_numbers(void **state)
{
    static const uint32_t sparse[] = {0, 5, 63, 64, 4096, 0x12345678, 0xfffffffe, UINT32_MAX};
    uint32_t numbers[8], again;

    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(irq_domain_map(chained.domain, sparse[i], &numbers[i]), 0);
        assert_int_equal(chained.mapped, sparse[i]);
        assert_int_equal(numbers[i], IRQ_MAX + i);
    }
    assert_int_equal(irq_domain_map(chained.domain, sparse[5], &again), 0);
    assert_int_equal(again, numbers[5]);
    irq_put(again);
    again = IRQ_MAX - 1;
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(again = irq_next(again), numbers[i]);
    assert_int_equal(irq_next(again), IRQ_NONE);
    assert_int_equal(irq_domain_destroy(chained.domain), -EBUSY);
    irq_put(numbers[3]);
    assert_int_equal(chained.unmapped, sparse[3]);
    assert_int_equal(irq_next(numbers[2]), numbers[4]);
    assert_int_equal(irq_domain_map(chained.domain, 999, &again), 0);
    assert_int_equal(again, numbers[3]);
    irq_put(again);
    for (unsigned i = 0; i < 8; i++) {
        if (i != 3)
            irq_put(numbers[i]);
    }
    assert_int_equal(irq_next(IRQ_MAX - 1), IRQ_NONE);
}

static void test_refused_map_leaves_nothing(void **state)
{
    struct machine_census before = machine_census(), after;
    uint32_t irq;

    (void)state;
    chained.map_result = -EIO;
    assert_int_equal(irq_domain_map(chained.domain, 5, &irq), -EIO);
    chained.map_result = 0;
    assert_int_equal(irq_next(IRQ_MAX - 1), IRQ_NONE);
    after = machine_census();
    assert_int_equal(after.heap_objects, before.heap_objects);
}

static void test_many_numbers(void **state)
{
    uint32_t irq;

    (void)state;
    for (uint32_t i = 0; i < 5000; i++) {
        assert_int_equal(irq_domain_map(chained.domain, i * 100003, &irq), 0);
        assert_int_equal(irq, IRQ_MAX + i);
    }
    for (uint32_t i = 0; i < 5000; i++) {
        struct irq_info info;

        assert_int_equal(irq_get_info(IRQ_MAX + i, &info), 0);
        assert_int_equal(info.hwirq, i * 100003);
        irq_put(IRQ_MAX + i);
    }
}

/* A device below the chained controller: from its node to its handler, through the parent's. */
static void test_chained(void **state)
{
    struct dt_node *key = add(dt_root(), "key");
    struct irq_info info;
    uint32_t irq;

    (void)state;
    dt_set_u32(key, "interrupt-parent", 7);
    set_interrupt(key, 0x40001, 1);
    assert_int_equal(irq_from_node(key, 0, &irq), 0);
    assert_true(irq >= IRQ_MAX);
    assert_int_equal(chained.trigger, 1);
    assert_int_equal(irq_request(irq, "key", handler, &handled), 0);
    assert_int_equal(irq_request(irq, "other", handler, &handled), -EBUSY);
    irq_enable(irq);
    assert_int_equal(chained.enabled, 0x40001);
    assert_int_equal(irq_request(PARENT, "gpio", parent_handler, &chained), 0);
    irq_enable(PARENT);
    chained.pending = 0x40001;
    host_irq_raise(0, PARENT);
    assert_int_equal(handled, 1);
    assert_int_equal(handled_irq, irq);
    assert_int_equal(irq_count(irq, 0), 1);
    assert_int_equal(irq_count(PARENT, 0), 1);
    assert_int_equal(irq_get_info(irq, &info), 0);
    assert_string_equal(info.domain, "gpio");
    assert_string_equal(info.name, "key");
    assert_int_equal(info.hwirq, 0x40001);
    assert_int_equal(info.state, IRQ_STATE_ENABLED);
    /* It goes where its parent goes. */
    assert_int_equal(irq_set_affinity(irq, CPU_MASK(1)), -EOPNOTSUPP);
    /* One that nobody asked for is the parent's not to know. */
    chained.pending = 3;
    for (unsigned i = 0; i < 100; i++)
        host_irq_raise(0, PARENT);
    assert_false(host_irq_is_enabled(PARENT));
    irq_release(irq);
    assert_int_equal(chained.disabled, 0x40001);
    irq_put(irq);
    assert_int_equal(irq_get_info(irq, &info), -ENOENT);
    irq_release(PARENT);
    /* A trigger that the controller can not do. */
    set_interrupt(key, 4, 3);
    assert_int_equal(irq_from_node(key, 0, &irq), -EINVAL);
    assert_int_equal(irq_next(IRQ_MAX - 1), IRQ_NONE);
}

static uint32_t target_of(uint32_t irq)
{
    struct irq_info info;

    assert_int_equal(irq_get_info(irq, &info), 0);
    return info.cpu;
}

static void test_affinity(void **state)
{
    uint64_t before = irq_count(40, 2);

    (void)state;
    assert_int_equal(irq_request(40, "a", handler, &handled), 0);
    assert_int_equal(irq_request(41, "b", handler, &handled), 0);
    assert_int_equal(irq_set_affinity(27, CPU_MASK(1)), -ENOENT);
    assert_int_equal(irq_set_affinity(SMP_CPUS_MAX + 90, CPU_MASK(1)), -ENOENT);
    assert_int_equal(irq_set_affinity(40, 0), -EINVAL);
    assert_int_equal(irq_set_affinity(40, CPU_MASK(60)), -EINVAL);
    assert_int_equal(irq_set_affinity(40, CPU_MASK(2)), 0);
    irq_enable(40);
    host_irq_raise(0, 40);
    assert_int_equal(irq_count(40, 2), before + 1);
    /* The one with the fewest of them. */
    assert_int_equal(irq_set_affinity(41, CPU_MASK(2) | CPU_MASK(3)), 0);
    assert_int_equal(target_of(41), 3);
    /* It stays where it may stay. */
    assert_int_equal(irq_set_affinity(41, CPU_MASK(2) | CPU_MASK(3)), 0);
    assert_int_equal(target_of(41), 3);
}

static void test_isolated(void **state)
{
    (void)state;
    irq_set_isolated(CPU_MASK(3));
    assert_int_equal(target_of(41), 2);
    assert_int_equal(irq_set_affinity(40, CPU_MASK(3)), -EBUSY);
    assert_int_equal(irq_set_affinity(40, CPU_MASK(3) | CPU_MASK(1)), 0);
    assert_int_equal(target_of(40), 1);
    /* One that is asked for now is not sent there in the first place. */
    irq_release(40);
    irq_set_isolated(CPU_MASK(0));
    assert_int_equal(irq_request(40, "a", handler, &handled), 0);
    assert_int_not_equal(target_of(40), 0);
    irq_set_isolated(0);
    irq_release(40);
    irq_release(41);
}

static void test_destroy(void **state)
{
    struct dt_node *dev = add(dt_root(), "late");
    uint32_t irq;

    (void)state;
    assert_int_equal(irq_domain_destroy(chained.domain), 0);
    assert_int_equal(irq_domain_create(gpio, "gpio", &chained_ops, &chained, &chained.domain), 0);
    dt_set_u32(dev, "interrupt-parent", 7);
    set_interrupt(dev, 1, 4);
    assert_int_equal(irq_from_node(dev, 0, &irq), 0);
    irq_put(irq);
    assert_int_equal(irq_domain_destroy(chained.domain), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_domain_a_node),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_refused_map_leaves_nothing),
        cmocka_unit_test(test_many_numbers),
        cmocka_unit_test(test_chained),
        cmocka_unit_test(test_affinity),
        cmocka_unit_test(test_isolated),
        cmocka_unit_test(test_destroy),
    };

    return cmocka_run_group_tests(tests, boot, NULL);
}
