// SPDX-License-Identifier: Apache-2.0
// UARTs compatible with the 8250 and the 16550A, as character devices; without interrupt: polled.
#include <arch/io.h>
#include <hv/chardev.h>
#include <hv/driver.h>
#include <lib/errno.h>

enum { DATA = 0, IER = 1, IIR = 2, FCR = 2, LCR = 3, MCR = 4, LSR = 5 };

#define IER_RX 0x05 // data and line status
#define IER_TX 0x02
#define IIR_NONE 0x01
#define IIR_FIFO 0xc0  // both bits: a FIFO that works
#define FCR_SETUP 0x87 // on, both cleared, interrupt at 8 of 16
#define LCR_8N1 0x03   // and the divisor latch off
#define MCR_SETUP 0x0b // DTR, RTS, and OUT2, which gates the interrupt on PCs
#define LSR_DATA 0x01
#define LSR_BROKEN 0x1c // parity, framing, break: no character
#define LSR_EMPTY 0x20
#define LSR_IDLE 0x40
#define POLL_LIMIT 10000000 // rounds: longer than a full FIFO takes at 1200 baud
#define RX_BURST 64         // more than a FIFO holds: bounds one interrupt

struct ns16550 {
    void *regs;
    uint32_t shift, width, fifo; // width: bytes of an access; fifo: bytes that fit when empty
};

static uint32_t reg_read(const struct ns16550 *uart, unsigned reg)
{
    const uint8_t *at = (uint8_t *)uart->regs + (reg << uart->shift);

    return uart->width == 4 ? arch_io_read32(at) & 0xff : arch_io_read8(at);
}

static void reg_write(const struct ns16550 *uart, unsigned reg, uint8_t value)
{
    uint8_t *at = (uint8_t *)uart->regs + (reg << uart->shift);

    uart->width == 4 ? arch_io_write32(at, value) : arch_io_write8(at, value);
}

static size_t ns16550_write(struct chardev *dev, const uint8_t *data, size_t size)
{
    const struct ns16550 *uart = chardev_priv(dev);
    size_t room = (reg_read(uart, LSR) & LSR_EMPTY) != 0 ? MIN(size, uart->fifo) : 0;

    for (size_t n = 0; n < room; n++)
        reg_write(uart, DATA, data[n]);
    return room;
}

static void ns16550_tx_interrupt(struct chardev *dev, bool enable)
{
    reg_write(chardev_priv(dev), IER, enable ? IER_RX | IER_TX : IER_RX);
}

static void ns16550_write_sync(struct chardev *dev, const uint8_t *data, size_t size)
{
    unsigned round = 0;

    for (size_t n = 0; n < size && round < POLL_LIMIT; round++)
        n += ns16550_write(dev, data + n, size - n);
    while ((reg_read(chardev_priv(dev), LSR) & LSR_IDLE) == 0 && round < POLL_LIMIT)
        round++;
}

static void ns16550_receive(struct chardev *dev)
{
    uint8_t bytes[RX_BURST];
    size_t n = 0;
    uint32_t line = reg_read(chardev_priv(dev), LSR);

    for (unsigned i = 0; i < RX_BURST && (line & LSR_DATA) != 0; i++) {
        bytes[n] = (uint8_t)reg_read(chardev_priv(dev), DATA);
        n += (line & LSR_BROKEN) == 0;
        line = reg_read(chardev_priv(dev), LSR);
    }
    chardev_received(dev, bytes, n);
}

static const struct chardev_ops ns16550_ops = {ns16550_write, ns16550_tx_interrupt,
                                               ns16550_write_sync};

static enum irq_result ns16550_interrupt(uint32_t irq UNUSED, void *arg)
{
    if ((reg_read(chardev_priv(arg), IIR) & IIR_NONE) != 0)
        return IRQ_UNHANDLED;
    ns16550_receive(arg);
    chardev_transmit_ready(arg);
    return IRQ_HANDLED;
}

// Firmware has set the baud rate. It asks for interrupts only once somebody takes them.
static int ns16550_probe(struct device *device)
{
    struct ns16550 *uart = device->priv = device_alloc(device, sizeof(*uart));
    struct chardev *dev;
    int err = uart == NULL ? -ENOMEM : device_map(device, 0, &uart->regs);

    if (err != 0 || dt_get_u32(device->node, "reg-shift", &uart->shift) == -EINVAL ||
        dt_get_u32(device->node, "reg-io-width", &uart->width) == -EINVAL || uart->shift > 3)
        return err != 0 ? err : -EINVAL;
    reg_write(uart, IER, 0);
    reg_write(uart, LCR, LCR_8N1);
    reg_write(uart, FCR, FCR_SETUP);
    reg_write(uart, MCR, MCR_SETUP);
    uart->fifo = (reg_read(uart, IIR) & IIR_FIFO) == IIR_FIFO ? 16 : 1;
    err = chardev_add(device, &ns16550_ops, uart, &dev);
    if (err == 0)
        err = device_request_irq(device, 0, ns16550_interrupt, dev);
    if (err == 0)
        ns16550_tx_interrupt(dev, false);
    return err == -ENOENT ? chardev_set_polled(dev, ns16550_receive) : err;
}

static const char *const ns16550_match[] = {"ns16550a", "ns16550", "ns8250", NULL};
static const struct driver ns16550 = {"ns16550", ns16550_match, ns16550_probe, NULL, NULL};
DRIVER(ns16550);
