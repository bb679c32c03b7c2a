// SPDX-License-Identifier: Apache-2.0
// Virtual serial ports: one object per guest UART with a history ring and, where asked for, a log of how it began.
// Any number of readers, each at its own pace; one writer at a time. Room: vio.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VSERIAL_NAME_MAX 80
#define VSERIAL_LABEL_MAX 32

struct vserial;

/** Name is "GUEST/DEVICE". input: bytes for the guest; returns how many it took (the rest is offered again after vserial_input_ready()). Orphan. -EEXIST, -ENOMEM, -ENAMETOOLONG. */
int vserial_create(const char *name, size_t (*input)(void *arg, const uint8_t *data, size_t size),
                   void *arg, struct vserial **out);
/** Detaches readers (they see the end), then frees when the last is gone. Orphan. */
void vserial_destroy(struct vserial *vs);
/**
 * Output of the guest: into the history, where it replaces the oldest, and into the log while that has room; wakes readers. Never sleeps and never waits for a
 * reader. The lock is held for at most VSERIAL_CHUNK bytes at a time. History that a reader had not seen is counted for it. Any context.
 */
void vserial_output(struct vserial *vs, const uint8_t *data, size_t size);
#define VSERIAL_CHUNK 256
/** The device can take more input. Any context. */
void vserial_input_ready(struct vserial *vs);
/** Forgets the input that the device has not taken: the device is reset. Orphan, outside the device's lock. */
void vserial_input_drop(struct vserial *vs);
/**
 * Gives the port a log of that many bytes. It keeps what comes first, over resets of the guest too, until it is full or cleared; the history keeps what
 * came last. Before the first output. Orphan. -EINVAL (0), -EEXIST, -ENOMEM.
 */
int vserial_log_create(struct vserial *vs, size_t size);

struct vserial_reader;
/**
 * By name, with a cursor at the oldest (history) or newest byte. The caller's name (that of its thread) is what the port's writer is called while it is this
 * reader. Orphan. -ENOENT, -ENOMEM.
 */
int vserial_open(const char *name, bool history, struct vserial_reader **out);
/** Gives the claim back, too. */
void vserial_close(struct vserial_reader *r);
/** Cursor back to that many bytes before the newest one, or to the oldest. Returns how many older ones there ever were. Any context. */
uint64_t vserial_rewind(struct vserial_reader *r, uint64_t bytes);
/** Up to size bytes; 0: none within the timeout; -EPIPE: port is gone; -EINTR. *lost = bytes that were overwritten before being read. Orphan. */
int vserial_read(struct vserial_reader *r, uint8_t *buf, size_t size, uint64_t timeout_ns,
                 uint64_t *lost);
/** Makes a vserial_read() of this reader, present or next, return -ECANCELED. Any context. */
void vserial_cancel(struct vserial_reader *r);
/** Become the port's writer until vserial_release() or vserial_close(). 0 (also when it is already), -EBUSY, -EPIPE. Any context. */
int vserial_claim(struct vserial_reader *r);
void vserial_release(struct vserial_reader *r);
/** Who has the claim; "" when nobody has. Any context. */
void vserial_writer(struct vserial_reader *r, char label[VSERIAL_LABEL_MAX]);
/** Send to the guest; -EACCES without the claim, -EPIPE. Returns bytes queued (may be less: bounded queue). Orphan. */
int vserial_write(struct vserial_reader *r, const uint8_t *data, size_t size);
/** Up to size bytes of the log from offset on; 0 at its end, -ENOENT: the port has none. Any context. */
int vserial_log_read(struct vserial_reader *r, uint64_t offset, uint8_t *buf, size_t size);
/** The log begins anew. Any context. -ENOENT. */
int vserial_log_clear(struct vserial_reader *r);

struct vserial_info {
    char name[VSERIAL_NAME_MAX];
    uint64_t out_bytes;             /**< from the guest */
    uint64_t in_bytes;              /**< that the guest took */
    uint64_t in_queued;             /**< that it has yet to take */
    uint64_t lost;                  /**< bytes that readers missed, all readers together */
    unsigned readers;               /**< at present */
    char writer[VSERIAL_LABEL_MAX]; /**< "": nobody */
    uint64_t log_size;              /**< 0: no log */
    uint64_t log_used;
    uint64_t log_missed; /**< bytes that came when the log was full */
};
/** What vserial_for_each() tells, of the reader's port. Any context. */
void vserial_get_info(struct vserial_reader *r, struct vserial_info *info);
/** fn for each port; must not sleep. */
void vserial_for_each(void (*fn)(const struct vserial_info *info, void *arg), void *arg);
