// SPDX-License-Identifier: Apache-2.0
// Virtual serial ports: guest output into a history ring that readers follow at their own pace, and a bounded queue
// of input for the guest. Output takes one short lock and never waits, so no reader can hold a guest or a CPU up. The
// log keeps what comes first and so complements the history, which keeps what came last.
#include <hv/heap.h>
#include <hv/mutex.h>
#include <hv/sched.h>
#include <hv/spinlock.h>
#include <hv/vserial.h>
#include <hv/waitqueue.h>
#include <hv/workqueue.h>
#include <lib/errno.h>
#include <lib/list.h>
#include <lib/macros.h>
#include <lib/ring.h>
#include <lib/string.h>

#define VSERIAL_INPUT_SIZE 4096
#define VSERIAL_INPUT_CHUNK 64

struct vserial {
    struct list link;
    char name[VSERIAL_NAME_MAX];
    struct spinlock lock; /**< of the following; irqsave. Taken inside wq's lock and ports_lock. */
    uint64_t written;     /**< bytes of output so far: the position of the next one */
    uint64_t accepted;    /**< bytes of input that the guest took */
    uint64_t lost;        /**< bytes that readers missed */
    uint8_t *log;         /**< log_size bytes, or NULL */
    size_t log_size, log_used;
    uint64_t log_missed;
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
    char label[VSERIAL_LABEL_MAX];
};

static struct list ports = LIST_INIT(ports);
static struct spinlock ports_lock = SPINLOCK_INIT;

static void vserial_put(struct vserial *vs)
{
    irqflags_t flags = spin_lock_irqsave(&vs->lock);
    bool last = --vs->refs == 0;

    spin_unlock_irqrestore(&vs->lock, flags);
    if (!last)
        return;
    heap_free(vs->log);
    heap_free(vs);
}

static struct vserial *ports_find(const char *name) REQUIRES(&ports_lock)
{
    LIST_FOR_EACH(vs, &ports, struct vserial, link) {
        if (str_equal(vs->name, name))
            return vs;
    }
    return NULL;
}

// Input: towards the guest

// What lies at the head of the queue stays there until the device has taken it.
static size_t input_peek(struct vserial *vs, uint8_t *chunk, size_t size)
{
    irqflags_t flags = spin_lock_irqsave(&vs->lock);
    size_t n = 0;

    while (n < size && ring_peek(&vs->input, n, &chunk[n]))
        n++;
    spin_unlock_irqrestore(&vs->lock, flags);
    return n;
}

static void input_consume(struct vserial *vs, size_t size)
{
    irqflags_t flags = spin_lock_irqsave(&vs->lock);
    uint8_t byte;

    for (size_t i = 0; i < size; i++)
        (void)ring_get(&vs->input, &byte);
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
    if (wanted && !work_queue(&vs->input_work))
        vserial_put(vs);
}

// Under input_lock, so that nothing of it is on its way.
void vserial_input_drop(struct vserial *vs)
{
    irqflags_t flags;

    mutex_lock(&vs->input_lock);
    flags = spin_lock_irqsave(&vs->lock);
    ring_init(&vs->input, vs->input_memory, sizeof(vs->input_memory));
    spin_unlock_irqrestore(&vs->lock, flags);
    mutex_unlock(&vs->input_lock);
}

int vserial_claim(struct vserial_reader *r)
{
    struct vserial *vs = r->vs;
    irqflags_t flags = spin_lock_irqsave(&vs->lock);
    int err = 0;

    if (vs->gone)
        err = -EPIPE;
    else if (vs->writer == NULL)
        vs->writer = r;
    else if (vs->writer != r)
        err = -EBUSY;
    spin_unlock_irqrestore(&vs->lock, flags);
    return err;
}

void vserial_release(struct vserial_reader *r)
{
    irqflags_t flags = spin_lock_irqsave(&r->vs->lock);

    if (r->vs->writer == r)
        r->vs->writer = NULL;
    spin_unlock_irqrestore(&r->vs->lock, flags);
}

int vserial_write(struct vserial_reader *r, const uint8_t *data, size_t size)
{
    struct vserial *vs = r->vs;
    irqflags_t flags = spin_lock_irqsave(&vs->lock);
    int result;

    if (vs->gone)
        result = -EPIPE;
    else if (vs->writer != r)
        result = -EACCES;
    else
        result = (int)ring_write(&vs->input, data, MIN(size, (size_t)VSERIAL_INPUT_SIZE));
    spin_unlock_irqrestore(&vs->lock, flags);
    if (result >= 0)
        input_push(vs);
    return result;
}

// Output: from the guest

static void log_put(struct vserial *vs, const uint8_t *data, size_t size) REQUIRES(&vs->lock)
{
    size_t n = MIN(size, vs->log_size - vs->log_used);

    memcpy(&vs->log[vs->log_used], data, n);
    vs->log_used += n;
    vs->log_missed += size - n;
}

static void history_put(struct vserial *vs, const uint8_t *data, size_t size) REQUIRES(&vs->lock)
{
    while (size > 0) {
        size_t at = vs->written % sizeof(vs->history);
        size_t n = MIN(size, sizeof(vs->history) - at);

        memcpy(&vs->history[at], data, n);
        vs->written += n;
        data += n;
        size -= n;
    }
}

void vserial_output(struct vserial *vs, const uint8_t *data, size_t size)
{
    bool wake = false;

    while (size > 0) {
        size_t n = MIN(size, (size_t)VSERIAL_CHUNK);
        irqflags_t flags = spin_lock_irqsave(&vs->lock);

        wake = vs->readers > 0;
        if (vs->log != NULL)
            log_put(vs, data, n);
        history_put(vs, data, n);
        spin_unlock_irqrestore(&vs->lock, flags);
        data += n;
        size -= n;
    }
    if (wake)
        waitqueue_wake_all(&vs->wq);
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
        vs->lost += oldest - r->cursor;
        r->cursor = oldest;
    }
    size = MIN(MIN(size, (size_t)VSERIAL_CHUNK), vs->written - r->cursor);
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

uint64_t vserial_rewind(struct vserial_reader *r, uint64_t bytes)
{
    struct vserial *vs = r->vs;
    irqflags_t flags = spin_lock_irqsave(&vs->lock);
    uint64_t older = vs->written - MIN(bytes, vs->written - oldest_position(vs));

    r->cursor = older;
    r->lost = 0;
    spin_unlock_irqrestore(&vs->lock, flags);
    return older;
}

int vserial_read(struct vserial_reader *r, uint8_t *buf, size_t size, uint64_t timeout_ns,
                 uint64_t *lost)
{
    struct vserial *vs = r->vs;
    int err = reader_has_news(r) ? 0 : waitqueue_wait(&vs->wq, reader_has_news, r, timeout_ns);
    irqflags_t flags;
    int result;

    *lost = 0;
    if (err < 0)
        return err == -ETIMEDOUT ? 0 : err;
    flags = spin_lock_irqsave(&vs->lock);
    if (r->cancelled) {
        r->cancelled = false;
        result = -ECANCELED;
    } else {
        result = (int)reader_copy(vs, r, buf, size);
        *lost = r->lost;
        r->lost = 0;
        if (result == 0 && vs->gone)
            result = -EPIPE;
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

    if (vs == NULL)
        return -ENOMEM;
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
    if (!taken)
        list_add_tail(&ports, &vs->link);
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

    if (r == NULL)
        return -ENOMEM;
    flags = spin_lock_irqsave(&ports_lock);
    vs = ports_find(name);
    if (vs != NULL) {
        spin_lock(&vs->lock);
        vs->refs++;
        vs->readers++;
        r->vs = vs;
        r->cursor = history ? oldest_position(vs) : vs->written;
        (void)str_copy(r->label, sched_current()->name, sizeof(r->label));
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
    if (vs->writer == r)
        vs->writer = NULL;
    spin_unlock_irqrestore(&vs->lock, flags);
    heap_free(r);
    vserial_put(vs);
}

// What is told of ports, and the log

static void info_fill(struct vserial *vs, struct vserial_info *info) REQUIRES(&vs->lock)
{
    *info = (struct vserial_info){
        .out_bytes = vs->written,
        .in_bytes = vs->accepted,
        .in_queued = ring_count(&vs->input),
        .lost = vs->lost,
        .readers = vs->readers,
        .log_size = vs->log_size,
        .log_used = vs->log_used,
        .log_missed = vs->log_missed,
    };
    (void)str_copy(info->name, vs->name, sizeof(info->name));
    if (vs->writer != NULL)
        (void)str_copy(info->writer, vs->writer->label, sizeof(info->writer));
}

void vserial_get_info(struct vserial_reader *r, struct vserial_info *info)
{
    irqflags_t flags = spin_lock_irqsave(&r->vs->lock);

    info_fill(r->vs, info);
    spin_unlock_irqrestore(&r->vs->lock, flags);
}

void vserial_writer(struct vserial_reader *r, char label[VSERIAL_LABEL_MAX])
{
    struct vserial_info info;

    vserial_get_info(r, &info);
    (void)str_copy(label, info.writer, VSERIAL_LABEL_MAX);
}

void vserial_for_each(void (*fn)(const struct vserial_info *info, void *arg), void *arg)
{
    irqflags_t flags = spin_lock_irqsave(&ports_lock);

    LIST_FOR_EACH(vs, &ports, struct vserial, link) {
        struct vserial_info info;

        spin_lock(&vs->lock);
        info_fill(vs, &info);
        spin_unlock(&vs->lock);
        fn(&info, arg);
    }
    spin_unlock_irqrestore(&ports_lock, flags);
}

int vserial_log_create(struct vserial *vs, size_t size)
{
    irqflags_t flags;
    uint8_t *log;
    bool taken;

    if (size == 0)
        return -EINVAL;
    log = heap_alloc(size);
    if (log == NULL)
        return -ENOMEM;
    flags = spin_lock_irqsave(&vs->lock);
    taken = vs->log != NULL;
    if (!taken) {
        vs->log = log;
        vs->log_size = size;
    }
    spin_unlock_irqrestore(&vs->lock, flags);
    if (taken)
        heap_free(log);
    return taken ? -EEXIST : 0;
}

int vserial_log_read(struct vserial_reader *r, uint64_t offset, uint8_t *buf, size_t size)
{
    struct vserial *vs = r->vs;
    irqflags_t flags = spin_lock_irqsave(&vs->lock);
    int result = vs->log == NULL ? -ENOENT : 0;

    if (vs->log != NULL && offset < vs->log_used) {
        size = MIN(MIN(size, (size_t)VSERIAL_CHUNK), vs->log_used - offset);
        memcpy(buf, &vs->log[offset], size);
        result = (int)size;
    }
    spin_unlock_irqrestore(&vs->lock, flags);
    return result;
}

int vserial_log_clear(struct vserial_reader *r)
{
    irqflags_t flags = spin_lock_irqsave(&r->vs->lock);
    int result = r->vs->log == NULL ? -ENOENT : 0;

    r->vs->log_used = 0;
    r->vs->log_missed = 0;
    spin_unlock_irqrestore(&r->vs->lock, flags);
    return result;
}
