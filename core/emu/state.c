// SPDX-License-Identifier: Apache-2.0
// Saved states of emulated devices: a header that says of what kind, version and size they are, then the block of plain data.
#include <hv/emulator.h>

#include <hv/heap.h>
#include <lib/crc32.h>
#include <lib/errno.h>
#include <lib/macros.h>
#include <lib/string.h>

#define STATE_MAGIC 0x53756d65U /* "emuS" */
#define STATE_HEADER_VERSION 1
#define STATE_KIND_MAX 24

struct state_header {
    uint32_t magic;
    uint32_t header_version;
    char kind[STATE_KIND_MAX]; /**< name of the emulator, filled up with zeros */
    uint32_t version;
    uint32_t size; /**< bytes that follow */
    uint32_t crc;  /**< of all before, and of what follows */
    uint32_t reserved;
};

static size_t payload_size(const struct emu_device *dev)
{
    return dev->emulator->flat_size != NULL ? dev->emulator->flat_size(dev)
                                            : dev->emulator->state_size;
}

static uint32_t state_crc(const struct state_header *header, const void *payload)
{
    uint32_t crc = crc32_update(0, header, offsetof(struct state_header, crc));

    return crc32_update(crc, payload, header->size);
}

static void header_make(const struct emu_device *dev, struct state_header *header)
{
    memset(header, 0, sizeof(*header));
    header->magic = STATE_MAGIC;
    header->header_version = STATE_HEADER_VERSION;
    (void)str_copy(header->kind, dev->emulator->name, sizeof(header->kind));
    header->version = dev->emulator->version;
    header->size = (uint32_t)payload_size(dev);
}

static irqflags_t lock(struct emu_device *dev) NO_THREAD_SAFETY
{
    return dev->lock != NULL ? spin_lock_irqsave(dev->lock) : 0;
}

static void unlock(struct emu_device *dev, irqflags_t flags) NO_THREAD_SAFETY
{
    if (dev->lock != NULL)
        spin_unlock_irqrestore(dev->lock, flags);
}

size_t emu_state_size(const struct emu_device *dev)
{
    return sizeof(struct state_header) + payload_size(dev);
}

static void block_save(struct emu_device *dev, void *to)
{
    irqflags_t flags = lock(dev);

    if (dev->emulator->saving != NULL)
        dev->emulator->saving(dev);
    memcpy(to, dev->state, dev->emulator->state_size);
    unlock(dev, flags);
}

int emu_state_save(struct emu_device *dev, void *buf, size_t size)
{
    struct state_header header;
    uint8_t *payload = (uint8_t *)buf + sizeof(header);

    if (size < emu_state_size(dev))
        return -ENOSPC;
    header_make(dev, &header);
    if (dev->emulator->flat_save != NULL)
        dev->emulator->flat_save(dev, payload);
    else
        block_save(dev, payload);
    header.crc = state_crc(&header, payload);
    memcpy(buf, &header, sizeof(header));
    return 0;
}

/* Was it made from a device like this one, and is it whole? */
static int header_check(const struct emu_device *dev, const struct state_header *header,
                        const void *payload, size_t size)
{
    struct state_header own;

    if (header->magic != STATE_MAGIC || header->header_version != STATE_HEADER_VERSION ||
        header->size != size - sizeof(*header) || header->reserved != 0 ||
        header->crc != state_crc(header, payload))
        return -EBADMSG;
    header_make(dev, &own);
    if (memcmp(own.kind, header->kind, sizeof(own.kind)) != 0)
        return -ENODEV;
    if (own.version != header->version)
        return -EPROTO;
    return own.size == header->size ? 0 : -EINVAL;
}

static int block_restore(struct emu_device *dev, const void *from)
{
    const struct emulator *emulator = dev->emulator;
    irqflags_t flags = lock(dev);
    int err = emulator->check != NULL ? emulator->check(dev, from) : 0;

    if (err == 0) {
        memcpy(dev->state, from, emulator->state_size);
        if (emulator->restored != NULL)
            emulator->restored(dev);
    }
    unlock(dev, flags);
    return err;
}

/* A copy that is aligned, and that nobody changes between check and use. */
int emu_state_restore(struct emu_device *dev, const void *buf, size_t size)
{
    struct state_header header;
    void *payload;
    int err;

    if (size < sizeof(header) || size - sizeof(header) > UINT32_MAX)
        return -EBADMSG;
    memcpy(&header, buf, sizeof(header));
    if (header.size != size - sizeof(header))
        return -EBADMSG;
    payload = heap_alloc(MAX(header.size, 1U));
    if (payload == NULL)
        return -ENOMEM;
    memcpy(payload, (const uint8_t *)buf + sizeof(header), header.size);
    err = header_check(dev, &header, payload, size);
    if (err == 0)
        err = dev->emulator->flat_restore != NULL ? dev->emulator->flat_restore(dev, payload)
                                                  : block_restore(dev, payload);
    heap_free(payload);
    return err;
}
