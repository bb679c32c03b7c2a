// SPDX-License-Identifier: Apache-2.0
// Character devices: host UARTs. Room: dev.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct chardev;
struct class;
struct device;
struct dt_node;

extern const struct class chardev_class;

/** What a UART driver provides. */
struct chardev_ops {
    /** Put up to size bytes into the transmitter; returns how many it took (0: full). Any context, device lock held. */
    size_t (*write)(struct chardev *dev, const uint8_t *data, size_t size);
    /** Turn the "transmitter has room" interrupt on or off. Any context, device lock held. */
    void (*tx_interrupt)(struct chardev *dev, bool enable);
    /** Same as write, but polled until all is out (panic). */
    void (*write_sync)(struct chardev *dev, const uint8_t *data, size_t size);
};

/** Driver's probe: device, which must be quiet, is a character device now, and gone with it. -ENOMEM, -EBUSY. */
int chardev_add(struct device *device, const struct chardev_ops *ops, void *priv,
                struct chardev **out);
/**
 * Driver's probe: it has no interrupt; 0. Output then keeps the CPU until it is out; receive, which hands over what has come, is called while somebody
 * reads.
 */
int chardev_set_polled(struct chardev *dev, void (*receive)(struct chardev *dev));
/** The same without a device; it lasts. node may be NULL. -ENOMEM. Boot. */
int chardev_register(struct dt_node *node, const char *name, const struct chardev_ops *ops,
                     void *priv, struct chardev **out);
/** The driver's own, as it was added. Any context. */
void *chardev_priv(const struct chardev *dev);
/** Driver's interrupt handler: received bytes; transmitter has room. IRQ context. */
void chardev_received(struct chardev *dev, const uint8_t *data, size_t size);
void chardev_transmit_ready(struct chardev *dev);

/** The device of a node (chosen stdout-path); NULL when none. */
struct chardev *chardev_find(const struct dt_node *node);
struct chardev *chardev_find_name(const char *name);
/** In the order in which they came; NULL: the first one, and past the last one. */
struct chardev *chardev_next(const struct chardev *dev);

/**
 * Take it for oneself, so that input has one reader: -EBUSY when it is taken. owner is kept as a pointer, for the operator. An open device can not be
 * removed. Writing (log lines) needs no ownership. Any context.
 */
int chardev_open(struct chardev *dev, const char *owner);
void chardev_close(struct chardev *dev);
/** NULL: nobody has opened it. */
const char *chardev_owner(const struct chardev *dev);

enum { CHARDEV_READABLE = 1, CHARDEV_WRITABLE = 2 };
/** Sleep until one of the events is there: those that are, or -ETIMEDOUT, -EINTR. Orphan. */
int chardev_poll(struct chardev *dev, unsigned events, uint64_t timeout_ns);
/** What is there, at most size bytes; 0: nothing. Orphan. */
size_t chardev_read_block(struct chardev *dev, uint8_t *data, size_t size);

/** The one that terminal and log are on; NULL before chardev_choose_console(). Any context. */
struct chardev *chardev_console(void);
/** Queue all bytes, sleeping while the queue is full. Orphan. */
void chardev_write(struct chardev *dev, const uint8_t *data, size_t size);
/** Queue what fits, drop and count the rest; never waits (log sink). Any context. */
void chardev_write_nowait(struct chardev *dev, const uint8_t *data, size_t size);
/** One byte or -ETIMEDOUT, -EINTR. Orphan. */
int chardev_read(struct chardev *dev, uint64_t timeout_ns);
/** Is this byte (Ctrl-C) in the input that nobody has read yet? It stays there. */
bool chardev_peek_byte(struct chardev *dev, uint8_t byte);
/** Drop unread input up to and including the last such byte; true when there was one. */
bool chardev_discard_through(struct chardev *dev, uint8_t byte);
/** Sleep until chardev_write_nowait() of a few kilobytes will not drop any. Orphan. */
void chardev_wait_room(struct chardev *dev);
/** Polls the queued output out (before the machine goes off). Any context. */
void chardev_flush_sync(struct chardev *dev);

struct chardev_stats {
    uint64_t tx_bytes, rx_bytes;
    uint64_t tx_dropped; /**< bytes that chardev_write_nowait() had no room for */
    uint64_t rx_lost;    /**< oldest unread bytes given up for newer ones */
};
/** Takes the device's lock. Any context. */
void chardev_get_stats(struct chardev *dev, struct chardev_stats *stats);
/** Lasts as long as the device. Any context. */
const char *chardev_name(const struct chardev *dev);
/** Console by /vmm bulkhead,console, /chosen stdout-path, or the first device; takes the log over. -ENODEV. Boot, after the drivers. */
int chardev_choose_console(void);
