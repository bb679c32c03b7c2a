// SPDX-License-Identifier: Apache-2.0
// Virtual serial ports: guest output into a history ring that readers follow at their own pace, and a bounded queue
// of input for the guest. Output takes one short lock and never waits, so no reader can hold a guest or a CPU up.
#include <hv/heap.h>
#include <hv/mutex.h>
#include <hv/spinlock.h>
#include <hv/vserial.h>
#include <hv/waitqueue.h>
#include <hv/workqueue.h>
#include <lib/errno.h>
#include <lib/list.h>
#include <lib/macros.h>
#include <lib/ring.h>
#include <lib/string.h>

#define VSERIAL_NAME_MAX 80
#define VSERIAL_INPUT_SIZE 4096
#define VSERIAL_INPUT_CHUNK 64

struct vserial {
    struct list link;
    char name[VSERIAL_NAME_MAX];
    struct spinlock lock; /**< of the following; irqsave. Taken inside wq's lock and ports_lock. */
    uint64_t written;     /**< bytes of output so far: the position of the next one */
    uint64_t accepted;    /**< bytes of input that the guest took */
    struct ring input;
    struct vserial_reader *writer;
    unsigned refs; /**< the port itself, each reader, and queued work */
    unsigned readers;
    bool gone;
    struct waitqueue wq;

    struct mutex
        input_lock; /**< held while the device takes input; input_fn is NULL once the port is gone */
    size_t (*input_fn)(void *arg, const uint8_t *data, size_t size);
    void *input_arg;
    struct work input_work;

    uint8_t input_memory[VSERIAL_INPUT_SIZE];
    uint8_t history[CONFIG_VSERIAL_HISTORY];
};

struct vserial_reader {
    struct vserial *vs;
    uint64_t cursor;
    uint64_t lost; /**< not yet told */
    bool cancelled;
};

static struct list ports = LIST_INIT(ports);
static struct spinlock ports_lock = SPINLOCK_INIT;

static void vserial_put(struct vserial *vs)
{
    irqflags_t flags = spin_lock_irqsave(&vs->lock);
    bool last = --vs->refs == 0;

    spin_unlock_irqrestore(&vs->lock, flags);
    if (last) {
        heap_free(vs);
    }
}

static struct vserial *ports_find(const char *name) REQUIRES(&ports_lock)
{
    LIST_FOR_EACH(vs, &ports, struct vserial, link) {
        if (str_equal(vs->name, name)) {
            return vs;
        }
    }
    return NULL;
}

// Input: towards the guest

// What lies at the head of the queue stays there until the device has taken it.
static size_t input_peek(struct vserial *vs, uint8_t *chunk, size_t size)
{
    irqflags_t flags = spin_lock_irqsave(&vs->lock);
    size_t n = 0;

    while (n < size && ring_peek(&vs->input, n, &chunk[n])) {
        n++;
    }
    spin_unlock_irqrestore(&vs->lock, flags);
    return n;
}

static void input_consume(struct vserial *vs, size_t size)
{
    irqflags_t flags = spin_lock_irqsave(&vs->lock);
    uint8_t byte;

    for (size_t i = 0; i < size; i++) {
        (void)ring_get(&vs->input, &byte);
    }
    vs->accepted += size;
    spin_unlock_irqrestore(&vs->lock, flags);
}

static void input_push(struct vserial *vs)
{
    uint8_t chunk[VSERIAL_INPUT_CHUNK];
    size_t size, taken;

    mutex_lock(&vs->input_lock);
    do {
        size = vs->input_fn == NULL ? 0 : input_peek(vs, chunk, sizeof(chunk));
        taken = size == 0 ? 0 : vs->input_fn(vs->input_arg, chunk, size);
        taken = MIN(taken, size);
        input_consume(vs, taken);
    } while (taken > 0 && taken == size);
    mutex_unlock(&vs->input_lock);
}

static void input_work(struct work *work)
{
    struct vserial *vs = container_of(work, struct vserial, input_work);

    input_push(vs);
    vserial_put(vs);
}

// The device may call from inside its own lock, so it is offered the rest from the worker.
void vserial_input_ready(struct vserial *vs)
{
    irqflags_t flags = spin_lock_irqsave(&vs->lock);
    bool wanted = ring_count(&vs->input) > 0 && !vs->gone;

    vs->refs += wanted;
    spin_unlock_irqrestore(&vs->lock, flags);
    if (wanted && !work_queue(&vs->input_work)) {
        vserial_put(vs);
    }
}

int vserial_write(struct vserial_reader *r, const uint8_t *data, size_t size)
{
    struct vserial *vs = r->vs;
    irqflags_t flags = spin_lock_irqsave(&vs->lock);
    int result = -EBUSY;

    if (vs->gone) {
        result = -EPIPE;
    } else if (vs->writer == NULL || vs->writer == r) {
        vs->writer = r;
        result = (int)ring_write(&vs->input, data, size);
    }
    spin_unlock_irqrestore(&vs->lock, flags);
    if (result >= 0) {
        input_push(vs);
    }
    return result;
}

// Output: from the guest

void vserial_output(struct vserial *vs, const uint8_t *data, size_t size)
{
    irqflags_t flags = spin_lock_irqsave(&vs->lock);
    bool wake = vs->readers > 0;

    vs->written += size;
    if (size > sizeof(vs->history)) {
        data += size - sizeof(vs->history);
        size = sizeof(vs->history);
    }
    while (size > 0) {
        size_t at = (vs->written - size) % sizeof(vs->history);
        size_t n = MIN(size, sizeof(vs->history) - at);

        memcpy(&vs->history[at], data, n);
        data += n;
        size -= n;
    }
    spin_unlock_irqrestore(&vs->lock, flags);
    if (wake) {
        waitqueue_wake_all(&vs->wq);
    }
}

static uint64_t oldest_position(const struct vserial *vs) REQUIRES(&vs->lock)
{
    return vs->written > sizeof(vs->history) ? vs->written - sizeof(vs->history) : 0;
}

static size_t reader_copy(struct vserial *vs, struct vserial_reader *r, uint8_t *buf, size_t size)
    REQUIRES(&vs->lock)
{
    uint64_t oldest = oldest_position(vs);
    size_t done = 0;

    if (r->cursor < oldest) {
        r->lost += oldest - r->cursor;
        r->cursor = oldest;
    }
    size = MIN(size, vs->written - r->cursor);
    while (done < size) {
        size_t at = r->cursor % sizeof(vs->history);
        size_t n = MIN(size - done, sizeof(vs->history) - at);

        memcpy(buf + done, &vs->history[at], n);
        r->cursor += n;
        done += n;
    }
    return done;
}

static bool reader_has_news(void *arg)
{
    struct vserial_reader *r = arg;
    irqflags_t flags = spin_lock_irqsave(&r->vs->lock);
    bool news = r->cursor != r->vs->written || r->vs->gone || r->cancelled;

    spin_unlock_irqrestore(&r->vs->lock, flags);
    return news;
}

int vserial_read(struct vserial_reader *r, uint8_t *buf, size_t size, uint64_t timeout_ns,
                 uint64_t *lost)
{
    struct vserial *vs = r->vs;
    int err = reader_has_news(r) ? 0 : waitqueue_wait(&vs->wq, reader_has_news, r, timeout_ns);
    irqflags_t flags;
    int result;

    *lost = 0;
    if (err < 0) {
        return err == -ETIMEDOUT ? 0 : err;
    }
    flags = spin_lock_irqsave(&vs->lock);
    if (r->cancelled) {
        r->cancelled = false;
        result = -ECANCELED;
    } else {
        result = (int)reader_copy(vs, r, buf, size);
        *lost = r->lost;
        r->lost = 0;
        if (result == 0 && vs->gone) {
            result = -EPIPE;
        }
    }
    spin_unlock_irqrestore(&vs->lock, flags);
    return result;
}

void vserial_cancel(struct vserial_reader *r)
{
    irqflags_t flags = spin_lock_irqsave(&r->vs->lock);

    r->cancelled = true;
    spin_unlock_irqrestore(&r->vs->lock, flags);
    waitqueue_wake_all(&r->vs->wq);
}

// Ports and readers

int vserial_create(const char *name, size_t (*input)(void *arg, const uint8_t *data, size_t size),
                   void *arg, struct vserial **out)
{
    struct vserial *vs = heap_zalloc(sizeof(*vs));
    irqflags_t flags;
    bool taken;

    if (vs == NULL) {
        return -ENOMEM;
    }
    if (str_copy(vs->name, name, sizeof(vs->name)) < 0) {
        heap_free(vs);
        return -ENAMETOOLONG;
    }
    spin_init(&vs->lock);
    ring_init(&vs->input, vs->input_memory, sizeof(vs->input_memory));
    waitqueue_init(&vs->wq);
    mutex_init(&vs->input_lock);
    work_init(&vs->input_work, input_work);
    vs->input_fn = input;
    vs->input_arg = arg;
    vs->refs = 1;

    flags = spin_lock_irqsave(&ports_lock);
    taken = ports_find(name) != NULL;
    if (!taken) {
        list_add_tail(&ports, &vs->link);
    }
    spin_unlock_irqrestore(&ports_lock, flags);
    if (taken) {
        heap_free(vs);
        return -EEXIST;
    }
    *out = vs;
    return 0;
}

void vserial_destroy(struct vserial *vs)
{
    irqflags_t flags = spin_lock_irqsave(&ports_lock);

    list_remove(&vs->link);
    spin_unlock_irqrestore(&ports_lock, flags);

    flags = spin_lock_irqsave(&vs->lock);
    vs->gone = true;
    spin_unlock_irqrestore(&vs->lock, flags);

    mutex_lock(&vs->input_lock);
    vs->input_fn = NULL;
    mutex_unlock(&vs->input_lock);
    waitqueue_wake_all(&vs->wq);
    vserial_put(vs);
}

int vserial_open(const char *name, bool history, struct vserial_reader **out)
{
    struct vserial_reader *r = heap_zalloc(sizeof(*r));
    struct vserial *vs;
    irqflags_t flags;

    if (r == NULL) {
        return -ENOMEM;
    }
    flags = spin_lock_irqsave(&ports_lock);
    vs = ports_find(name);
    if (vs != NULL) {
        spin_lock(&vs->lock);
        vs->refs++;
        vs->readers++;
        r->vs = vs;
        r->cursor = history ? oldest_position(vs) : vs->written;
        spin_unlock(&vs->lock);
    }
    spin_unlock_irqrestore(&ports_lock, flags);
    if (vs == NULL) {
        heap_free(r);
        return -ENOENT;
    }
    *out = r;
    return 0;
}

void vserial_close(struct vserial_reader *r)
{
    struct vserial *vs = r->vs;
    irqflags_t flags = spin_lock_irqsave(&vs->lock);

    vs->readers--;
    if (vs->writer == r) {
        vs->writer = NULL;
    }
    spin_unlock_irqrestore(&vs->lock, flags);
    heap_free(r);
    vserial_put(vs);
}

void vserial_for_each(void (*fn)(const char *name, uint64_t out_bytes, uint64_t in_bytes,
                                 unsigned readers, void *arg),
                      void *arg)
{
    irqflags_t flags = spin_lock_irqsave(&ports_lock);

    LIST_FOR_EACH(vs, &ports, struct vserial, link) {
        uint64_t out, in;
        unsigned readers;

        spin_lock(&vs->lock);
        out = vs->written;
        in = vs->accepted;
        readers = vs->readers;
        spin_unlock(&vs->lock);
        fn(vs->name, out, in, readers, arg);
    }
    spin_unlock_irqrestore(&ports_lock, flags);
}
