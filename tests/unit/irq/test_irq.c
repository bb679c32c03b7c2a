// SPDX-License-Identifier: Apache-2.0
// Host interrupts: probing the controller, requests, dispatch on a fake controller, specifiers.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arch/mmu.h>
#include <hv/ctx.h>
#include <hv/irq.h>
#include <hv/log.h>
#include <hv/match.h>
#include <hv/page.h>
#include <hv/upcall.h>
#include <lib/endian.h>
#include <lib/errno.h>
#include <port/host.h>
#include <string.h>

#define TOTAL 64

static uint32_t queue[256];
static unsigned queue_head, queue_tail;
static bool enabled[TOTAL];
static uint32_t ended, deactivated, configured, trigger_seen;
static unsigned cpu_inits;
static unsigned warnings;

static uint32_t fake_ack(void)
{
    return queue_head == queue_tail ? IRQ_NONE : queue[queue_head++ % 256];
}

static void fake_end(uint32_t irq, bool deactivate)
{
    (void)irq;
    ended++;
    deactivated += deactivate;
}

static void fake_enable(uint32_t irq)
{
    assert_true(arch_irq_is_disabled());
    enabled[irq] = true;
}

static void fake_disable(uint32_t irq)
{
    enabled[irq] = false;
}

static int fake_configure(uint32_t irq, uint32_t trigger)
{
    configured = irq;
    trigger_seen = trigger;
    return 0;
}

static int fake_translate(const uint32_t *cells, unsigned count, uint32_t *irq, uint32_t *trigger)
{
    if (count != 2)
        return -EINVAL;
    *irq = cells[0];
    *trigger = cells[1];
    return 0;
}

static int fake_init_cpu(void)
{
    cpu_inits++;
    return 0;
}

static const struct irqchip fake_chip = {
    .name = "fake",
    .ack = fake_ack,
    .end = fake_end,
    .enable = fake_enable,
    .disable = fake_disable,
    .configure = fake_configure,
    .translate = fake_translate,
    .init_cpu = fake_init_cpu,
    .total = TOTAL,
};

static unsigned probes;

/* The first node is one that the driver can not use. */
static int fake_probe(struct dt_node *node)
{
    probes++;
    return dt_attr(node, "broken") != NULL ? -EIO : irq_set_chip(&fake_chip);
}

static const char *const fake_compatible[] = {"test,other", "test,irqchip", NULL};
HOST_IRQCHIP(fake, fake_compatible, fake_probe);

static void count_warning(const char *text, size_t size)
{
    (void)size;
    warnings += strstr(text, "warning") != NULL;
}

static struct dt_node *gic;

static struct dt_node *add(struct dt_node *parent, const char *name, const char *compatible)
{
    struct dt_node *node = NULL;

    assert_int_equal(dt_add_node(parent, name, &node), 0);
    assert_int_equal(dt_set_string(node, "compatible", compatible), 0);
    return node;
}

static int set_up(void **state)
{
    (void)state;
    log_set_sink(count_warning);
    return page_add_range(hpa(HOST_RAM_BASE), 64 << 20) != 0 || dt_init() != 0;
}

/* First of all: without a controller. */
static void test_probe(void **state)
{
    struct dt_node *broken, *off;

    (void)state;
    assert_int_equal(irq_init(), -ENODEV);
    assert_null(irq_chip());
    assert_int_equal(irq_request(5, "early", NULL, NULL), -EINVAL);
    broken = add(dt_root(), "broken", "test,irqchip");
    dt_set_u32(broken, "broken", 1);
    assert_int_equal(irq_init(), -ENODEV);
    off = add(dt_root(), "off", "test,irqchip");
    dt_set_string(off, "status", "disabled");
    add(add(dt_root(), "guests", "x"), "gic", "test,irqchip");
    assert_int_equal(irq_init(), -ENODEV);
    assert_int_equal(probes, 2);
    gic = add(dt_root(), "gic", "test,irqchip");
    assert_int_equal(irq_init(), 0);
    assert_ptr_equal(irq_chip(), &fake_chip);
    assert_int_equal(irq_set_chip(&fake_chip), -EBUSY);
    assert_int_equal(irq_init_cpu(), 0);
    assert_int_equal(cpu_inits, 1);
}

static unsigned handled;
static enum irq_result answer;

static enum irq_result handler(uint32_t irq, void *arg)
{
    assert_int_equal(irq, *(uint32_t *)arg);
    assert_int_equal(ctx_current(), CTX_IRQ);
    handled++;
    return answer;
}

static void raise_irq(uint32_t irq)
{
    queue[queue_tail++ % 256] = irq;
}

/* As the hardware does it: an entry for each that is pending. */
static void take_all(void)
{
    arch_irq_disable();
    do {
        hv_irq();
    } while (queue_head != queue_tail);
    arch_irq_enable();
    assert_int_equal(ctx_current(), CTX_ORPHAN);
}

static void test_request(void **state)
{
    static uint32_t irq = 40;

    (void)state;
    assert_int_equal(irq_request(TOTAL, "x", handler, NULL), -EINVAL);
    assert_int_equal(irq_request(40, "x", NULL, NULL), -EINVAL);
    assert_null(irq_owner(40));
    assert_int_equal(irq_request(40, "uart", handler, &irq), 0);
    assert_int_equal(irq_request(40, "other", handler, &irq), -EBUSY);
    assert_string_equal(irq_owner(40), "uart");
    assert_null(irq_owner(IRQ_MAX));
    assert_false(enabled[40]);
    irq_enable(40);
    assert_true(enabled[40]);
    irq_release(40);
    assert_false(enabled[40]);
    assert_null(irq_owner(40));
    assert_int_equal(irq_request(40, "uart", handler, &irq), 0);
}

/* It is counted and ended; nothing else can be made of it, and nothing else can do without a handler. */
static void test_kick(void **state)
{
    (void)state;
    assert_int_equal(irq_request(IRQ_KICK, "kick", handler, NULL), -EINVAL);
    assert_int_equal(irq_request(IRQ_KICK, "kick", NULL, NULL), 0);
    handled = ended = deactivated = 0;
    raise_irq(IRQ_KICK);
    take_all();
    assert_int_equal(handled, 0);
    assert_int_equal(ended, 1);
    assert_int_equal(deactivated, 1);
    assert_int_equal(irq_count(IRQ_KICK, 0), 1);
    irq_release(IRQ_KICK);
}

static void test_dispatch(void **state)
{
    (void)state;
    irq_enable(40);
    answer = IRQ_HANDLED;
    handled = ended = deactivated = 0;
    raise_irq(40);
    raise_irq(40);
    take_all();
    assert_int_equal(handled, 2);
    assert_int_equal(ended, 2);
    assert_int_equal(deactivated, 2);
    assert_int_equal(irq_count(40, 0), 2);
    assert_int_equal(irq_count(40, 1), 0);
    assert_int_equal(irq_count(IRQ_MAX, 0), 0);
    answer = IRQ_KEEP_ACTIVE;
    raise_irq(40);
    take_all();
    assert_int_equal(ended, 3);
    assert_int_equal(deactivated, 2);
    assert_true(enabled[40]);
}

static void test_spurious(void **state)
{
    uint64_t before = irq_spurious_count();

    (void)state;
    ended = 0;
    take_all();
    raise_irq(1023);
    take_all();
    assert_int_equal(irq_spurious_count(), before + 2);
    assert_int_equal(ended, 0);
}

static void test_without_owner_is_disabled(void **state)
{
    (void)state;
    warnings = 0;
    ended = deactivated = 0;
    enabled[50] = true;
    raise_irq(50);
    take_all();
    assert_false(enabled[50]);
    assert_int_equal(ended, 1);
    assert_int_equal(deactivated, 1);
    assert_int_equal(warnings, 1);
    assert_int_equal(irq_count(50, 0), 1);
}

static void test_unhandled_is_disabled_after_a_while(void **state)
{
    struct irq_info info;

    (void)state;
    warnings = 0;
    irq_enable(40);
    answer = IRQ_UNHANDLED;
    for (unsigned i = 0; i < 99; i++)
        raise_irq(40);
    take_all();
    take_all();
    assert_true(enabled[40]);
    /* One that is handled in between starts the count again. */
    answer = IRQ_HANDLED;
    raise_irq(40);
    take_all();
    answer = IRQ_UNHANDLED;
    for (unsigned i = 0; i < 99; i++)
        raise_irq(40);
    take_all();
    take_all();
    assert_true(enabled[40]);
    assert_int_equal(warnings, 0);
    raise_irq(40);
    take_all();
    assert_false(enabled[40]);
    assert_int_equal(warnings, 1);
    assert_int_equal(irq_get_info(40, &info), 0);
    assert_int_equal(info.state, IRQ_STATE_UNHANDLED);
    assert_int_equal(info.unhandled, 199);
    /* The owner's switch does not bring it back, the operator's does. */
    irq_enable(40);
    assert_false(enabled[40]);
    assert_int_equal(irq_operator_enable(40, true), 0);
    assert_true(enabled[40]);
}

static void test_operator(void **state)
{
    struct irq_info info;

    (void)state;
    assert_int_equal(irq_operator_enable(3, false), -EPERM);
    assert_int_equal(irq_operator_enable(27, false), -EPERM);
    assert_int_equal(irq_operator_enable(55, false), -ENOENT);
    assert_int_equal(irq_operator_enable(40, false), 0);
    assert_false(enabled[40]);
    irq_disable(40);
    irq_enable(40);
    assert_false(enabled[40]);
    assert_int_equal(irq_get_info(40, &info), 0);
    assert_int_equal(info.state, IRQ_STATE_OPERATOR);
    irq_disable(40);
    assert_int_equal(irq_operator_enable(40, true), 0);
    assert_false(enabled[40]);
    irq_enable(40);
    assert_true(enabled[40]);
    assert_int_equal(irq_get_info(55, &info), -ENOENT);
    assert_int_equal(irq_raise(40), -EOPNOTSUPP);
}

/* However many are pending, the interrupted code goes on after each. */
static void test_one_at_a_time(void **state)
{
    (void)state;
    answer = IRQ_HANDLED;
    handled = 0;
    for (unsigned i = 0; i < 200; i++)
        raise_irq(40);
    for (unsigned i = 1; i <= 200; i++) {
        arch_irq_disable();
        hv_irq();
        arch_irq_enable();
        assert_int_equal(handled, i);
    }
}

static void set_interrupts(struct dt_node *node, uint32_t irq, uint32_t trigger)
{
    uint8_t cells[8];

    be32_store(cells, irq);
    be32_store(cells + 4, trigger);
    dt_set_attr(node, "interrupts", cells, 8);
}

static void test_from_node(void **state)
{
    struct dt_node *dev = add(dt_root(), "dev", "x"), *gpio = add(dt_root(), "gpio", "y");
    uint32_t irq;

    (void)state;
    assert_int_equal(irq_from_node(dev, 0, &irq), -ENOENT);
    set_interrupts(dev, 45, 4);
    assert_int_equal(irq_from_node(dev, 0, &irq), -EINVAL);
    dt_set_u32(gic, "phandle", 1);
    dt_set_u32(gic, "#interrupt-cells", 2);
    dt_set_u32(dev, "interrupt-parent", 1);
    assert_int_equal(irq_from_node(dev, 0, &irq), 0);
    assert_int_equal(irq, 45);
    assert_int_equal(configured, 45);
    assert_int_equal(trigger_seen, 4);
    assert_int_equal(irq_from_node(dev, 1, &irq), -ENOENT);
    set_interrupts(dev, TOTAL, 4);
    assert_int_equal(irq_from_node(dev, 0, &irq), -EINVAL);
    dt_set_u32(gic, "#interrupt-cells", 1);
    assert_int_equal(irq_from_node(dev, 0, &irq), -EINVAL);
    /* Another controller's number is none of the root's: no driver knows it yet. */
    dt_set_u32(gpio, "phandle", 2);
    dt_set_u32(gpio, "#interrupt-cells", 2);
    dt_set_u32(dev, "interrupt-parent", 2);
    set_interrupts(dev, 45, 4);
    assert_int_equal(irq_from_node(dev, 0, &irq), -EAGAIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_probe),
        cmocka_unit_test(test_request),
        cmocka_unit_test(test_kick),
        cmocka_unit_test(test_dispatch),
        cmocka_unit_test(test_spurious),
        cmocka_unit_test(test_without_owner_is_disabled),
        cmocka_unit_test(test_unhandled_is_disabled_after_a_while),
        cmocka_unit_test(test_operator),
        cmocka_unit_test(test_one_at_a_time),
        cmocka_unit_test(test_from_node),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
