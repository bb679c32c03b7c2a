// SPDX-License-Identifier: Apache-2.0
// Driver of the host's PL011 against a model of its registers: FIFOs, interrupts, broken characters.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arch/mmu.h>
#include <hv/chardev.h>
#include <hv/driver.h>
#include <lib/endian.h>
#include <lib/errno.h>
#include <port/host.h>
#include <port/machine.h>
#include <string.h>

#define FIFO 16
#define IRQ 33

enum { DR = 0x00, FR = 0x18, LCR_H = 0x2c, CR = 0x30, IMSC = 0x38, MIS = 0x40, ICR = 0x44 };

/* The device. Receive interrupt: level, as long as anything is in the FIFO (trigger or timeout). */
static struct model {
    uint16_t rx[64];
    unsigned rx_count;
    char sent[8192];
    size_t sent_count;
    unsigned tx_count;
    uint32_t lcr_h, cr, imsc, errors;
    unsigned line_changes_while_on;
} model;

static uint32_t raw_status(void)
{
    return (model.rx_count > 0 ? 0x50 : 0) | (model.tx_count <= FIFO / 2 ? 0x20 : 0) | model.errors;
}

static uint32_t read_data(void)
{
    uint16_t data = model.rx[0];

    if (model.rx_count == 0)
        return 0;
    memmove(model.rx, model.rx + 1, --model.rx_count * sizeof(model.rx[0]));
    return data;
}

static void write_data(char c)
{
    assert_true(model.tx_count < FIFO);
    assert_true(model.sent_count < sizeof(model.sent));
    model.tx_count++;
    model.sent[model.sent_count++] = c;
}

static uint32_t model_read(uint64_t offset)
{
    switch (offset) {
    case DR:
        return read_data();
    case FR:
        return (model.rx_count == 0 ? 0x10 : 0) | (model.tx_count == FIFO ? 0x20 : 0);
    case LCR_H:
        return model.lcr_h;
    case CR:
        return model.cr;
    case IMSC:
        return model.imsc;
    case MIS:
        return raw_status() & model.imsc;
    default:
        fail_msg("read of register 0x%x", (unsigned)offset);
        return 0;
    }
}

static void model_write(uint64_t offset, uint32_t value)
{
    switch (offset) {
    case DR:
        write_data((char)value);
        break;
    case LCR_H:
        model.line_changes_while_on += (model.cr & 1) != 0;
        model.lcr_h = value;
        break;
    case CR:
        model.cr = value;
        break;
    case IMSC:
        model.imsc = value;
        break;
    case ICR:
        model.errors &= ~value;
        break;
    default:
        fail_msg("write of register 0x%x", (unsigned)offset);
    }
}

static void access(uint64_t offset, unsigned size, bool is_write, uint64_t *value)
{
    assert_int_equal(size, 4);
    if (is_write)
        model_write(offset % 0x1000, (uint32_t)*value);
    else
        *value = model_read(offset % 0x1000);
}

/* The line is level-sensitive. */
static void serve(void)
{
    for (unsigned i = 0; i < 1000 && (raw_status() & model.imsc) != 0; i++)
        host_irq_raise(0, IRQ);
    assert_int_equal(raw_status() & model.imsc, 0);
}

static void receive(const char *text, uint16_t flags)
{
    while (*text != '\0') {
        for (; *text != '\0' && model.rx_count < FIFO; text++)
            model.rx[model.rx_count++] = (uint16_t)((uint8_t)*text | flags);
        serve();
    }
}

static void set_cells(struct dt_node *node, const char *name, unsigned count, const uint32_t *cells)
{
    uint8_t data[32];

    for (unsigned i = 0; i < count; i++)
        be32_store(data + 4 * i, cells[i]);
    assert_int_equal(dt_set_attr(node, name, data, 4 * count), 0);
}

static struct dt_node *uart;

static int boot(void **state)
{
    const uint32_t reg[4] = {0, 0x09000000, 0, 0x1000}, interrupts[3] = {0, 1, 4};
    struct dt_node *root, *gic;
    uintptr_t base;
    size_t size;

    (void)state;
    machine_start(1);
    arch_mmu_window(&base, &size);
    host_io_handler((void *)base, size, access);
    model.cr = 0x301;
    root = dt_root();
    dt_set_u32(root, "#address-cells", 2);
    dt_set_u32(root, "#size-cells", 2);
    dt_set_u32(root, "interrupt-parent", 1);
    if (dt_add_node(root, "gic", &gic) != 0 || dt_add_node(root, "uart@9000000", &uart) != 0)
        return -1;
    dt_set_u32(gic, "#interrupt-cells", 3);
    dt_set_u32(gic, "phandle", 1);
    dt_set_attr(gic, "interrupt-controller", NULL, 0);
    dt_set_string(uart, "compatible", "arm,pl011");
    set_cells(uart, "reg", 4, reg);
    set_cells(uart, "interrupts", 3, interrupts);
    driver_probe_all();
    return chardev_find(uart) == NULL;
}

static void test_set_up(void **state)
{
    (void)state;
    assert_int_equal(model.lcr_h, 0x70);
    assert_int_equal(model.cr & 0x301, 0x301);
    assert_int_equal(model.line_changes_while_on, 0);
    assert_true(host_irq_is_enabled(IRQ));
    assert_int_equal(model.imsc & 0x20, 0);
}

static void test_receive(void **state)
{
    struct chardev *dev = chardev_find(uart);
    const char *text = "more than the FIFO holds at once, in several interrupts";

    (void)state;
    receive(text, 0);
    for (const char *c = text; *c != '\0'; c++)
        assert_int_equal(chardev_read(dev, 0), *c);
}

static void test_broken_characters(void **state)
{
    struct chardev *dev = chardev_find(uart);

    (void)state;
    model.errors = 0x780;
    receive("x", 0x100); /* framing */
    model.errors = 0x780;
    receive("y", 0x400); /* break */
    model.errors = 0x780;
    receive("a", 0x800); /* overrun: this character is whole */
    receive("b", 0);
    assert_int_equal(model.errors, 0);
    assert_int_equal(chardev_read(dev, 0), 'a');
    assert_int_equal(chardev_read(dev, 0), 'b');
}

static void test_transmit(void **state)
{
    struct chardev *dev = chardev_find(uart);
    char text[1000];

    (void)state;
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (char)('a' + i % 26);
    model.sent_count = 0;
    chardev_write_nowait(dev, (const uint8_t *)text, sizeof(text));
    assert_int_equal(model.sent_count, FIFO);
    assert_int_equal(model.imsc & 0x20, 0x20);
    for (unsigned i = 0; i < 200 && (model.imsc & 0x20) != 0; i++) {
        model.tx_count = FIFO / 2;
        host_irq_raise(0, IRQ);
    }
    assert_int_equal(model.sent_count, sizeof(text));
    assert_memory_equal(model.sent, text, sizeof(text));
    assert_int_equal(model.imsc & 0x20, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set_up),
        cmocka_unit_test(test_receive),
        cmocka_unit_test(test_broken_characters),
        cmocka_unit_test(test_transmit),
    };

    return cmocka_run_group_tests(tests, boot, NULL);
}
