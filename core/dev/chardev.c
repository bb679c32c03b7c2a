// SPDX-License-Identifier: Apache-2.0
// Character devices: queues in both directions between threads and a UART driver, and the choice of the console.
#include <hv/chardev.h>
#include <hv/dt.h>
#include <hv/heap.h>
#include <hv/initcall.h>
#include <hv/log.h>
#include <hv/spinlock.h>
#include <hv/waitqueue.h>
#include <lib/errno.h>
#include <lib/macros.h>
#include <lib/ring.h>
#include <lib/string.h>

#define CHARDEV_NAME_MAX 32
#define CHARDEV_TX_SIZE 16384
/** A paste of 10 KiB that arrives while a command runs must fit. */
#define CHARDEV_RX_SIZE 32768
/** Most bytes handed to the driver with the lock held. */
#define CHARDEV_CHUNK 256

struct chardev {
    struct list link;
    char name[CHARDEV_NAME_MAX];
    struct dt_node *node;
    const struct chardev_ops *ops;
    void *priv;

    struct spinlock lock; /**< of the following; irqsave. Taken inside the lock of a waitqueue. */
    struct ring tx;
    struct ring rx;
    bool tx_waits; /**< the driver's transmit interrupt is on */
    struct chardev_stats stats;

    struct waitqueue tx_room;
    struct waitqueue rx_ready;
};

// Filled at boot only.
static struct list chardevs = LIST_INIT(chardevs);
static struct chardev *console;

int chardev_register(struct dt_node *node, const char *name, const struct chardev_ops *ops,
                     void *priv, struct chardev **out)
{
    struct chardev *dev = heap_zalloc(sizeof(*dev));
    uint8_t *memory = heap_alloc(CHARDEV_TX_SIZE + CHARDEV_RX_SIZE);

    if (dev == NULL || memory == NULL) {
        heap_free(dev);
        heap_free(memory);
        return -ENOMEM;
    }
    (void)str_copy(dev->name, name, sizeof(dev->name));
    dev->node = node;
    dev->ops = ops;
    dev->priv = priv;
    spin_init(&dev->lock);
    ring_init(&dev->tx, memory, CHARDEV_TX_SIZE);
    ring_init(&dev->rx, memory + CHARDEV_TX_SIZE, CHARDEV_RX_SIZE);
    waitqueue_init(&dev->tx_room);
    waitqueue_init(&dev->rx_ready);
    list_add_tail(&chardevs, &dev->link);
    *out = dev;
    return 0;
}

void *chardev_priv(const struct chardev *dev)
{
    return dev->priv;
}

const char *chardev_name(const struct chardev *dev)
{
    return dev->name;
}

// Transmitting

// Straight into the transmitter while nothing is queued before it, the rest into the queue.
static size_t tx_put(struct chardev *dev, const uint8_t *data, size_t size) REQUIRES(&dev->lock)
{
    size_t done = 0;

    if (ring_count(&dev->tx) == 0) {
        done = dev->ops->write(dev, data, size);
    }
    done += ring_write(&dev->tx, data + done, size - done);
    if (ring_count(&dev->tx) > 0 && !dev->tx_waits) {
        dev->tx_waits = true;
        dev->ops->tx_interrupt(dev, true);
    }
    dev->stats.tx_bytes += done;
    return done;
}

static void tx_drain(struct chardev *dev) REQUIRES(&dev->lock)
{
    uint8_t byte;

    while (ring_peek(&dev->tx, 0, &byte) && dev->ops->write(dev, &byte, 1) == 1) {
        (void)ring_get(&dev->tx, &byte);
    }
}

void chardev_transmit_ready(struct chardev *dev)
{
    irqflags_t flags = spin_lock_irqsave(&dev->lock);
    bool room;

    tx_drain(dev);
    if (ring_count(&dev->tx) == 0 && dev->tx_waits) {
        dev->tx_waits = false;
        dev->ops->tx_interrupt(dev, false);
    }
    room = ring_free(&dev->tx) >= CHARDEV_TX_SIZE / 2;
    spin_unlock_irqrestore(&dev->lock, flags);
    if (room) {
        waitqueue_wake_all(&dev->tx_room);
    }
}

static bool tx_has_room(void *arg)
{
    struct chardev *dev = arg;
    irqflags_t flags = spin_lock_irqsave(&dev->lock);
    bool room = ring_free(&dev->tx) >= CHARDEV_TX_SIZE / 4;

    spin_unlock_irqrestore(&dev->lock, flags);
    return room;
}

void chardev_wait_room(struct chardev *dev)
{
    if (!tx_has_room(dev)) {
        (void)waitqueue_wait_uninterruptible(&dev->tx_room, tx_has_room, dev, WAIT_FOREVER);
    }
}

void chardev_write(struct chardev *dev, const uint8_t *data, size_t size)
{
    while (size > 0) {
        irqflags_t flags = spin_lock_irqsave(&dev->lock);
        size_t done = tx_put(dev, data, MIN(size, (size_t)CHARDEV_CHUNK));

        spin_unlock_irqrestore(&dev->lock, flags);
        data += done;
        size -= done;
        if (size > 0) {
            chardev_wait_room(dev);
        }
    }
}

void chardev_write_nowait(struct chardev *dev, const uint8_t *data, size_t size)
{
    irqflags_t flags = spin_lock_irqsave(&dev->lock);
    size_t done = tx_put(dev, data, size);

    dev->stats.tx_dropped += size - done;
    spin_unlock_irqrestore(&dev->lock, flags);
}

void chardev_flush_sync(struct chardev *dev)
{
    irqflags_t flags = spin_lock_irqsave(&dev->lock);
    uint8_t chunk[64];
    size_t n;

    while ((n = ring_read(&dev->tx, chunk, sizeof(chunk))) > 0) {
        dev->ops->write_sync(dev, chunk, n);
    }
    spin_unlock_irqrestore(&dev->lock, flags);
}

// Receiving

// A full queue gives up its oldest bytes, so that an interrupt key always gets through.
void chardev_received(struct chardev *dev, const uint8_t *data, size_t size)
{
    irqflags_t flags;

    if (size == 0) {
        return;
    }
    flags = spin_lock_irqsave(&dev->lock);
    for (size_t i = 0; i < size; i++) {
        if (ring_free(&dev->rx) == 0) {
            dev->stats.rx_lost++;
        }
        ring_put_over(&dev->rx, data[i]);
    }
    dev->stats.rx_bytes += size;
    spin_unlock_irqrestore(&dev->lock, flags);
    waitqueue_wake_all(&dev->rx_ready);
}

static bool rx_has_byte(void *arg)
{
    struct chardev *dev = arg;
    irqflags_t flags = spin_lock_irqsave(&dev->lock);
    bool ready = ring_count(&dev->rx) > 0;

    spin_unlock_irqrestore(&dev->lock, flags);
    return ready;
}

int chardev_read(struct chardev *dev, uint64_t timeout_ns)
{
    for (;;) {
        irqflags_t flags = spin_lock_irqsave(&dev->lock);
        uint8_t byte;
        bool got = ring_get(&dev->rx, &byte);
        int err;

        spin_unlock_irqrestore(&dev->lock, flags);
        if (got) {
            return byte;
        }
        err = waitqueue_wait(&dev->rx_ready, rx_has_byte, dev, timeout_ns);
        if (err < 0) {
            return err;
        }
    }
}

bool chardev_peek_byte(struct chardev *dev, uint8_t byte)
{
    irqflags_t flags = spin_lock_irqsave(&dev->lock);
    bool found = false;
    uint8_t seen;

    for (size_t i = 0; !found && ring_peek(&dev->rx, i, &seen); i++) {
        found = seen == byte;
    }
    spin_unlock_irqrestore(&dev->lock, flags);
    return found;
}

bool chardev_discard_through(struct chardev *dev, uint8_t byte)
{
    irqflags_t flags = spin_lock_irqsave(&dev->lock);
    size_t keep_from = 0;
    uint8_t seen;

    for (size_t i = 0; ring_peek(&dev->rx, i, &seen); i++) {
        if (seen == byte) {
            keep_from = i + 1;
        }
    }
    for (size_t i = 0; i < keep_from; i++) {
        (void)ring_get(&dev->rx, &seen);
    }
    spin_unlock_irqrestore(&dev->lock, flags);
    return keep_from > 0;
}

void chardev_get_stats(struct chardev *dev, struct chardev_stats *stats)
{
    irqflags_t flags = spin_lock_irqsave(&dev->lock);

    *stats = dev->stats;
    spin_unlock_irqrestore(&dev->lock, flags);
}

// Console

struct chardev *chardev_find(const struct dt_node *node)
{
    LIST_FOR_EACH(dev, &chardevs, struct chardev, link) {
        if (dev->node == node) {
            return dev;
        }
    }
    return NULL;
}

// A path or an alias, with options such as ":115200n8" behind it (Devicetree Specification 3.6).
static struct chardev *console_from(const char *node_path, const char *property)
{
    const struct dt_node *holder = dt_find(node_path);
    const struct dt_node *node;
    const char *value;
    char path[256];

    if (holder == NULL || dt_get_string(holder, property, &value) < 0 ||
        str_copy(path, value, sizeof(path)) < 0) {
        return NULL;
    }
    *(strchr(path, ':') ?: path + strlen(path)) = '\0';
    if (path[0] != '/') {
        const struct dt_node *aliases = dt_find("/aliases");

        if (aliases == NULL || dt_get_string(aliases, path, &value) < 0 ||
            str_copy(path, value, sizeof(path)) < 0) {
            return NULL;
        }
    }
    node = dt_find(path);
    return node == NULL ? NULL : chardev_find(node);
}

struct chardev *chardev_console(void)
{
    return console;
}

static void console_sink(const char *text, size_t size)
{
    chardev_write_nowait(console, (const uint8_t *)text, size);
}

int chardev_choose_console(void)
{
    console = console_from("/vmm", "bulkhead,console");
    if (console == NULL) {
        console = console_from("/chosen", "stdout-path");
    }
    if (console == NULL) {
        console = LIST_FIRST(&chardevs, struct chardev, link);
    }
    if (console == NULL) {
        return -ENODEV;
    }
    log_set_sink(console_sink);
    return 0;
}
INITCALL(INITCALL_DEVICE, chardev_choose_console);
