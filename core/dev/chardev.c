// SPDX-License-Identifier: Apache-2.0
// Character devices: queues in both directions between threads and a UART driver.
#include <hv/chardev.h>
#include <hv/class.h>
#include <hv/clock.h>
#include <hv/device.h>
#include <hv/heap.h>
#include <hv/spinlock.h>
#include <hv/waitqueue.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/macros.h>
#include <lib/ring.h>
#include <lib/string.h>

#define CHARDEV_NAME_MAX 32
#define CHARDEV_TX_SIZE 16384
/** A paste of 10 KiB that arrives while a command runs must fit. */
#define CHARDEV_RX_SIZE 32768
/** Most bytes handed to the driver with the lock held. */
#define CHARDEV_CHUNK 256
/** The same for a device without an interrupt, which keeps the CPU until all is out. */
#define CHARDEV_CHUNK_POLLED 16
/** How often a device without an interrupt is asked for input while somebody reads. */
#define CHARDEV_POLL_NS (5 * NS_PER_MS)

struct chardev {
    struct list link;
    char name[CHARDEV_NAME_MAX];
    struct dt_node *node;
    struct device *device; /**< NULL: made by hand */
    const struct chardev_ops *ops;
    void *priv;
    void (*receive)(struct chardev *dev); /**< it has no interrupt; NULL: it has */

    struct spinlock lock; /**< of the following; irqsave. Taken inside the lock of a waitqueue. */
    struct ring tx;
    struct ring rx;
    bool tx_waits; /**< the driver's transmit interrupt is on */
    struct chardev_stats stats;
    const char *owner; /**< who has opened it */

    struct waitqueue tx_room;
    struct waitqueue rx_ready;
};

// Changed by drivers' probes and removals only.
static struct list chardevs = LIST_INIT(chardevs);

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

// A device that is in use stays: the console, and what somebody has opened.
static int chardev_leave(struct device *device)
{
    const struct chardev *dev = class_data(device);

    return dev->owner != NULL || dev == chardev_console() ? -EBUSY : 0;
}

static void chardev_describe(const struct device *device, char *buf, size_t size)
{
    struct chardev *dev = class_data(device);
    struct chardev_stats stats;

    chardev_get_stats(dev, &stats);
    (void)fmt_snprintf(
        buf, size, "%s%s%s, %llu out (%llu dropped), %llu in (%llu lost)%s",
        dev->owner == NULL ? "closed" : "opened by ", dev->owner == NULL ? "" : dev->owner,
        dev == chardev_console() ? ", console" : "", (unsigned long long)stats.tx_bytes,
        (unsigned long long)stats.tx_dropped, (unsigned long long)stats.rx_bytes,
        (unsigned long long)stats.rx_lost, dev->receive != NULL ? ", polled" : "");
}

const struct class chardev_class = {
    .name = "char",
    .help = "streams of bytes: consoles",
    .describe = chardev_describe,
    .leave = chardev_leave,
};
CLASS(chardev_class);

static void chardev_free(void *arg)
{
    struct chardev *dev = arg;

    list_remove(&dev->link);
    heap_free(dev->tx.data);
    heap_free(dev);
}

int chardev_add(struct device *device, const struct chardev_ops *ops, void *priv,
                struct chardev **out)
{
    int err = chardev_register(device->node, device->name, ops, priv, out);

    if (err == 0)
        err = device_on_release(device, chardev_free, *out);
    if (err == 0) {
        (*out)->device = device;
        err = class_join(device, &chardev_class, *out);
    }
    return err;
}

int chardev_set_polled(struct chardev *dev, void (*receive)(struct chardev *dev))
{
    dev->receive = receive;
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

struct chardev *chardev_next(const struct chardev *dev)
{
    return dev == NULL ? LIST_FIRST(&chardevs, struct chardev, link)
                       : LIST_NEXT(&chardevs, dev, struct chardev, link);
}

struct chardev *chardev_find(const struct dt_node *node)
{
    LIST_FOR_EACH(dev, &chardevs, struct chardev, link) {
        if (dev->node == node)
            return dev;
    }
    return NULL;
}

struct chardev *chardev_find_name(const char *name)
{
    LIST_FOR_EACH(dev, &chardevs, struct chardev, link) {
        if (str_equal(dev->name, name))
            return dev;
    }
    return NULL;
}

// Ownership

int chardev_open(struct chardev *dev, const char *owner)
{
    irqflags_t flags = spin_lock_irqsave(&dev->lock);
    int err = dev->owner != NULL ? -EBUSY : 0;

    if (err == 0)
        dev->owner = owner;
    spin_unlock_irqrestore(&dev->lock, flags);
    return err;
}

void chardev_close(struct chardev *dev)
{
    irqflags_t flags = spin_lock_irqsave(&dev->lock);

    dev->owner = NULL;
    spin_unlock_irqrestore(&dev->lock, flags);
}

const char *chardev_owner(const struct chardev *dev)
{
    return __atomic_load_n(&dev->owner, __ATOMIC_RELAXED);
}

// Transmitting

// Straight into the transmitter while nothing is queued before it, the rest into the queue.
static size_t tx_put(struct chardev *dev, const uint8_t *data, size_t size) REQUIRES(&dev->lock)
{
    size_t done = 0;

    if (dev->receive != NULL) {
        dev->ops->write_sync(dev, data, size);
        dev->stats.tx_bytes += size;
        return size;
    }
    if (ring_count(&dev->tx) == 0)
        done = dev->ops->write(dev, data, size);
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

    while (ring_peek(&dev->tx, 0, &byte) && dev->ops->write(dev, &byte, 1) == 1)
        (void)ring_get(&dev->tx, &byte);
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
    if (room)
        waitqueue_wake_all(&dev->tx_room);
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
    if (!tx_has_room(dev))
        (void)waitqueue_wait_uninterruptible(&dev->tx_room, tx_has_room, dev, WAIT_FOREVER);
}

void chardev_write(struct chardev *dev, const uint8_t *data, size_t size)
{
    size_t chunk = dev->receive != NULL ? CHARDEV_CHUNK_POLLED : CHARDEV_CHUNK;

    while (size > 0) {
        irqflags_t flags = spin_lock_irqsave(&dev->lock);
        size_t done = tx_put(dev, data, MIN(size, chunk));

        spin_unlock_irqrestore(&dev->lock, flags);
        data += done;
        size -= done;
        if (size > 0)
            chardev_wait_room(dev);
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

    while ((n = ring_read(&dev->tx, chunk, sizeof(chunk))) > 0)
        dev->ops->write_sync(dev, chunk, n);
    spin_unlock_irqrestore(&dev->lock, flags);
}

// Receiving

// A full queue gives up its oldest bytes, so that an interrupt key always gets through.
void chardev_received(struct chardev *dev, const uint8_t *data, size_t size)
{
    irqflags_t flags;

    if (size == 0)
        return;
    flags = spin_lock_irqsave(&dev->lock);
    for (size_t i = 0; i < size; i++) {
        if (ring_free(&dev->rx) == 0)
            dev->stats.rx_lost++;
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

// What the interrupt of another device would have brought.
static void rx_ask(struct chardev *dev)
{
    if (dev->receive != NULL)
        dev->receive(dev);
}

// Sleeps until there is input; a device without an interrupt is asked now and then.
static int rx_wait(struct chardev *dev, uint64_t timeout_ns)
{
    uint64_t now = clock_now();
    uint64_t end = timeout_ns > UINT64_MAX - now ? UINT64_MAX : now + timeout_ns;
    int err;

    do {
        uint64_t left = end == UINT64_MAX ? WAIT_FOREVER : end - MIN(clock_now(), end);

        rx_ask(dev);
        err = waitqueue_wait(&dev->rx_ready, rx_has_byte, dev,
                             dev->receive != NULL ? MIN(left, CHARDEV_POLL_NS) : left);
    } while (err == -ETIMEDOUT && dev->receive != NULL && clock_now() < end);
    return err;
}

size_t chardev_read_block(struct chardev *dev, uint8_t *data, size_t size)
{
    irqflags_t flags;
    size_t done;

    rx_ask(dev);
    flags = spin_lock_irqsave(&dev->lock);
    done = ring_read(&dev->rx, data, size);
    spin_unlock_irqrestore(&dev->lock, flags);
    return done;
}

int chardev_read(struct chardev *dev, uint64_t timeout_ns)
{
    uint8_t byte;

    while (chardev_read_block(dev, &byte, 1) == 0) {
        int err = rx_wait(dev, timeout_ns);

        if (err < 0)
            return err;
    }
    return byte;
}

static unsigned events_now(struct chardev *dev, unsigned events)
{
    return (rx_has_byte(dev) ? events & CHARDEV_READABLE : 0) |
           (tx_has_room(dev) ? events & CHARDEV_WRITABLE : 0);
}

int chardev_poll(struct chardev *dev, unsigned events, uint64_t timeout_ns)
{
    unsigned now;
    int err = 0;

    rx_ask(dev);
    now = events_now(dev, events);
    if (now != 0)
        return (int)now;
    // Whoever waits for room as well as for input finds room first, as output always moves on.
    if ((events & CHARDEV_WRITABLE) != 0)
        err = waitqueue_wait(&dev->tx_room, tx_has_room, dev, timeout_ns);
    else
        err = rx_wait(dev, timeout_ns);
    return err < 0 ? err : (int)events_now(dev, events);
}

bool chardev_peek_byte(struct chardev *dev, uint8_t byte)
{
    irqflags_t flags;
    bool found = false;
    uint8_t seen;

    rx_ask(dev);
    flags = spin_lock_irqsave(&dev->lock);
    for (size_t i = 0; !found && ring_peek(&dev->rx, i, &seen); i++)
        found = seen == byte;
    spin_unlock_irqrestore(&dev->lock, flags);
    return found;
}

bool chardev_discard_through(struct chardev *dev, uint8_t byte)
{
    irqflags_t flags = spin_lock_irqsave(&dev->lock);
    size_t keep_from = 0;
    uint8_t seen;

    for (size_t i = 0; ring_peek(&dev->rx, i, &seen); i++)
        if (seen == byte)
            keep_from = i + 1;
    for (size_t i = 0; i < keep_from; i++)
        (void)ring_get(&dev->rx, &seen);
    spin_unlock_irqrestore(&dev->lock, flags);
    return keep_from > 0;
}

void chardev_get_stats(struct chardev *dev, struct chardev_stats *stats)
{
    irqflags_t flags = spin_lock_irqsave(&dev->lock);

    *stats = dev->stats;
    spin_unlock_irqrestore(&dev->lock, flags);
}
