// SPDX-License-Identifier: Apache-2.0
// Driver of 16550-compatible UARTs against models of their registers: FIFO and none, wide and narrow
// registers, interrupts and polling.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arch/mmu.h>
#include <hv/chardev.h>
#include <hv/clock.h>
#include <hv/driver.h>
#include <lib/endian.h>
#include <lib/errno.h>
#include <port/host.h>
#include <port/machine.h>
#include <string.h>

#define IRQ 33
#define UARTS 3

enum { DATA, IER, IIR, LCR, MCR, LSR };

/* A device: 16 bytes deep with a FIFO, 1 without. The transmitter empties when the test says so. */
static struct model {
    unsigned fifo, size, shift;
    uint16_t rx[64];
    unsigned rx_count, tx_count;
    char sent[2048];
    size_t sent_count;
    uint8_t ier, lcr, mcr, fcr;
    bool tx_pending; /* the transmit interrupt, until IIR is read */
} models[UARTS] = {
    {.fifo = 16, .size = 1, .shift = 0},
    {.fifo = 1, .size = 4, .shift = 2},
    {.fifo = 16, .size = 1, .shift = 0},
};

static bool rx_pending(const struct model *model)
{
    return model->rx_count > 0 && (model->ier & 1) != 0;
}

static bool is_pending(const struct model *model)
{
    return (model->mcr & 8) != 0 &&
           (rx_pending(model) || (model->tx_pending && (model->ier & 2) != 0));
}

static uint8_t read_data(struct model *model)
{
    uint8_t data = (uint8_t)model->rx[0];

    assert_true(model->rx_count > 0);
    memmove(model->rx, model->rx + 1, --model->rx_count * sizeof(model->rx[0]));
    return data;
}

static uint8_t read_iir(struct model *model)
{
    uint8_t fifo = model->fifo > 1 && (model->fcr & 1) != 0 ? 0xc0 : 0;

    if (rx_pending(model))
        return fifo | 4;
    if (!is_pending(model))
        return fifo | 1;
    model->tx_pending = false;
    return fifo | 2;
}

static uint8_t model_read(struct model *model, unsigned reg)
{
    switch (reg) {
    case DATA:
        return read_data(model);
    case IIR:
        return read_iir(model);
    case LSR:
        return (uint8_t)((model->rx_count > 0 ? 1 | model->rx[0] >> 8 : 0) |
                         (model->tx_count == 0 ? 0x60 : 0));
    default:
        fail_msg("read of register %u", reg);
        return 0;
    }
}

static void model_write(struct model *model, unsigned reg, uint8_t value)
{
    switch (reg) {
    case DATA:
        assert_true(model->tx_count < model->fifo);
        assert_true(model->sent_count < sizeof(model->sent));
        model->sent[model->sent_count++] = (char)value;
        model->tx_count++;
        break;
    case IER:
        /* Turned on while the transmitter is empty, it comes at once. */
        model->tx_pending |= (value & ~model->ier & 2) != 0 && model->tx_count == 0;
        model->ier = value;
        break;
    case IIR:
        model->fcr = value;
        break;
    case LCR:
        model->lcr = value;
        break;
    case MCR:
        model->mcr = value;
        break;
    default:
        fail_msg("write of register %u", reg);
    }
}

static void access(unsigned which, uint64_t offset, unsigned size, bool is_write, uint64_t *value)
{
    struct model *model = &models[which];

    assert_int_equal(size, model->size);
    assert_int_equal(offset & ((1u << model->shift) - 1), 0);
    if (is_write)
        model_write(model, (unsigned)offset >> model->shift, (uint8_t)*value);
    else
        *value = model_read(model, (unsigned)offset >> model->shift);
}

static void access0(uint64_t offset, unsigned size, bool is_write, uint64_t *value)
{
    access(0, offset & 0xfff, size, is_write, value);
}

static void access1(uint64_t offset, unsigned size, bool is_write, uint64_t *value)
{
    access(1, offset & 0xfff, size, is_write, value);
}

static void access2(uint64_t offset, unsigned size, bool is_write, uint64_t *value)
{
    access(2, offset & 0xfff, size, is_write, value);
    /* The wire is as fast as it is looked at. */
    if (!is_write && offset % 0x1000 == LSR)
        models[2].tx_count = 0;
}

static void serve(unsigned which)
{
    for (unsigned i = 0; i < 1000 && is_pending(&models[which]); i++)
        host_irq_raise(0, IRQ + which);
    assert_false(is_pending(&models[which]));
}

static void set_cells(struct dt_node *node, const char *name, unsigned count, const uint32_t *cells)
{
    uint8_t data[32];

    for (unsigned i = 0; i < count; i++)
        be32_store(data + 4 * i, cells[i]);
    assert_int_equal(dt_set_attr(node, name, data, 4 * count), 0);
}

static struct dt_node *add_uart(const char *name, uint32_t which)
{
    const uint32_t reg[4] = {0, 0x09000000 + which * 0x1000, 0, 0x1000};
    const uint32_t interrupts[3] = {0, IRQ - 32 + which, 4};
    struct dt_node *uart;

    assert_int_equal(dt_add_node(dt_root(), name, &uart), 0);
    dt_set_string(uart, "compatible", "ns16550a");
    set_cells(uart, "reg", 4, reg);
    if (which != 2)
        set_cells(uart, "interrupts", 3, interrupts);
    return uart;
}

static struct chardev *uarts[UARTS];

/* Mappings are made from the top of the window downwards, in the order of probing. */
static int boot(void **state)
{
    static const host_io_access handlers[] = {access0, access1, access2};
    struct dt_node *gic, *uart;
    uintptr_t base;
    size_t size;

    (void)state;
    machine_start(1);
    arch_mmu_window(&base, &size);
    dt_set_u32(dt_root(), "#address-cells", 2);
    dt_set_u32(dt_root(), "#size-cells", 2);
    dt_set_u32(dt_root(), "interrupt-parent", 1);
    if (dt_add_node(dt_root(), "gic", &gic) != 0)
        return -1;
    dt_set_u32(gic, "#interrupt-cells", 3);
    dt_set_u32(gic, "phandle", 1);
    for (unsigned i = 0; i < UARTS; i++) {
        static const char *const names[] = {"narrow", "wide", "polled"};

        host_io_handler((void *)base, size, handlers[i]);
        uart = add_uart(names[i], i);
        dt_set_u32(uart, "reg-shift", models[i].shift);
        if (models[i].size != 1)
            dt_set_u32(uart, "reg-io-width", models[i].size);
        driver_probe_all();
        uarts[i] = chardev_find(uart);
        if (uarts[i] == NULL)
            return -1;
    }
    return 0;
}

/* Which of the three is played: all have the window's addresses. */
static void play(unsigned which)
{
    static const host_io_access handlers[] = {access0, access1, access2};
    uintptr_t base;
    size_t size;

    arch_mmu_window(&base, &size);
    host_io_handler((void *)base, size, handlers[which]);
}

static void receive(unsigned which, const char *text, uint16_t flags)
{
    struct model *model = &models[which];

    while (*text != '\0') {
        for (; *text != '\0' && model->rx_count < model->fifo; text++)
            model->rx[model->rx_count++] = (uint16_t)((uint8_t)*text | flags << 8);
        serve(which);
    }
}

static void test_set_up(void **state)
{
    (void)state;
    for (unsigned i = 0; i < UARTS; i++) {
        assert_int_equal(models[i].lcr, 3);
        assert_int_equal(models[i].mcr & 0xb, 0xb);
        assert_int_equal(models[i].fcr & 1, 1);
        assert_int_equal(models[i].ier & 2, 0);
        assert_int_equal(models[i].ier & 1, i != 2);
    }
    assert_true(host_irq_is_enabled(IRQ));
    assert_true(host_irq_is_enabled(IRQ + 1));
}

static void test_receive(void **state)
{
    const char *text = "more than the FIFO holds at once, in several interrupts";

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        play(i);
        receive(i, text, 0);
        for (const char *c = text; *c != '\0'; c++)
            assert_int_equal(chardev_read(uarts[i], 0), *c);
        /* Parity, framing, break are no characters; after an overrun there is one. */
        receive(i, "x", 0x04);
        receive(i, "x", 0x08);
        receive(i, "x", 0x10);
        receive(i, "a", 0x02);
        receive(i, "b", 0);
        assert_int_equal(chardev_read(uarts[i], 0), 'a');
        assert_int_equal(chardev_read(uarts[i], 0), 'b');
    }
}

static void test_transmit(void **state)
{
    char text[1000];

    (void)state;
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (char)('a' + i % 26);
    for (unsigned i = 0; i < 2; i++) {
        struct model *model = &models[i];

        play(i);
        model->sent_count = 0;
        chardev_write_nowait(uarts[i], (const uint8_t *)text, sizeof(text));
        assert_int_equal(model->sent_count, model->fifo);
        assert_int_equal(model->ier & 2, 2);
        while ((model->ier & 2) != 0) {
            model->tx_count = 0;
            model->tx_pending = true;
            serve(i);
        }
        assert_int_equal(model->sent_count, sizeof(text));
        assert_memory_equal(model->sent, text, sizeof(text));
    }
}

/* Another device of a shared line. */
static void test_not_ours(void **state)
{
    struct irq_info info;

    (void)state;
    play(0);
    host_irq_raise(0, IRQ);
    assert_int_equal(irq_get_info(IRQ, &info), 0);
    assert_int_equal(info.unhandled, 1);
}

static int read_polled(void *arg)
{
    (void)arg;
    return chardev_read(uarts[2], 100 * NS_PER_MS);
}

static void test_polled(void **state)
{
    (void)state;
    play(2);
    models[2].sent_count = 0;
    chardev_write_nowait(uarts[2], (const uint8_t *)"hello, world, in one go", 23);
    assert_int_equal(models[2].sent_count, 23);
    assert_memory_equal(models[2].sent, "hello, world, in one go", 23);
    models[2].rx[0] = 'x';
    models[2].rx_count = 1;
    assert_int_equal(machine_call(read_polled, NULL), 'x');
    assert_int_equal(machine_call(read_polled, NULL), -ETIMEDOUT);
    models[2].rx[0] = 3;
    models[2].rx_count = 1;
    assert_true(chardev_peek_byte(uarts[2], 3));
    assert_int_equal(machine_call(read_polled, NULL), 3);
}

static void test_bad_nodes(void **state)
{
    struct dt_node *uart = add_uart("bad", 4);

    (void)state;
    dt_set_u32(uart, "reg-shift", 31);
    driver_probe_all();
    assert_null(chardev_find(uart));
    assert_int_equal(device_find("bad")->error, -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set_up),   cmocka_unit_test(test_receive),
        cmocka_unit_test(test_transmit), cmocka_unit_test(test_not_ours),
        cmocka_unit_test(test_polled),   cmocka_unit_test(test_bad_nodes),
    };

    return cmocka_run_group_tests(tests, boot, NULL);
}
