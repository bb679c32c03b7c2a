// SPDX-License-Identifier: Apache-2.0
// Virtual serial ports: one object per guest UART with a history ring; readers attach, one writer at a time. Room: vio.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vserial;

/** Name is "GUEST/DEVICE". input: bytes for the guest; returns how many it took (the rest is offered again after vserial_input_ready()). Orphan. -EEXIST, -ENOMEM. */
int vserial_create(const char *name, size_t (*input)(void *arg, const uint8_t *data, size_t size),
                   void *arg, struct vserial **out);
/** Detaches readers (they see the end), then frees when the last is gone. Orphan. */
void vserial_destroy(struct vserial *vs);
/** Output of the guest: into the history ring; wakes readers; never sleeps. Any context. Overwritten history that a reader had not seen is counted for it. */
void vserial_output(struct vserial *vs, const uint8_t *data, size_t size);
/** The device can take more input. Any context. */
void vserial_input_ready(struct vserial *vs);

struct vserial_reader;
/** By name, with a cursor at the oldest (history) or newest byte. Orphan. -ENOENT, -ENOMEM. */
int vserial_open(const char *name, bool history, struct vserial_reader **out);
void vserial_close(struct vserial_reader *r);
/** Up to size bytes; 0: none within the timeout; -EPIPE: port is gone; -EINTR. *lost = bytes that were overwritten before being read. Orphan. */
int vserial_read(struct vserial_reader *r, uint8_t *buf, size_t size, uint64_t timeout_ns,
                 uint64_t *lost);
/** Send to the guest; -EBUSY when another writer holds the port. Returns bytes queued (may be less: bounded queue). Orphan. */
int vserial_write(struct vserial_reader *r, const uint8_t *data, size_t size);
/** Makes a vserial_read() of this reader, present or next, return -ECANCELED. Any context. */
void vserial_cancel(struct vserial_reader *r);
/** fn for each port; must not sleep. */
void vserial_for_each(void (*fn)(const char *name, uint64_t out_bytes, uint64_t in_bytes,
                                 unsigned readers, void *arg),
                      void *arg);
