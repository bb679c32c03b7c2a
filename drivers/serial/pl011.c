// SPDX-License-Identifier: Apache-2.0
// Arm PrimeCell UART PL011 (DDI 0183) as a character device.
#include <arch/barrier.h>
#include <arch/io.h>
#include <hv/chardev.h>
#include <hv/driver.h>
#include <lib/errno.h>

enum { DR = 0x00, FR = 0x18, LCR_H = 0x2c, CR = 0x30, IMSC = 0x38, MIS = 0x40, ICR = 0x44 };

#define DR_BROKEN 0x700 // framing, parity, break: no character
#define FR_BUSY 0x08
#define FR_RXFE 0x10
#define FR_TXFF 0x20
#define LCR_H_8N1_FIFO 0x70
#define CR_ENABLE 0x301
#define INT_RX 0x50 // trigger level and timeout
#define INT_TX 0x20
#define INT_ERRORS 0x780
#define POLL_LIMIT 10000000 // rounds: longer than a full FIFO takes at 1200 baud
#define RX_BURST 64         // more than a FIFO holds: bounds one interrupt

static uint32_t reg_read(const struct chardev *dev, unsigned offset)
{
    return arch_io_read32((uint8_t *)chardev_priv(dev) + offset);
}

static void reg_write(const struct chardev *dev, unsigned offset, uint32_t value)
{
    arch_io_write32((uint8_t *)chardev_priv(dev) + offset, value);
}

static void wait_while(const struct chardev *dev, uint32_t flag)
{
    for (unsigned i = 0; (reg_read(dev, FR) & flag) != 0 && i < POLL_LIMIT; i++)
        arch_cpu_relax();
}

static size_t pl011_write(struct chardev *dev, const uint8_t *data, size_t size)
{
    size_t n;

    for (n = 0; n < size && (reg_read(dev, FR) & FR_TXFF) == 0; n++)
        reg_write(dev, DR, data[n]);
    return n;
}

static void pl011_tx_interrupt(struct chardev *dev, bool enable)
{
    reg_write(dev, IMSC, INT_RX | INT_ERRORS | (enable ? INT_TX : 0));
}

static void pl011_write_sync(struct chardev *dev, const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        wait_while(dev, FR_TXFF);
        reg_write(dev, DR, data[i]);
    }
    wait_while(dev, FR_BUSY);
}

// Reading to below the trigger level ends the receive interrupts; clearing them by ICR could take
// away the one of a byte that arrives in between.
static void pl011_receive(struct chardev *dev)
{
    uint8_t bytes[RX_BURST];
    size_t n = 0;

    for (unsigned i = 0; i < RX_BURST && (reg_read(dev, FR) & FR_RXFE) == 0; i++) {
        uint32_t data = reg_read(dev, DR);
        bytes[n] = (uint8_t)data;
        n += (data & DR_BROKEN) == 0;
    }
    chardev_received(dev, bytes, n);
}

static const struct chardev_ops pl011_ops = {pl011_write, pl011_tx_interrupt, pl011_write_sync};

static enum irq_result pl011_interrupt(uint32_t irq UNUSED, void *arg)
{
    struct chardev *dev = arg;
    uint32_t status = reg_read(dev, MIS);

    reg_write(dev, ICR, status & INT_ERRORS);
    pl011_receive(dev);
    if ((status & INT_TX) != 0)
        chardev_transmit_ready(dev);
    return status == 0 ? IRQ_UNHANDLED : IRQ_HANDLED;
}

// Firmware has set the baud rate. Line control changes only while the UART is off.
static int pl011_probe(struct device *device)
{
    struct chardev *dev;
    void *regs;
    int err = device_map(device, 0, &regs);

    if (err == 0)
        err = chardev_add(device, &pl011_ops, regs, &dev);
    if (err != 0)
        return err;
    device->priv = dev;
    wait_while(dev, FR_BUSY);
    reg_write(dev, CR, 0);
    reg_write(dev, LCR_H, LCR_H_8N1_FIFO);
    reg_write(dev, CR, CR_ENABLE);
    pl011_tx_interrupt(dev, false);
    return device_request_irq(device, 0, pl011_interrupt, dev);
}

static void pl011_remove(struct device *device)
{
    reg_write(device->priv, IMSC, 0);
}

static const char *const pl011_match[] = {"arm,pl011", NULL};
static const struct driver pl011 = {"pl011", pl011_match, pl011_probe, pl011_remove, NULL};
DRIVER(pl011);
