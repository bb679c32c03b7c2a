// SPDX-License-Identifier: Apache-2.0
// Character devices: host UARTs. Room: dev.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct chardev;
struct dt_node;

/** What a UART driver provides. */
struct chardev_ops {
    /** Put up to size bytes into the transmitter; returns how many it took (0: full). Any context, device lock held. */
    size_t (*write)(struct chardev *dev, const uint8_t *data, size_t size);
    /** Turn the "transmitter has room" interrupt on or off. */
    void (*tx_interrupt)(struct chardev *dev, bool enable);
    /** Same as write, but polled until all is out (panic). */
    void (*write_sync)(struct chardev *dev, const uint8_t *data, size_t size);
};

int chardev_register(struct dt_node *node, const char *name, const struct chardev_ops *ops, void *priv, struct chardev **out);
void *chardev_priv(const struct chardev *dev);
/** Driver's interrupt handler: received bytes; transmitter has room. IRQ context. */
void chardev_received(struct chardev *dev, const uint8_t *data, size_t size);
void chardev_transmit_ready(struct chardev *dev);

/** The device of a node (chosen stdout-path); NULL when none. */
struct chardev *chardev_find(const struct dt_node *node);
struct chardev *chardev_console(void);
/** Queue all bytes, sleeping while the queue is full. Orphan. */
void chardev_write(struct chardev *dev, const uint8_t *data, size_t size);
/** Queue what fits, drop and count the rest; never waits (log sink). Any context. */
void chardev_write_nowait(struct chardev *dev, const uint8_t *data, size_t size);
/** One byte or -ETIMEDOUT, -EINTR. Orphan. */
int chardev_read(struct chardev *dev, uint64_t timeout_ns);
/** Ctrl-C seen in the input since last cleared (it stays in the stream too). */
bool chardev_peek_byte(struct chardev *dev, uint8_t byte);
